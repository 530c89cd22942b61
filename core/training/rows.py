"""Rows of training data: one for each candidate of a decision and exit style."""

from collections.abc import Mapping

import numpy as np

from core.context.sensors import SENSORS
from core.pricing.greeks import greeks
from core.training.decisions import DecisionPoint, Sight
from core.training.schema import (
    COLUMNS,
    DTYPES,
    EMPTY,
    MARKET_FEATURES,
    NO_CANDIDATES,
    SELL,
    SKIP,
    Cells,
    Column,
    Split,
    Status,
    Table,
)
from ports.checks import epoch_ms
from ports.codec import instant_text
from ports.columns import Ints

_CONTEXT = (
    "return_1d_pct",
    "return_7d_pct",
    "return_30d_pct",
    "realized_vol_7d",
    "realized_vol_30d",
    "pct_from_50d_ma",
    "pct_from_200d_ma",
)
UNKNOWN_YET = (Status.OPEN.value, Status.UNSEEN.value)


def candidate_rows(point: DecisionPoint, exit_style: str, outcomes: Mapping[str, Cells]) -> Table:
    """
    The rows of *point* under *exit_style*, a candidate each; one of NO_CANDIDATES without any.

    *outcomes* are the columns of schema.OUTCOMES but the last, (n,).
    """
    rows = max(len(point), 1)
    cells = {column.name: _alike(column, rows) for column in COLUMNS}
    cells |= _keys(point, exit_style, rows)
    cells |= {name: np.full(rows, value) for name, value in market_features(point.sight).items()}
    cells["split"] = np.full(rows, Split.TRAIN.value)
    if len(point) == 0:
        cells["action"] = np.array([NO_CANDIDATES])
        return _typed(cells)
    cells |= _call_features(point)
    cells |= {
        "instrument": np.array([each.symbol for each in point.calls.calls.contracts]),
        "strategy": np.array(point.profiles),
        "quote_as_of_ms": point.calls.calls.quoted_at_ms,
        "action": np.where(point.pick_order > 0, SELL, SKIP),
        "candidates": np.full(rows, len(point)),
        "pick_order": point.pick_order,
        "propensity": point.propensity,
    }
    cells |= outcomes
    cells["outcome_is_best"] = best_of(cells)
    return _typed(cells)


def market_features(sight: Sight) -> dict[str, float | str]:
    """What is the same for every candidate, by name; NaN is not known."""
    context = sight.context
    found: dict[str, float | str] = {"spot": sight.snapshot.index_usd, "regime": context.regime}
    found |= {name: _known(getattr(context, name)) for name in _CONTEXT}
    found |= {name: _known(getattr(sight.sensors, name)) for name in SENSORS}
    return {column.name: found[column.name] for column in MARKET_FEATURES}


def best_of(cells: Mapping[str, Cells]) -> Ints:
    """1 at the candidate that earned most, if anything, and nothing is still open; else 0."""
    reward, status = cells["outcome_reward_coin"], cells["outcome_status"]
    best = np.zeros(len(reward), dtype=np.int64)
    if is_judged(status) and np.nanmax(reward, initial=0.0) > 0.0:
        best[np.nanargmax(reward)] = 1
    return best


def is_judged(status: Cells) -> bool:
    """Whether the best of a decision with these outcomes is known: nothing open nor unseen."""
    return not bool(np.isin(status, UNKNOWN_YET).any())


def groups_of(table: Table) -> tuple[Ints, ...]:
    """Row numbers of each decision and exit style of *table*, in the order they come."""
    keys = np.stack([table["decision_time"], table["underlying"], table["exit_style"]])
    _, first, group = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1])
    return tuple(parts[number] for number in np.argsort(first, kind="stable"))


def _keys(point: DecisionPoint, exit_style: str, rows: int) -> dict[str, Cells]:
    snapshot = point.sight.snapshot
    at_ms = epoch_ms(snapshot.taken_at)
    return {
        "decision_time": np.full(rows, instant_text(snapshot.taken_at)),
        "decision_ms": np.full(rows, at_ms),
        "underlying": np.full(rows, snapshot.underlying),
        "exit_style": np.full(rows, exit_style),
        "chain_as_of_ms": np.full(rows, at_ms),
        "market_as_of_ms": np.full(rows, max(at_ms, point.sight.bars_until_ms)),
    }


def _call_features(point: DecisionPoint) -> dict[str, Cells]:
    calls, snapshot = point.calls, point.sight.snapshot
    chain = calls.calls
    years = chain.years_left(snapshot.taken_at)
    each = greeks(chain.forward, chain.strike, years, chain.mark_iv, chain.is_call)
    return {
        "strike": chain.strike,
        "dte": calls.dte,
        "otm_pct": 100.0 * (chain.strike / snapshot.index_usd - 1.0),
        "forward": chain.forward,
        "delta": calls.delta,
        "gamma": each.gamma,
        "vega": each.vega,
        "theta": each.theta,
        "iv": chain.mark_iv,
        "ivrv_ratio": calls.ivrv,
        "bid": chain.bid,
        "ask": chain.ask,
        "mark": chain.mark,
        "spread_pct": calls.spread_pct,
        "premium_usd": calls.premium_usd,
        "premium_pct": 100.0 * chain.bid,
        "open_interest": chain.open_interest,
        "volume": chain.volume,
        "score": point.scores,
    }


def _alike(column: Column, rows: int) -> Cells:
    return np.full(rows, EMPTY[column.kind])


def _typed(cells: Mapping[str, Cells]) -> Table:
    return Table(
        {
            column.name: np.asarray(cells[column.name]).astype(DTYPES[column.kind])
            for column in COLUMNS
        }
    )


def _known(value: float | None) -> float:
    return np.nan if value is None else value
