"""Bootstrap intervals of what daily returns say: growth, Sharpe ratio, drawdown, alpha."""

from math import sqrt

import numpy as np
from attrs import frozen

from core.backtest.benchmark import DailyReturns
from core.backtest.inference_sharpe import LEAST_RETURNS
from core.backtest.metrics_columns import DAY_MS, DAYS_A_YEAR
from core.backtest.names import Numeraire
from core.stats.bootstrap import Interval, intervals
from ports.columns import Floats

_HEADLINES = ("cagr", "sharpe_annual", "max_drawdown_pct", "alpha_pct")


@frozen(kw_only=True)
class Draws:
    """How intervals are drawn: their number, the confidence, and the least block in rows."""

    draws: int
    confidence: float
    least_block: float
    risk_free_rate: float


def headline_intervals(
    daily: DailyReturns, stressed: Floats, rng: np.random.Generator, draws: Draws
) -> dict[str, Interval]:
    """
    Return growth, Sharpe ratio, drawdown and alpha in both numeraires, by stored key.

    *stressed* (n,): alpha in coin with higher costs, under alpha_stressed_pct. Empty of fewer
    than eight days.
    """
    if len(daily) < LEAST_RETURNS:
        return {}
    years = _years(daily)

    def statistics(series: Floats) -> Floats:
        stressed_alpha = _yearly_pct(series[4])
        return np.column_stack([_headlines_of(series[:4], years, draws), stressed_alpha])

    found = intervals(
        np.stack([*_series(daily), stressed]),
        statistics,
        rng,
        confidence=draws.confidence,
        least_block=draws.least_block,
        draws=draws.draws,
    )
    keys = [f"{key}_{numeraire}" for numeraire in Numeraire for key in _HEADLINES]
    return dict(zip([*keys, "alpha_stressed_pct"], found, strict=True))


def paired_intervals(
    daily: DailyReturns, other: DailyReturns, rng: np.random.Generator, draws: Draws
) -> dict[str, Interval]:
    """
    Return what *other* has more than *daily* on the days both have, by stored key.

    Both are resampled by the same days, so that what moves both cancels. Empty of fewer than
    eight days in common.
    """
    _, own, theirs = np.intersect1d(
        daily.at_ms // DAY_MS, other.at_ms // DAY_MS, return_indices=True
    )
    if len(own) < LEAST_RETURNS:
        return {}
    years = len(own) / DAYS_A_YEAR
    first = np.stack([each[own] for each in _series(daily)])
    second = np.stack([each[theirs] for each in _series(other)])

    def statistics(series: Floats) -> Floats:
        more = _headlines_of(series[4:], years, draws)
        return more - _headlines_of(series[:4], years, draws)

    found = intervals(
        np.concatenate([first, second]),
        statistics,
        rng,
        confidence=draws.confidence,
        least_block=draws.least_block,
        draws=draws.draws,
    )
    keys = [f"{key}_{numeraire}" for numeraire in Numeraire for key in _HEADLINES]
    return dict(zip(keys, found, strict=True))


def _series(daily: DailyReturns) -> list[Floats]:
    """Returns in coin and USD, alphas in coin and USD."""
    own = [daily.strategy(numeraire) for numeraire in Numeraire]
    return own + [daily.alpha(numeraire) for numeraire in Numeraire]


def _headlines_of(series: Floats, years: float, draws: Draws) -> Floats:
    """The headlines of series (4, k, n) in coin and in USD, (k, 8)."""
    coin, usd, alpha_coin, alpha_usd = series
    columns = [
        *_headlines(coin, alpha_coin, years, draws.risk_free_rate),
        *_headlines(usd, alpha_usd, years, draws.risk_free_rate),
    ]
    return np.stack(columns, axis=1)


def _headlines(returns: Floats, alpha: Floats, years: float, risk_free_rate: float) -> list[Floats]:
    """Growth, Sharpe ratio, drawdown, alpha of series (k, n), each (k,), in the units of names."""
    growth = np.log1p(returns)
    paths = np.cumsum(growth, axis=1)
    # the account before the first return is a peak too
    peaks = np.maximum(np.maximum.accumulate(paths, axis=1), 0.0)
    deepest = np.max(peaks - paths, axis=1)
    spread = np.std(returns, axis=1, ddof=1)
    excess = np.mean(returns, axis=1) - risk_free_rate / DAYS_A_YEAR
    ratio = np.divide(excess, spread, out=np.zeros_like(excess), where=spread > 0.0)
    return [
        100.0 * np.expm1(paths[:, -1] / years),
        sqrt(DAYS_A_YEAR) * ratio,
        -100.0 * np.expm1(-deepest),
        _yearly_pct(alpha),
    ]


def _yearly_pct(daily: Floats) -> Floats:
    found: Floats = 100.0 * DAYS_A_YEAR * np.mean(daily, axis=1)
    return found


def _years(daily: DailyReturns) -> float:
    """The time that the returns span."""
    return float(daily.at_ms[-1] - daily.from_ms) / (DAYS_A_YEAR * DAY_MS)
