"""Virtual time: an event loop that is at once at its next instant, and the clocks on it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum, auto
from selectors import SelectorKey
from typing import Any, TypeVar

from adapters.memory.clock import SteppedClock

_Result = TypeVar("_Result")
Action = Callable[[], Awaitable[object]]


class Deadlock(Exception):
    """Everybody waits, and for nothing that time could bring."""


class VirtualLoop(asyncio.BaseEventLoop):
    """asyncio without threads, files and waiting: *now_s* moves on when all tasks sleep."""

    _ready: deque[asyncio.Handle]  # of the base class, which does not tell of them
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._selector = _NoFiles(self)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self.now_s

    def is_idle_until(self, instant_s: float) -> bool:
        """Whether, but for the task that asks, nobody has anything to do until then."""
        return not self._ready and (not self._scheduled or self._scheduled[0].when() > instant_s)

    def _process_events(self, event_list: list[object]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps that would have to be woken."""


class _NoFiles:
    """A selector without files: to wait for them is to let time pass."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[tuple[SelectorKey, int]]:
        """Let *timeout* seconds pass."""
        if timeout is None:
            raise Deadlock("nothing is ready, and nothing is due")
        self._loop.now_s += max(timeout, 0.0)
        return []


def run_virtually(main: Coroutine[Any, Any, _Result]) -> _Result:
    """Run *main* to its end on a loop of its own, and cancel what it leaves behind."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(_end())
        loop.close()


async def _end() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


async def pause(seconds: float) -> None:
    """Return *seconds* later; at once where nothing else could happen until then."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    later_s = loop.now_s + seconds
    if loop.is_idle_until(later_s):
        loop.now_s = later_s
    else:
        await asyncio.sleep(seconds)


class Agenda:
    """What is still to happen; *failures* is what was raised by it, and stands for a defect."""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []
        self._coming: set[asyncio.Task[object]] = set()

    def add(self, seconds: float, action: Action) -> None:
        """Let *action* happen in so many *seconds*, whoever still waits for it."""

        async def later() -> object:
            await asyncio.sleep(seconds)
            return await action()

        task = asyncio.get_running_loop().create_task(later())
        self._coming.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[object]) -> None:
        self._coming.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self.failures.append(failure)


class TrueClock:
    """The time of the world: the running loop's, which began at *start*."""

    def __init__(self, start: datetime) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop, self._start = loop, start
        self._now, self._now_s = start, 0.0

    def now(self) -> datetime:
        """See Clock."""
        if self._loop.now_s != self._now_s:
            self._now_s = self._loop.now_s
            self._now = self._start + timedelta(seconds=self._now_s)
        return self._now

    def next_tick(self, after: datetime | None) -> datetime | None:
        """See Clock; there is none."""
        return None

    async def sleep_until(self, instant: datetime) -> None:
        """See Clock."""
        await pause(max(0.0, (instant - self.now()).total_seconds()))


class Misses(StrEnum):
    """What becomes of ticks that nobody was there for."""

    SKIPPED = auto()  # as on a live clock
    CAUGHT_UP = auto()  # as on a recorded one


class AgentClock:
    """
    The agent's wall clock, which ticks at *ticks*: as far ahead of *true* as it was set.

    Set back it stands still until it has caught up, as the clock of this computer does.
    """

    def __init__(self, true: TrueClock, ticks: Sequence[datetime], misses: Misses) -> None:
        self._true = true
        self._ticks = SteppedClock(true.now(), ticks)
        self._misses = misses
        self._ahead = timedelta(0)
        self._latest = true.now()
        self._is_set = asyncio.Event()

    def now(self) -> datetime:
        """See Clock."""
        self._latest = max(self._latest, self._true.now() + self._ahead)
        return self._latest

    def next_tick(self, after: datetime | None) -> datetime | None:
        """See Clock: ticks that passed are caught up with, or are gone."""
        due_at = self._ticks.next_tick(after)
        while self._misses is Misses.SKIPPED and due_at is not None and due_at < self.now():
            due_at = self._ticks.next_tick(due_at)
        return due_at

    async def sleep_until(self, instant: datetime) -> None:
        """See Clock; who sleeps notices when it is set."""
        while (left_s := (instant - self._true.now() - self._ahead).total_seconds()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._is_set.wait()

    def set_ahead(self, ahead: timedelta) -> None:
        """Let it be *ahead* of the true time from now on."""
        self._ahead = ahead
        self._is_set.set()
        self._is_set = asyncio.Event()
