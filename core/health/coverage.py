"""How well a span of time is covered by snapshots: gaps, and how old the newest is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from attrs import frozen

_LATE = 1.5  # intervals between two snapshots from which one is missing


@frozen
class Gap:
    """A time without snapshots: the last before it, the first after it, and how many it lacks."""

    start: datetime
    end: datetime
    missing: int


@frozen(kw_only=True)
class Coverage:
    """
    Snapshots against a target of one every *interval*.

    *age* is that of the newest, None without any; *expected* counts from first to newest.
    """

    interval: timedelta
    snapshots: int
    expected: int
    first: datetime | None
    last: datetime | None
    age: timedelta | None
    gaps: tuple[Gap, ...]

    @property
    def missing(self) -> int:
        """Snapshots that the gaps lack."""
        return sum(gap.missing for gap in self.gaps)

    @property
    def longest_gap(self) -> Gap | None:
        """The longest of the gaps, the first of several."""
        return max(self.gaps, key=lambda gap: gap.end - gap.start, default=None)

    @property
    def is_stale(self) -> bool:
        """Whether the newest is older than two intervals, or there is none."""
        return self.age is None or self.age > 2 * self.interval


def coverage_of(instants: Sequence[datetime], interval: timedelta, now: datetime) -> Coverage:
    """
    Return how *instants*, in any order, cover the time from the first of them to *now*.

    Two that are more than one and a half intervals apart have a gap between them.
    """
    taken = sorted(set(instants))
    gaps = [
        Gap(before, after, max(1, round((after - before) / interval) - 1))
        for before, after in pairwise(taken)
        if after - before > _LATE * interval
    ]
    return Coverage(
        interval=interval,
        snapshots=len(taken),
        expected=round((taken[-1] - taken[0]) / interval) + 1 if taken else 0,
        first=taken[0] if taken else None,
        last=taken[-1] if taken else None,
        age=now - taken[-1] if taken else None,
        gaps=tuple(gaps),
    )
