"""The simulated venue: its trades, its books and its memory."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from math import nan

import attrs
import pytest

from core.simulation.venue import SimulatedVenue
from ports.codec import from_json, to_json
from ports.errors import Malformed, StoreUnwritable
from ports.history import DeliveryPrice
from ports.trading import OrderState, Side
from ports.venue_log import VENUE_STEPS, Deposit, VenueLog, VenueStep
from tests.support.markets import (
    DAILY,
    NOW,
    Listed,
    call,
    put,
    snapshot,
)
from tests.support.venues import VenueRig, intent

CALL = call(110_000.0)
ROW = Listed(
    contract=CALL, bid=0.03, ask=0.031, bid_amount=1.0, ask_amount=1.0, mark=0.02, mark_iv=0.6
)


def quoted(bid: float, ask: float, amount: float = 1.0) -> Listed:
    """CALL as the market shows it."""
    return attrs.evolve(ROW, bid=bid, ask=ask, bid_amount=amount, ask_amount=amount)


@attrs.define(eq=False)
class SlowLog:
    """A log that lets others run before and after it writes."""

    behind: VenueLog

    async def append(self, step: VenueStep) -> None:
        """Keep *step*, later."""
        await asyncio.sleep(0)
        await self.behind.append(step)
        await asyncio.sleep(0)

    def steps(self) -> AsyncIterator[VenueStep]:
        """The steps of the log behind."""
        return self.behind.steps()


@attrs.define(eq=False)
class FullLog:
    """A log whose writes fail, before or after the step is on its medium."""

    behind: VenueLog
    keeps: bool = False

    async def append(self, step: VenueStep) -> None:
        """Fail."""
        if self.keeps:
            await self.behind.append(step)
        raise StoreUnwritable("no space left")

    def steps(self) -> AsyncIterator[VenueStep]:
        """The steps of the log behind."""
        return self.behind.steps()


def written_and_read(step: VenueStep) -> VenueStep:
    """*step* as a log on a medium gives it back."""
    read: VenueStep = VENUE_STEPS.decode(from_json(to_json(VENUE_STEPS.encode(step))))
    return read


async def answers(venue: SimulatedVenue) -> tuple[object, ...]:
    """All that *venue* says of its account in BTC."""
    return (
        await venue.account("BTC"),
        await venue.open_orders("BTC"),
        await venue.orders_by_label("BTC", "test"),
        await venue.activity("BTC", NOW - timedelta(days=1)),
    )


async def test_a_sale_moves_equity_by_price_less_mark_less_fee() -> None:
    """Sold at 0.03 and marked 0.02: equity rises by 0.01 less the fee of 0.0003."""
    rig = await VenueRig.opened(ROW)

    await rig.sell(CALL, 1.0, 0.03)

    account = await rig.venue.account("BTC")
    assert account.balance_coin == pytest.approx(10.0297, abs=1e-14)
    assert account.equity_coin == pytest.approx(10.0097, abs=1e-14)


async def test_selling_and_buying_back_costs_the_spread_and_two_fees() -> None:
    """Nothing else is gained or lost, and nothing is left."""
    rig = await VenueRig.opened(ROW)

    await rig.sell(CALL, 0.7, 0.03)
    await rig.buy(CALL, 0.7, 0.031)

    account = await rig.venue.account("BTC")
    assert account.positions == ()
    assert account.equity_coin == pytest.approx(10.0 - 0.7 * (0.001 + 2 * 0.0003), abs=1e-14)


async def test_a_cheap_option_pays_an_eighth_of_its_price() -> None:
    """The fee is capped at 12.5 % of the premium."""
    rig = await VenueRig.opened(quoted(0.0008, 0.001))

    (fill,) = (await rig.sell(CALL, 1.0, 0.0008)).fills

    assert fill.fee_coin == pytest.approx(0.0001, abs=1e-18)


async def test_a_limit_better_than_the_quote_gets_the_quote() -> None:
    """A sell trades at the bid, a buy at the ask, never at a worse price of their own."""
    rig = await VenueRig.opened(ROW)

    assert (await rig.sell(CALL, 0.5, 0.02)).fills[0].price == 0.03
    assert (await rig.buy(CALL, 0.5, 0.05)).fills[0].price == 0.031


async def test_one_quote_is_taken_once() -> None:
    """What our trades have taken of a quote is gone until the market shows another."""
    rig = await VenueRig.opened(ROW)

    first = await rig.sell(CALL, 0.7, 0.03)
    second = await rig.sell(CALL, 0.7, 0.03)
    rest = await rig.venue.cancel(second.order)
    other_side = await rig.buy(CALL, 0.7, 0.031, reduce_only=True)

    assert [fill.amount for fill in first.fills + second.fills] == [0.7, 0.3]
    assert rest.filled_amount == 0.3
    assert [fill.amount for fill in other_side.fills] == [0.7]


async def test_what_was_taken_is_remembered_over_a_restart() -> None:
    """The same quote does not fill again because the process is another."""
    rig = await VenueRig.opened(ROW)
    await rig.sell(CALL, 1.0, 0.03)

    placed = await (await rig.reopened()).place(intent(CALL, Side.SELL, 1.0, 0.03))

    assert placed.fills == ()


async def test_a_quote_ahead_of_the_clock_is_taken_once() -> None:
    """A market whose clock runs ahead of ours does not show its quote twice."""
    rig = await VenueRig.opened()
    rig.market.show(snapshot(ROW, taken_at=NOW + timedelta(seconds=1)))

    await rig.sell(CALL, 1.0, 0.03)

    assert (await rig.sell(CALL, 1.0, 0.03)).fills == ()


@pytest.mark.parametrize("row", [quoted(nan, nan), quoted(0.03, 0.031, nan)])
async def test_nothing_shown_is_nothing_taken(row: Listed) -> None:
    """Without a price or an amount the order waits."""
    rig = await VenueRig.opened(row)

    assert (await rig.sell(CALL, 1.0, 0.02)).order.state is OrderState.OPEN
    assert (await rig.venue.activity("BTC", NOW)).fills == ()


async def test_a_touched_order_is_not_filled() -> None:
    """The market at our price leaves a resting order where it is; beyond it fills as maker."""
    rig = await VenueRig.opened(ROW)
    await rig.sell(CALL, 0.5, 0.04)

    rig.show(quoted(0.04, 0.041))
    assert (await rig.venue.activity("BTC", NOW)).fills == ()
    rig.show(quoted(0.0405, 0.041))

    (fill,) = (await rig.venue.activity("BTC", NOW)).fills
    assert (fill.price, fill.amount, fill.is_maker) == (0.04, 0.5, True)
    assert fill.at == rig.clock.now()


async def test_a_resting_buy_fills_below_its_price() -> None:
    """An ask strictly below a resting buy fills it at the buy's price."""
    rig = await VenueRig.opened(ROW)
    await rig.buy(CALL, 0.5, 0.03)

    rig.show(quoted(0.028, 0.03))
    assert len(await rig.venue.open_orders("BTC")) == 1
    rig.show(quoted(0.028, 0.0295))

    (fill,) = (await rig.venue.activity("BTC", NOW)).fills
    assert (fill.price, fill.side, fill.is_maker) == (0.03, Side.BUY, True)


async def test_a_resting_order_fills_by_what_is_shown() -> None:
    """Amounts add up over snapshots, printed as the venue prints them."""
    rig = await VenueRig.opened(ROW)
    await rig.sell(CALL, 0.3, 0.04)

    for _ in range(2):
        rig.show(quoted(0.041, 0.042, 0.1))
        await rig.venue.account("BTC")
    (order,) = await rig.venue.open_orders("BTC")
    assert (order.state, order.filled_amount) == (OrderState.PARTIAL, 0.2)
    rig.show(quoted(0.041, 0.042, 0.1))

    (order,) = await rig.venue.orders_by_label("BTC", "test")
    assert (order.state, order.filled_amount) == (OrderState.FILLED, 0.3)
    assert [held.size for held in (await rig.venue.account("BTC")).positions] == [-0.3]


async def test_the_better_price_fills_first() -> None:
    """Of two resting sells the cheaper one meets the market, though it is younger."""
    rig = await VenueRig.opened(ROW)
    await rig.sell(CALL, 1.0, 0.05, label="dear")
    await rig.sell(CALL, 1.0, 0.04, label="cheap")

    rig.show(quoted(0.06, 0.061))

    (fill,) = (await rig.venue.activity("BTC", NOW)).fills
    assert (fill.label, fill.price) == ("cheap", 0.04)


async def test_the_average_price_moves_on_entry_only() -> None:
    """Weighted by size on the way in, unchanged on the way out, new after a turn."""
    rig = await VenueRig.opened(ROW)

    async def average() -> float:
        (held,) = (await rig.venue.account("BTC")).positions
        return held.average_price

    await rig.sell(CALL, 1.0, 0.03)
    rig.show(quoted(0.06, 0.061))
    await rig.sell(CALL, 0.5, 0.06)
    assert await average() == pytest.approx(0.04)
    await rig.buy(CALL, 1.0, 0.061)
    assert await average() == pytest.approx(0.04)
    rig.show(quoted(0.05, 0.051))
    await rig.buy(CALL, 1.0, 0.051)
    assert await average() == 0.051


async def test_margins_are_those_of_the_positions() -> None:
    """Short one call marked 0.02, ten percent out of the money: 0.12 and 0.095."""
    rig = await VenueRig.opened(ROW)

    await rig.sell(CALL, 1.0, 0.03)
    await rig.sell(CALL, 1.0, 0.09)

    account = await rig.venue.account("BTC")
    assert account.initial_margin_coin == pytest.approx(0.12, abs=1e-15)
    assert account.maintenance_margin_coin == pytest.approx(0.095, abs=1e-15)


async def test_two_requests_at_once_are_two_orders() -> None:
    """Requests are served one after another, even where the log takes its time."""
    rig = await VenueRig.opened(ROW)
    rig.venue.log = SlowLog(rig.venue.log)

    placed = await asyncio.gather(*(rig.sell(CALL, 0.6, 0.03) for _ in range(3)))

    assert [each.order.order_id for each in placed] == ["BTC-1", "BTC-2", "BTC-3"]
    assert sum(fill.amount for each in placed for fill in each.fills) == pytest.approx(1.0)


async def test_numbers_count_from_the_log() -> None:
    """Orders, trades and deliveries are numbered for ever, over a restart too."""
    rig = await VenueRig.opened(ROW)
    await rig.sell(CALL, 0.1, 0.03)

    placed = await (await rig.reopened()).place(intent(CALL, Side.SELL, 0.1, 0.03))

    assert (placed.order.order_id, placed.fills[0].trade_id) == ("BTC-2", "BTC-T2")


async def test_a_placement_and_its_trades_are_one_step() -> None:
    """No crash can remember one without the other."""
    rig = await VenueRig.opened(ROW)

    placed = await rig.sell(CALL, 0.1, 0.03)

    assert rig.log.kept[1:] == [VenueStep(at=NOW, orders=(placed.order,), fills=placed.fills)]


async def test_a_new_venue_starts_with_its_deposits() -> None:
    """They are the first step; a venue with a past takes no second ones."""
    rig = await VenueRig.opened(ROW, deposit_coin=2.5)

    assert rig.log.kept == [VenueStep(at=NOW, deposits=(Deposit("BTC", 2.5),))]
    assert (await (await rig.reopened()).account("BTC")).balance_coin == 2.5


async def test_a_venue_rebuilt_from_its_log_is_the_same() -> None:
    """After trades, cancels, rests and a delivery every answer is the same, bit for bit."""
    daily = Listed(contract=put(100_000.0, DAILY), bid=0.004, ask=0.005, mark=0.0045)
    rig = await VenueRig.opened(ROW, daily)
    await rig.sell(CALL, 1.7, 0.03)
    await rig.buy(daily.contract, 0.3, 0.005)
    await rig.venue.cancel((await rig.sell(CALL, 0.1, 0.05)).order)
    rig.show(quoted(0.0305, 0.0315))
    await rig.venue.account("BTC")
    rig.clock.instant = DAILY
    rig.history.deliveries[DAILY] = DeliveryPrice(93_333.0, "told")
    rig.show(quoted(0.029, 0.03))

    given = await answers(rig.venue)
    assert await answers(await rig.reopened()) == given
    rig.log.kept[:] = [written_and_read(step) for step in rig.log.kept]
    assert await answers(await rig.reopened()) == given


async def test_a_step_that_was_not_kept_did_not_happen() -> None:
    """A log that fails fails the request, and the venue goes by what the log has."""
    rig = await VenueRig.opened(ROW)
    rig.venue.log = FullLog(rig.log)
    with pytest.raises(StoreUnwritable):
        await rig.sell(CALL, 1.0, 0.03)
    rig.venue.log = rig.log

    assert (await rig.venue.account("BTC")).positions == ()
    assert (await rig.sell(CALL, 1.0, 0.03)).order.order_id == "BTC-1"


async def test_a_step_kept_without_an_answer_did_happen() -> None:
    """A request cut off after its step was written is found by its label."""
    rig = await VenueRig.opened(ROW)
    rig.venue.log = FullLog(rig.log, keeps=True)
    with pytest.raises(StoreUnwritable):
        await rig.sell(CALL, 1.0, 0.03)
    rig.venue.log = rig.log

    (order,) = await rig.venue.orders_by_label("BTC", "test")
    assert order.state is OrderState.FILLED
    assert (await rig.sell(CALL, 0.1, 0.03)).order.order_id == "BTC-2"


async def test_what_the_market_raises_is_passed_on() -> None:
    """The venue never guesses a market."""
    rig = await VenueRig.opened(ROW)
    rig.market.failure = Malformed("not a chain")

    with pytest.raises(Malformed):
        await rig.venue.account("BTC")
    with pytest.raises(Malformed):
        await rig.sell(CALL, 1.0, 0.03)
