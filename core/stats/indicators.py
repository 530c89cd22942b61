"""Wilder's indicators, moving averages and choppiness, over closed bars, oldest first."""

import numpy as np

from core.kernel import kernel
from ports.columns import Floats

PERIOD = 14


def rsi(close: Floats, period: int = PERIOD) -> Floats:
    """
    Relative strength index 0..100 after each close, columns (n,); NaN for the first *period*.

    Source: Wilder (1978): means of the first gains and losses, then smoothed one by one. 100
    where nothing was lost.
    """
    change = np.diff(close)
    gain = _wilder_mean(np.maximum(change, 0.0), period)
    loss = _wilder_mean(np.maximum(-change, 0.0), period)
    with np.errstate(divide="ignore", invalid="ignore"):
        index = np.where(loss == 0.0, 100.0, 100.0 - 100.0 / (1.0 + gain / loss))
    return np.concatenate(
        [np.full(min(1, len(close)), np.nan), np.where(np.isnan(loss), loss, index)]
    )


def atr(high: Floats, low: Floats, close: Floats, period: int = PERIOD) -> Floats:
    """
    Average true range in units of price, columns (n,); NaN for the first *period* - 1 bars.

    The first bar's range is high less low. Source: Wilder (1978).
    """
    first = high[:1] - low[:1]
    return _wilder_mean(np.concatenate([first, true_range(high, low, close)]), period)


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """The range of each bar but the first (n-1,), from the close before it if that is outside."""
    return np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])


def adx(high: Floats, low: Floats, close: Floats, period: int = PERIOD) -> Floats:
    """
    Average directional index 0..100, columns (n,); the first value is at bar 2 x *period* - 1.

    Source: Wilder (1978): directional movement and true range as running sums, the index as
    the smoothed mean of DX. Without any movement DX is zero.
    """
    up, down = np.diff(high), -np.diff(low)
    plus = _wilder_sum(np.where((up > down) & (up > 0.0), up, 0.0), period)
    minus = _wilder_sum(np.where((down > up) & (down > 0.0), down, 0.0), period)
    total = plus + minus  # the true range divides both and so falls out of DX
    with np.errstate(divide="ignore", invalid="ignore"):
        directional = np.where(total == 0.0, 0.0, 100.0 * np.abs(plus - minus) / total)
    index = np.full(len(close), np.nan)
    index[period:] = _wilder_mean(directional[period - 1 :], period)
    return index


def mean_of_last(values: Floats, count: int) -> Floats:
    """The mean of the last *count* values at each, columns (n,); NaN until there are so many."""
    found = np.full(len(values), np.nan)
    if len(values) >= count:
        windows = np.lib.stride_tricks.sliding_window_view(values, count)
        found[count - 1 :] = windows.mean(axis=1)
    return found


def pct_from_mean(close: Floats, count: int) -> Floats:
    """Percent of each close above the mean of the last *count* closes, columns (n,)."""
    return 100.0 * (close / mean_of_last(close, count) - 1.0)


def choppiness(high: Floats, low: Floats, close: Floats, period: int = PERIOD) -> Floats:
    """
    Choppiness index, columns (n,): 100 goes nowhere, near 0 goes straight; NaN at first.

    100 log10(sum of true ranges / whole range) / log10(period). Source: Dreiss.
    """
    found = np.full(len(close), np.nan)
    if len(close) <= period:
        return found
    window = np.lib.stride_tricks.sliding_window_view
    summed = window(true_range(high, low, close), period).sum(axis=1)
    whole = window(high[1:], period).max(axis=1) - window(low[1:], period).min(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found[period:] = 100.0 * np.log10(summed / whole) / np.log10(period)
    found[~np.isfinite(found)] = np.nan
    return found


@kernel
def _wilder_mean(values: Floats, period: int) -> Floats:
    """The plain mean of the first *period*, then (mean (period - 1) + value) / period."""
    found = np.full(len(values), np.nan)
    if len(values) < period:
        return found
    mean = 0.0
    for row in range(period):
        mean += values[row] / period
    found[period - 1] = mean
    for row in range(period, len(values)):
        mean += (values[row] - mean) / period
        found[row] = mean
    return found


def _wilder_sum(values: Floats, period: int) -> Floats:
    """Wilder's running sum S - S / period + value: his mean, *period* times."""
    return period * _wilder_mean(values, period)
