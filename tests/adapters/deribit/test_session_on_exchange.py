"""A websocket session with a real server: the paper exchange on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest_asyncio
from attrs import frozen

from adapters.deribit.market_data import DeribitMarketData
from adapters.deribit.session import DeribitSession
from adapters.deribit.stream_books import Level
from adapters.deribit.streams import (
    AccountChange,
    book_channel,
    index_channel,
    portfolio_channel,
    ticker_channel,
    vol_index_channel,
)
from adapters.deribit.trading import DeribitTrading
from ports.checks import epoch_ms
from ports.instruments import OptionContract
from ports.trading import OrderState, Placed, Side
from tests.support.deribit_rigs import websocket_session
from tests.support.exchanges import ExchangeRig, served
from tests.support.venues import intent


@frozen(eq=False)
class Rig:
    """A served exchange and a session with it."""

    exchange: ExchangeRig
    session: DeribitSession

    @property
    def trading(self) -> DeribitTrading:
        return DeribitTrading(client=self.session.client)

    async def until(self, happened: Callable[[], bool]) -> None:
        """Return when *happened*, which is asked after each answer of the exchange."""
        async with asyncio.timeout(10):
            while not happened():
                await self.session.client.read("public/test")

    async def resting(self, label: str = "rests") -> Placed:
        """An order that works on, one tick above the best ask."""
        quoted = await self.exchange.quoted()
        contract = OptionContract.from_symbol(quoted["instrument_name"])
        price = quoted["best_ask_price"] + 0.0005
        now = self.exchange.exchange.now
        return await self.trading.place(
            intent(contract, Side.SELL, 0.1, price, at=now, label=label, post_only=True)
        )

    def cut(self) -> None:
        """End every websocket at the exchange's side."""
        for connection in tuple(self.exchange.hub.connections.values()):
            connection.close_now()


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[Rig]:
    async with served(token_lifetime_s=900) as exchange:
        await exchange.sign_in()
        async with websocket_session(exchange) as session:
            yield Rig(exchange, session)


async def test_an_order_is_heard_of_as_it_lives_and_ends(rig: Rig) -> None:
    """Open, then cancelled, in the channel of changes."""
    told: list[AccountChange] = []

    async def read() -> None:
        async for change in rig.session.streams.changes("BTC"):
            told.append(change)  # noqa: PERF401  read while it goes on

    reading = asyncio.create_task(read())
    await rig.until(lambda: rig.session.streams.follows("user.changes.option.BTC.100ms"))
    placed = await rig.resting()
    await rig.trading.cancel(placed.order)
    await rig.until(lambda: len(told) == 2)
    reading.cancel()

    orders = [order for change in told for order in change.orders]
    assert [order.state for order in orders] == [OrderState.OPEN, OrderState.CANCELLED]
    assert {order.label for order in orders} == {"rests"}


async def test_a_lost_connection_cancels_its_orders(rig: Rig) -> None:
    """The exchange cancels them; the session is back by itself and sees it."""
    placed = await rig.resting()
    assert await rig.trading.open_orders("BTC") == (placed.order,)
    rig.cut()
    await rig.exchange.alone()

    assert await rig.trading.open_orders("BTC") == ()
    (found,) = await rig.trading.orders_by_label("BTC", "rests")
    assert found.state is OrderState.CANCELLED


async def test_closing_the_session_cancels_its_orders(rig: Rig) -> None:
    """What was sent over it does not outlive it."""
    await rig.resting()
    await rig.session.close()
    await rig.exchange.alone()

    (told,) = await rig.exchange.call(
        "private/get_order_state_by_label", currency="BTC", label="rests"
    )
    assert (told["order_state"], told["cancel_reason"]) == ("cancelled", "cancel_on_disconnect")


async def test_an_order_of_another_connection_stays(rig: Rig) -> None:
    """Only what was sent over a connection ends with it."""
    async with websocket_session(rig.exchange) as other:
        placed = await Rig(rig.exchange, other).resting("of another")
        await rig.session.client.read("private/get_positions", currency="BTC")
        await rig.session.close()

        assert await DeribitTrading(client=other.client).open_orders("BTC") == (placed.order,)


async def test_streams_go_on_after_a_lost_connection(rig: Rig) -> None:
    """All is said anew on the next connection, without being asked for."""
    streams = rig.session.streams
    await streams.follow(index_channel("BTC"), vol_index_channel("BTC"), portfolio_channel("BTC"))
    await rig.until(lambda: streams.portfolio("BTC") is not None)
    rig.cut()
    await rig.exchange.alone()
    await rig.exchange.step(minutes=1)
    now_ms = epoch_ms(rig.exchange.exchange.now)

    await rig.until(lambda: getattr(streams.index("BTC"), "timestamp", None) == now_ms)
    await rig.until(lambda: getattr(streams.vol_index("BTC"), "timestamp", None) == now_ms)
    await rig.until(lambda: getattr(streams.portfolio("BTC"), "balance", None) == 1.0)


async def test_a_book_is_that_of_the_request(rig: Rig) -> None:
    """Snapshot and changes come to the same book as get_order_book, our own order in it."""
    name = (await rig.exchange.quoted())["instrument_name"]
    await rig.session.streams.follow(book_channel(name))
    await rig.until(lambda: rig.session.streams.book(name) is not None)
    before = rig.session.streams.book(name)
    placed = await rig.resting()
    await rig.until(lambda: rig.session.streams.book(name) != before)

    book = rig.session.streams.book(name)
    told = await rig.exchange.call("public/get_order_book", instrument_name=name, depth=100)
    assert book is not None
    assert Level(placed.order.price, 0.1) in book.asks
    assert [[each.price, each.amount] for each in book.asks] == told["asks"]
    assert [[each.price, each.amount] for each in book.bids] == told["bids"]


async def test_a_hundred_tickers_are_heard(rig: Rig) -> None:
    """All of them are said, and each is the ticker of the request."""
    market = DeribitMarketData(client=rig.session.client)
    contracts = (await market.snapshot("BTC")).chain.contracts[:100]
    names = [contract.symbol for contract in contracts]
    streams = rig.session.streams
    await streams.follow(*map(ticker_channel, names))
    await rig.until(lambda: all(streams.ticker(name) for name in names))

    for name in names[::10]:
        told = await rig.exchange.call("public/ticker", instrument_name=name)
        ticker = streams.ticker(name)
        assert ticker is not None
        assert (ticker.mark_price, ticker.mark_iv) == (told["mark_price"], told["mark_iv"])


async def test_a_snapshot_is_the_same_by_request_and_by_word(rig: Rig) -> None:
    """Streamed or asked for, the chain that a decision sees is the same."""
    by_word = DeribitMarketData(
        client=rig.session.client, quotes=rig.session.quotes, focus=lambda _: range(10)
    )
    asked = DeribitMarketData(client=rig.session.client, focus=lambda _: range(10))
    await by_word.snapshot("BTC")
    await rig.exchange.step(seconds=30)
    now_ms = epoch_ms(rig.exchange.exchange.now)
    streams = rig.session.streams
    await rig.until(lambda: getattr(streams.index("BTC"), "timestamp", None) == now_ms)

    first, second = await by_word.snapshot("BTC"), await asked.snapshot("BTC")
    assert (first.taken_at, first.index_usd) == (second.taken_at, second.index_usd)
    for column in ("bid", "ask", "mark", "bid_amount", "quoted_at_ms"):
        ours, theirs = getattr(first.chain, column), getattr(second.chain, column)
        assert ours.tobytes() == theirs.tobytes()


async def test_a_token_that_has_run_out_is_replaced(rig: Rig) -> None:
    """Orders and reads go on when the exchange's time has left the token behind."""
    account = await rig.trading.account("BTC")
    await rig.exchange.step(hours=1)
    await rig.exchange.sign_in()

    later = await rig.trading.account("BTC")
    assert later.read_at - account.read_at == timedelta(hours=1)
    assert len(rig.exchange.hub.connections) == 1
