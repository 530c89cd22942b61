"""Greg's values as JSON, by the field names of its interface."""

from attrs import asdict

from apps.settings.root import Settings
from core.analysis.greg_environments import RegimeResult
from core.analysis.greg_smoke import SmokeStrategy
from core.analysis.greg_view import HedgeView, PositionView
from core.context.sensor_values import SensorBundle
from core.context.sensors import SENSORS
from core.greg.advice import Suggestion
from core.greg.catalogue import BOT_NAME, CATALOGUE, EXPERT_ID, HedgeMode, StrategyCode
from core.greg.evaluations import Evaluation
from core.greg.executing import ExecutionOutcome, ExecutionStatus
from core.greg.hedging import HedgeOrder
from core.greg.management import HedgeRule
from core.greg.modes import STRATEGIES, ModeState
from core.greg.reading import EntryReading
from core.greg.thresholds import MODULE, EntryRules
from ports.codec import Fields
from ports.greg_log import GregRecord, GregStats


def sensors_record(bundle: SensorBundle) -> Fields:
    """The eleven sensors with both thirty-day volatilities, None where unknown."""
    return {
        **{name: getattr(bundle.sensors, name) for name in SENSORS},
        "iv_30d": bundle.iv_30d.value,
        "rv_30d": bundle.rv_30d.value,
    }


def bundle_record(bundle: SensorBundle) -> Fields:
    """Where the sensors come from, and what is missing."""
    return {
        "data_source": str(bundle.data_source),
        "synthetic": bundle.is_synthetic,
        "at": bundle.at,
        "missing_sensors": list(bundle.missing_sensors),
        "faults": list(bundle.faults),
        "proxies": [each.name for each in bundle.readings if each.is_proxy],
    }


def more_record(bundle: SensorBundle) -> Fields:
    """What is published beside the sensors."""
    return {each.name: each.value for each in bundle.more}


def debug_record(bundle: SensorBundle) -> Fields:
    """How each sensor was worked out."""
    return {
        each.name: {
            "value": each.value,
            "formula": each.formula,
            "source": each.source,
            "proxy": each.is_proxy,
            "note": each.note,
            "inputs": {operand.name: operand.value for operand in each.inputs},
        }
        for each in bundle.readings
    }


def selector_record(reading: EntryReading) -> Fields:
    """The answer of the selector."""
    selection = reading.selection
    return {
        "selected_strategy": str(selection.strategy),
        "reasoning": selection.reasoning,
        "sensors": sensors_record(reading.bundle),
        "rule_index": selection.step_index,
        "step_name": selection.step_name,
        "safety_degraded": selection.safety_degraded,
        "executable": reading.is_executable,
        "meta": {
            "module": MODULE,
            "version": selection.rules_version,
            **bundle_record(reading.bundle),
        },
        "timestamp": reading.bundle.at,
    }


def evaluation_record(row: Evaluation, underlying: str) -> Fields:
    """One strategy with its criteria."""
    return {
        "bot_name": BOT_NAME,
        "expert_id": EXPERT_ID,
        "underlying": underlying,
        "strategy_key": str(row.code),
        "label": row.label,
        "status": str(row.status),
        "summary": row.summary,
        "criteria": [
            {
                "metric": each.metric,
                "value": each.value,
                "min": each.least,
                "max": each.most,
                "ok": each.is_ok,
                "note": each.note,
            }
            for each in row.criteria
        ],
        "debug": {
            "selected_by_tree": row.is_selected,
            "description": CATALOGUE[row.code].idea,
        },
    }


def calibration_record(rules: EntryRules) -> Fields:
    """The thresholds in force."""
    return {
        "version": rules.version,
        "module": rules.module,
        "calibration": rules.thresholds.by_key(),
    }


def suggestion_record(suggestion: Suggestion) -> Fields:
    """One piece of advice."""
    return {
        "bot_name": suggestion.bot_name,
        "strategy_code": str(suggestion.code),
        "underlying": suggestion.underlying,
        "position_id": suggestion.position_id,
        "summary": suggestion.summary,
        "action": str(suggestion.action),
        "priority": str(suggestion.priority),
        "reason": suggestion.reason,
        "metrics": dict(suggestion.metrics),
        "data_missing": list(suggestion.data_missing),
        "secondary_actions": [str(each) for each in suggestion.secondary_actions],
    }


def position_record(view: PositionView) -> Fields:
    """One open position with its advice."""
    fields = asdict(view, recurse=False)
    return {
        **{name: value for name, value in fields.items() if name != "suggestion"},
        "strategy_type": str(view.strategy_type),
        "mode": str(view.mode),
        "suggestion": suggestion_record(view.suggestion),
    }


def hedge_rules_record(rules: dict[StrategyCode, HedgeRule]) -> list[Fields]:
    """How each strategy is hedged."""
    return [
        {
            "strategy": str(code),
            "display_name": CATALOGUE[code].label,
            "hedge_mode": str(rule.mode),
            "delta_threshold": None if rule.mode is HedgeMode.NONE else rule.band,
            "check_interval_sec": rule.every_s,
        }
        for code, rule in rules.items()
        if code is not StrategyCode.NO_TRADE
    ]


def hedge_record(view: HedgeView) -> Fields:
    """One position as the hedge engine sees it."""
    return {
        "position_id": view.position_id,
        "strategy_type": str(view.strategy_type),
        "underlying": view.underlying,
        "net_delta": view.net_delta,
        "threshold": view.threshold,
        "proposed_order": None if view.order is None else hedge_order_record(view.order),
        "status": view.status,
    }


def hedge_order_record(order: HedgeOrder) -> Fields:
    """One order in the perpetual; *size* in coin, never what the venue is sent."""
    return {
        "underlying": order.underlying,
        "instrument": order.instrument,
        "side": str(order.side),
        "size": order.size,
        "net_delta_before": order.net_delta_before,
        "net_delta_after": order.net_delta_after,
        "strategy_position_id": order.strategy_position_id,
        "strategy_type": str(order.strategy_type),
        "timestamp": order.timestamp,
    }


def mode_record(settings: Settings, state: ModeState) -> Fields:
    """The gates as they stand."""
    return {
        "mode": str(state.mode),
        "enable_live_execution": state.enable_live,
        "strategy_live_enabled": {str(code): code in state.strategies for code in STRATEGIES},
        "max_notional_per_position": state.caps.per_position_usd,
        "max_notional_per_underlying": state.caps.per_underlying_usd,
        "allowed_underlyings": list(settings.venue.underlyings),
        "deribit_env": settings.venue.deribit_env,
        "last_mode_change": state.changed_at,
        "last_change_reason": state.reason,
    }


def decision_record(record: GregRecord) -> Fields:
    """One line of the decision log."""
    fields = asdict(record.entry)
    fields["order_ids"] = list(record.entry.order_ids)
    return {"id": record.id, **fields}


def timeline_record(record: GregRecord) -> Fields:
    """One line of what became of a position."""
    entry = record.entry
    names = ("timestamp", "action_type", "mode", "suggested", "executed", "reason", "pnl_pct")
    figures = ("pnl_usd", "net_delta", "vrp_30d", "adx_14d")
    return {
        "id": record.id,
        **{name: getattr(entry, name) for name in (*names, *figures)},
        "chop": entry.chop_factor_7d,
        "skew": entry.skew_25d,
        "order_ids": list(entry.order_ids),
    }


def stats_record(stats: GregStats) -> Fields:
    """What the decision log adds up to."""
    return asdict(stats)


def outcome_record(outcome: ExecutionOutcome) -> Fields:
    """What became of an execution."""
    request, is_refused = outcome.request, outcome.status is ExecutionStatus.REFUSED
    return {
        "ok": outcome.status in (ExecutionStatus.EXECUTED, ExecutionStatus.SIMULATED),
        "mode": str(outcome.mode),
        "deribit_env": str(outcome.environment),
        "executed": outcome.executed,
        "dry_run": outcome.dry_run,
        **({"error": outcome.note, "gate": outcome.gate} if is_refused else {}),
        "result": {
            "action": request.action,
            "position_id": request.position_id,
            "status": str(outcome.status),
            "dry_run": outcome.dry_run,
            "order_ids": list(outcome.order_ids),
            "note": outcome.note,
        },
    }


def regime_record(result: RegimeResult) -> Fields:
    """One market of the environment matrix."""
    return {
        "environment": result.regime.name,
        "expected": str(result.regime.expected),
        "selected_strategy": str(result.found),
        "rule_index": result.step_index,
        "step_name": result.step_name,
        "ok": result.matches,
    }


def smoke_record(tried: SmokeStrategy) -> Fields:
    """One strategy through its moves."""
    return {
        "strategy": str(tried.code),
        "position_id": tried.position_id,
        "opened": tried.opened,
        "error": tried.error,
        "legs": [{"symbol": leg.contract.symbol, "size": leg.size} for leg in tried.legs],
        "steps": [
            {
                "move": step.move,
                "action": str(step.action),
                "reason": step.reason,
                "exit": step.is_exit,
                "hedge": None if step.hedge is None else hedge_order_record(step.hedge),
            }
            for step in tried.steps
        ],
    }
