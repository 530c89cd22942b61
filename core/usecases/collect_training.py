"""Collect training data: every decision of the past, and what each of its calls came to."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import numpy as np
from attrs import frozen

from core.backtest.arms import ArmOutcome, Arms
from core.backtest.prepared import PreparedCoin, bars_between
from core.backtest.rules import CallRule
from core.context.regime import HISTORY, context_of
from core.context.sensor_readings import sensor_bundle
from core.context.sensor_values import DataSource, SensorInputs
from core.risk.limits import RiskLimits
from core.training.decisions import CollectingParams, DecisionPoint, Sight, decide
from core.training.rows import candidate_rows
from core.training.schema import Cells, Status, Table, stacked
from core.training.splits import Boundaries, SplitParams, split_by_time


@frozen(kw_only=True)
class Collecting:
    """What is collected: by which policy, with which ends of a call, and how it is split."""

    params: CollectingParams
    rules: tuple[CallRule, ...]  # one an exit style
    limits: RiskLimits
    splits: SplitParams
    source: DataSource
    latency: int = 1
    every: int = 1  # snapshots from decision to decision


@frozen(kw_only=True, eq=False)
class Collected:
    """The rows of candidates, and where their split was made."""

    table: Table
    boundaries: Boundaries


def collect(
    prepared: PreparedCoin,
    what: Collecting,
    watch: Callable[[int, int], None] = lambda *_: None,
) -> Collected:
    """
    Return a row for every candidate of every decision over *prepared* and every exit style.

    Raises:
        ValueError: The limits hold something that only the tick works out.
    """
    columns = prepared.columns(what.limits)
    arms = [Arms.over(columns, rule, what.limits, what.latency) for rule in what.rules]
    decided = range(0, len(prepared.snapshots), what.every)
    tables: list[Table] = []
    for done, seen in enumerate(decided, start=1):
        point = decide(sight_at(prepared, seen, what.source), what.params)
        for each in arms:
            outcomes = _columns_of([*_outcomes(each, seen, point)])
            tables.append(candidate_rows(point, each.rule.exits.style, outcomes))
        watch(done, len(decided))
    table, boundaries = split_by_time(stacked(tables), what.splits)
    return Collected(table=table, boundaries=boundaries)


def sight_at(prepared: PreparedCoin, seen: int, source: DataSource) -> Sight:
    """What was known of *prepared* when its snapshot *seen* was taken, and nothing later."""
    snapshot = prepared.snapshots[seen]
    at: datetime = snapshot.taken_at
    bars = bars_between(prepared.candles, at - HISTORY, at)
    inputs = SensorInputs(
        underlying=prepared.underlying,
        now=at,
        data_source=source,
        candles=bars,
        snapshot=snapshot,
    )
    return Sight(
        snapshot=snapshot,
        context=context_of(bars, snapshot.index_usd, at),
        sensors=sensor_bundle(inputs).sensors,
        bars_until_ms=int(bars.closed_at_ms[-1]) if len(bars.closed_at_ms) else 0,
    )


def _outcomes(arms: Arms, seen: int, point: DecisionPoint) -> Sequence[ArmOutcome]:
    calls = point.calls.calls
    return [
        arms.outcome(seen, int(calls.expiry_ms[row]), float(calls.strike[row]))
        for row in range(len(calls))
    ]


def _columns_of(outcomes: Sequence[ArmOutcome]) -> Mapping[str, Cells]:
    """*outcomes* as the columns of training rows, (n,)."""
    reward_usd = np.array([each.reward_usd for each in outcomes])
    hodl_usd = np.array([each.hodl_usd for each in outcomes])
    return {
        "outcome_status": np.array([Status(each.status).value for each in outcomes]),
        "outcome_filled_ms": np.array([each.filled_at_ms for each in outcomes]),
        "outcome_known_ms": np.array([each.known_at_ms for each in outcomes]),
        "outcome_reason": np.array([str(each.reason) for each in outcomes]),
        "outcome_legs": np.array([each.legs for each in outcomes]),
        "outcome_reward_coin": np.array([each.reward_coin for each in outcomes]),
        "outcome_reward_usd": reward_usd,
        "outcome_hodl_usd": hodl_usd,
        "outcome_total_usd": hodl_usd + reward_usd,
        "outcome_max_drawdown_pct": np.array([each.max_drawdown_pct for each in outcomes]),
    }
