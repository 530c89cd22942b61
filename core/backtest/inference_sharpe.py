"""The Sharpe ratio against zero, and against the best of all that was tried without skill."""

from math import isfinite, sqrt

import numpy as np

from core.backtest.benchmark import DailyReturns
from core.backtest.metrics_columns import DAYS_A_YEAR, Figures
from core.backtest.names import Numeraire
from core.stats.sharpe import (
    SharpeStats,
    deflated_sharpe,
    independent_trials,
    least_backtest_years,
    least_track_record,
    probabilistic_sharpe,
)
from ports.backtest_runs import EquityCurve, Trial
from ports.columns import Floats

LEAST_RETURNS = 8  # of anything said about returns


def sharpe_figures(
    equity: EquityCurve,
    trials: tuple[Trial, ...] | None,
    searched: Floats | None,
    rate: float,
) -> Figures:
    """Return both by key; *rate* is the risk-free one a year, the others as in `evaluate`."""
    found: Figures = {}
    for numeraire in Numeraire:
        own = sharpe_stats(equity, numeraire, rate)
        key = f"probabilistic_sharpe_{numeraire}"
        found[key] = None if own is None else probabilistic_sharpe(own)
    own = sharpe_stats(equity, Numeraire.COIN, rate)
    if own is not None:
        wanted = least_track_record(own)
        found["min_track_record_days"] = wanted if isfinite(wanted) else None
    return found if trials is None else found | _deflated_figures(own, trials, searched)


def _deflated_figures(
    own: SharpeStats | None, trials: tuple[Trial, ...], searched: Floats | None
) -> Figures:
    """What the number of trials and their scatter say of *own*."""
    ratios = [each.sharpe for each in trials]
    count = _effective(len({each.config_hash for each in trials}), searched)
    spread = float(np.std(ratios, ddof=1)) if len(ratios) > 1 else None
    found: Figures = {"trials": float(count), "trial_spread": spread}
    if own is None:
        return found
    annual = own.ratio * sqrt(DAYS_A_YEAR)
    return found | {
        "deflated_sharpe": _deflated(own, count, spread),
        "min_backtest_years": least_backtest_years(count, annual) if annual > 0.0 else None,
    }


def sharpe_stats(equity: EquityCurve, numeraire: Numeraire, rate: float) -> SharpeStats | None:
    """The daily Sharpe ratio over *rate* with its moments; None of too few or constant returns."""
    excess = DailyReturns.of(equity).strategy(numeraire) - rate / DAYS_A_YEAR
    if len(excess) < LEAST_RETURNS or not np.ptp(excess) > 0.0:
        return None
    return SharpeStats.of(excess)


def _deflated(own: SharpeStats, count: int, spread: float | None) -> float | None:
    """None where many were tried and how they scattered is not known."""
    if count < 2:
        return probabilistic_sharpe(own)
    return None if spread is None else deflated_sharpe(own, count, spread)


def _effective(trials: int, searched: Floats | None) -> int:
    """The number of ideas tried: those of a search that move together are one."""
    if searched is None:
        return max(trials, 1)
    elsewhere = max(trials - len(searched.T), 0)
    return max(independent_trials(searched) + elsewhere, 1)
