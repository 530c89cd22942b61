"""Health between ticks: what goes wrong with working orders there is a sign too."""

import asyncio
from datetime import timedelta

from attrs import evolve

from core.health.guard import HealthParams
from core.usecases.agent import Agent
from ports.decision_log import Entry, HealthChanged, HealthState, Ticked
from tests.support.markets import NOW
from tests.support.scripts import FIRST, scripted, shown


async def test_a_venue_lost_between_ticks_is_seen_there() -> None:
    """An order outlives its time while nobody answers: TRANSIENT before the next tick, then OK."""
    stage = scripted()
    stage.ticks = [NOW, NOW + timedelta(hours=1)]
    stage.shown = [shown(at, 100_000.0, (FIRST, 104_000.0), bid_amount=0.1) for at in stage.ticks]
    stage.params = evolve(stage.params, health=HealthParams())

    def lose(entry: Entry) -> None:
        if isinstance(entry, Ticked):
            rig.trading.failing["orders_by_label"] = 1

    rig = await stage.rig(watch=lose)
    await Agent(rig.desk, asyncio.Event()).run()

    changes = [each for each in await stage.entries() if isinstance(each, HealthChanged)]
    assert [each.state for each in changes][:2] == [HealthState.TRANSIENT, HealthState.OK]
    assert NOW < changes[0].at < stage.ticks[1] == changes[1].at
