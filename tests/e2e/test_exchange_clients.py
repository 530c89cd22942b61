"""What clients in the wild do and rely on: words, tokens, keys, and methods beyond trading."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import pytest_asyncio

from apps.exchange.sessions import Credentials, Sessions
from core.simulation.dvol import dvol_percent
from ports.checks import epoch_ms
from tests.support.exchanges import KEY, START, ExchangeRig, refusal, served, websocket

HOUR = timedelta(hours=1)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared() -> AsyncIterator[ExchangeRig]:
    """One exchange for all that leave it as it was."""
    async with served() as made:
        await made.sign_in()
        yield made


@pytest.mark.asyncio(loop_scope="module")
async def test_methods_begin_with_a_slash_or_not(shared: ExchangeRig) -> None:
    """A body may name its method as a path."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "/public/get_time", "params": {}}
    answer = (await shared.http.post("/api/v2", json=body)).json()

    assert answer["result"] == epoch_ms(START)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("given", ["7", "abc", "9" * 30, "-1"])
async def test_the_id_of_a_query_comes_back(shared: ExchangeRig, given: str) -> None:
    """A number as a number, anything else as the text that it is."""
    answer = (await shared.http.get("/api/v2/public/test", params={"id": given})).json()

    assert answer["id"] == (7 if given == "7" else given)


@pytest.mark.asyncio(loop_scope="module")
async def test_names_that_a_method_does_not_have(shared: ExchangeRig) -> None:
    """Words that clients send along are passed over; a slip of the pen is shown."""
    assert (
        await shared.call("private/get_open_orders_by_currency", currency="BTC", code="BTC") == []
    )
    error = await refusal(shared, "private/get_open_orders_by_currency", currency="BTC", knd="any")

    assert (error.code, error.data) == (
        -32602,
        {"reason": "unknown parameter", "param": "knd"},
    )


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("end", ["", "\n"])
async def test_signatures_end_with_a_line_end_or_not(shared: ExchangeRig, end: str) -> None:
    """Both of the ways in which Deribit's examples sign get a token."""
    signed = {"timestamp": 1_741_000_000_000, "nonce": "abc", "data": "some"}
    signature = KEY.signed(f"{signed['timestamp']}\nabc\nsome{end}")
    told = await shared.call(
        "public/auth",
        grant_type="client_signature",
        client_id=KEY.client_id,
        signature=signature,
        **signed,
    )

    assert told["expires_in"] > 0


def test_a_key_grants_no_more_than_it_has() -> None:
    """The usual key trades and reads, cannot move coin, and a token cannot ask for more."""
    sessions = Sessions(
        credentials=Credentials(client_id="a", client_secret="b"),  # noqa: S106
        lifetime_s=60,
    )
    whole = sessions.opened("", None, 0.0)
    asked = sessions.opened("wallet:read_write trade:read", None, 0.0)

    assert whole.scope == "account:read trade:read_write wallet:read connection mainaccount"
    assert asked.scope == "trade:read wallet:read connection mainaccount"
    assert not whole.allows("wallet:read_write")


async def test_tokens_beside_each_other() -> None:
    """fork_token and exchange_token leave the first session alive; another's account is refused."""
    async with served() as rig:
        told = await rig.sign_in("session:first")
        mine = {"refresh_token": told["refresh_token"]}
        forked = await rig.call("public/fork_token", session_name="second", **mine)
        other = await rig.call("public/exchange_token", subject_id=1, **mine)
        for token in (told, forked, other):
            rig.token = token["access_token"]
            assert await rig.call("private/get_open_orders") == []

        assert "session:second" in forked["scope"]
        assert (await refusal(rig, "public/exchange_token", subject_id=2, **mine)).code == 13021


async def test_what_has_expired() -> None:
    """Contracts are listed for days after their end, as closed, with the terms they had."""
    async with served() as rig:
        before = await rig.call("public/get_instruments", currency="BTC", kind="option")
        first = min(each["expiration_timestamp"] for each in before)
        ended = {
            each["instrument_name"] for each in before if each["expiration_timestamp"] == first
        }
        await rig.step(hours=24)
        expired = await rig.call(
            "public/get_instruments", currency="BTC", kind="option", expired=True
        )
        name = min(ended)
        one = await rig.call("public/get_instrument", instrument_name=name)
        page = await rig.call("public/get_last_settlements_by_instrument", instrument_name=name)
        behind = await rig.call(
            "public/get_last_settlements_by_instrument", instrument_name=name, continuation="none"
        )
        stranger = "BTC-4MAR25-12345-C"

        listed = {each["instrument_name"]: each for each in expired}
        assert ended <= listed.keys()
        assert listed[name] == one
        assert (one["is_active"], one["state"]) == (False, "archivized")
        assert [row["instrument_name"] for row in page["settlements"]] == [name]
        assert page["continuation"] == behind["continuation"] == "none"
        assert behind["settlements"] == []
        assert (await refusal(rig, "public/get_instrument", instrument_name=stranger)).code == 13020


@pytest.mark.asyncio(loop_scope="module")
async def test_bars_of_the_volatility_index(shared: ExchangeRig) -> None:
    """Each goes on where the last ended, and reaches what the chain said within its hour."""
    end = epoch_ms(START)
    answer = await shared.call(
        "public/get_volatility_index_data",
        currency="BTC",
        resolution="3600",
        start_timestamp=end - 6 * 3_600_000,
        end_timestamp=end - 1,
    )
    bars = answer["data"]

    assert [bar[0] for bar in bars] == [end - hour * 3_600_000 for hour in range(6, 0, -1)]
    assert [bar[1] for bar in bars[1:]] == [bar[4] for bar in bars[:-1]]
    assert any(high > max(opened, closed) for _, opened, high, _, closed in bars)
    for begin, _, high, low, _ in bars:
        for part in range(5):
            level = await level_at(
                shared, datetime.fromtimestamp(begin / 1000, START.tzinfo) + part * HOUR / 4
            )
            assert low <= level <= high


async def level_at(rig: ExchangeRig, at: datetime) -> float:
    """The index that the chain at *at* implies, as it is told."""
    return round(dvol_percent(await rig.exchange.world.past.snapshot("BTC", at)), 2)


@pytest.mark.asyncio(loop_scope="module")
async def test_charts_begin_with_their_contract(shared: ExchangeRig) -> None:
    """However far back one asks, an option has bars from its listing to its end."""
    name = (await shared.quoted())["instrument_name"]
    terms = await shared.call("public/get_instrument", instrument_name=name)
    chart = await shared.call(
        "public/get_tradingview_chart_data",
        instrument_name=name,
        resolution="60",
        start_timestamp=epoch_ms(START) - 40 * 86_400_000,
        end_timestamp=epoch_ms(START),
    )

    assert terms["creation_timestamp"] <= chart["ticks"][0]
    assert chart["ticks"][-1] == epoch_ms(START)
    assert len(chart["ticks"]) <= 4 * 24 + 1


@pytest.mark.asyncio(loop_scope="module")
async def test_volumes_are_those_of_the_chain(shared: ExchangeRig) -> None:
    """A day's volume of calls and of puts is the sum of what the summaries say."""
    chain = await shared.call("public/get_book_summary_by_currency", currency="ETH", kind="option")
    volumes = {each["currency"]: each for each in await shared.call("public/get_trade_volumes")}
    for word, letter in (("calls_volume", "C"), ("puts_volume", "P")):
        summed = sum(row["volume"] for row in chain if row["instrument_name"].endswith(letter))
        assert volumes["ETH"][word] == pytest.approx(summed, abs=0.01)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("span", "step_ms"), [("1h", 60_000), ("1d", 600_000), ("1m", 3_600_000)])
async def test_the_chart_of_an_index(shared: ExchangeRig, span: str, step_ms: int) -> None:
    """The index at even distances, up to now."""
    rows = await shared.call("public/get_index_chart_data", index_name="btc_usd", range=span)
    now = (await shared.call("public/get_index_price", index_name="btc_usd"))["index_price"]

    assert rows[-1] == [epoch_ms(START), pytest.approx(now)]
    assert {after[0] - before[0] for before, after in pairwise(rows)} == {step_ms}


@pytest.mark.asyncio(loop_scope="module")
async def test_books_by_number(shared: ExchangeRig) -> None:
    """The number of an instrument finds the book that its name finds."""
    ticker = await shared.quoted()
    for name in (ticker["instrument_name"], "ETH-PERPETUAL"):
        terms = await shared.call("public/get_instrument", instrument_name=name)
        by_number = await shared.call(
            "public/get_order_book_by_instrument_id", instrument_id=terms["instrument_id"]
        )
        assert by_number == await shared.call("public/get_order_book", instrument_name=name)

    unknown = await refusal(shared, "public/get_order_book_by_instrument_id", instrument_id=1)
    assert unknown.code == 13020


async def test_channels_of_charts_and_perpetuals() -> None:
    """A chart tells the bar that is being made, then its growth; a perpetual what it bears."""
    async with served() as rig, websocket(rig) as client:
        chart, interest = "chart.trades.BTC-PERPETUAL.60", "perpetual.BTC-PERPETUAL.100ms"
        wanted = [chart, interest, "perpetual.BTC-28MAR25-90000-C.100ms"]
        assert await client.call("public/subscribe", channels=wanted) == [chart, interest]
        begun, borne = await client.heard(chart), await client.heard(interest)
        ticker = await rig.call("public/ticker", instrument_name="BTC-PERPETUAL")
        await rig.step(minutes=10)
        later = await client.heard(chart)

        index = (await rig.call("public/get_index_price", index_name="btc_usd"))["index_price"]
        assert begun["tick"] == later["tick"] == epoch_ms(START)
        assert begun["open"] == later["open"] == borne["index_price"]
        assert later["close"] == index
        assert (
            later["low"] <= min(begun["low"], index) <= max(begun["high"], index) <= later["high"]
        )
        assert borne["interest"] == ticker["current_funding"]


async def test_a_feed_is_not_forgotten_while_it_is_joined() -> None:
    """What is said while a listener waits for its first word does not end its channel."""
    async with served() as rig, websocket(rig) as client:
        chart = "chart.trades.BTC-PERPETUAL.60"
        await client.call("public/test")
        (connection,) = rig.hub.connections.values()
        connection.joining.append(chart)
        joining = asyncio.create_task(rig.hub.join(connection))
        await asyncio.sleep(0)
        assert chart not in connection.channels
        await rig.hub.say_market()
        await joining

        assert chart in connection.channels
        assert chart in rig.hub.feeds


@pytest.mark.asyncio(loop_scope="module")
async def test_the_owner(shared: ExchangeRig) -> None:
    """The account is told with its key, its positions and its orders."""
    (key,) = await shared.call("private/list_api_keys")
    (account,) = await shared.call("private/get_subaccounts", with_portfolio=True)
    (details,) = await shared.call(
        "private/get_subaccounts_details", currency="BTC", with_open_orders=True
    )

    assert (key["client_id"], key["max_scope"]) == (KEY.client_id, KEY.access)
    assert KEY.client_secret not in str(key)
    assert account["portfolio"]["btc"]["balance"] == 1.0
    assert (details["positions"], details["open_orders"]) == ([], [])
