"""
Variance from the range of bars. Each estimator is a series of its own: on coins, ranges of a day
lie a tenth above hourly returns in variance, so two of them never belong in one series.
"""

import numpy as np
from attrs import frozen

from ports.columns import Floats


@frozen(eq=False)
class Bars:
    """Bars without gaps, oldest first; columns (n,), one unit of price."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats


def parkinson(bars: Bars) -> Floats:
    """Variance of each bar (n,) from high and low. Source: Parkinson (1980)."""
    variance: Floats = np.log(bars.high / bars.low) ** 2 / (4.0 * np.log(2.0))
    return variance


def garman_klass(bars: Bars) -> Floats:
    """Variance of each bar (n,) from range and close. Source: Garman and Klass (1980)."""
    close = np.log(bars.close / bars.open)
    spread = np.log(bars.high / bars.low)
    variance: Floats = spread**2 / 2.0 - (2.0 * np.log(2.0) - 1.0) * close**2
    return variance


def rogers_satchell(bars: Bars) -> Floats:
    """Variance of each bar (n,), whatever its drift. Source: Rogers and Satchell (1991)."""
    up, down = np.log(bars.high / bars.open), np.log(bars.low / bars.open)
    close = np.log(bars.close / bars.open)
    variance: Floats = up * (up - close) + down * (down - close)
    return variance


def yang_zhang(bars: Bars) -> float:
    """
    Variance of one bar from all of them, with the gaps between close and open.

    NaN with fewer than three bars. Source: Yang and Zhang (2000).
    """
    count = len(bars.close) - 1  # the first bar has no close before it
    if count < 2:
        return float("nan")
    gap = np.log(bars.open[1:] / bars.close[:-1])
    close = np.log(bars.close[1:] / bars.open[1:])
    weight = 0.34 / (1.34 + (count + 1) / (count - 1))
    within = float(np.mean(rogers_satchell(bars)[1:]))
    return float(np.var(gap, ddof=1) + weight * np.var(close, ddof=1) + (1.0 - weight) * within)
