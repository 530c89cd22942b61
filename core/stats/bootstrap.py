"""Resampling of series that depend on their past: intervals, and the best of many trials."""

from collections.abc import Callable
from math import cbrt, ceil, log, log10, sqrt
from statistics import NormalDist

import numpy as np
from attrs import frozen

from ports.columns import Floats, Ints

DRAWS = 10_000
Statistic = Callable[[Floats], Floats]  # (k, n) series to (k,) figures
Statistics = Callable[[Floats], Floats]  # (c, k, n) series side by side to (k, m) figures
_NORMAL = NormalDist()
_CELLS_AT_ONCE = 4_000_000  # of a block of resampled series: 32 MB
_JACKKNIFE_BLOCKS = 50


@frozen
class Interval:
    """A figure with the bounds its true value lies in, with the confidence asked for."""

    value: float
    low: float
    high: float


def block_length(series: Floats) -> float:
    """
    The expected block of the stationary bootstrap that suits *series* (n,); at least 1.

    Source: Politis and White (2004), with the correction of Patton, Politis and White (2009).
    """
    count = len(series)
    centred = series - np.mean(series)
    if count < 8 or not np.any(centred):
        return 1.0
    most_lags = ceil(sqrt(count)) + max(5, ceil(log10(count)))
    covariance = np.array(
        [float(centred[lag:] @ centred[: count - lag]) / count for lag in range(most_lags + 1)]
    )
    lags = 2 * _last_notable_lag(covariance / covariance[0], count)
    lags = min(max(lags, 1), most_lags)
    share = np.arange(-lags, lags + 1) / lags
    window = np.where(np.abs(share) <= 0.5, 1.0, 2.0 * (1.0 - np.abs(share)))
    each = covariance[np.abs(np.arange(-lags, lags + 1))]
    bend = float(np.sum(window * np.abs(np.arange(-lags, lags + 1)) * each))
    level = float(np.sum(window * each))
    if level == 0.0:
        return 1.0
    length = float(cbrt(bend**2 / level**2 * count))
    return max(1.0, min(length, float(ceil(min(3.0 * sqrt(count), count / 3.0)))))


def resampled_rows(count: int, draws: int, mean_block: float, rng: np.random.Generator) -> Ints:
    """
    Rows (draws, count) of the stationary bootstrap: blocks of random length, ends joined.

    Source: Politis and Romano (1994).
    """
    starts = rng.integers(0, count, (draws, count))
    is_new = rng.random((draws, count)) < 1.0 / mean_block
    is_new[:, 0] = True
    begun = np.maximum.accumulate(np.where(is_new, np.arange(count), 0), axis=1)
    rows: Ints = (np.take_along_axis(starts, begun, axis=1) + np.arange(count) - begun) % count
    return rows


def interval(
    series: Floats,
    statistic: Statistic,
    rng: np.random.Generator,
    *,
    confidence: float = 0.9,
    least_block: float = 1.0,
    draws: int = DRAWS,
) -> Interval:
    """
    The value of *statistic* on *series* (n,) with its BCa bootstrap interval.

    *least_block* is the holding period in rows: trades that overlap are never independent.

    Raises:
        ValueError: Fewer than eight rows.

    Source: Efron (1987); acceleration by leaving out blocks.
    """
    (found,) = intervals(
        series[None, :],
        lambda side_by_side: statistic(side_by_side[0])[:, None],
        rng,
        confidence=confidence,
        least_block=least_block,
        draws=draws,
    )
    return found


def intervals(
    series: Floats,
    statistics: Statistics,
    rng: np.random.Generator,
    *,
    confidence: float = 0.9,
    least_block: float = 1.0,
    draws: int = DRAWS,
) -> tuple[Interval, ...]:
    """
    As `interval`, of m figures of c *series* (c, n) that are resampled together.

    A figure of two series, such as a difference, is thereby a paired one. The block is the
    longest that any of the series asks for.

    Raises:
        ValueError: Fewer than eight rows.
    """
    count = series.shape[1]
    if count < 8:
        raise ValueError(f"an interval needs eight rows at least, had {count}")
    values = statistics(series[:, None, :])[0]
    mean_block = max(least_block, *(block_length(each) for each in series))
    figures = _resampled_figures(series, statistics, rng, mean_block, draws)
    accelerations = _accelerations(series, statistics, mean_block)
    return tuple(
        _corrected(float(value), column, float(acceleration), confidence)
        for value, column, acceleration in zip(values, figures.T, accelerations, strict=True)
    )


def superior_ability(
    gains: Floats, rng: np.random.Generator, *, least_block: float = 1.0, draws: int = DRAWS
) -> float:
    """
    The p-value of "the best of these trials is no better than the benchmark".

    *gains* (n, m): the return of each trial over the benchmark's, in time order. Source:
    Hansen (2005), the consistent test.
    """
    count = len(gains)
    mean_block = max(least_block, *(block_length(column) for column in gains.T))
    rows = resampled_rows(count, draws, mean_block, rng)
    means = np.stack([gains[each].mean(axis=0) for each in rows])
    mean = gains.mean(axis=0)
    error = np.sqrt(count) * means.std(axis=0)
    moves = error > 0.0
    if not moves.any():
        return 1.0
    mean, means, error = mean[moves], means[:, moves], error[moves]
    found = max(0.0, float(np.max(sqrt(count) * mean / error)))
    # trials that are clearly worse than the benchmark must not raise what luck could reach
    is_hopeful = sqrt(count) * mean / error >= -sqrt(2.0 * log(log(count)))
    centred = means - np.where(is_hopeful, mean, 0.0)
    by_luck = np.maximum(0.0, np.max(sqrt(count) * centred / error, axis=1))
    return float(np.mean(by_luck >= found))


def _resampled_figures(
    series: Floats, statistics: Statistics, rng: np.random.Generator, mean_block: float, draws: int
) -> Floats:
    """Figures (draws, m) of series drawn anew."""
    beside, count = series.shape
    at_once = max(1, _CELLS_AT_ONCE // (count * beside))
    parts = []
    for start in range(0, draws, at_once):
        rows = resampled_rows(count, min(at_once, draws - start), mean_block, rng)
        parts.append(statistics(series[:, rows]))
    return np.concatenate(parts)


def _accelerations(series: Floats, statistics: Statistics, mean_block: float) -> Floats:
    """How the spread of each figure (m,) depends on its value, by leaving out one block each."""
    count = series.shape[1]
    blocks = min(_JACKKNIFE_BLOCKS, count, max(2, int(count / mean_block)))
    size = count // blocks
    kept = [
        np.delete(series[:, : size * blocks], slice(k * size, (k + 1) * size), axis=1)
        for k in range(blocks)
    ]
    figures = statistics(np.stack(kept, axis=1))
    left = figures.mean(axis=0) - figures
    spread = np.sum(left**2, axis=0) ** 1.5
    found = np.zeros(len(spread))
    np.divide(np.sum(left**3, axis=0), 6.0 * spread, out=found, where=spread > 0.0)
    return found


def _corrected(value: float, figures: Floats, acceleration: float, confidence: float) -> Interval:
    """The interval of *value* by the *figures* of all draws (k,)."""
    draws = len(figures)
    below = float(np.mean(figures < value) + 0.5 * np.mean(figures == value))
    bias = _NORMAL.inv_cdf(min(max(below, 1.0 / draws), 1.0 - 1.0 / draws))
    tails = ((1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0)
    low, high = (float(np.quantile(figures, _shifted(tail, bias, acceleration))) for tail in tails)
    return Interval(value, low, high)


def _shifted(tail: float, bias: float, acceleration: float) -> float:
    point = bias + _NORMAL.inv_cdf(tail)
    return _NORMAL.cdf(bias + point / (1.0 - acceleration * point))


def _last_notable_lag(correlation: Floats, count: int) -> int:
    """The last lag before a run of five that are not told from zero."""
    bound, run = 2.0 * sqrt(log10(count) / count), max(5, ceil(log10(count)))
    is_small = np.abs(correlation[1:]) < bound
    for lag in range(len(is_small) - run + 1):
        if is_small[lag : lag + run].all():
            return lag
    notable = np.flatnonzero(~is_small)
    return int(notable[-1]) + 1 if len(notable) else 0
