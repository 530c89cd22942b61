"""What every Trading port promises, whoever stands behind it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import attrs
import pytest
import pytest_asyncio
from attrs import frozen

from adapters.deribit.client import DeribitClient
from adapters.deribit.trading import DeribitTrading
from ports.errors import NeverSent, OutcomeUnknown, Refused, Unavailable
from ports.history import DeliveryPrice
from ports.instruments import FutureContract
from ports.trading import OrderIntent, OrderState, Side, Trading
from tests.support.deribit_rigs import Cable, exchange_on, http_client, websocket_session
from tests.support.markets import (
    DAILY,
    Listed,
    MovableMarket,
    StillClock,
    ToldHistory,
    call,
    snapshot,
)
from tests.support.venues import VenueRig, intent

CALL = call(110_000.0)
OTHER = call(120_000.0)
SOON = call(110_000.0, DAILY)
ROWS = (
    Listed(contract=CALL, bid=0.02, ask=0.022, bid_amount=1.0, ask_amount=1.0, mark=0.021),
    Listed(contract=OTHER, bid=0.01, ask=0.012, mark=0.011),
    Listed(contract=SOON, bid=0.003, ask=0.0032, mark=0.0031),
)


@frozen(eq=False, kw_only=True)
class Rig:
    """
    A venue with ten coins in it, and the world that it looks at.

    It answers nothing from *away* to *back*. *delivered* is how it tells a delivery at 125,000
    USD, known to 3 USD.
    """

    trading: Trading
    market: MovableMarket
    history: ToldHistory
    clock: StillClock
    away: Callable[[], None]
    back: Callable[[], None]
    delivered: DeliveryPrice

    def show(self, *rows: Listed) -> None:
        """Let *rows* be the market, a minute on."""
        self.market.show(snapshot(*rows, taken_at=self.clock.step(minutes=1)))

    def sell(self, amount: float, price: float, label: str = "test") -> OrderIntent:
        """A sell of CALL, valid now."""
        return intent(CALL, Side.SELL, amount, price, at=self.clock.now(), label=label)


async def simulated(stack: AsyncExitStack) -> Rig:
    """SimulatedVenue over a market in memory."""
    rig = await VenueRig.opened(*ROWS)

    def fails(failure: Unavailable | None) -> Callable[[], None]:
        return lambda: setattr(rig.market, "failure", failure)

    return Rig(
        trading=rig.venue,
        market=rig.market,
        history=rig.history,
        clock=rig.clock,
        away=fails(Unavailable("away")),
        back=fails(None),
        delivered=DeliveryPrice(125_000.0, "told", 3.0),
    )


async def over_http(stack: AsyncExitStack) -> Rig:
    """The same venue at a paper exchange, over HTTP."""
    rig = await VenueRig.opened(*ROWS)
    exchange = await exchange_on(stack, rig.market, rig.history, rig.clock)
    return _over(rig, await stack.enter_async_context(http_client(exchange)))


async def over_websocket(stack: AsyncExitStack) -> Rig:
    """The same venue at a paper exchange, over a websocket."""
    rig = await VenueRig.opened(*ROWS)
    exchange = await exchange_on(stack, rig.market, rig.history, rig.clock)
    session = await stack.enter_async_context(websocket_session(exchange))
    return _over(rig, session.client)


def _over(rig: VenueRig, client: DeribitClient) -> Rig:
    cable = Cable(client.rpc)
    client.rpc = cable
    return Rig(
        trading=DeribitTrading(client=client),
        market=rig.market,
        history=rig.history,
        clock=rig.clock,
        away=cable.pull_out,
        back=cable.put_in,
        delivered=DeliveryPrice(125_000.0, "venue"),
    )


Make = Callable[[AsyncExitStack], Awaitable[Rig]]


@pytest_asyncio.fixture(
    params=[simulated, over_http, over_websocket], ids=lambda make: make.__name__
)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    """One rig per implementation."""
    make: Make = request.param
    async with AsyncExitStack() as stack:
        yield await make(stack)


async def test_the_account_is_whole(rig: Rig) -> None:
    """Balance, positions at their marks and their sum come together."""
    await rig.trading.place(rig.sell(0.5, 0.02))
    await rig.trading.place(intent(OTHER, Side.BUY, 0.2, 0.012))

    account = await rig.trading.account("BTC")

    assert [(held.contract, held.size) for held in account.positions] == [
        (CALL, -0.5),
        (OTHER, 0.2),
    ]
    assert [held.average_price for held in account.positions] == [0.02, 0.012]
    worth = sum(held.size * held.mark for held in account.positions)
    assert account.equity_coin == pytest.approx(account.balance_coin + worth, abs=1e-15)
    assert account.underlying == "BTC"
    assert account.read_at == rig.clock.now()


async def test_reading_the_account_changes_nothing(rig: Rig) -> None:
    """It may be read again."""
    await rig.trading.place(rig.sell(2.0, 0.02))

    assert await rig.trading.account("BTC") == await rig.trading.account("BTC")


async def test_an_order_is_a_limit_order(rig: Rig) -> None:
    """What the market does not take at the limit or better works on at the limit."""
    placed = await rig.trading.place(rig.sell(2.0, 0.0195))

    assert [(fill.amount, fill.price) for fill in placed.fills] == [(1.0, 0.02)]
    assert (placed.order.state, placed.order.price) == (OrderState.PARTIAL, 0.0195)
    assert (placed.order.filled_amount, placed.order.open_amount) == (1.0, 1.0)


async def test_an_order_carries_its_label(rig: Rig) -> None:
    """Order and trades name the label and each other."""
    placed = await rig.trading.place(rig.sell(1.0, 0.02, "mine"))

    (fill,) = placed.fills
    assert placed.order.label == fill.label == "mine"
    assert fill.order_id == placed.order.order_id


async def test_one_label_may_be_sent_twice(rig: Rig) -> None:
    """The venue does not care whether labels are unique: two orders, both found."""
    first = await rig.trading.place(rig.sell(0.1, 0.03))
    second = await rig.trading.place(rig.sell(0.1, 0.03))

    found = await rig.trading.orders_by_label("BTC", "test")
    assert found == (first.order, second.order)
    assert first.order.order_id != second.order.order_id


async def test_what_was_never_sent_may_be_sent_again(rig: Rig) -> None:
    """NeverSent leaves nothing at the venue, and the same intent is taken later."""
    wanted = rig.sell(0.1, 0.03)
    rig.away()
    with pytest.raises(NeverSent):
        await rig.trading.place(wanted)
    rig.back()

    assert await rig.trading.orders_by_label("BTC", "test") == ()
    assert (await rig.trading.place(wanted)).order.state is OrderState.OPEN


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (intent(CALL, Side.SELL, 0.05, 0.02), 10002),
        (intent(CALL, Side.SELL, 0.15, 0.02), 10021),
        (intent(CALL, Side.SELL, 0.1, 0.0201), 10043),
        (intent(CALL, Side.BUY, 900.0, 0.02), 10009),
        (intent(call(999_000.0), Side.BUY, 0.1, 0.02), 13020),
    ],
)
async def test_what_is_refused_was_not_placed(rig: Rig, wanted: OrderIntent, code: int) -> None:
    """Refused carries the venue's code and leaves no order and no trade."""
    with pytest.raises(Refused) as refusal:
        await rig.trading.place(wanted)

    assert refusal.value.code == code
    assert await rig.trading.orders_by_label("BTC", "test") == ()
    assert (await rig.trading.activity("BTC", rig.clock.now())).fills == ()


async def test_an_order_past_its_time_is_an_unknown_outcome(rig: Rig) -> None:
    """The venue takes nothing after valid_until, and says so in a way that must be looked up."""
    wanted = rig.sell(0.1, 0.02)
    rig.clock.instant = wanted.valid_until
    assert (await rig.trading.place(wanted)).order.label == "test"
    rig.clock.step(milliseconds=1)

    with pytest.raises(OutcomeUnknown):
        await rig.trading.place(attrs.evolve(wanted, label="late"))
    assert await rig.trading.orders_by_label("BTC", "late") == ()


async def test_a_cancelled_order_is_returned_as_it_is(rig: Rig) -> None:
    """What was filled stays filled; the rest no longer works."""
    placed = await rig.trading.place(rig.sell(2.0, 0.02))

    cancelled = await rig.trading.cancel(placed.order)

    assert (cancelled.state, cancelled.filled_amount) == (OrderState.CANCELLED, 1.0)
    assert cancelled.open_amount == 0.0
    assert await rig.trading.open_orders("BTC") == ()


async def test_a_closed_order_cannot_be_cancelled(rig: Rig) -> None:
    """A second cancel is refused and changes nothing."""
    placed = await rig.trading.place(rig.sell(1.0, 0.03))
    cancelled = await rig.trading.cancel(placed.order)

    with pytest.raises(Refused) as refusal:
        await rig.trading.cancel(placed.order)

    assert refusal.value.code == 10010
    assert await rig.trading.orders_by_label("BTC", "test") == (cancelled,)


async def test_an_unknown_order_cannot_be_cancelled(rig: Rig) -> None:
    """There is no such order, and the venue says so."""
    placed = await rig.trading.place(rig.sell(1.0, 0.03))

    with pytest.raises(Refused) as refusal:
        await rig.trading.cancel(attrs.evolve(placed.order, order_id="BTC-404"))
    assert refusal.value.code == 10004


async def test_open_orders_come_oldest_first(rig: Rig) -> None:
    """Working orders of all contracts, and nothing that has ended."""
    first = await rig.trading.place(rig.sell(0.1, 0.04, "a"))
    ended = await rig.trading.place(rig.sell(0.1, 0.03, "b"))
    await rig.trading.place(rig.sell(0.1, 0.02, "filled"))
    last = await rig.trading.place(intent(OTHER, Side.BUY, 0.1, 0.005, label="c"))
    await rig.trading.cancel(ended.order)

    assert await rig.trading.open_orders("BTC") == (first.order, last.order)


async def test_labels_find_ended_orders_too(rig: Rig) -> None:
    """All orders that ever carried the label, oldest first, as they now are."""
    first = await rig.trading.place(rig.sell(0.1, 0.04))
    await rig.trading.place(rig.sell(0.1, 0.04, "other"))
    filled = await rig.trading.place(rig.sell(0.1, 0.02))
    cancelled = await rig.trading.cancel(first.order)

    assert await rig.trading.orders_by_label("BTC", "test") == (cancelled, filled.order)
    assert await rig.trading.orders_by_label("BTC", "never") == ()


async def test_activity_begins_with_since(rig: Rig) -> None:
    """Trades at the instant asked for or later, oldest first."""
    await rig.trading.place(rig.sell(0.1, 0.02))
    rig.show(*ROWS)
    since = rig.clock.now()
    second = await rig.trading.place(rig.sell(0.2, 0.02))
    rig.show(*ROWS)
    third = await rig.trading.place(rig.sell(0.3, 0.02))

    assert (await rig.trading.activity("BTC", since)).fills == second.fills + third.fills
    later = since + timedelta(microseconds=1)
    assert (await rig.trading.activity("BTC", later)).fills == third.fills


async def test_activity_tells_deliveries(rig: Rig) -> None:
    """A position that expires is gone from the account and told as a delivery."""
    await rig.trading.place(intent(SOON, Side.SELL, 0.5, 0.003))
    since = rig.clock.step(days=2)
    rig.history.deliveries[DAILY] = DeliveryPrice(125_000.0, "told", 3.0)
    rig.show(ROWS[0])

    activity = await rig.trading.activity("BTC", since)

    assert activity.fills == ()
    (delivery,) = activity.deliveries
    assert (delivery.contract, delivery.size) == (SOON, -0.5)
    told = rig.delivered
    assert (delivery.delivery_price_usd, delivery.price_source) == (told.price_usd, told.source)
    assert delivery.price_error_usd == told.error_usd
    assert delivery.cash_coin == pytest.approx(-0.5 * 15 / 125, abs=1e-15)
    assert (await rig.trading.account("BTC")).positions == ()


async def test_a_fill_is_told_in_full(rig: Rig) -> None:
    """A trade says what, how much, at what price, fee and index, when, and as what."""
    (fill,) = (await rig.trading.place(rig.sell(0.5, 0.02))).fills

    assert (fill.contract, fill.side, fill.amount, fill.price) == (CALL, Side.SELL, 0.5, 0.02)
    assert fill.fee_coin == pytest.approx(0.00015, abs=1e-18)
    assert (fill.index_usd, fill.at, fill.is_maker) == (100_000.0, rig.clock.now(), False)
    assert (await rig.trading.activity("BTC", fill.at)).fills == (fill,)


async def test_no_complete_answer_is_no_answer(rig: Rig) -> None:
    """A read that cannot be complete raises Unavailable."""
    rig.away()

    with pytest.raises(Unavailable):
        await rig.trading.account("BTC")
    with pytest.raises(Unavailable):
        await rig.trading.open_orders("BTC")
    with pytest.raises(Unavailable):
        await rig.trading.orders_by_label("BTC", "test")
    with pytest.raises(Unavailable):
        await rig.trading.activity("BTC", rig.clock.now())


async def test_a_cancel_without_answer_may_be_sent_again(rig: Rig) -> None:
    """Unavailable, then the same cancel goes through."""
    placed = await rig.trading.place(rig.sell(0.1, 0.03))
    rig.away()
    with pytest.raises(Unavailable):
        await rig.trading.cancel(placed.order)
    rig.back()

    assert (await rig.trading.cancel(placed.order)).state is OrderState.CANCELLED


async def test_futures_are_positions_of_their_own(rig: Rig) -> None:
    """Counted in USD and told beside the options; their unsettled profit is equity."""
    placed = await rig.trading.place(intent(FutureContract("BTC"), Side.SELL, 20_000.0, 99_000.0))
    account = await rig.trading.account("BTC")
    activity = await rig.trading.activity("BTC", placed.order.created_at)
    (held,) = account.futures

    assert (placed.order.state, placed.order.filled_amount) == (OrderState.FILLED, 20_000.0)
    assert (held.contract, held.size_usd) == (FutureContract("BTC"), -20_000.0)
    assert held.size_coin == pytest.approx(-0.2, rel=1e-3)
    assert account.positions == ()
    assert account.equity_coin == account.balance_coin + held.profit_coin
    assert [fill.trade_id for fill in activity.fills] == [fill.trade_id for fill in placed.fills]
