"""ccxt's own Deribit clients, unmodified but for their address, against the paper exchange."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from ports.checks import epoch_ms
from tests.support.exchanges import KEY, ExchangeRig, Fields, served

ccxt = pytest.importorskip("ccxt", reason="ccxt is not installed")
from ccxt import async_support, pro  # noqa: E402  they come with it

PERPETUAL = "BTC/USD:BTC"
HOUR_MS = 3_600_000
Sync = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served() as made:
        await made.sign_in()
        yield made


@pytest.fixture
def sync(rig: ExchangeRig) -> Sync:
    """Calls of ccxt's blocking client, in a thread: the exchange runs in this one."""
    client = at_home(ccxt.deribit(credentials()), rig)

    async def call(method: str, *args: Any, **params: Any) -> Any:
        return await asyncio.to_thread(getattr(client, method), *args, **params)

    return call


def credentials() -> Fields:
    return {"apiKey": KEY.client_id, "secret": KEY.client_secret, "enableRateLimit": False}


def at_home(client: Any, rig: ExchangeRig) -> Any:
    """*client* with the exchange's address in place of Deribit's."""
    client.urls["api"]["rest"] = f"http://127.0.0.1:{rig.port}"
    if "ws" in client.urls["api"]:
        client.urls["api"]["ws"] = f"ws://127.0.0.1:{rig.port}/ws/api/v2"
    return client


async def an_option(rig: ExchangeRig, sync: Sync) -> tuple[str, Fields]:
    """A quoted option: ccxt's name for it, and the exchange's ticker."""
    ticker = await rig.quoted()
    markets = await sync("load_markets")
    names = {market["id"]: symbol for symbol, market in markets.items()}
    return names[ticker["instrument_name"]], ticker


async def test_markets(rig: ExchangeRig, sync: Sync) -> None:
    """Every instrument is a market, with the terms that it has."""
    instruments = await rig.call("public/get_instruments", currency="any")
    markets = await sync("load_markets")

    assert {market["id"] for market in markets.values()} == {
        each["instrument_name"] for each in instruments
    }
    perpetual, option = markets[PERPETUAL], markets["BTC/USD:BTC-250328-90000-C"]
    assert (perpetual["swap"], perpetual["inverse"], perpetual["contractSize"]) == (True, True, 10)
    assert (option["option"], option["strike"], option["optionType"]) == (True, 90_000, "call")
    assert option["precision"] == {"amount": 0.1, "price": 0.0001}
    assert (option["maker"], option["taker"], option["active"]) == (0.0003, 0.0003, True)


async def test_tickers_books_and_greeks(rig: ExchangeRig, sync: Sync) -> None:
    """Quotes, marks and sensitivities are those of the exchange's own ticker."""
    symbol, told = await an_option(rig, sync)
    ticker, book = await sync("fetch_ticker", symbol), await sync("fetch_order_book", symbol, 5)
    greeks, option = await sync("fetch_greeks", symbol), await sync("fetch_option", symbol)
    chain, many = await sync("fetch_option_chain", "BTC"), await sync("fetch_tickers", [symbol])

    touch = (told["best_bid_price"], told["best_ask_price"])
    assert (ticker["bid"], ticker["ask"]) == touch
    assert (many[symbol]["bid"], many[symbol]["ask"]) == touch
    assert (book["bids"][0][0], book["asks"][0][0]) == touch
    assert book["bids"][0][1] == told["best_bid_amount"]
    for name in ("delta", "gamma", "theta", "vega", "rho"):
        assert greeks[name] == told["greeks"][name]
    assert greeks["markImpliedVolatility"] == told["mark_iv"]
    assert option["markPrice"] == chain[symbol]["markPrice"] == told["mark_price"]
    assert option["underlyingPrice"] == told["underlying_price"]


async def test_the_past(rig: ExchangeRig, sync: Sync) -> None:
    """Candles, funding and volatility are of the time that was asked for, oldest first."""
    symbol, _ = await an_option(rig, sync)
    since = epoch_ms(rig.exchange.now) - 5 * HOUR_MS
    for name in (PERPETUAL, symbol):
        candles = await sync("fetch_ohlcv", name, "1h", since, 5)
        assert [candle[0] for candle in candles] == [since + hour * HOUR_MS for hour in range(5)]
        assert all(low <= min(o, c) <= max(o, c) <= high for _, o, high, low, c, _ in candles)
    funding = await sync("fetch_funding_rate_history", PERPETUAL, since, 5)
    volatility = await sync("fetch_volatility_history", "BTC")

    assert [row["timestamp"] for row in funding] == sorted(row["timestamp"] for row in funding)
    assert len(funding) >= 4
    assert all(row["volatility"] > 0 for row in volatility)
    assert (await sync("fetch_funding_rate", PERPETUAL))["symbol"] == PERPETUAL
    assert (await sync("fetch_open_interest", symbol))["openInterestAmount"] > 0


async def test_the_life_of_an_order(rig: ExchangeRig, sync: Sync) -> None:
    """An order is placed, edited, found and cancelled as ccxt has it."""
    symbol, told = await an_option(rig, sync)
    price = round(told["best_bid_price"] - 0.001, 4)
    placed = await sync("create_order", symbol, "limit", "buy", 0.1, price, {"label": "mine"})
    edited = await sync("edit_order", placed["id"], symbol, "limit", "buy", 0.2, price - 0.001)
    found = await sync("fetch_order", placed["id"])
    (of_market,) = await sync("fetch_open_orders", symbol)
    (of_coin,) = await sync("fetch_open_orders")
    cancelled = await sync("cancel_order", placed["id"])

    assert (placed["status"], placed["price"], placed["amount"]) == ("open", price, 0.1)
    assert edited["id"] == placed["id"] == of_market["id"] == of_coin["id"]
    assert (found["amount"], found["price"]) == (0.2, pytest.approx(price - 0.001))
    assert (cancelled["status"], await sync("fetch_open_orders")) == ("canceled", [])
    assert (await rig.call("private/get_order_state", order_id=placed["id"]))["label"] == "mine"


async def test_the_perpetual_is_traded(rig: ExchangeRig, sync: Sync) -> None:
    """An order of the perpetual is placed, edited and cancelled; a position opened and closed."""
    told = await rig.call("public/ticker", instrument_name="BTC-PERPETUAL")
    await sync("load_markets")
    price = told["best_bid_price"] - 100.0
    placed = await sync("create_order", PERPETUAL, "limit", "buy", 100, price)
    edited = await sync("edit_order", placed["id"], PERPETUAL, "limit", "buy", 200, price - 50.0)
    cancelled = await sync("cancel_order", placed["id"])
    bought = await sync("create_order", PERPETUAL, "market", "buy", 100)
    (trade,) = await sync("fetch_my_trades", PERPETUAL)
    held = await sync("fetch_position", PERPETUAL)
    await sync("create_order", PERPETUAL, "market", "sell", 100, None, {"reduceOnly": True})
    closed = await sync("fetch_position", PERPETUAL)

    assert (placed["status"], placed["price"], placed["amount"]) == ("open", price, 100)
    assert (edited["id"], edited["price"], edited["amount"]) == (placed["id"], price - 50.0, 200)
    assert cancelled["status"] == "canceled"
    assert (bought["status"], bought["average"]) == ("closed", told["best_ask_price"])
    assert (trade["order"], trade["amount"]) == (bought["id"], 100)
    assert trade["fee"]["cost"] == pytest.approx(0.0005 * 100 / trade["price"])
    assert (held["side"], held["info"]["size"]) == ("long", 100)
    assert closed["info"]["size"] == 0


async def test_trades_positions_and_balances(rig: ExchangeRig, sync: Sync) -> None:
    """What was bought stands in closed orders, trades, positions and the balance."""
    symbol, told = await an_option(rig, sync)
    bought = await sync("create_order", symbol, "market", "buy", 0.2)
    (closed,) = await sync("fetch_closed_orders", symbol)
    (trade,) = await sync("fetch_my_trades", symbol)
    (same,) = await sync("fetch_order_trades", bought["id"])
    (position,) = await sync("fetch_positions", [symbol])
    (public,) = await sync("fetch_trades", symbol)
    balance = await sync("fetch_balance")

    assert (bought["status"], closed["id"], trade["order"]) == (
        "closed",
        bought["id"],
        closed["id"],
    )
    assert (trade["price"], trade["amount"]) == (told["best_ask_price"], 0.2)
    assert trade["id"] == same["id"] == public["id"]
    assert (position["side"], position["info"]["size"]) == ("long", 0.2)
    assert trade["fee"]["cost"] == pytest.approx(0.2 * 0.0003)
    paid = 0.2 * (told["best_ask_price"] + 0.0003)
    (deposit,) = await sync("fetch_deposits", "BTC")
    summary = await sync("fetch_balance", {"code": "BTC"})
    assert summary["info"]["balance"] == pytest.approx(deposit["amount"] - paid)
    assert balance["BTC"]["total"] == summary["BTC"]["total"]
    assert await sync("fetch_withdrawals", "BTC") == []


async def test_words_of_its_own(rig: ExchangeRig, sync: Sync) -> None:
    """Parameters of ccxt's language, which it sends along, are passed over."""
    symbol, told = await an_option(rig, sync)
    price = round(told["best_bid_price"] - 0.001, 4)
    order = await sync(
        "create_order", symbol, "limit", "buy", 0.1, price, {"clientOrderId": "7", "postOnly": True}
    )
    (found,) = await sync("fetch_open_orders", None, None, None, {"code": "BTC"})
    cancelled = await sync("cancel_all_orders")

    assert (order["postOnly"], found["id"]) == (True, order["id"])
    assert cancelled[0]["info"]["result"] == 1


async def test_errors(rig: ExchangeRig, sync: Sync) -> None:
    """Deribit's codes become the exceptions that ccxt has for them."""
    symbol, told = await an_option(rig, sync)

    with pytest.raises(ccxt.OrderNotFound):
        await sync("fetch_order", "BTC-12345")
    with pytest.raises(ccxt.InvalidOrder):
        await sync("create_order", symbol, "limit", "buy", 0.1, told["max_price"] + 0.1)
    stranger = at_home(ccxt.deribit({**credentials(), "secret": "guessed"}), rig)
    with pytest.raises(ccxt.AuthenticationError):
        await asyncio.to_thread(stranger.fetch_balance)


async def test_async(rig: ExchangeRig) -> None:
    """The client that does not block reads and trades alike."""
    client = at_home(async_support.deribit(credentials()), rig)
    try:
        markets, told = await client.load_markets(), await rig.quoted()
        symbol = next(s for s in markets if markets[s]["id"] == told["instrument_name"])
        ticker = await client.fetch_ticker(symbol)
        price = round(told["best_bid_price"] - 0.001, 4)
        order = await client.create_order(symbol, "limit", "buy", 0.1, price)
        cancelled = await client.cancel_order(order["id"])
    finally:
        await client.close()

    assert (ticker["bid"], cancelled["status"]) == (told["best_bid_price"], "canceled")


async def test_websocket(rig: ExchangeRig) -> None:
    """ccxt.pro hears tickers, books, candles, orders and trades over a websocket."""
    client = at_home(pro.deribit(credentials()), rig)
    try:
        markets, told = await client.load_markets(), await rig.quoted()
        symbol = next(s for s in markets if markets[s]["id"] == told["instrument_name"])
        async with asyncio.timeout(30):
            ticker = await client.watch_ticker(symbol)
            book = await client.watch_order_book(symbol)
            candles = await client.watch_ohlcv(PERPETUAL, "1m")
            orders = asyncio.create_task(client.watch_orders())
            trades = asyncio.create_task(client.watch_my_trades(symbol))
            totals = (await client.watch_balance())["BTC"]["total"]
            order = await _when_heard(client, rig, symbol)
            heard = (await orders)[0], (await trades)[0]
    finally:
        await client.close()

    touch = (told["best_bid_price"], told["best_ask_price"])
    assert (ticker["bid"], ticker["ask"]) == touch
    assert (book["bids"][0][0], book["asks"][0][0]) == touch
    assert candles[-1][0] == epoch_ms(rig.exchange.now) // 60_000 * 60_000
    assert totals == {"BTC": 1.0}
    assert (heard[0]["id"], heard[1]["order"]) == (order["id"], order["id"])


async def _when_heard(client: Any, rig: ExchangeRig, symbol: str) -> Fields:
    """Buy as soon as the exchange has both subscriptions."""
    wanted = {"user.orders.any.any.raw", "user.trades.any.any.raw"}
    while not any(wanted <= each.channels for each in rig.hub.connections.values()):
        await rig.call("public/test")
    bought: Fields = await client.create_order(symbol, "market", "buy", 0.1)
    return bought
