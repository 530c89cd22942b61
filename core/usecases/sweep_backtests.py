"""Many call rules over one prepared past: cells for a sweep, and what the search adds up to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Any

import numpy as np
from attrs import frozen

from core.backtest.benchmark import DailyReturns
from core.backtest.columns import CallColumns
from core.backtest.covered_call import CallAccount, run_calls, style_result
from core.backtest.inference import longest_days, search_figures, trial_of
from core.backtest.metrics import metrics_of
from core.backtest.metrics_columns import TradeColumns
from core.backtest.names import Numeraire
from core.backtest.prepared import PreparedCoin
from core.backtest.rules import CallRule
from core.risk.limits import RiskLimits
from core.rng import rng_at
from ports.backtest_runs import StyleResult, Trial
from ports.codec import instant_from, instant_text
from ports.columns import Floats
from ports.sweeps import Cell

_DRAWS = "sweep/inference"


@frozen(kw_only=True, eq=False)
class CallCell:
    """One configuration: its key in the sweep, the rule, and the name its trial is counted by."""

    key: str
    rule: CallRule
    account: CallAccount
    limits: RiskLimits
    config_hash: str


@frozen(kw_only=True)
class TrialMark:
    """What the trials of a sweep have in common: their family, and the end of their past."""

    family: str
    at: datetime


def call_cells(
    wanted: Sequence[CallCell], prepared: PreparedCoin, mark: TrialMark
) -> tuple[Cell, ...]:
    """The cells of *wanted* over *prepared*, whose columns those of the same limits share."""
    limits: list[RiskLimits] = []
    columns: list[CallColumns] = []
    cells = []
    for each in wanted:
        if each.limits not in limits:
            limits.append(each.limits)
            columns.append(prepared.columns(each.limits))
        shared = columns[limits.index(each.limits)]
        cells.append(Cell(key=each.key, compute=_computed, arguments=(shared, each, mark)))
    return tuple(cells)


def _computed(columns: CallColumns, cell: CallCell, mark: TrialMark) -> dict[str, Any]:
    result = style_result(run_calls(columns, cell.rule, cell.account, cell.limits), cell.rule)
    return value_of(result, mark, cell.config_hash)


def value_of(result: StyleResult, mark: TrialMark, config_hash: str) -> dict[str, Any]:
    """What a finished cell keeps of *result*, as JSON: figures, its trial, days with alpha."""
    trial = trial_of(result.equity, family=mark.family, config_hash=config_hash, at=mark.at)
    figures = metrics_of(result.trades, result.equity)
    daily = DailyReturns.of(result.equity)
    return {
        "metrics": {name: _known(value) for name, value in figures.items()},
        "trial": None if trial is None else _trial_fields(trial),
        "days": daily.at_ms.tolist(),
        "alpha": [_known(value) for value in daily.alpha(Numeraire.COIN).tolist()],
        "longest_days": longest_days(TradeColumns.of(result.trades)),
        "trades_hash": result.trades_hash,
    }


def trials_of(values: Mapping[str, Any], family: str) -> tuple[Trial, ...]:
    """The trials that the finished cells *values* are."""
    return tuple(
        Trial(family=family, **{**fields, "at": instant_from(fields["at"])})
        for fields in (value["trial"] for value in values.values())
        if fields is not None
    )


def search_of(values: Mapping[str, Any], seed: int, at: datetime) -> dict[str, float | None]:
    """
    How likely the best of the finished cells *values* is luck: overfitting, superior ability.

    Over the days that every cell has; empty where they are too few, or the cells are.
    """
    alphas, longest = _common_alphas(values), 0.0
    if alphas is None:
        return {}
    longest = max(float(value["longest_days"]) for value in values.values())
    return dict(search_figures(alphas, rng_at(seed, _DRAWS, at), longest))


def _common_alphas(values: Mapping[str, Any]) -> Floats | None:
    """Daily returns over the benchmark, (n, m): the days that all m cells have."""
    if not values:
        return None
    cells = list(values.values())
    common = sorted(set(cells[0]["days"]).intersection(*(cell["days"] for cell in cells)))
    columns = []
    for cell in cells:
        by_day = dict(zip(cell["days"], cell["alpha"], strict=True))
        columns.append([np.nan if by_day[day] is None else by_day[day] for day in common])
    alphas = np.array(columns, dtype=np.float64).T
    return alphas[np.isfinite(alphas).all(axis=1)] if common else None


def _trial_fields(trial: Trial) -> dict[str, Any]:
    return {
        "config_hash": trial.config_hash,
        "at": instant_text(trial.at),
        "sharpe": trial.sharpe,
        "periods": trial.periods,
        "skew": trial.skew,
        "kurtosis": trial.kurtosis,
    }


def _known(value: float | None) -> float | None:
    """*value* as JSON holds it: what is no number is unknown."""
    return None if value is None or not isfinite(value) else float(value)
