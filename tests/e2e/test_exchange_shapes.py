"""What the paper exchange says of the market: recorded shapes, and laws between its figures."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio

from ports.checks import epoch_ms
from tests.support.exchanges import START, ExchangeRig, Fields, served
from tests.support.recorded import recorded_data


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


KNOWN_MISSING = {
    # of the client's own doing, or of Deribit's insides
    "instrument": {"base_currency_uuid", "quote_currency_uuid"},
    "ticker": set[str](),
    "summary": set[str](),
    "book": set[str](),
    "account": {"fees"},  # rates differ by product; commissions stand in the instrument
    "order": {"max_show"},  # of older answers
    "trade": set[str](),
    "public trade": {"starbase_match_id", "starbase_timestamp"},
}


def recording(path: str) -> Any:
    read = orjson.loads((recorded_data() / "responses" / path).read_bytes())
    return read["result"] if isinstance(read, dict) and "result" in read else read


def kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return type(value).__name__


def assert_shape(ours: Fields, theirs: Fields, name: str) -> None:
    missing = set(theirs) - set(ours) - KNOWN_MISSING[name]
    assert not missing, f"{name} lacks {sorted(missing)}"
    for key in set(theirs) & set(ours):
        if theirs[key] is None or ours[key] is None:
            continue
        assert kind_of(ours[key]) == kind_of(theirs[key]), key
        if isinstance(theirs[key], dict) and key in ("stats", "greeks", "limits"):
            assert set(theirs[key]) <= set(ours[key]), key


@pytest.mark.asyncio(loop_scope="module")
async def test_recorded_shapes_of_the_market(shared: ExchangeRig) -> None:
    """Every field of the recorded answers of 2026 is in ours, with the same JSON type."""
    ticker = await shared.quoted()
    name = ticker["instrument_name"]
    tickers = recording("recorded/public_ticker__option_tickers_2026-09-20.json")
    for theirs in (each for option, each in tickers.items() if option.startswith("BTC-")):
        assert_shape(ticker, theirs, "ticker")
    options = recording("recorded/public_get_instruments__btc_option_2026-05-22.json")
    assert_shape(
        await shared.call("public/get_instrument", instrument_name=name), options[0], "instrument"
    )
    summaries = recording(
        "recorded/public_get_book_summary_by_instrument__book_summary_instrument_2026-09-20.json"
    )
    (summary,) = await shared.call(
        "public/get_book_summary_by_instrument", instrument_name="BTC-PERPETUAL"
    )
    assert_shape(summary, summaries[0], "summary")
    book = recording("recorded/public_get_order_book__order_book_2026-09-20.json")
    assert_shape(
        await shared.call("public/get_order_book", instrument_name="BTC-PERPETUAL"), book, "book"
    )
    perpetual = recording("recorded/public_get_instrument__instrument_2026-09-20.json")
    assert_shape(
        await shared.call("public/get_instrument", instrument_name="BTC-PERPETUAL"),
        perpetual,
        "instrument",
    )
    future = recording("recorded/public_ticker__ticker_future_2026-09-20.json")
    assert_shape(
        await shared.call("public/ticker", instrument_name="BTC-PERPETUAL"), future, "ticker"
    )


async def test_recorded_shapes_of_the_account(rig: ExchangeRig) -> None:
    """Account, order and trades have every field of the published and recorded examples."""
    ticker = await rig.quoted()
    placed = await rig.call(
        "private/buy",
        instrument_name=ticker["instrument_name"],
        amount=0.1,
        price=ticker["best_ask_price"],
    )
    account = await rig.call("private/get_account_summary", currency="BTC", extended=True)
    trades = await rig.call("private/get_user_trades_by_currency", currency="BTC")
    public = await rig.call("public/get_last_trades_by_currency", currency="BTC")

    assert_shape(account, recording("docs_examples/private_get_account_summary.json"), "account")
    order = recording("ws/ws_order_buy_response_nautilus.json")["order"]
    assert_shape(placed["order"], order, "order")
    theirs = recording("docs_examples/private_get_user_trades_by_currency.json")["trades"][0]
    assert_shape(trades["trades"][0], theirs, "trade")
    theirs = recording(
        "recorded/public_get_last_trades_by_currency__trades_currency_2026-09-20.json"
    )
    assert_shape(public["trades"][0], theirs["trades"][0], "public trade")


@pytest.mark.asyncio(loop_scope="module")
async def test_the_chain_in_one_answer(shared: ExchangeRig) -> None:
    """Summaries, instruments and tickers are of the same contracts and figures."""
    summaries = await shared.call(
        "public/get_book_summary_by_currency", currency="ETH", kind="option"
    )
    instruments = await shared.call("public/get_instruments", currency="ETH", kind="option")
    expirations = await shared.call("public/get_expirations", currency="ETH", kind="option")
    ticker = await shared.call("public/ticker", instrument_name=summaries[40]["instrument_name"])

    assert [each["instrument_name"] for each in summaries] == [
        each["instrument_name"] for each in instruments
    ]
    assert len(expirations["eth"]["option"]) == len(
        {each["expiration_timestamp"] for each in instruments}
    )
    for name in ("mark_price", "mark_iv", "underlying_price", "open_interest", "underlying_index"):
        assert ticker[name] == summaries[40][name]
    assert ticker["min_price"] < ticker["mark_price"] < ticker["max_price"]


@pytest.mark.asyncio(loop_scope="module")
async def test_parity_on_the_wire(shared: ExchangeRig) -> None:
    """Marks of a call and a put at one strike differ by 1 - K/F."""
    summaries = await shared.call(
        "public/get_book_summary_by_currency", currency="BTC", kind="option"
    )
    marks = {each["instrument_name"]: each for each in summaries}
    calls = [name for name in marks if name.endswith("-C")]

    assert len(calls) > 100
    for name in calls:
        strike, call, put = float(name.split("-")[2]), marks[name], marks[name[:-1] + "P"]
        parity = 1.0 - strike / call["underlying_price"]
        assert call["mark_price"] - put["mark_price"] == pytest.approx(parity, abs=1e-12)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_past(shared: ExchangeRig) -> None:
    """
    Charts, volatilities and funding cover the span that was asked for, oldest first; charts
    reach to the bar that is being made.
    """
    end = epoch_ms(START)
    span = {"start_timestamp": end - 86_400_000, "end_timestamp": end}
    chart = await shared.call(
        "public/get_tradingview_chart_data",
        instrument_name="BTC-PERPETUAL",
        resolution="60",
        **span,
    )
    fine = await shared.call(
        "public/get_tradingview_chart_data",
        instrument_name="BTC-PERPETUAL",
        resolution="15",
        start_timestamp=end - 3_600_000,
        end_timestamp=end,
    )
    dvol = await shared.call(
        "public/get_volatility_index_data", currency="BTC", resolution="3600", **span
    )
    funding = await shared.call(
        "public/get_funding_rate_history", instrument_name="ETH-PERPETUAL", **span
    )
    realised = await shared.call("public/get_historical_volatility", currency="BTC")

    assert chart["status"] == fine["status"] == "ok"
    assert chart["ticks"] == [end - hour * 3_600_000 for hour in range(24, -1, -1)]
    assert fine["ticks"] == [end - part * 900_000 for part in range(4, -1, -1)]
    for opened, high, low, closed in zip(
        chart["open"], chart["high"], chart["low"], chart["close"], strict=True
    ):
        assert low <= min(opened, closed) <= max(opened, closed) <= high
    assert len(dvol["data"]) == 25
    assert all(20.0 < row[4] < 150.0 for row in dvol["data"])
    assert dvol["continuation"] is None
    assert len(funding) == 24
    assert all(row[1] > 0 for row in realised)
    assert realised == sorted(realised)


@pytest.mark.asyncio(loop_scope="module")
async def test_settlements_come_in_pages(shared: ExchangeRig) -> None:
    """Pages of settlements continue where the one before ended, and repeat nothing."""
    first = await shared.call("public/get_last_settlements_by_currency", currency="BTC", count=30)
    second = await shared.call(
        "public/get_last_settlements_by_currency",
        currency="BTC",
        count=30,
        continuation=first["continuation"],
    )

    names = [each["instrument_name"] for each in first["settlements"] + second["settlements"]]
    assert len(names) == len(set(names)) == 60
