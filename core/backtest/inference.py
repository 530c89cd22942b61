"""How much of a result may be luck: intervals, and the Sharpe ratio after all that was tried."""

from datetime import datetime

import numpy as np
from attrs import field, frozen

from core.backtest.attribution import costs_by_step
from core.backtest.benchmark import DailyReturns, mean_p
from core.backtest.inference_daily import Draws, headline_intervals, paired_intervals
from core.backtest.inference_sharpe import LEAST_RETURNS, sharpe_figures, sharpe_stats
from core.backtest.metrics import MetricParams, metrics_of
from core.backtest.metrics_columns import (
    DAY_MS,
    DAYS_A_YEAR,
    Figures,
    TradeColumns,
    valued,
)
from core.backtest.names import Numeraire
from core.stats.bootstrap import DRAWS, Interval, interval, superior_ability
from core.stats.overfitting import BLOCKS, backtest_overfitting
from core.stats.splits import walk_forward
from ports.backtest_runs import BacktestTrade, EquityCurve, StyleResult, Trial
from ports.checks import positive
from ports.columns import Floats

_SHORT_BLOCKS = 8  # of cross-validation, for short series
_ROWS_A_BLOCK = 10
_LEAST_FOLD_DAYS = 30


@frozen(kw_only=True)
class InferenceParams:
    """How doubt is measured; the defaults are those of the rule for an edge."""

    metrics: MetricParams = field(factory=MetricParams)
    draws: int = DRAWS
    confidence: float = field(default=0.9, validator=positive)
    cost_factor: float = field(default=1.5, validator=positive)  # an edge must survive it
    test_days: float = field(default=60.0, validator=positive)  # of a walk-forward fold


def evaluate(
    trades: tuple[BacktestTrade, ...],
    equity: EquityCurve,
    rng: np.random.Generator,
    *,
    trials: tuple[Trial, ...] | None = (),
    searched: Floats | None = None,
    params: InferenceParams | None = None,
) -> Figures:
    """
    Return every figure of names_table for one run; None is undefined.

    *trials* are all configurations of the family ever tried, this one included; None is that
    nobody knows them, and what depends on their number stays None. *searched*
    (n, m) holds the daily returns over their benchmark of the configurations a search chose
    this one from; without it overfitting and superior ability stay None.
    """
    params = params or InferenceParams()
    return {
        **metrics_of(trades, equity, params.metrics),
        **_intervals(trades, equity, rng, params),
        **sharpe_figures(equity, trials, searched, params.metrics.risk_free_rate),
        **search_figures(searched, rng, longest_days(TradeColumns.of(trades)), params),
    }


def trial_of(
    equity: EquityCurve,
    *,
    family: str,
    config_hash: str,
    at: datetime,
    run_id: str = "",
    params: MetricParams | None = None,
) -> Trial | None:
    """Return the trial that a run with *equity* is, by its daily excess returns in coin."""
    stats = sharpe_stats(equity, Numeraire.COIN, (params or MetricParams()).risk_free_rate)
    if stats is None:
        return None
    return Trial(
        family=family,
        config_hash=config_hash,
        at=at,
        sharpe=stats.ratio,
        periods=stats.count,
        skew=stats.skew,
        kurtosis=stats.kurtosis,
        run_id=run_id,
    )


def search_figures(
    searched: Floats | None,
    rng: np.random.Generator,
    least_block: float,
    params: InferenceParams | None = None,
) -> Figures:
    """Return overfitting and superior ability of a search, (n, m) as in `evaluate`."""
    if searched is None or searched.shape[1] < 2 or len(searched) < _SHORT_BLOCKS * _ROWS_A_BLOCK:
        return {}
    blocks = BLOCKS if len(searched) >= BLOCKS * _ROWS_A_BLOCK else _SHORT_BLOCKS
    found = backtest_overfitting(searched, blocks)
    draws = (params or InferenceParams()).draws
    return {
        "overfitting_probability": found.probability,
        "overfitting_slope": found.slope,
        "overfitting_loss_probability": found.loss_probability,
        "superior_ability_p": superior_ability(
            searched, rng, least_block=_block(least_block, len(searched)), draws=draws
        ),
    }


def compared(
    a: StyleResult,
    b: StyleResult,
    rng: np.random.Generator,
    params: InferenceParams | None = None,
) -> dict[str, Interval]:
    """Return B - A of the headline figures with paired intervals, by stored key."""
    params = params or InferenceParams()
    longest = max(longest_days(TradeColumns.of(each.trades)) for each in (a, b))
    daily, other = (DailyReturns.of(each.equity) for each in (a, b))
    return paired_intervals(daily, other, rng, _draws(params, longest, len(daily)))


def longest_days(trades: TradeColumns) -> float:
    """The longest time a trade was held, days; zero without trades."""
    return float(np.max(trades.days, initial=0.0))


def fold_alphas(daily: DailyReturns, longest: float, test_days: float) -> Floats:
    """The mean daily alpha, in coin, of each walk-forward fold that is long enough to judge."""
    if not len(daily):
        return np.zeros(0)
    alpha = daily.alpha(Numeraire.COIN)
    splits = walk_forward(
        daily.at_ms,
        daily.at_ms,
        train_ms=None,
        test_ms=round(test_days * DAY_MS),
        embargo_ms=round(longest * DAY_MS),
    )
    least = min(_LEAST_FOLD_DAYS, test_days)
    return np.array([alpha[each.test].mean() for each in splits if each.test.sum() >= least])


def _intervals(
    trades: tuple[BacktestTrade, ...],
    equity: EquityCurve,
    rng: np.random.Generator,
    params: InferenceParams,
) -> Figures:
    columns, daily = TradeColumns.of(trades), DailyReturns.of(equity)
    longest = longest_days(columns)
    stressed = stressed_alpha(columns, equity, daily, params.cost_factor)
    folds = fold_alphas(daily, longest, params.test_days)
    draws = _draws(params, longest, len(daily))
    found: Figures = {
        "walk_forward_folds": float(len(folds)),
        "positive_folds_pct": 100.0 * float(np.mean(folds > 0.0)) if len(folds) else None,
        "alpha_stressed_pct": 100.0 * DAYS_A_YEAR * float(stressed.mean()) if len(daily) else None,
    }
    for key, each in headline_intervals(daily, stressed, rng, draws).items():
        found |= {f"{key}_low": each.low, f"{key}_high": each.high}
    return found | _trade_figures(columns.where(columns.is_closed), rng, params)


def stressed_alpha(
    trades: TradeColumns, equity: EquityCurve, daily: DailyReturns, factor: float
) -> Floats:
    """The daily alpha in coin (n,) if all fees and slippage had been *factor* times as high."""
    curve = valued(equity)
    alpha = daily.alpha(Numeraire.COIN)
    if not len(alpha):
        return alpha
    costs = np.append(0.0, np.cumsum(costs_by_step(trades, curve.at_ms, Numeraire.COIN)))
    ends = np.searchsorted(curve.at_ms, np.append(daily.from_ms, daily.at_ms))
    paid = np.diff(costs[ends]) / curve.equity_coin[ends[:-1]]
    return alpha - (factor - 1.0) * paid


def _trade_figures(
    closed: TradeColumns, rng: np.random.Generator, params: InferenceParams
) -> Figures:
    """The mean P&L of a trade, with bounds that know which trades overlapped."""
    found: Figures = {}
    for numeraire in Numeraire:
        pnl = closed.pnl(numeraire)
        found[f"mean_trade_pnl_{numeraire}"] = float(pnl.mean()) if len(pnl) else None
        found[f"mean_profit_p_{numeraire}"] = mean_p(pnl)
        if len(pnl) >= LEAST_RETURNS:
            each = interval(
                pnl,
                lambda drawn: drawn.mean(axis=1),
                rng,
                confidence=params.confidence,
                least_block=_block(most_overlapping(closed), len(pnl)),
                draws=params.draws,
            )
            found |= {
                f"mean_trade_pnl_{numeraire}_low": each.low,
                f"mean_trade_pnl_{numeraire}_high": each.high,
            }
    return found


def most_overlapping(trades: TradeColumns) -> float:
    """The most trades that were begun before one of them, the first, had ended; at least 1."""
    order = np.argsort(trades.opened_ms, kind="stable")
    opened, closed = trades.opened_ms[order], trades.closed_ms[order]
    reach = np.searchsorted(opened, closed, side="left") - np.arange(len(order))
    return float(np.max(reach, initial=1))


def _draws(params: InferenceParams, longest: float, rows: int) -> Draws:
    return Draws(
        draws=params.draws,
        confidence=params.confidence,
        least_block=_block(longest, rows),
        risk_free_rate=params.metrics.risk_free_rate,
    )


def _block(wanted: float, rows: int) -> float:
    """*wanted* rows, but at most a third of all: blocks must be able to differ."""
    return max(1.0, min(wanted, rows / 3.0))
