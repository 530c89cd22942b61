"""A short put that went deep into the money: closed, and its coin taken up where that is wanted."""

from datetime import datetime, timedelta

import pytest
from attrs import evolve

from core.greg.advice import GregPosition
from core.greg.catalogue import STRATEGY_ID, StrategyCode
from core.greg.executing import ExecutionOutcome, ExecutionRequest, ExecutionStatus
from core.greg.management import FundingConvention
from core.greg.positions import advise
from core.usecases.comparing import compare
from core.usecases.desk import read
from core.usecases.greg_desk import GregDesk
from core.usecases.greg_execute import GregExecutor
from core.usecases.greg_hedger import Hedger
from ports.market_data import MarketSnapshot
from ports.trading import Side
from tests.support.calls import priced
from tests.support.greg_desks import OPEN, FixedSensors, GregRig, params, sell
from tests.support.markets import NOW, put, snapshot
from tests.support.worlds import PARAMS, Stage

SHORT_PUT = f"greg-{StrategyCode.SHORT_PUT}-1"
SOLD = put(100_000.0, NOW.replace(hour=8) + timedelta(days=35))
LATER = NOW + timedelta(minutes=11)
ASSIGN = ExecutionRequest(
    position_id=SHORT_PUT, action="ASSIGN", strategy="STRATEGY_C_SHORT_PUT", underlying="BTC"
)
ENABLED = evolve(OPEN, strategies=frozenset({StrategyCode.SHORT_PUT}))


def market(at: datetime, index_usd: float) -> MarketSnapshot:
    return snapshot(priced(SOLD, now=at, index_usd=index_usd), taken_at=at, index_usd=index_usd)


async def assigned(funding: float | None) -> GregRig:
    """Half a put that was sold at the money, on an index that fell by a fifth since."""
    limits = evolve(PARAMS.limits, structured=frozenset({STRATEGY_ID}))
    stage = Stage(
        shown=[market(NOW, 100_000.0), market(LATER, 80_000.0)],
        ticks=[],
        params=evolve(PARAMS, limits=limits),
    )
    rig = await stage.rig()
    await compare(rig.desk, await read(rig.desk, "BTC"))
    await sell(rig.desk, SOLD, SHORT_PUT)
    await rig.clock.sleep_until(LATER)
    await compare(rig.desk, await read(rig.desk, "BTC"))
    greg = GregDesk(desk=rig.desk, sensors=FixedSensors(), params=params(), state=ENABLED)
    await greg.evaluate()
    seen = greg.seen[SHORT_PUT]
    bundle = seen.reading.bundle
    sensors = evolve(bundle.sensors, predicted_funding_rate=funding)
    reading = evolve(seen.reading, bundle=evolve(bundle, sensors=sensors))
    greg.seen = {SHORT_PUT: evolve(seen, reading=reading)}
    return GregRig(rig, greg, GregExecutor(greg), FixedSensors(), len(rig.trading.requests))


async def run(rig: GregRig) -> ExecutionOutcome:
    return await rig.executor.execute(ASSIGN)


async def test_the_perpetual_is_bought_where_the_convention_prefers_it() -> None:
    """As much coin as was sold, in lots, behind the put; it is kept, by the position it came of."""
    rig = await assigned(funding=0.0001)
    outcome = await run(rig)
    option, perpetual = rig.rig.trading.requests[-2:]
    position = rig.rig.desk.keeper.book.positions[SHORT_PUT]
    ours, theirs = await rig.rig.sizes()

    assert outcome.status is ExecutionStatus.EXECUTED, outcome.note
    assert (option.contract, option.side, option.reduce_only) == (SOLD, Side.BUY, True)
    assert (perpetual.contract.symbol, perpetual.side) == ("BTC-PERPETUAL", Side.BUY)
    assert perpetual.amount == 40_000.0
    assert (position.open_legs, position.future_usd, position.closed_at) == ((), 40_000.0, None)
    assert ours == theirs == {"BTC-PERPETUAL": 40_000.0}


@pytest.mark.parametrize(
    ("funding", "why"),
    [
        (-0.0001, "spot is preferred at a funding of -0.01000% a period, and spot is not traded"),
        (None, "funding is unknown: neither the perpetual nor spot is preferred"),
    ],
)
async def test_otherwise_it_is_refused_by_name(funding: float | None, why: str) -> None:
    """Nothing is sent, not even the closing half; one line of the log says why."""
    rig = await assigned(funding)
    outcome = await run(rig)
    (row,) = await rig.rows()

    assert (outcome.status, outcome.gate) == (ExecutionStatus.REFUSED, "orders")
    assert outcome.note.startswith(why)
    assert (rig.orders, row.executed, row.reason) == (0, False, outcome.note)
    assert rig.rig.desk.keeper.book.positions[SHORT_PUT].closed_at is None


@pytest.mark.parametrize(("funding", "executed"), [(-0.0001, True), (0.0001, False)])
async def test_the_other_convention_prefers_the_other_way(funding: float, executed: bool) -> None:
    """Where carry decides, the perpetual is bought where it is paid to the long."""
    rig = await assigned(funding)
    advice = evolve(rig.greg.params.advice, convention=FundingConvention.CARRY_AWARE)
    rig.greg.params = evolve(rig.greg.params, advice=advice)

    assert (await run(rig)).executed is executed


async def test_coin_that_was_taken_up_is_no_hedge_left_over() -> None:
    """The scheduler leaves it alone, and the advice is to hold it."""
    rig = await assigned(funding=0.0001)
    await run(rig)
    hedger = Hedger(greg=rig.greg, is_synthetic=False)
    await hedger.look("BTC")
    standing = await rig.greg.evaluate()
    (advice,) = standing.suggestions

    assert (hedger.next_look(), rig.orders) == (None, 2)
    assert str(advice.action) == "HOLD"
    assert advice.reason.endswith("coin that was taken up, which no rule sells")


def test_coin_that_was_taken_up_is_held_with_its_carry() -> None:
    """No rule sells it, whatever else is said of it; longs pay where funding is positive."""
    for funding, said in ((None, "no rule sells"), (1e-4, "sells; it carries -0.01000% a period")):
        taken = GregPosition(
            position_id=SHORT_PUT,
            code=StrategyCode.SHORT_PUT,
            underlying="BTC",
            delta_abs=0.99,
            profit_pct=0.9,
            funding_rate=funding,
            bare_perp_coin=0.5,
        )
        found = advise(taken)
        assert found is not None
        assert (str(found.action), found.reason.endswith(said)) == ("HOLD", True)
