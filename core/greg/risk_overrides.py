"""A person's overrides of risk, of all bots and of one: kept beside those of entry rules."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import evolve, frozen

from core.greg.catalogue import BOT_ID
from core.greg.environment import EnvMode, OverridesRefused, RuleOverrides, ThresholdView
from core.greg.thresholds import number_fault


class RiskScope(StrEnum):
    """Whose risk."""

    GLOBAL = "global"
    BOT = "bot"


@frozen(kw_only=True)
class RiskField:
    """One limit of the settings that may be overridden, and only be made tighter."""

    key: str
    label: str
    unit: str
    default: float
    is_off_at_zero: bool = False  # then any number is tighter

    def tightened(self, value: float | None) -> float:
        """The tighter of the default and *value*; None is no override."""
        if value is None:
            return self.default
        is_off = self.is_off_at_zero and self.default == 0.0
        return value if is_off else min(value, self.default)


def risk_views(
    fields: Sequence[RiskField], overrides: Mapping[str, float]
) -> tuple[ThresholdView, ...]:
    """Return every field with its default and with what *overrides* make of it."""
    return tuple(
        ThresholdView(
            key=each.key,
            label=each.label,
            default_value=each.default,
            current_value=each.tightened(overrides.get(each.key)),
            unit=each.unit,
        )
        for each in fields
    )


def risk_in(overrides: RuleOverrides, scope: RiskScope, bot: str = BOT_ID) -> Mapping[str, float]:
    """Return what counts of *scope*: nothing while its switch is off."""
    if scope is RiskScope.GLOBAL:
        return overrides.global_risk if overrides.use_global_risk_overrides else {}
    return overrides.bot_risk.get(bot, {}) if overrides.use_bot_risk_overrides else {}


def with_risk_overrides(
    overrides: RuleOverrides,
    scope: RiskScope,
    values: Mapping[str, Any],
    *,
    fields: Sequence[RiskField],
    mode: EnvMode,
    is_used: bool | None = None,
) -> RuleOverrides:
    """
    Return *overrides* with *values* of *scope* merged in key by key; *is_used* sets the switch.

    Raises:
        OverridesRefused: In live nothing is saved; elsewhere nothing if a key is unknown, or a
            value is no positive number or looser than what it stands for.
    """
    if mode == EnvMode.LIVE:
        raise OverridesRefused(("live is read only: overrides are of test",))
    by_key = {each.key: each for each in fields}
    faults = tuple(fault for key, value in values.items() if (fault := _fault(key, value, by_key)))
    if faults:
        raise OverridesRefused(faults)
    told = {key: float(value) for key, value in values.items()}
    if scope is RiskScope.GLOBAL:
        used = overrides.use_global_risk_overrides if is_used is None else is_used
        merged = {**overrides.global_risk, **told}
        return evolve(overrides, global_risk=merged, use_global_risk_overrides=used)
    used = overrides.use_bot_risk_overrides if is_used is None else is_used
    of_bot = {**overrides.bot_risk.get(BOT_ID, {}), **told}
    of_bots = {**overrides.bot_risk, BOT_ID: of_bot}
    return evolve(overrides, bot_risk=of_bots, use_bot_risk_overrides=used)


def _fault(key: str, value: object, by_key: Mapping[str, RiskField]) -> str:
    fault = number_fault(key, value, by_key.keys())
    if fault or not isinstance(value, int | float):
        return fault
    if value <= 0:
        return f"{key}: not positive: {value!r}"
    found = by_key[key]
    if found.tightened(float(value)) != value:
        return f"{key}: {value:g} is looser than {found.default:g} of the settings"
    return ""
