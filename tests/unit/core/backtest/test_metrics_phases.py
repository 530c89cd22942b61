"""Run-ups and drawdowns on small accounts worked by hand, and against a plain loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.backtest.metrics import metrics_of
from core.backtest.metrics_phases import drawdowns, max_drawdown, run_ups, under_water_days
from ports.columns import Floats
from tests.support.backtest_runs import curve

DAY_MS = 86_400_000
#            0    1    2    3    4    5    6    7    8    9   10
EXAMPLE = [100, 110, 105, 108, 120, 115, 100, 118, 125, 119, 121]


def test_completed_drawdowns() -> None:
    """110 to 105 and back over 120; 120 to 100 and back over 125; the last is not completed."""
    at_ms = DAY_MS * np.arange(11)
    found = drawdowns(at_ms, np.array(EXAMPLE, dtype=np.float64))

    assert found.size.tolist() == [5.0, 20.0]
    assert found.days.tolist() == [3.0, 4.0]


def test_completed_run_ups() -> None:
    """100 to 110, 105 to 120, 100 to 125: from each low to the peak it led to."""
    at_ms = DAY_MS * np.arange(11)
    found = run_ups(at_ms, np.array(EXAMPLE, dtype=np.float64))

    assert found.size.tolist() == [10.0, 15.0, 25.0]
    assert found.days.tolist() == [1.0, 2.0, 2.0]


def test_figures_of_the_example() -> None:
    """TradingView's averages and maxima, in calendar days and in coin."""
    found = metrics_of((), curve(EXAMPLE))

    assert found["avg_drawdown_coin"] == 12.5
    assert found["avg_drawdown_days_coin"] == 3.5
    assert found["max_drawdown_coin"] == 20.0
    assert found["avg_run_up_coin"] == pytest.approx(50.0 / 3.0)
    assert found["avg_run_up_days_coin"] == pytest.approx(5.0 / 3.0)
    assert found["max_run_up_coin"] == 25.0
    assert found["max_drawdown_pct_coin"] == pytest.approx(100.0 * 20.0 / 120.0)


def test_a_peak_and_its_fall_are_never_of_one_bar() -> None:
    """Within a bar the order is not known: only earlier bars' best counts against its worst."""
    equity = np.array([100.0, 104.0, 101.0])
    low, high = np.array([100.0, 90.0, 99.0]), np.array([100.0, 130.0, 102.0])
    found = metrics_of((), curve(equity, low_coin=low, high_coin=high))

    assert found["max_drawdown_coin"] == 3.0
    assert found["max_drawdown_intrabar_coin"] == 31.0  # 130 in the second bar, 99 in the third
    assert found["max_run_up_intrabar_coin"] == 30.0  # 100 in the first, 130 in the second
    assert found["max_drawdown_intrabar_pct_coin"] == 31.0
    assert found["account_size_required_coin"] == 31.0


def test_an_account_that_only_rises_has_no_drawdown() -> None:
    """The greatest is zero, and averages of none are undefined."""
    found = metrics_of((), curve([1.0, 1.1, 1.2]))

    assert found["max_drawdown_coin"] == 0.0
    assert found["avg_drawdown_coin"] is None
    assert found["avg_run_up_coin"] is None  # its only run-up is not completed
    assert found["return_of_max_drawdown_coin"] is None
    assert found["calmar_coin"] is None


def test_time_under_water_runs_to_the_end() -> None:
    """A drawdown that is not recovered counts up to the last mark."""
    at_ms = DAY_MS * np.arange(5)

    assert under_water_days(at_ms, np.array([1.0, 2.0, 1.0, 1.5, 1.9])) == 3.0


EQUITY = st.lists(st.integers(1, 30), min_size=1, max_size=25)


@given(equity=EQUITY)
@settings(derandomize=True, deadline=None)
def test_maxima_are_those_of_every_pair(equity: list[int]) -> None:
    """The greatest fall and rise of any two marks in order."""
    values = np.array(equity, dtype=np.float64)
    pairs = [(a, b) for i, a in enumerate(equity) for b in equity[i + 1 :]]

    assert max_drawdown(values, values) == max([a - b for a, b in pairs] + [0])
    assert max_drawdown(-values, -values) == max([b - a for a, b in pairs] + [0])


@given(equity=EQUITY)
@settings(derandomize=True, deadline=None)
def test_phases_are_those_of_a_walk(equity: list[int]) -> None:
    """A plain walk from mark to mark finds the same completed drawdowns."""
    values = np.array(equity, dtype=np.float64)
    found = drawdowns(DAY_MS * np.arange(len(equity)), values)

    assert list(zip(found.size.tolist(), found.days.tolist(), strict=True)) == _walked(values)


def _walked(equity: Floats) -> list[tuple[float, float]]:
    found, peak_at, low = [], 0, None
    for at in range(1, len(equity)):
        if equity[at] < equity[peak_at]:
            low = equity[at] if low is None else min(low, equity[at])
            continue
        if low is not None:
            found.append((float(equity[peak_at] - low), float(at - peak_at)))
        peak_at, low = at, None
    return found
