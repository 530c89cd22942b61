"""Asked to end while the venue is silent: what waits is given up, and nothing is lost by that."""

import asyncio
from datetime import datetime, timedelta

import pytest
from attrs import define, evolve

from adapters.memory.clock import SteppedClock
from core.usecases.agent import STOPPED, Agent
from ports.decision_log import Alarm, Closed, Entry, OrderUpdated, Sent
from ports.errors import NeverSent
from ports.trading import OrderState
from tests.support.scripts import scripted
from tests.support.virtual import run_virtually
from tests.support.worlds import Stage


@define
class Ended:
    """How long an agent took to end once it was asked, and what it wrote down."""

    seconds: float
    entries: list[Entry]


def ended(stage: Stage, *, is_answered_later: bool) -> Ended:
    """
    One life that is asked to end while its first order waits for an answer that never comes.

    From then on the venue does not answer look-ups either, unless *is_answered_later*.
    """

    async def live() -> Ended:
        loop, stop, rig = asyncio.get_running_loop(), asyncio.Event(), await stage.rig()
        asked_at_s = 0.0

        async def wait_for_ever() -> None:
            nonlocal asked_at_s
            asked_at_s = loop.time()
            stop.set()
            if not is_answered_later:
                rig.trading.after_lookup = asyncio.Event().wait  # type: ignore[assignment]
            await asyncio.Event().wait()

        loop.call_later(3600.0, lambda: None)  # time can go on
        rig.trading.before_place = wait_for_ever
        await Agent(rig.desk, stop).run()
        return Ended(loop.time() - asked_at_s, await stage.entries())

    return run_virtually(live())


def test_a_request_without_an_answer_is_abandoned() -> None:
    """After 5 s the book is put down; the order stays written down as sent, and in doubt."""
    life = ended(scripted(), is_answered_later=True)

    assert 5.0 <= life.seconds < 6.0
    assert isinstance(life.entries[-1], Closed)
    assert life.entries[-1].reason == STOPPED
    assert len([each for each in life.entries if isinstance(each, Sent)]) == 1
    assert not any(isinstance(each, OrderUpdated) for each in life.entries)


def test_a_venue_that_stays_silent_does_not_keep_the_agent() -> None:
    """Cancelling is given up after 3 s more: an alarm says that openings may still work."""
    life = ended(scripted(), is_answered_later=False)

    assert 8.0 <= life.seconds < 9.0
    alarms = [each.subject for each in life.entries if isinstance(each, Alarm)]
    assert alarms == ["openings may still work"]
    assert isinstance(life.entries[-1], Closed)


def test_the_next_start_finds_out_what_became_of_it() -> None:
    """The order that was abandoned is looked up by its label, and not sent again under it."""
    stage = scripted()
    first = ended(stage, is_answered_later=True).entries
    label = next(each.intent.label for each in first if isinstance(each, Sent))

    async def again() -> list[Entry]:
        await Agent((await stage.rig()).desk, asyncio.Event()).run(ticks=1)
        return await stage.entries()

    entries = run_virtually(again())
    sent = [each.intent.label for each in entries if isinstance(each, Sent)]
    states = [
        each.state for each in entries if isinstance(each, OrderUpdated) and each.label == label
    ]
    assert sent.count(label) == 1
    assert states == [OrderState.NOT_PLACED]


class StoppedClock(SteppedClock):
    """A clock whose time somebody else let pass, and does not any more."""

    async def sleep_until(self, instant: datetime) -> None:
        raise NeverSent(f"{instant}: nobody moves the time")


def test_a_clock_that_stands_still_ends_the_run() -> None:
    """A failure to wait is the end of the run, not a loop of sweeps that never gets further."""

    async def live() -> None:
        stage = scripted()
        rig = await stage.rig()
        clock = StoppedClock(rig.clock.now() - timedelta(hours=1), stage.ticks)
        desk = evolve(rig.desk, world=evolve(rig.desk.world, clock=clock))
        await Agent(desk, asyncio.Event()).run()

    with pytest.raises(NeverSent, match="nobody moves the time"):
        run_virtually(live())
