"""ENTRY_ENGINE: from the sensors of a coin to one strategy; the first step that matches wins."""

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

from attrs import frozen

from core.context.sensors import SENSORS, Sensors
from core.greg.catalogue import StrategyCode
from core.greg.thresholds import EntryRules, EntryThresholds, entry_rules, flat_keys
from core.greg.words import beside

FALLBACK = "FALLBACK"
_NOWHERE = -1  # the index of a step that no document has
_DOCUMENT = frozenset({"meta", "calibration", "steps"})  # keys of a document, never of limits


@frozen(kw_only=True)
class Selection:
    """
    What the waterfall chose, at which step, and by what.

    *safety_degraded*: a sensor of the safety filter was missing, so it could not speak; the
    choice stands, and may not be carried out.
    """

    strategy: StrategyCode
    step_index: int
    step_name: str
    reasoning: str
    safety_degraded: bool
    sensors: Sensors
    rules_version: str
    limits: EntryThresholds  # that the step was asked with


@frozen
class _Match:
    strategy: StrategyCode
    reasoning: str


def select(
    sensors: Sensors | Mapping[str, float | None],
    thresholds: EntryThresholds | Mapping[str, Any] | None = None,
    rules: EntryRules | None = None,
    *,
    eased: Mapping[str, EntryThresholds] | None = None,
) -> Selection:
    """
    Return the strategy for *sensors* under *thresholds*, by default those of *rules*.

    Both may be as JSON tells them: sensors by name, where one that is left out, NaN or infinite
    is missing; limits by the keys of the rule document laid over its own, or a rule document
    itself. *eased* are other limits of single steps. A comparison with a missing sensor is false,
    and so is one at the limit, but for the premium of the strangle. Nothing is sent by it.

    Raises:
        ValueError: A limit is of no known key, or no finite number; the document is not one; a
            sensor is no number.
    """
    rules = rules or EntryRules()
    if isinstance(sensors, Mapping):
        sensors = _sensors_in(sensors)
    if isinstance(thresholds, Mapping) and not thresholds.keys().isdisjoint(_DOCUMENT):
        rules = entry_rules(thresholds)
        thresholds = rules.thresholds
    if isinstance(thresholds, Mapping):
        thresholds = rules.thresholds.overridden(flat_keys(thresholds))
    limits = thresholds or rules.thresholds
    index, name, used = _NOWHERE, FALLBACK, limits
    match = _Match(StrategyCode.NO_TRADE, "no step of the rule document matched")
    for tried, step in enumerate(rules.steps):
        asked = (eased or {}).get(step, limits)
        found = _STEPS[step](sensors, asked)
        if found is not None:
            index, name, match, used = tried, step, found, asked
            break
    return Selection(
        strategy=match.strategy,
        step_index=index,
        step_name=name,
        reasoning=match.reasoning,
        safety_degraded=sensors.adx_14d is None or sensors.chop_factor_7d is None,
        sensors=sensors,
        rules_version=rules.version,
        limits=used,
    )


def _sensors_in(told: Mapping[str, float | None]) -> Sensors:
    """The sensors by their names in *told*; what else is told there is passed over."""
    found = {name: told.get(name) for name in SENSORS}
    wrong = [
        f"{name}: not a number: {value!r}"
        for name, value in found.items()
        if value is not None and (isinstance(value, bool) or not isinstance(value, Real))
    ]
    if wrong:
        raise ValueError("; ".join(wrong))
    return Sensors(**found)


def matches_alone(code: StrategyCode, sensors: Sensors, limits: EntryThresholds) -> bool:
    """Whether a step would choose *code* if nothing stood above it in the waterfall."""
    found = (step(sensors, limits) for step in _STEPS.values())
    return any(match is not None and match.strategy == code for match in found)


def _above(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


def _below(value: float | None, limit: float) -> bool:
    return value is not None and value < limit


def _is_neutral(skew: float | None, limits: EntryThresholds) -> bool:
    return skew is not None and abs(skew) < limits.skew_neutral_threshold


def _told(name: str, value: float | None, sign: str, limit: float, places: int = 1) -> str:
    """A comparison in words; only what is known was compared."""
    shown = "unknown" if value is None else beside(value, limit, places)
    return f"{name} {shown} {sign} {limit:g}"


def _safety(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    adx, chop, reasons = sensors.adx_14d, sensors.chop_factor_7d, []
    if _above(adx, limits.safety_adx_high):
        reasons.append(_told("ADX", adx, ">", limits.safety_adx_high))
    if _above(chop, limits.safety_chop_high):
        reasons.append(_told("chop", chop, ">", limits.safety_chop_high, 3))
    if not reasons:
        return None
    return _Match(StrategyCode.NO_TRADE, f"safety: {' and '.join(reasons)}")


def _calendar(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    spread, ratio, premium = (
        sensors.term_structure_spread,
        sensors.front_rv_iv_ratio,
        sensors.vrp_7d,
    )
    if not (
        _above(spread, limits.calendar_term_spread_min)
        and _below(ratio, limits.calendar_front_rv_iv_ratio_max)
        and _above(premium, limits.calendar_vrp_7d_min)
    ):
        return None
    reasons = (
        _told("term spread", spread, ">", limits.calendar_term_spread_min),
        _told("front RV/IV", ratio, "<", limits.calendar_front_rv_iv_ratio_max, 2),
        _told("VRP 7d", premium, ">", limits.calendar_vrp_7d_min),
    )
    return _Match(StrategyCode.CALENDAR, f"front premium: {', '.join(reasons)}")


def _iron_fly(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    rank, premium = sensors.iv_rank_6m, sensors.vrp_30d
    if not (_above(rank, limits.iron_fly_iv_rank_min) and _above(premium, limits.iron_fly_vrp_min)):
        return None
    reasons = (
        _told("IV rank", rank, ">", limits.iron_fly_iv_rank_min, 2),
        _told("VRP 30d", premium, ">", limits.iron_fly_vrp_min),
    )
    return _Match(StrategyCode.IRON_BUTTERFLY, f"extreme volatility: {', '.join(reasons)}")


def _straddle(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    if not (
        _above(sensors.vrp_30d, limits.straddle_vrp_min)
        and _below(sensors.chop_factor_7d, limits.straddle_chop_max)
        and _below(sensors.adx_14d, limits.straddle_adx_max)
        and _is_neutral(sensors.skew_25d, limits)
    ):
        return None
    premium = _told("VRP 30d", sensors.vrp_30d, ">", limits.straddle_vrp_min)
    calm = _calm(sensors, limits.straddle_chop_max, limits.straddle_adx_max, limits)
    return _Match(StrategyCode.STRADDLE, f"rich and calm: {premium}, {calm}")


def _strangle(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    is_rich = sensors.vrp_30d is not None and sensors.vrp_30d >= limits.strangle_vrp_min
    if not (
        is_rich
        and _below(sensors.chop_factor_7d, limits.strangle_chop_max)
        and _below(sensors.adx_14d, limits.strangle_adx_max)
        and _is_neutral(sensors.skew_25d, limits)
    ):
        return None
    premium = _told("VRP 30d", sensors.vrp_30d, ">=", limits.strangle_vrp_min)
    calm = _calm(sensors, limits.strangle_chop_max, limits.strangle_adx_max, limits)
    return _Match(StrategyCode.STRANGLE, f"good premium: {premium}, {calm}")


def _calm(sensors: Sensors, chop_max: float, adx_max: float, limits: EntryThresholds) -> str:
    size = None if sensors.skew_25d is None else abs(sensors.skew_25d)
    reasons = (
        _told("chop", sensors.chop_factor_7d, "<", chop_max, 3),
        _told("ADX", sensors.adx_14d, "<", adx_max),
        _told("|skew|", size, "<", limits.skew_neutral_threshold),
    )
    return ", ".join(reasons)


def _accumulation(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    skew, premium = sensors.skew_25d, sensors.vrp_30d
    if not (
        _above(skew, limits.skew_neutral_threshold)
        and _above(sensors.price_vs_ma200, 0.0)
        and _above(premium, limits.min_vrp_directional)
    ):
        return None
    reasons = (
        _told("skew", skew, ">", limits.skew_neutral_threshold),
        _told("price % from MA200", sensors.price_vs_ma200, ">", 0.0),
        _told("VRP 30d", premium, ">", limits.min_vrp_directional),
    )
    return _Match(StrategyCode.SHORT_PUT, f"dear puts above the mean: {', '.join(reasons)}")


def _directional(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    skew, rsi, neutral = sensors.skew_25d, sensors.rsi_14d, limits.skew_neutral_threshold
    if not _above(sensors.vrp_30d, limits.min_vrp_directional):
        return None
    premium = _told("VRP 30d", sensors.vrp_30d, ">", limits.min_vrp_directional)
    if _above(skew, neutral) and _below(rsi, limits.rsi_lower):
        reasons = _told("skew", skew, ">", neutral), _told("RSI", rsi, "<", limits.rsi_lower)
        told = f"oversold with dear puts: {', '.join(reasons)}, {premium}"
        return _Match(StrategyCode.BULL_PUT, told)
    if _below(skew, -neutral) and _above(rsi, limits.rsi_upper):
        reasons = _told("skew", skew, "<", -neutral), _told("RSI", rsi, ">", limits.rsi_upper)
        told = f"overbought with dear calls: {', '.join(reasons)}, {premium}"
        return _Match(StrategyCode.BEAR_CALL, told)
    return None


def _default(sensors: Sensors, limits: EntryThresholds) -> _Match:  # noqa: ARG001  as every step
    missing = f"; unknown: {', '.join(sensors.missing)}" if sensors.missing else ""
    return _Match(StrategyCode.NO_TRADE, f"no step matched{missing}")


_STEPS: dict[str, Callable[[Sensors, EntryThresholds], _Match | None]] = {
    "SAFETY_FILTER": _safety,
    "CALENDAR_CHECK": _calendar,
    "EXTREME_VOL_CHECK": _iron_fly,
    "STRADDLE_CHECK": _straddle,
    "STRANGLE_CHECK": _strangle,
    "ACCUMULATION_CHECK": _accumulation,
    "DIRECTIONAL_SPREAD_CHECK": _directional,
    "DEFAULT": _default,
}
