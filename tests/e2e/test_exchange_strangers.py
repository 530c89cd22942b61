"""
What clients that nobody here wrote were seen to rely on.

They are cryptofeed 2.4.1, ccxt 4.5.90, typed-deribit 0.4.1, deribit-v2-client 0.0.1,
deribit-wrapper 0.6.4 and openbb-deribit 2.0.0; each test names what one of them does.
"""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from ports.checks import epoch_ms
from tests.support.exchanges import KEY, START, ExchangeRig, Fields, refusal, served, websocket

PERPETUAL = "BTC-PERPETUAL"


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served() as made:
        await made.sign_in()
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared() -> AsyncIterator[ExchangeRig]:
    """One exchange for all that leave it as it was."""
    async with served() as made:
        await made.sign_in()
        yield made


@pytest.mark.asyncio(loop_scope="module")
async def test_parameters_of_other_methods_are_passed_over(shared: ExchangeRig) -> None:
    """A client with one way to build parameters gets its answer; a slip of the pen is shown."""
    words = {"depth": 5, "time_in_force": "good_til_cancelled", "sorting": "desc"}
    ticker = await shared.call("public/ticker", instrument_name=PERPETUAL, **words)
    error = await refusal(shared, "public/ticker", instrument_name=PERPETUAL, time_in_forc="x")
    nameless = await refusal(shared, "public/ticker", **words)

    assert ticker["instrument_name"] == PERPETUAL
    assert nameless.data == {"reason": "value required", "param": "instrument_name"}
    assert (error.code, error.data) == (
        -32602,
        {"reason": "unknown parameter", "param": "time_in_forc"},
    )


@pytest.mark.asyncio(loop_scope="module")
async def test_words_of_the_password_grant_are_passed_over(shared: ExchangeRig) -> None:
    """The client generated from the interface of 2019 sends every word of public/auth."""
    key = {"client_id": KEY.client_id, "client_secret": KEY.client_secret}
    rest = {"username": "", "password": "", "refresh_token": "", "signature": "", "timestamp": 1}
    told = await shared.call("public/auth", grant_type="client_credentials", **key, **rest)

    assert told["expires_in"] > 0


async def test_a_subscription_may_name_a_session() -> None:
    """cryptofeed sends the scope of its login again with private/subscribe."""
    async with served() as rig, websocket(rig) as line:
        await line.sign_in()
        channel = f"book.{PERPETUAL}.raw"

        assert await line.call("private/subscribe", scope="session:one", channels=[channel]) == [
            channel
        ]


@pytest.mark.asyncio(loop_scope="module")
async def test_coins_without_contracts(shared: ExchangeRig) -> None:
    """cryptofeed asks for SOL's instruments, the wrapper for every account: there is nothing."""
    assert await shared.call("public/get_instruments", currency="SOL") == []
    assert (await shared.call("private/get_account_summary", currency="XRP"))["equity"] == 0.0


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "name", ["BTC_USDC-PERPETUAL", "SOL_USDC", "XRP_USDC-30JUN23-0d625-C", "ETH_USDC-27MAR26"]
)
async def test_families_that_are_not_listed(shared: ExchangeRig, name: str) -> None:
    """A well-formed name of another family is not found, rather than wrong."""
    assert (await refusal(shared, "public/ticker", instrument_name=name)).code == 13020


@pytest.mark.asyncio(loop_scope="module")
async def test_the_underlying_of_an_option_is_none_that_is_listed(shared: ExchangeRig) -> None:
    """The wrapper asks for the ticker of a future that an option names: SYN. says there is none."""
    ticker = await shared.quoted()
    expiry = ticker["instrument_name"].split("-")[1]

    assert ticker["underlying_index"] == f"SYN.BTC-{expiry}"


@pytest.mark.asyncio(loop_scope="module")
async def test_indices_by_every_name(shared: ExchangeRig) -> None:
    """Each supported name has a price; the older method tells the same of a coin."""
    names = await shared.call("public/get_supported_index_names")
    prices = {
        name: (await shared.call("public/get_index_price", index_name=name))["index_price"]
        for name in names
    }
    old = await shared.call("public/get_index", currency="BTC")

    assert {"btc_usd", "btcdvol_usdc"} <= prices.keys()
    assert 20.0 < prices["btcdvol_usdc"] < 150.0 < prices["btc_usd"]
    assert old == {"BTC": prices["btc_usd"], "edp": prices["btc_usd"]}


@pytest.mark.asyncio(loop_scope="module")
async def test_addresses_may_end_with_a_slash(shared: ExchangeRig) -> None:
    """Of methods, of the whole interface, and of the websocket, as examples on the web have it."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "public/test", "params": {}}
    answers = [
        (await shared.http.get("/api/v2/public/test/")).json(),
        (await shared.http.post("/api/v2/", json=body)).json(),
    ]
    async with connect(f"ws://127.0.0.1:{shared.port}/ws/api/v2/") as line:
        await line.send(json.dumps(body))
        answers.append(json.loads(await line.recv()))

    assert [each["result"] for each in answers] == 3 * [{"version": "2.1.1"}]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_name_that_comes_again_makes_a_list(shared: ExchangeRig) -> None:
    """Generated clients repeat `ids` in a query where others send a JSON array."""
    path = "/api/v2/private/get_order_margin_by_ids"
    headers = {"Authorization": f"Bearer {shared.token}"}
    query = "ids=BTC-1&ids=BTC-2"
    error = (await shared.http.get(path, params=query, headers=headers)).json()["error"]

    assert error["code"] == 10004  # it was looked for, and not found


async def test_channels_of_an_index(rig: ExchangeRig) -> None:
    """The next delivery is counted down to, and the day's range holds the price."""
    async with websocket(rig) as line:
        words = ("estimated_expiration_price", "deribit_price_ranking", "deribit_price_statistics")
        channels = [f"{word}.btc_usd" for word in words]
        assert await line.call("public/subscribe", channels=channels) == channels
        expiration, (part,), statistics = [await line.heard(each) for each in channels]
        index = await rig.call("public/get_index_price", index_name="btc_usd")
        contracts = await rig.call("public/get_instruments", currency="BTC", kind="option")
        first_ms = min(each["expiration_timestamp"] for each in contracts)

        assert expiration["seconds"] == (first_ms - epoch_ms(START)) // 1000
        assert not expiration["is_estimated"]
        assert part["price"] == expiration["price"] == index["index_price"]
        assert statistics["low24h"] <= index["index_price"] <= statistics["high24h"]

        await rig.step(hours=21, minutes=40)  # twenty minutes before the next 08:00
        later = await line.heard(channels[0])
        while later["seconds"] > 1200:
            later = await line.heard(channels[0])
        assert (later["seconds"], later["is_estimated"]) == (1200, True)


async def test_grouped_books_do_not_cross(rig: ExchangeRig) -> None:
    """However wide the step, a grouped bid stays below the asks; that of ETH is in hundredths."""
    async with websocket(rig) as line:
        for name, group, step in ((PERPETUAL, "10", 10.0), ("ETH-PERPETUAL", "25", 0.25)):
            channel = f"book.{name}.{group}.10.100ms"
            await line.call("public/subscribe", channels=[channel])
            book = await line.heard(channel)
            ticker = await rig.call("public/ticker", instrument_name=name)
            (bid, _), (ask, _) = book["bids"][0], book["asks"][0]

            assert bid <= ticker["best_bid_price"] < ticker["best_ask_price"] <= ask
            assert bid % step == ask % step == 0
            assert ask - bid <= 2 * step


async def test_channels_in_which_nothing_is_said() -> None:
    """Channels that Deribit has are taken, though nothing ever happens in them here."""
    public = [
        *("announcements", "platform_state", "platform_state.public_methods_state"),
        *("instrument.creation.any.any", "instrument.state.option.BTC", "block_rfq.trades.BTC"),
    ]
    private = [
        *("user.lock", "user.access_log", "user.mmp_trigger.btc_usd"),
        *("user.combo_trades.any.any.raw", "block_trade_confirmations", "block_rfq.maker.any"),
    ]
    async with served() as rig, websocket(rig) as line:
        await line.sign_in()

        assert await line.call("public/subscribe", channels=public) == public
        assert await line.call("private/subscribe", channels=private) == private
        assert await line.call("public/subscribe", channels=["block_trade_confirmations"]) == []


async def test_reports_of_cancelling_are_by_instrument(rig: ExchangeRig) -> None:
    """With *detailed* each instrument has a report, its triggers one of their own."""
    ticker = await rig.quoted()
    name, price = ticker["instrument_name"], ticker["best_bid_price"]
    for _ in range(2):
        await rig.call("private/buy", instrument_name=name, amount=0.1, price=price)
    await stop_below(rig)

    reports = await rig.call("private/cancel_all_by_currency", currency="BTC", detailed=True)

    told = {(each["instrument_name"], each["type"]): each["result"] for each in reports}
    assert {key: len(orders) for key, orders in told.items()} == {
        (name, "limit"): 2,
        (PERPETUAL, "trigger"): 1,
    }
    assert all(each["currency"] == "BTC" for each in reports)
    orders = [order for result in told.values() for order in result]
    assert {order["order_state"] for order in orders} == {"cancelled"}


async def test_the_history_of_triggers_says_what_they_place(rig: ExchangeRig) -> None:
    """An entry tells a market or a limit order, and the offset by both of its names."""
    await stop_below(rig)
    await rig.call(
        "private/sell",
        instrument_name=PERPETUAL,
        amount=100.0,
        type="trailing_stop",
        trigger="mark_price",
        trigger_offset=500.0,
    )
    history = await rig.call("private/get_trigger_order_history", currency="BTC")

    trailing, stop = sorted(history["entries"], key=lambda each: each["offset"] is None)
    assert (trailing["offset"], trailing["trigger_offset"]) == (500.0, 500.0)
    assert (stop["order_type"], stop["trigger_offset"]) == ("market", None)


async def test_the_log_tells_the_equity_of_its_time(rig: ExchangeRig) -> None:
    """The newest line has the account's equity, with what is held at its mark."""
    ticker = await rig.quoted()
    for name, amount, price in (
        (ticker["instrument_name"], 0.1, ticker["best_ask_price"]),
        (PERPETUAL, 100.0, None),
    ):
        kind = "market" if price is None else "limit"
        await rig.call("private/buy", instrument_name=name, amount=amount, price=price, type=kind)
        account = await rig.call("private/get_account_summary", currency="BTC")
        span = {"start_timestamp": 0, "end_timestamp": epoch_ms(START + timedelta(days=1))}
        log = await rig.call("private/get_transaction_log", currency="BTC", **span)

        assert log["logs"][0]["equity"] == pytest.approx(account["equity"], abs=1e-12)
        assert account["available_withdrawal_funds"] <= account["balance"]


async def stop_below(rig: ExchangeRig) -> Any:
    """A stop that sells 100 USD far below the market."""
    order: Fields = {"instrument_name": PERPETUAL, "amount": 100.0, "type": "stop_market"}
    return await rig.call("private/sell", **order, trigger="index_price", trigger_price=20_000.0)
