"""How good forecasts of variance were."""

from math import erfc, sqrt

import numpy as np
from attrs import frozen

from ports.columns import Floats


def qlike(realised: Floats, forecast: Floats) -> float:
    """
    The mean of x - ln x - 1, x = realised / forecast: zero is perfect, and too low costs more.

    Shapes: two (n,) of variances, without NaN. Source: Patton (2011).
    """
    return float(np.mean(qlike_losses(realised, forecast)))


def qlike_losses(realised: Floats, forecast: Floats) -> Floats:
    """The loss of each row (n,), as qlike."""
    ratio = realised / forecast
    return ratio - np.log(ratio) - 1.0


def rmse_points(realised: Floats, forecast: Floats) -> float:
    """The root mean squared error of volatility in points, of variances (n,)."""
    error = np.sqrt(forecast) - np.sqrt(realised)
    return float(100.0 * np.sqrt(np.mean(error**2)))


@frozen
class ForecastTest:
    """A statistic that is standard normal if both are as good, and its two-sided p."""

    statistic: float
    p_value: float


def diebold_mariano(losses: Floats, other_losses: Floats, lag: int) -> ForecastTest:
    """
    Whether the losses of two forecasts (n,) differ; negative if the first is better.

    *lag* of the Newey-West variance: at least 1.5 horizons where horizons overlap. NaN where
    the difference does not vary. Source: Diebold and Mariano (1995).
    """
    difference = losses - other_losses
    error = np.sqrt(_long_run_variance(difference, lag) / len(difference))
    statistic = float(np.mean(difference)) / error if error > 0.0 else float("nan")
    return ForecastTest(statistic, erfc(abs(statistic) / sqrt(2.0)))


@frozen
class Calibration:
    """realised = intercept + slope x forecast + noise: 0 and 1 if the forecast is unbiased."""

    intercept: float
    slope: float
    r_squared: float


def mincer_zarnowitz(realised: Floats, forecast: Floats) -> Calibration:
    """Return how *realised* (n,) lies on *forecast* (n,). Source: Mincer and Zarnowitz (1969)."""
    rows = np.column_stack([np.ones(len(forecast)), forecast])
    (intercept, slope), *_ = np.linalg.lstsq(rows, realised, rcond=None)
    left = realised - rows @ np.array([intercept, slope])
    spread = float(np.sum((realised - np.mean(realised)) ** 2))
    return Calibration(float(intercept), float(slope), 1.0 - float(np.sum(left**2)) / spread)


def _long_run_variance(values: Floats, lag: int) -> float:
    """Newey and West (1987): autocovariances with weights that fall to zero behind *lag*."""
    centred = values - np.mean(values)
    count = len(centred)
    total = float(centred @ centred) / count
    for back in range(1, min(lag, count - 1) + 1):
        covariance = float(centred[back:] @ centred[:-back]) / count
        total += 2.0 * (1.0 - back / (lag + 1)) * covariance
    return max(total, 0.0)
