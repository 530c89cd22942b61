"""A roll of Greg's: closed, its hedge taken off, opened again; whole or not there."""

from datetime import datetime, timedelta

import pytest
from attrs import evolve

from core.greg.catalogue import STRATEGY_ID
from core.greg.executing import ExecutionOutcome, ExecutionRequest, ExecutionStatus
from core.greg.modes import ModeState
from core.greg.sizing import SizeCaps
from core.usecases.comparing import compare
from core.usecases.desk import DeskParams, read
from core.usecases.greg_desk import GregDesk
from core.usecases.greg_execute import GregExecutor
from ports.instruments import OptionContract
from ports.market_data import MarketSnapshot
from ports.trading import OrderIntent, Side
from tests.support.calls import priced
from tests.support.greg_desks import (
    BEAR_CALL,
    MOST,
    OPEN,
    STRADDLE,
    FixedSensors,
    GregRig,
    params,
    sell,
    trade_perpetual,
)
from tests.support.markets import NOW, call, put, snapshot
from tests.support.worlds import PARAMS, Fault, Stage

NEAR, FAR = (NOW.replace(hour=8) + timedelta(days=days) for days in (15, 37))
LATER = NOW + timedelta(minutes=11)  # five fills within ten minutes would pause the strategy
OLD = (call(100_000.0, NEAR), put(100_000.0, NEAR))
NEW = (call(100_000.0, FAR), put(100_000.0, FAR))
STRUCTURED = evolve(PARAMS, limits=evolve(PARAMS.limits, structured=frozenset({STRATEGY_ID})))
ROLL = ExecutionRequest(
    position_id=STRADDLE, action="ROLL", strategy="STRATEGY_A_STRADDLE", underlying="BTC"
)


def market(at: datetime, iv: float = 0.6) -> MarketSnapshot:
    return snapshot(*(priced(each, now=at, iv=iv) for each in (*OLD, *NEW)), taken_at=at)


async def rolling(
    state: ModeState = OPEN,
    desk_params: DeskParams = STRUCTURED,
    *,
    knows_safety: bool = True,
    hedged_usd: float = 0.0,
    other: str = "",
) -> GregRig:
    """
    A straddle of 15 days, sold eleven minutes ago, at a desk that advises to roll it; beside a
    call of the position called *other*, if any.
    """
    stage = Stage(shown=[market(NOW), market(LATER)], ticks=[], params=STRUCTURED)
    rig = await stage.rig()
    await compare(rig.desk, await read(rig.desk, "BTC"))
    for contract in OLD:
        await sell(rig.desk, contract, STRADDLE)
    if other:
        await sell(rig.desk, NEW[0], other)
    if hedged_usd:
        await trade_perpetual(rig.desk, STRADDLE, hedged_usd)
    await rig.clock.sleep_until(LATER)
    await compare(rig.desk, await read(rig.desk, "BTC"))
    desk = evolve(rig.desk, params=desk_params)
    greg = GregDesk(desk=desk, sensors=FixedSensors(), params=params(), state=state)
    await greg.evaluate()
    if knows_safety:
        seen = greg.seen[STRADDLE]
        selection = evolve(seen.reading.selection, safety_degraded=False)
        greg.seen = {STRADDLE: evolve(seen, reading=evolve(seen.reading, selection=selection))}
    return GregRig(rig, greg, GregExecutor(greg), FixedSensors(), len(rig.trading.requests))


async def run(rig: GregRig) -> ExecutionOutcome:
    return await rig.executor.execute(ROLL)


def sent(rig: GregRig) -> list[tuple[Side, OptionContract]]:
    """The orders in options that left for the roll."""
    requests: list[OrderIntent] = rig.rig.trading.requests[rig.sold :]
    return [(each.side, each.option) for each in requests]


async def test_what_is_advised() -> None:
    """Fifteen days are left of it: roll."""
    rig = await rolling()
    (advice,) = rig.greg.store.standing().suggestions

    assert str(advice.action) == "ROLL"


async def test_a_roll_is_closed_and_opened_again() -> None:
    """Both legs bought back, both sold a month later, in the same size and position."""
    rig = await rolling()
    outcome = await run(rig)
    position = rig.rig.desk.keeper.book.positions[STRADDLE]
    ours, theirs = await rig.rig.sizes()

    assert outcome.status is ExecutionStatus.EXECUTED, outcome.note
    assert len(outcome.order_ids) == 4
    assert [side for side, _ in sent(rig)] == [Side.BUY, Side.BUY, Side.SELL, Side.SELL]
    assert {contract for _, contract in sent(rig)[2:]} == set(NEW)
    assert {(leg.contract, leg.size) for leg in position.open_legs} == {
        (each, -0.5) for each in NEW
    }
    assert ours == theirs


async def test_a_roll_takes_its_hedge_off_before_it_opens() -> None:
    """What hedged the old legs is no hedge of the new ones."""
    caps = evolve(MOST, per_position_usd=101_000.0)  # the legs and the hedge
    rig = await rolling(evolve(OPEN, caps=caps), hedged_usd=1_000.0)
    outcome = await run(rig)
    requests = rig.rig.trading.requests[rig.sold :]

    assert outcome.status is ExecutionStatus.EXECUTED, outcome.note
    assert [each.contract.symbol == "BTC-PERPETUAL" for each in requests] == [
        *(False, False, True, False, False)
    ]
    assert (requests[2].side, requests[2].amount, requests[2].reduce_only) == (
        Side.BUY,
        1_000.0,
        True,
    )
    assert rig.rig.desk.keeper.book.positions[STRADDLE].future_usd == 0.0
    ours, theirs = await rig.rig.sizes()
    assert ours == theirs


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.LOST_BEFORE])
async def test_an_opening_that_fails_takes_back_the_one_before(fault: Fault) -> None:
    """The position ends closed rather than with half of a structure."""
    rig = await rolling()
    rig.rig.trading.faults.extend([Fault.NOTHING] * 3 + [fault])
    outcome = await run(rig)
    (row,) = await rig.rows()

    assert outcome.status is ExecutionStatus.PARTIAL
    assert "taken back" in outcome.note
    assert "not taken back" not in outcome.note
    assert [side for side, _ in sent(rig)][2:] == [Side.SELL, Side.SELL, Side.BUY]
    assert await rig.rig.sizes() == ({}, {})
    assert rig.rig.desk.keeper.book.positions[STRADDLE].closed_at is not None
    assert (row.executed, row.reason) == (False, outcome.note)


async def test_without_the_limits_of_structures_no_put_is_sold() -> None:
    """Risk stops it, whatever the gates say, and the roll ends as a closing."""
    rig = await rolling(desk_params=PARAMS)
    outcome = await run(rig)

    assert outcome.status is ExecutionStatus.PARTIAL
    assert "stopped by a control" in outcome.note
    assert not any(side is Side.SELL and not each.is_call for side, each in sent(rig))
    assert await rig.rig.sizes() == ({}, {})


@pytest.mark.parametrize(
    ("state", "knows_safety", "gate"),
    [
        (evolve(OPEN, enable_live=False), True, "master"),
        (evolve(OPEN, strategies=frozenset()), True, "strategy"),
        (evolve(OPEN, caps=evolve(MOST, per_position_usd=99_999.0)), True, "caps"),
        (OPEN, False, "safety"),
    ],
)
async def test_a_closed_gate_leaves_it_as_it_is(
    state: ModeState, knows_safety: bool, gate: str
) -> None:
    """Two halves of 50,000 USD; a roll opens, so that the safety filter must be able to speak."""
    rig = await rolling(state, knows_safety=knows_safety)
    outcome = await run(rig)

    assert (outcome.status, outcome.gate) == (ExecutionStatus.REFUSED, gate)
    assert sent(rig) == []


async def test_a_roll_into_nothing_is_refused_by_name() -> None:
    """No expiry is listed for it: the position stays as it is."""
    rig = await rolling()
    left = snapshot(*(priced(each, now=LATER) for each in OLD), taken_at=LATER)
    rig.rig.market.shown = [left]
    outcome = await run(rig)

    assert (outcome.status, outcome.gate) == (ExecutionStatus.REFUSED, "orders")
    assert outcome.note.startswith("nothing to roll into")
    assert sent(rig) == []


@pytest.mark.parametrize(("iv", "sales"), [(0.49, 2), (0.47, 0)])
async def test_what_no_longer_pays_is_given_up(iv: float, sales: int) -> None:
    """A straddle at the money is worth as its volatility: four fifths of 0.6 are 0.48."""
    rig = await rolling()
    at = LATER + timedelta(seconds=3)

    async def falls() -> None:
        if len(sent(rig)) == 2:  # the second is on its way: the old legs are closed
            await rig.rig.clock.sleep_until(at)
            rig.rig.market.shown = [market(at, iv)]

    rig.rig.trading.before_place = falls
    outcome = await run(rig)

    assert len(sent(rig)) == 2 + sales
    assert outcome.status is (ExecutionStatus.EXECUTED if sales else ExecutionStatus.PARTIAL)
    assert ("was planned" in outcome.note) == (sales == 0)


async def test_a_kill_on_the_way_opens_nothing() -> None:
    """Set while the first order is on its way: the rest does not follow."""
    rig = await rolling()

    async def kill() -> None:
        await rig.rig.stage.controls.change(LATER, "a test", "to see", {"kill_switch": True})

    rig.rig.trading.before_place = kill
    outcome = await run(rig)

    assert outcome.status is ExecutionStatus.PARTIAL
    assert [side for side, _ in sent(rig)] == [Side.BUY]


@pytest.mark.parametrize(
    ("caps", "size"),
    [(SizeCaps(), 0.5), (SizeCaps(equity_share=0.02), 0.4), (SizeCaps(equity_share=0.01), 0.2)],
)
async def test_a_roll_opens_within_every_cap_of_size(caps: SizeCaps, size: float) -> None:
    """
    At most what was held, and less where a cap leaves less: of ten coins, where a contract ties
    30 % up and its premium of about 15 %.
    """
    rig = await rolling()
    rig.greg.params = evolve(rig.greg.params, size_caps=caps)
    outcome = await run(rig)
    position = rig.rig.desk.keeper.book.positions[STRADDLE]

    assert outcome.status is ExecutionStatus.EXECUTED, outcome.note
    assert {leg.size for leg in position.open_legs} == {-size}


@pytest.mark.parametrize(
    ("caps", "says"),
    [
        (SizeCaps(equity_share=0.004), "0.4 % of equity tied up leaves"),
        (SizeCaps(risk_share=0.001), "0.1 % of equity at risk leaves"),
        (SizeCaps(most_positions=1), "1 positions are open on the coin already, at most 1"),
        (SizeCaps(most_strategies=1), "1 other strategies are open on the coin already"),
    ],
)
async def test_a_roll_above_a_cap_is_refused_and_logged(caps: SizeCaps, says: str) -> None:
    """What is held stays as it is, and the line of the log names the cap."""
    rig = await rolling(other=BEAR_CALL)
    rig.greg.params = evolve(rig.greg.params, size_caps=caps)
    outcome = await run(rig)
    (row,) = await rig.rows()

    assert (outcome.status, outcome.gate) == (ExecutionStatus.REFUSED, "orders")
    assert says in outcome.note
    assert (row.executed, row.reason, row.extra_info["refused"]) == (False, outcome.note, True)
    assert sent(rig) == []


async def test_as_many_positions_as_may_be_are_rolled() -> None:
    """Two of two: the one that is rolled takes its own place."""
    rig = await rolling(other=BEAR_CALL)
    rig.greg.params = evolve(rig.greg.params, size_caps=SizeCaps(most_positions=2))
    outcome = await run(rig)

    assert outcome.status is ExecutionStatus.EXECUTED, outcome.note
