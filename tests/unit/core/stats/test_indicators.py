"""Indicators against Wilder's own table, and against his definitions in exact fractions."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import log10

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.stats.indicators import adx, atr, choppiness, mean_of_last, pct_from_mean, rsi
from ports.columns import Floats

# Wilder, New Concepts in Technical Trading Systems (1978), the table of the relative strength
# index: closes, and the index from the fifteenth on.
WILDER_CLOSES = (
    *(54.80, 56.80, 57.85, 59.85, 60.57, 61.10, 62.17, 60.60, 62.35, 62.15, 62.35, 61.45),
    *(62.80, 61.37, 62.50, 62.57, 60.80, 59.37, 60.35, 62.35, 62.17, 62.55, 64.55, 64.37),
    *(65.30, 64.42, 62.90, 61.60, 62.05, 60.05),
)
WILDER_RSI = (
    *(74.21, 74.34, 65.87, 59.93, 62.43, 66.96, 66.18, 67.05, 71.22, 70.36, 72.23, 67.86),
    *(60.99, 55.79, 57.15, 49.81),
)


def walked(seed: int, count: int) -> tuple[Floats, Floats, Floats]:
    """High, low and close of bars on a grid of quarters: exact in binary."""
    rng = np.random.default_rng(seed)
    close = 400.0 + np.cumsum(rng.integers(-8, 9, count)) / 4.0
    high = close + rng.integers(0, 9, count) / 4.0
    low = close - rng.integers(0, 9, count) / 4.0
    return high, low, close


def smoothed(values: Sequence[Fraction], period: int) -> list[Fraction]:
    """Wilder's running sum, from the first whole window on."""
    total = sum(values[:period], Fraction(0))
    found = [total]
    for value in values[period:]:
        total = total - total / period + value
        found.append(total)
    return found


def fractions(values: Floats) -> list[Fraction]:
    """The same numbers, exact."""
    return [Fraction(value) for value in values.tolist()]


def test_rsi_is_wilders_table() -> None:
    """Each value to one unit of the last printed digit: he cut where we round."""
    found = rsi(np.array(WILDER_CLOSES))

    assert np.isnan(found[:14]).all()
    assert found[14:] == pytest.approx(WILDER_RSI, abs=0.011)


def test_rsi_is_its_definition() -> None:
    """Against fractions, over a long walk."""
    _, _, close = walked(1, 200)
    exact = fractions(close)
    changes = [after - before for before, after in pairwise(exact)]
    gains = smoothed([max(change, Fraction(0)) for change in changes], 14)
    losses = smoothed([max(-change, Fraction(0)) for change in changes], 14)
    expected = [100 - 100 / (1 + gain / loss) for gain, loss in zip(gains, losses, strict=True)]

    assert rsi(close)[14:] == pytest.approx([float(each) for each in expected], rel=1e-12)


def test_nothing_lost_is_a_hundred() -> None:
    """Only gains, or no change at all."""
    assert rsi(np.arange(1.0, 21.0))[-1] == 100.0
    assert rsi(np.full(20, 5.0))[-1] == 100.0
    assert rsi(np.arange(21.0, 1.0, -1.0))[-1] == 0.0


def test_adx_is_its_definition() -> None:
    """DI and DX from running sums in fractions, true range included; first at bar 27."""
    high, low, close = (fractions(column) for column in walked(2, 120))
    ranges, plus, minus = [], [], []
    for row in range(1, 120):
        up, down = high[row] - high[row - 1], low[row - 1] - low[row]
        plus.append(up if up > down and up > 0 else Fraction(0))
        minus.append(down if down > up and down > 0 else Fraction(0))
        ranges.append(max(high[row], close[row - 1]) - min(low[row], close[row - 1]))
    sums = zip(smoothed(plus, 14), smoothed(minus, 14), smoothed(ranges, 14), strict=True)
    indicators = [(100 * up / whole, 100 * down / whole) for up, down, whole in sums]
    directional = [100 * abs(up - down) / (up + down) for up, down in indicators]
    expected = [each / 14 for each in smoothed(directional, 14)]

    found = adx(*walked(2, 120))
    assert np.isnan(found[:27]).all()
    assert found[27:] == pytest.approx([float(each) for each in expected], rel=1e-11)


def test_adx_of_a_straight_line_and_of_none() -> None:
    """Always up is 100; bars that all are the same have no direction."""
    line = np.arange(1.0, 41.0)
    flat = np.full(40, 5.0)

    assert adx(line + 1.0, line - 1.0, line)[-1] == pytest.approx(100.0)
    assert adx(flat + 1.0, flat - 1.0, flat)[-1] == 0.0


def test_atr_is_its_definition() -> None:
    """The first bar has no close before it; the mean of fourteen, then smoothed."""
    columns = walked(3, 60)
    high, low, close = (fractions(column) for column in columns)
    ranges = [high[0] - low[0]] + [
        max(high[row], close[row - 1]) - min(low[row], close[row - 1]) for row in range(1, 60)
    ]
    expected = [float(each / 14) for each in smoothed(ranges, 14)]

    found = atr(*columns)
    assert np.isnan(found[:13]).all()
    assert found[13:] == pytest.approx(expected, rel=1e-12)


def test_means_and_distances() -> None:
    """A mean needs all its values; the distance is in percent of it."""
    close = np.array([1.0, 2.0, 3.0, 6.0])

    assert mean_of_last(close, 3)[2:].tolist() == pytest.approx([2.0, 11.0 / 3.0])
    assert np.isnan(mean_of_last(close, 3)[:2]).all()
    assert pct_from_mean(close, 3)[2] == pytest.approx(50.0)


def test_a_straight_line_is_not_choppy() -> None:
    """The ranges add up to the whole: zero; bars on one spot add up to n times it: a hundred."""
    line = np.arange(1.0, 41.0)
    flat = np.full(40, 5.0)

    assert choppiness(line, line - 1.0, line)[-1] == pytest.approx(0.0, abs=1e-12)
    assert choppiness(flat + 1.0, flat - 1.0, flat)[-1] == pytest.approx(100.0)
    whole = 100.0 * log10(14 * 2.0 / 15.0) / log10(14)
    assert choppiness(line + 0.5, line - 1.5, line)[-1] == pytest.approx(whole)


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 60))
def test_indicators_are_within_their_bounds(seed: int, count: int) -> None:
    """0..100 or NaN, as many as bars, and none from fewer bars than they need."""
    high, low, close = walked(seed, count)
    for found in (rsi(close), adx(high, low, close)):
        known = found[np.isfinite(found)]
        assert len(found) == count
        assert ((known >= 0.0) & (known <= 100.0 + 1e-9)).all()
        assert len(known) == 0 or count > 14
