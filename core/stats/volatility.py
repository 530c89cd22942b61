"""Realised volatility from prices at whatever instants they were seen."""

from math import pi

import numpy as np

from ports.columns import Floats, Ints

_MS_PER_DAY = 86_400_000
_MS_PER_YEAR = 365 * _MS_PER_DAY
_LEAST_SHARE = 0.9  # of a window that prices must cover


def realised_vol(seen_at_ms: Ints, price: Floats) -> float:
    """
    Volatility per year of the path through *price*: the root of summed squared log returns
    over the time that really passed, so gaps and uneven steps count as what they are.

    Shapes: two (n,), oldest first. Units: milliseconds, any price; 0.65 is 65 %.
    NaN with fewer than two prices, or when no time passed.
    """
    years = _years(seen_at_ms)
    if not years > 0.0:
        return float("nan")
    return float(np.sqrt(np.sum(np.diff(np.log(price)) ** 2) / years))


def jump_share(seen_at_ms: Ints, price: Floats) -> float:
    """
    The share of realised variance that jumps made: one less bipower variation, at least zero.

    Shapes and NaN as realised_vol; three prices at least. Source: Barndorff-Nielsen and
    Shephard (2004), bipower variation (pi/2) sum |r_i| |r_(i-1)|.
    """
    returns = np.abs(np.diff(np.log(price)))
    squared = float(np.sum(returns**2))
    if len(price) < 3 or not _years(seen_at_ms) > 0.0 or squared == 0.0:
        return float("nan")
    return max(0.0, 1.0 - pi / 2.0 * float(np.sum(returns[1:] * returns[:-1])) / squared)


def trailing_variance(seen_at_ms: Ints, price: Floats, at_ms: Ints, days: float) -> Floats:
    """
    Variance per year over the *days* before each of *at_ms*, of prices seen by then.

    Shapes: *seen_at_ms*, *price* (n,), oldest first; *at_ms* and the answer (m,). NaN where the
    prices cover less than nine tenths of the window. Zero is a price that did not move.
    """
    summed = np.concatenate([[0.0], np.cumsum(np.diff(np.log(price)) ** 2)])
    return _over(seen_at_ms, summed, at_ms - round(days * _MS_PER_DAY), at_ms, days)


def coming_variance(seen_at_ms: Ints, price: Floats, at_ms: Ints, days: float) -> Floats:
    """
    Variance per year over the *days* after each of *at_ms*: what a forecast is scored by.

    As trailing_variance; known only when those days have passed.
    """
    return trailing_variance(seen_at_ms, price, at_ms + round(days * _MS_PER_DAY), days)


def _over(seen_at_ms: Ints, summed: Floats, start_ms: Ints, end_ms: Ints, days: float) -> Floats:
    """The growth of *summed* a year from the last row at *start_ms* to the last at *end_ms*."""
    first = np.searchsorted(seen_at_ms, start_ms, side="right") - 1
    first = np.where(first < 0, 0, first)  # later than asked for: the share below judges
    last = np.searchsorted(seen_at_ms, end_ms, side="right") - 1
    is_empty = last <= first
    last = np.where(is_empty, first, last)
    passed_ms = (seen_at_ms[last] - seen_at_ms[first]).astype(np.float64)
    is_short = passed_ms < _LEAST_SHARE * days * _MS_PER_DAY
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (summed[last] - summed[first]) / (passed_ms / _MS_PER_YEAR)
    return np.where(is_empty | is_short, np.nan, variance)


def _years(seen_at_ms: Ints) -> float:
    """The time from the first to the last instant; zero if there are not two."""
    return float(seen_at_ms[-1] - seen_at_ms[0]) / _MS_PER_YEAR if len(seen_at_ms) > 1 else 0.0
