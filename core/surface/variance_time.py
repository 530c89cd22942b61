"""Variance time: how much of a year's variance falls between two instants."""

import numpy as np
from attrs import field, frozen

from ports.columns import Floats, Ints, float_column

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_WEEK_MS = 7 * _DAY_MS
_YEAR_MS = 365 * _DAY_MS
_MONDAY_MS = 4 * _DAY_MS  # 1970 began on a Thursday
_SHRINKAGE = 0.5  # towards 1: shares are noisy, and half the past is a careful guess


@frozen(eq=False)
class VarianceClock:
    """
    Shares of variance by weekday, Monday first, and by hour of day UTC; each has mean 1.

    All ones make variance time calendar time.
    """

    weekday: Floats = field(converter=float_column, factory=lambda: np.ones(7))
    hour: Floats = field(converter=float_column, factory=lambda: np.ones(24))

    def __attrs_post_init__(self) -> None:
        for name, count in (("weekday", 7), ("hour", 24)):
            shares = getattr(self, name)
            if shares.shape != (count,) or not (shares > 0.0).all():
                raise ValueError(f"{name} must be {count} positive shares, was {shares}")
            if abs(shares.mean() - 1.0) > 1e-9:
                raise ValueError(f"{name} must have mean 1, was {shares.mean()}")

    def years(self, start_ms: int | Ints, end_ms: int | Ints) -> Floats:
        """Return the variance time from *start_ms* to *end_ms*, years; negative backwards."""
        return self._weeks(end_ms) - self._weeks(start_ms)

    def _weeks(self, at_ms: int | Ints) -> Floats:
        """Variance time from the Monday before 1970 to *at_ms*, years: weeks and what is left."""
        weight = np.outer(self.weekday, self.hour).reshape(-1)
        passed_hours = np.concatenate(([0.0], np.cumsum(weight)))
        weeks, left_ms = np.divmod(np.asarray(at_ms, dtype=np.int64) - _MONDAY_MS, _WEEK_MS)
        hours = np.interp(left_ms / _HOUR_MS, np.arange(len(passed_hours)), passed_hours)
        years: Floats = (weeks * float(_WEEK_MS) + hours * _HOUR_MS) / _YEAR_MS
        return years


def estimated_clock(closed_at_ms: Ints, close: Floats, before_ms: int) -> VarianceClock:
    """
    Return the clock of hourly closes up to *before_ms*, its shares halfway to 1.

    A share is the mean squared log return of its weekday, or hour, over that of all, for the
    hour that ended at the close. Ones while any weekday or hour is without a return.

    Shapes: closed_at_ms, close (n,), oldest first; returns over more than an hour are left out.
    """
    known = (closed_at_ms <= before_ms) & np.isfinite(close) & (close > 0.0)
    at_ms, price = closed_at_ms[known], close[known]
    squares = np.diff(np.log(price)) ** 2
    is_hourly = np.diff(at_ms) == _HOUR_MS
    began_ms = at_ms[:-1][is_hourly]
    squares = squares[is_hourly]
    weekday = _shares(squares, (began_ms - _MONDAY_MS) // _DAY_MS % 7, 7)
    hour = _shares(squares, began_ms // _HOUR_MS % 24, 24)
    return VarianceClock(weekday, hour)


def _shares(squares: Floats, group: Ints, count: int) -> Floats:
    returns = np.bincount(group, minlength=count)
    totals = np.bincount(group, weights=squares, minlength=count)
    if not (returns > 0).all() or not totals.sum() > 0.0:
        return np.ones(count)
    means = totals / returns
    shares: Floats = 1.0 + (1.0 - _SHRINKAGE) * (means / means.mean() - 1.0)
    return shares
