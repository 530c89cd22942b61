"""Clock in memory: time passes only when somebody waits."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime


class SteppedClock:
    """A clock that stands at *start* and ticks at *ticks*, which come in order."""

    def __init__(self, start: datetime, ticks: Sequence[datetime]) -> None:
        self._now = start
        self._ticks = tuple(ticks)

    def now(self) -> datetime:
        """The instant it was last moved to."""
        return self._now

    def next_tick(self, after: datetime | None) -> datetime | None:
        """The first tick later than *after*, or of all; None behind the last."""
        row = 0 if after is None else bisect_right(self._ticks, after)
        return self._ticks[row] if row < len(self._ticks) else None

    async def sleep_until(self, instant: datetime) -> None:
        """Move to *instant*, at once; never back."""
        self._now = max(self._now, instant)
