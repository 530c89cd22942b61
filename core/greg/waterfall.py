"""ENTRY_ENGINE: from the sensors of a coin to one strategy; the first step that matches wins."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from core.context.sensors import SENSORS, Sensors
from core.greg.catalogue import StrategyCode
from core.greg.thresholds import EntryRules, EntryThresholds, flat_keys

FALLBACK = "FALLBACK"
_NOWHERE = -1  # the index of a step that no document has


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


@frozen
class _Match:
    strategy: StrategyCode
    reasoning: str


def select(
    sensors: Sensors | Mapping[str, float | None],
    thresholds: EntryThresholds | Mapping[str, Any] | None = None,
    rules: EntryRules | None = None,
) -> Selection:
    """
    Return the strategy for *sensors* under *thresholds*, by default those of *rules*.

    Both may be as JSON tells them: sensors by name, limits by the keys of the rule document laid
    over its own. A comparison with a missing sensor is false, and so is one at the limit, but
    for the premium of the strangle. Nothing is sent by it.

    Raises:
        ValueError: A limit is of no known key, or no finite number.
    """
    rules = rules or EntryRules()
    if isinstance(sensors, Mapping):
        sensors = Sensors(**{name: sensors.get(name) for name in SENSORS})
    if isinstance(thresholds, Mapping):
        limits = rules.thresholds.overridden(flat_keys(thresholds))
    else:
        limits = thresholds or rules.thresholds
    index, name = _NOWHERE, FALLBACK
    match = _Match(StrategyCode.NO_TRADE, "no step of the rule document matched")
    for tried, step in enumerate(rules.steps):
        found = _STEPS[step](sensors, limits)
        if found is not None:
            index, name, match = tried, step, found
            break
    return Selection(
        strategy=match.strategy,
        step_index=index,
        step_name=name,
        reasoning=match.reasoning,
        safety_degraded=sensors.adx_14d is None or sensors.chop_factor_7d is None,
        sensors=sensors,
        rules_version=rules.version,
    )


def _above(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


def _below(value: float | None, limit: float) -> bool:
    return value is not None and value < limit


def _is_neutral(skew: float | None, limits: EntryThresholds) -> bool:
    return skew is not None and abs(skew) < limits.skew_neutral_threshold


def _safety(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    reasons = []
    if _above(sensors.adx_14d, limits.safety_adx_high):
        reasons.append(f"ADX {sensors.adx_14d:.1f} > {limits.safety_adx_high:g}")
    if _above(sensors.chop_factor_7d, limits.safety_chop_high):
        reasons.append(f"chop {sensors.chop_factor_7d:.3f} > {limits.safety_chop_high:g}")
    if not reasons:
        return None
    return _Match(StrategyCode.NO_TRADE, f"safety: {' and '.join(reasons)}")


def _calendar(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    if not (
        _above(sensors.term_structure_spread, limits.calendar_term_spread_min)
        and _below(sensors.front_rv_iv_ratio, limits.calendar_front_rv_iv_ratio_max)
        and _above(sensors.vrp_7d, limits.calendar_vrp_7d_min)
    ):
        return None
    return _Match(
        StrategyCode.CALENDAR,
        f"front premium: term spread {sensors.term_structure_spread:.1f} > "
        f"{limits.calendar_term_spread_min:g}, front RV/IV {sensors.front_rv_iv_ratio:.2f} < "
        f"{limits.calendar_front_rv_iv_ratio_max:g}, VRP 7d {sensors.vrp_7d:.1f} > "
        f"{limits.calendar_vrp_7d_min:g}",
    )


def _iron_fly(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    if not (
        _above(sensors.iv_rank_6m, limits.iron_fly_iv_rank_min)
        and _above(sensors.vrp_30d, limits.iron_fly_vrp_min)
    ):
        return None
    return _Match(
        StrategyCode.IRON_BUTTERFLY,
        f"extreme volatility: IV rank {sensors.iv_rank_6m:.2f} > {limits.iron_fly_iv_rank_min:g}, "
        f"VRP 30d {sensors.vrp_30d:.1f} > {limits.iron_fly_vrp_min:g}",
    )


def _straddle(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    if not (
        _above(sensors.vrp_30d, limits.straddle_vrp_min)
        and _below(sensors.chop_factor_7d, limits.straddle_chop_max)
        and _below(sensors.adx_14d, limits.straddle_adx_max)
        and _is_neutral(sensors.skew_25d, limits)
    ):
        return None
    return _Match(
        StrategyCode.STRADDLE,
        f"rich and calm: VRP 30d {sensors.vrp_30d:.1f} > {limits.straddle_vrp_min:g}, "
        f"{_calm(sensors, limits.straddle_chop_max, limits.straddle_adx_max, limits)}",
    )


def _strangle(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    is_rich = sensors.vrp_30d is not None and sensors.vrp_30d >= limits.strangle_vrp_min
    if not (
        is_rich
        and _below(sensors.chop_factor_7d, limits.strangle_chop_max)
        and _below(sensors.adx_14d, limits.strangle_adx_max)
        and _is_neutral(sensors.skew_25d, limits)
    ):
        return None
    return _Match(
        StrategyCode.STRANGLE,
        f"good premium: VRP 30d {sensors.vrp_30d:.1f} >= {limits.strangle_vrp_min:g}, "
        f"{_calm(sensors, limits.strangle_chop_max, limits.strangle_adx_max, limits)}",
    )


def _calm(sensors: Sensors, chop_max: float, adx_max: float, limits: EntryThresholds) -> str:
    return (
        f"chop {sensors.chop_factor_7d:.3f} < {chop_max:g}, ADX {sensors.adx_14d:.1f} < "
        f"{adx_max:g}, |skew {sensors.skew_25d:.1f}| < {limits.skew_neutral_threshold:g}"
    )


def _accumulation(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    if not (
        _above(sensors.skew_25d, limits.skew_neutral_threshold)
        and _above(sensors.price_vs_ma200, 0.0)
        and _above(sensors.vrp_30d, limits.min_vrp_directional)
    ):
        return None
    return _Match(
        StrategyCode.SHORT_PUT,
        f"dear puts above the mean: skew {sensors.skew_25d:.1f} > "
        f"{limits.skew_neutral_threshold:g}, price {sensors.price_vs_ma200:+.1f} % from MA200, "
        f"VRP 30d {sensors.vrp_30d:.1f} > {limits.min_vrp_directional:g}",
    )


def _directional(sensors: Sensors, limits: EntryThresholds) -> _Match | None:
    if not _above(sensors.vrp_30d, limits.min_vrp_directional):
        return None
    neutral = limits.skew_neutral_threshold
    premium = f"VRP 30d {sensors.vrp_30d:.1f} > {limits.min_vrp_directional:g}"
    if _above(sensors.skew_25d, neutral) and _below(sensors.rsi_14d, limits.rsi_lower):
        return _Match(
            StrategyCode.BULL_PUT,
            f"oversold with dear puts: skew {sensors.skew_25d:.1f} > {neutral:g}, "
            f"RSI {sensors.rsi_14d:.1f} < {limits.rsi_lower:g}, {premium}",
        )
    if _below(sensors.skew_25d, -neutral) and _above(sensors.rsi_14d, limits.rsi_upper):
        return _Match(
            StrategyCode.BEAR_CALL,
            f"overbought with dear calls: skew {sensors.skew_25d:.1f} < {-neutral:g}, "
            f"RSI {sensors.rsi_14d:.1f} > {limits.rsi_upper:g}, {premium}",
        )
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
