"""Bars of whole UTC days out of finer ones, and the volatility that closes realised."""

from datetime import datetime

import numpy as np
from attrs import field, frozen

from ports.checks import epoch_ms
from ports.columns import Floats, Ints, float_column, int_column
from ports.history import Candles

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
DAYS_A_YEAR, HOURS_A_YEAR = 365.0, 8760.0
_LEAST_HOURLY_CLOSES, _LEAST_HOURLY_RETURNS = 49, 24


@frozen(eq=False)
class DailyBars:
    """
    Days that are over, oldest first, one row a day that has a price; columns (n,), USD per coin.

    *day* counts from 1970. A bar *is_sampled* where its high and low are those of prices seen
    now and then: the true ones lie outside.
    """

    day: Ints = field(converter=int_column)
    high: Floats = field(converter=float_column)
    low: Floats = field(converter=float_column)
    close: Floats = field(converter=float_column)
    is_sampled: bool = False

    def __len__(self) -> int:
        return len(self.close)

    def unbroken(self) -> "DailyBars":
        """The bars of the last days in a row, back to the first day without one."""
        breaks = np.flatnonzero(np.diff(self.day) > 1)
        rows = slice(int(breaks[-1]) + 1 if len(breaks) else 0, None)
        return DailyBars(
            self.day[rows], self.high[rows], self.low[rows], self.close[rows], self.is_sampled
        )


def daily_bars(candles: Candles, now: datetime, days: int) -> DailyBars:
    """
    Return the last *days* finished UTC days of *candles*, which may be of any finer step.

    A bar that closes at midnight ends the day before. Where highs and lows are not known those
    of the closes stand in, and the bars say so.
    """
    day = (candles.closed_at_ms - 1) // DAY_MS
    today = epoch_ms(now) // DAY_MS
    rows = np.flatnonzero((day < today) & (day >= today - days) & (candles.close > 0.0))
    if not len(rows):
        return DailyBars([], [], [], [])
    day, close = day[rows], candles.close[rows]
    high, low = candles.high[rows], candles.low[rows]
    is_known = np.isfinite(high) & np.isfinite(low)
    high, low = np.where(is_known, high, close), np.where(is_known, low, close)
    first = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
    return DailyBars(
        day=day[first],
        high=np.maximum.reduceat(high, first),
        low=np.minimum.reduceat(low, first),
        close=close[np.append(first[1:], len(day)) - 1],
        is_sampled=not bool(is_known.all()),
    )


def daily_vol(bars: DailyBars, days: int) -> float | None:
    """
    Return the volatility of the last *days* daily returns, in points; None if one is missing.

    Sample standard deviation of log returns, times √365.
    """
    run = bars.unbroken()
    if len(run) < days + 1:
        return None
    return _annualised(np.diff(np.log(run.close[-(days + 1) :])), DAYS_A_YEAR)


def hourly_vol(
    candles: Candles, now: datetime, hours: int, least_covered: float = 0.0
) -> float | None:
    """
    Return the volatility of the hourly closes of the last *hours*, in points.

    Only returns over one hour count: prices further apart say nothing of an hour. None with
    fewer than 49 closes or 24 such returns, or where less than *least_covered* of the window has
    them. Sample standard deviation of log returns, times √8760.
    """
    now_ms = epoch_ms(now)
    inside = (candles.closed_at_ms > now_ms - hours * HOUR_MS) & (candles.closed_at_ms <= now_ms)
    closed, close = candles.closed_at_ms[inside], candles.close[inside]
    known = close > 0.0
    closed, close = closed[known], close[known]
    if len(close) < _LEAST_HOURLY_CLOSES:
        return None
    returns = np.diff(np.log(close))[np.diff(closed) == HOUR_MS]
    if len(returns) < max(_LEAST_HOURLY_RETURNS, least_covered * (hours - 1)):
        return None
    return _annualised(returns, HOURS_A_YEAR)


def forecast_vol(bars: DailyBars, days: int, decay: float) -> float | None:
    """
    Return what daily volatility is expected to be, in points; None without *days* returns.

    The exponentially weighted mean of squared daily returns, the weight of each the *decay* of
    the next. Source: RiskMetrics (1996).
    """
    returns = np.diff(np.log(bars.unbroken().close))
    if len(returns) < days:
        return None
    weight = decay ** np.arange(len(returns) - 1, -1, -1, dtype=np.float64)
    return 100.0 * float(np.sqrt(DAYS_A_YEAR * np.sum(weight * returns**2) / np.sum(weight)))


def _annualised(returns: Floats, periods: float) -> float:
    return 100.0 * float(np.std(returns, ddof=1) * np.sqrt(periods))
