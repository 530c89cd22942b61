"""Hedges that a person has carried out: sent, held, capped, and taken off with their position."""

import pytest
from attrs import evolve

from core.greg.advice import Advice
from core.greg.executing import ExecutionOutcome, ExecutionRequest, ExecutionStatus
from core.greg.holdings import Holding
from core.usecases.comparing import compare
from core.usecases.desk import read
from core.usecases.greg_hedger import Hedger
from core.usecases.orders import catch_up
from ports.trading import OrderState, Side
from tests.support.greg_desks import (
    BEAR_CALL,
    MOST,
    OPEN,
    STRADDLE,
    GregRig,
    greg_rig,
    minutes_later,
    trade_perpetual,
)
from tests.support.worlds import Fault

CLOSE = ExecutionRequest(
    position_id=BEAR_CALL,
    action="CLOSE",
    strategy="STRATEGY_F_BEAR_CALL_SPREAD",
    underlying="BTC",
)
HEDGE = evolve(CLOSE, position_id=STRADDLE, action="HEDGE", strategy="STRATEGY_A_STRADDLE")


async def run(rig: GregRig, request: ExecutionRequest = CLOSE) -> ExecutionOutcome:
    return await rig.executor.execute(request)


def held(rig: GregRig, position_id: str) -> Holding:
    """The position as it is held now."""
    return next(each for each in rig.greg.holdings() if each.position_id == position_id)


async def advised(rig: GregRig, request: ExecutionRequest) -> GregRig:
    """The desk, at which the action of *request* stands for its position now."""
    standing = await rig.greg.evaluate()
    rig.greg.store.replace(
        [
            evolve(each, action=Advice(request.action))
            if each.position_id == request.position_id
            else each
            for each in standing.suggestions
        ],
        rig.rig.desk.now,
    )
    return rig


async def test_a_hedge_is_sent_and_belongs_to_its_position() -> None:
    """In USD by the index and the lot; the delta of the position is zero but for the rounding."""
    rig = await greg_rig()
    before = (await rig.rig.desk.world.trading.account("BTC")).futures
    leaning = rig.greg.seen[STRADDLE].view.net_delta
    outcome = await run(rig, HEDGE)
    request = rig.rig.trading.requests[-1]
    holding = held(rig, STRADDLE)
    await rig.greg.evaluate()
    (theirs,) = (await rig.rig.desk.world.trading.account("BTC")).futures

    assert (before, outcome.status) == ((), ExecutionStatus.EXECUTED)
    assert (request.contract.symbol, request.side) == ("BTC-PERPETUAL", Side.BUY)
    assert request.amount % 10.0 == 0.0
    assert leaning is not None
    assert abs(request.amount / 100_000.0 + leaning) <= 0.00005 + 0.00005
    assert holding.perp_usd == theirs.size_usd == request.amount
    after = rig.greg.seen[STRADDLE].view.net_delta
    assert after is not None
    assert abs(after) < 0.0002


async def test_a_hedge_goes_with_its_position() -> None:
    """Bought back option and perpetual, in this order; nothing of either is left anywhere."""
    rig = await greg_rig()
    await run(rig, HEDGE)
    closing = evolve(HEDGE, action="CLOSE")
    outcome = await run(await advised(rig, closing), closing)
    option, perpetual = rig.rig.trading.requests[-2:]
    account = await rig.rig.desk.world.trading.account("BTC")

    assert outcome.status is ExecutionStatus.EXECUTED, outcome.note
    assert (option.contract.symbol, option.side) == ("BTC-6APR26-104000-C", Side.BUY)
    assert (perpetual.contract.symbol, perpetual.side) == ("BTC-PERPETUAL", Side.SELL)
    assert perpetual.reduce_only
    assert rig.rig.desk.keeper.book.positions[STRADDLE].closed_at is not None
    assert [each.size_usd for each in account.futures if each.size_usd] == []


async def test_a_hedge_that_others_hold_against_is_not_called_reducing() -> None:
    """The account is flat in the perpetual: the venue would refuse what only reduces."""
    rig = await greg_rig()
    await run(rig, HEDGE)
    usd = held(rig, STRADDLE).perp_usd
    await trade_perpetual(rig.rig.desk, BEAR_CALL, usd)
    await minutes_later(rig, 11)  # five fills within ten minutes would pause the strategy
    closing = evolve(HEDGE, action="CLOSE")
    outcome = await run(await advised(rig, closing), closing)

    assert outcome.status is ExecutionStatus.EXECUTED, outcome.note
    assert not rig.rig.trading.requests[-1].reduce_only


async def test_a_hedge_counts_in_the_cap() -> None:
    """Half a contract is 50,000 USD; what it would be hedged with comes on top."""
    caps = evolve(MOST, per_position_usd=50_000.0)
    rig = await greg_rig(evolve(OPEN, caps=caps))

    assert (await run(rig, HEDGE)).gate == "caps"
    assert (await run(rig)).executed


async def test_a_restart_still_knows_the_hedge() -> None:
    """The book is folded from the journal: another process closes what this one opened."""
    rig = await greg_rig()
    await run(rig, HEDGE)
    again = await rig.rig.stage.rig()

    assert again.desk.keeper.book == rig.rig.desk.keeper.book
    assert again.desk.keeper.book.positions[STRADDLE].future_usd == held(rig, STRADDLE).perp_usd
    await compare(again.desk, await read(again.desk, "BTC"))
    assert again.desk.keeper.book.reconciliations["BTC"].clean


async def test_a_hedge_without_a_grid_is_not_sent() -> None:
    """What the venue counts in must be known."""
    rig = await greg_rig()
    rig.greg.desk = evolve(rig.rig.desk, params=evolve(rig.rig.desk.params, future_rules={}))
    outcome = await run(rig, HEDGE)

    assert (outcome.status, outcome.gate) == (ExecutionStatus.REFUSED, "risk")
    assert rig.orders == 0


async def test_a_mode_that_is_closed_on_the_way_stops_the_next_order() -> None:
    """The gates are asked before each order, not only at the start."""
    rig = await greg_rig()

    async def close_the_mode() -> None:
        await rig.greg.set_mode("advice_only")

    await run(rig, HEDGE)
    closing = evolve(HEDGE, action="CLOSE")
    await advised(rig, closing)
    rig.rig.trading.before_place = close_the_mode
    outcome = await run(rig, closing)

    assert (outcome.status, rig.orders) == (ExecutionStatus.PARTIAL, 2)
    assert "advice only" in outcome.note
    assert rig.rig.desk.keeper.book.orders[rig.rig.trading.requests[-1].label].state is (
        OrderState.FILLED
    )
    assert held(rig, STRADDLE).perp_usd > 0.0


async def test_a_position_is_taken_as_it_is_held_now() -> None:
    """Advice to hedge that was followed meanwhile by somebody else is not followed twice."""
    rig = await greg_rig()
    await Hedger(greg=rig.greg, is_synthetic=False).look("BTC")
    usd = held(rig, STRADDLE).perp_usd
    outcome = await run(rig, HEDGE)

    assert (outcome.status, outcome.gate, rig.orders) == (ExecutionStatus.REFUSED, "orders", 1)
    assert "no hedge is needed now" in outcome.note
    assert held(rig, STRADDLE).perp_usd == usd


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.REFUSED, ExecutionStatus.FAILED),
        (Fault.NEVER_SENT, ExecutionStatus.EXECUTED),
        (Fault.LOST_BEFORE, ExecutionStatus.FAILED),
        (Fault.LOST_AFTER, ExecutionStatus.EXECUTED),
    ],
)
async def test_a_venue_that_errs_is_hedged_at_once_or_not_at_all(
    fault: Fault, status: ExecutionStatus
) -> None:
    """Executed is what the venue acknowledged; the book holds what the venue does."""
    rig = await greg_rig()
    rig.rig.trading.faults.append(fault)
    outcome = await run(rig, HEDGE)
    ours, theirs = await rig.rig.sizes()

    assert outcome.status is status
    assert ours == theirs
    assert ("BTC-PERPETUAL" in ours) is (status is ExecutionStatus.EXECUTED)


async def test_a_hedge_whose_trades_are_not_told_is_not_made_again() -> None:
    """It is filled, and not booked yet: until it is, nothing more is sent for the position."""
    rig = await greg_rig()
    rig.rig.trading.faults.append(Fault.NO_TRADES)
    rig.rig.trading.hides_trades = 99
    hedger = Hedger(greg=rig.greg, is_synthetic=False)
    await hedger.look("BTC")
    await minutes_later(rig, 2)
    await hedger.look("BTC")
    assert held(rig, STRADDLE).perp_usd == 0.0
    assert rig.orders == 1

    rig.rig.trading.hides_trades = 0
    await catch_up(rig.rig.desk, "BTC")
    await minutes_later(rig, 2)
    await hedger.look("BTC")
    ours, theirs = await rig.rig.sizes()
    assert ours == theirs
    assert rig.orders == 1
