"""A short put that went deep into the money: closed, and its coin taken up where that is wanted."""

from datetime import datetime, timedelta

import pytest
from attrs import evolve

from core.greg.catalogue import STRATEGY_ID, StrategyCode
from core.greg.executing import ExecutionOutcome, ExecutionRequest, ExecutionStatus
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


@pytest.mark.parametrize("funding", [-0.0001, None])
async def test_otherwise_the_put_alone_is_closed(funding: float | None) -> None:
    """Coin itself is not traded here, and without a rate nothing is preferred."""
    rig = await assigned(funding)
    outcome = await run(rig)

    assert (outcome.status, rig.orders) == (ExecutionStatus.EXECUTED, 1)
    assert await rig.rig.sizes() == ({}, {})
    assert rig.rig.desk.keeper.book.positions[SHORT_PUT].closed_at is not None


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
    assert "taken up" in advice.reason
