"""A process that dies anywhere while it hedges: the next one ends up hedged, once."""

import asyncio
from datetime import timedelta

import pytest

from core.usecases.agent import Agent
from core.usecases.greg_desk import GregDesk
from core.usecases.greg_hedger import Hedger
from ports.decision_log import DecisionLog
from ports.instruments import FutureContract
from tests.support.greg_desks import OPEN, STRADDLE, FixedSensors, greg_rig, market, params
from tests.support.markets import NOW
from tests.support.worlds import Crash, CutLog, Rig, Stage

PERPETUAL = FutureContract("BTC")
TICK = NOW + timedelta(minutes=5)


async def leaning() -> Stage:
    """A stage whose book has a position that leans, with one tick ahead."""
    stage = (await greg_rig(OPEN, None, STRADDLE)).rig.stage
    stage.shown = [market(NOW + timedelta(seconds=20 * n)) for n in range(40)]
    stage.ticks, stage.strategies = [TICK], ()
    return stage


async def lived(stage: Stage, log: DecisionLog | None = None) -> Rig:
    """One process to the end of its ticks, hedging with every gate open."""
    rig = await stage.rig(log)
    greg = GregDesk(desk=rig.desk, sensors=FixedSensors(), params=params(), state=OPEN)
    hedger = Hedger(greg=greg, is_synthetic=False)
    await Agent(rig.desk, asyncio.Event(), hedger=hedger).run()
    return rig


async def is_cut(stage: Stage, dies_at: int, *, is_written: bool) -> bool:
    """Whether a process died at its record *dies_at*."""
    try:
        await lived(stage, CutLog(stage.journal, dies_at, is_written))
    except Crash:
        return True
    return False


@pytest.mark.parametrize("is_written", [False, True])
async def test_wherever_it_dies_there_is_one_hedge(is_written: bool) -> None:
    """One order at the venue, all of it in the book, for the position that leaned."""
    dies_at = 0
    while True:
        dies_at += 1
        stage = await leaning()
        if not await is_cut(stage, dies_at, is_written=is_written):
            break
        stage.ticks = [TICK, TICK + timedelta(minutes=5)]
        rig = await lived(stage)
        ours, theirs = await rig.sizes()
        hedges = [order for order in stage.venue_orders() if order.contract == PERPETUAL]

        assert ours == theirs, dies_at
        assert len(hedges) == 1, dies_at
        assert rig.desk.keeper.book.positions[STRADDLE].future_usd == hedges[0].amount
        assert rig.desk.keeper.book.halted == ""
    assert dies_at > 8
