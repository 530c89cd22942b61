"""Clock of this computer."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_LONGEST_NAP_S = 1.0  # a wall clock that is set forward is noticed within this


def _wall_clock() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  the one place where time comes from


class SystemClock:
    """
    The wall clock, never going back, with a tick every *interval*.

    *wall* is where it looks; a wall that is set back stands still here until it has caught up.
    """

    def __init__(self, interval: timedelta, wall: Callable[[], datetime] = _wall_clock) -> None:
        if interval <= timedelta(0):
            raise ValueError(f"the interval of ticks must be positive, was {interval}")
        self._interval = interval
        self._wall = wall
        self._latest = self._started = wall()

    def now(self) -> datetime:
        """The current instant, aware, UTC; never earlier than an answer before."""
        self._latest = max(self._latest, self._wall())
        return self._latest

    def next_tick(self, after: datetime | None) -> datetime:
        """
        Whole intervals after *after* and not past; now if *after* is None.

        A tick that ended before this clock was made is of an earlier process: what it would be
        followed by is due now. So is an *after* in the future, left by a clock that was wrong.
        """
        now = self.now()
        if after is None or after < self._started or after > now:
            return now
        missed = -((after - now) // self._interval)  # rounded up
        return after + max(missed, 1) * self._interval

    async def sleep_until(self, instant: datetime) -> None:
        """Return at *instant* or as soon after as can be; at once if it has passed."""
        left_s = (instant - self.now()).total_seconds()
        while left_s > 0:
            await asyncio.sleep(min(left_s, _LONGEST_NAP_S))
            left_s = (instant - self.now()).total_seconds()
