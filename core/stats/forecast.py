"""
What variance will be: a regression on past variance, implied variance corrected by its past
bias, and the mean of the two.
"""

from datetime import timedelta

import numpy as np
from attrs import field, frozen

from core.stats.volatility import coming_variance, trailing_variance
from ports.columns import Floats, Ints, float_column, int_column

HORIZON_DAYS = 30
_DAY_MS = timedelta(days=1) // timedelta(milliseconds=1)
_LEAST_FITTED = 300  # days: a window of 330 less the horizon, whose end is not known yet
_LEAST_RATIOS = 30  # days that a mean ratio needs


@frozen(eq=False)
class VarianceDays:
    """
    What is known of variance at the end of each day, oldest first, one row a day, columns (n,).

    Variances per year; *implied* from an index of implied volatility, NaN where there is none.
    *coming* is the variance of the *horizon_days* after the row: not known at the row.
    """

    at_ms: Ints = field(converter=int_column)
    last_day: Floats = field(converter=float_column)
    last_week: Floats = field(converter=float_column)
    last_month: Floats = field(converter=float_column)
    implied: Floats = field(converter=float_column)
    coming: Floats = field(converter=float_column)
    horizon_days: int = HORIZON_DAYS

    @classmethod
    def of_prices(
        cls,
        seen_at_ms: Ints,
        price: Floats,
        at_ms: Ints,
        implied_vol: Floats,
        horizon_days: int = HORIZON_DAYS,
    ) -> "VarianceDays":
        """
        Return the days that end at *at_ms* (m,), one after the other, by the prices seen.

        *seen_at_ms* and *price* (n,), hourly or finer; *implied_vol* (m,) a fraction per year.

        Raises:
            ValueError: The rows are not one day apart.
        """
        if np.any(np.diff(at_ms) != _DAY_MS):
            raise ValueError("at_ms must be one day apart")
        return cls(
            at_ms=at_ms,
            last_day=trailing_variance(seen_at_ms, price, at_ms, 1.0),
            last_week=trailing_variance(seen_at_ms, price, at_ms, 7.0),
            last_month=trailing_variance(seen_at_ms, price, at_ms, 30.0),
            implied=np.square(implied_vol),
            coming=coming_variance(seen_at_ms, price, at_ms, float(horizon_days)),
            horizon_days=horizon_days,
        )


@frozen(eq=False)
class VarianceForecasts:
    """Variance per year of the days to come, by each way, columns (n,); NaN where it has none."""

    regressed: Floats  # on the variance of the last day, week and month, in logs
    scaled_implied: Floats  # implied variance times its past ratio to what came
    default: Floats  # the geometric mean of both


def variance_forecasts(days: VarianceDays) -> VarianceForecasts:
    """
    Return the forecasts of each row of *days*, of what was known at it and nothing later.

    Source: Corsi (2009) for the regression, here in logs with Duan's smearing factor, fitted
    anew each day on all days whose horizon has passed.
    """
    regressed, scaled = _regressed(days), _scaled_implied(days)
    return VarianceForecasts(regressed, scaled, np.sqrt(regressed * scaled))


def _regressed(days: VarianceDays) -> Floats:
    past = np.log(np.column_stack([days.last_day, days.last_week, days.last_month]))
    rows = np.column_stack([np.ones(len(past)), past])
    coming = np.log(days.coming)
    has_past = np.isfinite(rows).all(axis=1)
    is_fit = has_past & np.isfinite(coming)
    found = np.full(len(rows), np.nan)
    for row in np.flatnonzero(has_past):
        known = np.flatnonzero(is_fit[: max(row - days.horizon_days + 1, 0)])
        if len(known) < _LEAST_FITTED:
            continue
        weights, *_ = np.linalg.lstsq(rows[known], coming[known], rcond=None)
        smearing = np.mean(np.exp(coming[known] - rows[known] @ weights))
        found[row] = np.exp(rows[row] @ weights) * smearing
    return found


def _scaled_implied(days: VarianceDays) -> Floats:
    """The mean ratio over all rows whose horizon had passed, by running sums."""
    ratio = days.coming / days.implied
    is_known = np.isfinite(ratio)
    summed = np.concatenate([[0.0], np.cumsum(np.where(is_known, ratio, 0.0))])
    counted = np.concatenate([[0], np.cumsum(is_known)])
    known = np.maximum(np.arange(len(ratio)) - days.horizon_days + 1, 0)
    enough = counted[known] >= _LEAST_RATIOS
    mean = np.where(enough, summed[known] / np.maximum(counted[known], 1), np.nan)
    return days.implied * mean
