"""Checks of health in the loop: how often they are made, and what they cost the venue."""

import asyncio
from datetime import timedelta

from attrs import evolve

from adapters.memory.positions import MemoryPositionStore
from core.health.guard import HealthParams
from core.usecases.agent import Agent
from tests.support.markets import NOW
from tests.support.scripts import FIRST, scripted, shown
from tests.support.worlds import Rig

_MINUTE = timedelta(minutes=1)


class CheckedStore(MemoryPositionStore):
    """Snapshots in memory, which count how often a check asks for the room they have."""

    checks = 0

    def free_bytes(self) -> int | None:
        """See PositionStore."""
        self.checks += 1
        return None


async def watched(every: timedelta | None, store: CheckedStore, *, on_start: bool) -> Rig:
    """A life of nine ticks in a quiet market, a minute apart, checked *every* so often."""
    stage = scripted()
    stage.ticks = [NOW + number * _MINUTE for number in range(9)]
    stage.shown = [shown(at, 100_000.0, (FIRST, 104_000.0)) for at in stage.ticks]
    stage.snapshots = store
    health = HealthParams(recheck_every=every, checks_on_start=on_start)
    stage.params = evolve(stage.params, health=health)
    rig = await stage.rig()
    await Agent(rig.desk, asyncio.Event()).run()
    return rig


async def test_checks_are_as_rare_as_was_asked_for() -> None:
    """While all is well, one at the start and one each interval; without one, none."""
    never, sometimes = CheckedStore("test"), CheckedStore("test")
    await watched(None, never, on_start=False)
    await watched(4 * _MINUTE, sometimes, on_start=True)

    assert never.checks == 0
    assert sometimes.checks == 3  # at the start, after 4 and after 8 minutes


async def test_a_tick_reads_the_account_once() -> None:
    """What its check of health has read, it does not ask for again."""
    unchecked = await watched(None, CheckedStore("test"), on_start=False)
    checked = await watched(_MINUTE, CheckedStore("test"), on_start=False)

    assert checked.trading.reads.count("account") == unchecked.trading.reads.count("account")
