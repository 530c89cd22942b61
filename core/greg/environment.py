"""Rules by the environment they are shown in: live as shipped, test with a person's overrides."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import evolve, field, frozen

from core.greg.catalogue import BOT_ID, CATALOGUE, StrategyCode
from core.greg.evaluations import Limit, criteria_of
from core.greg.thresholds import FIELD_OF, EntryRules, EntryThresholds, number_fault


class EnvMode(StrEnum):
    """Which view of the rules; it says nothing of testnet or mainnet."""

    TEST = "test"
    LIVE = "live"


@frozen(kw_only=True)
class RuleOverrides:
    """
    What a person put over the shipped numbers, and three switches that let it count, all off.

    Each block holds numbers by bot, entry rules by the keys of the rule document.
    """

    use_global_risk_overrides: bool = False
    use_bot_risk_overrides: bool = False
    use_entry_rule_overrides: bool = False
    global_risk: Mapping[str, float] = field(factory=dict)
    bot_risk: Mapping[str, Mapping[str, float]] = field(factory=dict)
    entry_rules: Mapping[str, Mapping[str, float]] = field(factory=dict)


class OverridesRefused(ValueError):
    """Overrides that may not be saved; *faults* name each reason."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@frozen(kw_only=True)
class ThresholdView:
    """One limit as a form shows it."""

    key: str
    label: str
    default_value: float
    current_value: float
    unit: str


@frozen(kw_only=True)
class Definition:
    """One strategy as its criteria stand in an environment."""

    code: StrategyCode
    label: str
    idea: str
    criteria: tuple[Limit, ...]


def rules_in(
    mode: EnvMode, shipped: EntryRules, overrides: RuleOverrides, bot: str = BOT_ID
) -> EntryRules:
    """
    Return the entry rules in force in *mode*: in live the *shipped* ones, always.

    Raises:
        ValueError: An override is of no limit, or no number; names each of them.
    """
    if mode == EnvMode.LIVE or not overrides.use_entry_rule_overrides:
        return shipped
    found = overrides.entry_rules.get(bot, {})
    return evolve(shipped, thresholds=shipped.thresholds.overridden(found))


def with_entry_overrides(
    overrides: RuleOverrides,
    values: Mapping[str, Any],
    *,
    mode: EnvMode,
    bot: str = BOT_ID,
    is_used: bool | None = None,
) -> RuleOverrides:
    """
    Return *overrides* with *values* merged in key by key; *is_used* sets the switch.

    Raises:
        OverridesRefused: In live nothing is saved; elsewhere nothing if a key is unknown or a
            value is no finite number.
    """
    if mode == EnvMode.LIVE:
        raise OverridesRefused(("live is read only: overrides are of test",))
    faults = tuple(
        fault
        for key, value in values.items()
        if (fault := number_fault(key, value, FIELD_OF.keys()))
    )
    if faults:
        raise OverridesRefused(faults)
    merged = {**overrides.entry_rules.get(bot, {}), **{k: float(v) for k, v in values.items()}}
    return evolve(
        overrides,
        entry_rules={**overrides.entry_rules, bot: merged},
        use_entry_rule_overrides=(
            overrides.use_entry_rule_overrides if is_used is None else is_used
        ),
    )


def threshold_views(
    shipped: EntryThresholds, current: EntryThresholds
) -> tuple[ThresholdView, ...]:
    """Return every limit with its shipped and its current value, nested ones too."""
    now = current.by_key()
    return tuple(
        ThresholdView(
            key=key,
            label=key.replace("_", " ").replace(".", " "),
            default_value=value,
            current_value=now[key],
            unit=_unit(key),
        )
        for key, value in shipped.by_key().items()
    )


def definitions(rules: EntryRules) -> tuple[Definition, ...]:
    """Return every strategy with the criteria that *rules* make of it, in catalogue order."""
    return tuple(
        Definition(
            code=code,
            label=info.label,
            idea=info.idea,
            criteria=criteria_of(code, rules.thresholds),
        )
        for code, info in CATALOGUE.items()
    )


def _unit(key: str) -> str:
    is_points = "vrp" in key or "skew" in key or "term_spread" in key
    return "vol pts" if is_points else ""
