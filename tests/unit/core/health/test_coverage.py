"""Coverage: what is missing between snapshots, and how old the newest is."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.health.coverage import coverage_of
from tests.support.markets import NOW

STEP = timedelta(minutes=15)


def test_a_full_run_has_no_gap() -> None:
    """One snapshot an interval, a few seconds late at times."""
    instants = [NOW + number * STEP + timedelta(seconds=number % 7) for number in range(20)]
    told = coverage_of(instants, STEP, instants[-1])

    assert (told.snapshots, told.expected, told.missing, told.gaps) == (20, 20, 0, ())


def test_a_hole_is_a_gap_with_what_it_lacks() -> None:
    """From the last before to the first after it."""
    instants = [NOW + number * STEP for number in (0, 1, 5, 6, 9)]
    told = coverage_of(instants, STEP, instants[-1])

    assert [(gap.start, gap.missing) for gap in told.gaps] == [(instants[1], 3), (instants[3], 2)]
    assert told.longest_gap == told.gaps[0]
    assert (told.missing, told.expected) == (5, 10)


def test_the_newest_goes_stale_after_two_intervals() -> None:
    """Not before."""
    assert not coverage_of([NOW], STEP, NOW + 2 * STEP).is_stale
    assert coverage_of([NOW], STEP, NOW + 2 * STEP + timedelta(seconds=1)).is_stale


def test_nothing_is_stale_and_of_no_age() -> None:
    """Without a snapshot there is nothing to be fresh."""
    told = coverage_of([], STEP, NOW)

    assert (told.snapshots, told.expected, told.age, told.is_stale) == (0, 0, None, True)
    assert told.longest_gap is None


@settings(derandomize=True, deadline=None)
@given(rows=st.sets(st.integers(0, 60), min_size=1))
def test_found_and_missing_make_the_whole(rows: set[int]) -> None:
    """Whatever is left out of a regular run, and in whatever order it is told."""
    instants = [NOW + row * STEP for row in rows]
    told = coverage_of(instants, STEP, NOW + 60 * STEP)

    assert told.snapshots + told.missing == told.expected == max(rows) - min(rows) + 1
    assert told.age == (60 - max(rows)) * STEP
