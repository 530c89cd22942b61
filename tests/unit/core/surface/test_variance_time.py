"""Variance time: its laws, and what it learns from closes."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.surface.variance_time import VarianceClock, estimated_clock
from ports.checks import epoch_ms

HOUR_MS = 3_600_000
WEEK_MS = 168 * HOUR_MS
MONDAY_MS = epoch_ms(datetime(2026, 3, 2, tzinfo=UTC))
BUSY = VarianceClock(
    np.array([1.3, 1.2, 1.2, 1.1, 1.2, 0.4, 0.6]), np.tile([0.5, 1.5, 0.75, 1.25], 6)
)
INSTANTS = st.integers(MONDAY_MS - 3 * WEEK_MS, MONDAY_MS + 60 * WEEK_MS)


@settings(derandomize=True, deadline=None)
@given(start=INSTANTS, end=INSTANTS)
def test_ones_are_calendar_time(start: int, end: int) -> None:
    """With equal shares variance time is calendar time in years of 365 days."""
    assert float(VarianceClock().years(start, end)) == pytest.approx(
        (end - start) / (365 * 24 * HOUR_MS), rel=1e-9, abs=1e-12
    )


@settings(derandomize=True, deadline=None)
@given(start=INSTANTS, middle=INSTANTS, end=INSTANTS)
def test_time_adds_up(start: int, middle: int, end: int) -> None:
    """Two stretches take as long as both together, and time never runs backwards."""
    whole = float(BUSY.years(start, end))

    assert float(BUSY.years(start, middle) + BUSY.years(middle, end)) == pytest.approx(
        whole, abs=1e-11
    )
    assert (whole > 0.0) == (end > start)


def test_a_week_is_a_week() -> None:
    """Over whole weeks no shares matter."""
    assert float(BUSY.years(MONDAY_MS + 5, MONDAY_MS + 5 + WEEK_MS)) == pytest.approx(7 / 365)


def test_an_hour_has_the_share_of_its_day_and_hour() -> None:
    """Saturday's second hour runs at 0.4 x 1.5 of the clock."""
    saturday_ms = MONDAY_MS + 5 * 24 * HOUR_MS + HOUR_MS

    assert float(BUSY.years(saturday_ms, saturday_ms + HOUR_MS)) == pytest.approx(
        0.4 * 1.5 / (365 * 24), rel=1e-9
    )


def closes(days: int) -> tuple[np.ndarray, np.ndarray]:
    """Hourly closes that move twice as far on Mondays, and always by the same factor."""
    at_ms = MONDAY_MS + HOUR_MS * np.arange(24 * days + 1)
    began = at_ms[:-1]
    size = np.where((began - MONDAY_MS) // (24 * HOUR_MS) % 7 == 0, 0.02, 0.01)
    steps = size * np.where(np.arange(len(size)) % 2 == 0, 1.0, -1.0)
    return at_ms, 50_000.0 * np.exp(np.concatenate(([0.0], np.cumsum(steps))))


def test_shares_are_learnt_and_halved() -> None:
    """Mondays with four times the variance get half of what sets them apart; hours nothing."""
    at_ms, close = closes(28)
    clock = estimated_clock(at_ms, close, int(at_ms[-1]))
    monday = 4.0 / (10.0 / 7.0)

    assert clock.weekday[0] == pytest.approx(1.0 + 0.5 * (monday - 1.0), rel=1e-9)
    assert clock.hour == pytest.approx(np.ones(24), rel=1e-9)


def test_the_future_is_not_seen() -> None:
    """What closes after the instant changes nothing."""
    at_ms, close = closes(28)
    until = int(at_ms[14 * 24])
    wild = np.where(at_ms > until, close * np.where(np.arange(len(close)) % 3, 1.0, 1.5), close)

    one, other = (estimated_clock(at_ms, prices, until) for prices in (close, wild))

    assert (one.weekday == other.weekday).all()
    assert (one.hour == other.hour).all()


@pytest.mark.parametrize("days", [0, 3])
def test_too_little_past(days: int) -> None:
    """While a weekday was never seen all shares are one."""
    at_ms, close = closes(days)

    assert (estimated_clock(at_ms, close, int(at_ms[-1])).weekday == 1.0).all()


@pytest.mark.parametrize(
    "weekday", [np.ones(6), np.zeros(7), np.full(7, 2.0), np.array([np.nan] * 7)]
)
def test_what_are_no_shares(weekday: np.ndarray) -> None:
    """Shares are seven, positive, and one in the mean."""
    with pytest.raises(ValueError, match="weekday"):
        VarianceClock(weekday)
