"""The limits of the entry engine: a rule document read, checked, and overridden in tests."""

from collections.abc import Mapping, Set
from math import isfinite
from typing import Any

from attrs import evolve, field, fields, frozen

from core.greg.catalogue import Window
from core.greg.entry_terms import EntryTerms
from ports.checks import finite

MODULE, VERSION = "ENTRY_ENGINE", "8.0"
STEPS = (
    "SAFETY_FILTER",
    "CALENDAR_CHECK",
    "EXTREME_VOL_CHECK",
    "STRADDLE_CHECK",
    "STRANGLE_CHECK",
    "ACCUMULATION_CHECK",
    "DIRECTIONAL_SPREAD_CHECK",
    "DEFAULT",
)


def _limit(default: float) -> float:
    made: float = field(default=default, validator=finite, converter=float)
    return made


@frozen(kw_only=True)
class EntryThresholds:
    """
    Limits by the names of the rule document; points of volatility where they bound volatility.

    What a truncated document leaves out has the number of version 8.0, never zero.
    """

    safety_adx_high: float = _limit(35.0)
    safety_chop_high: float = _limit(0.85)
    calendar_term_spread_min: float = _limit(5.0)
    calendar_front_rv_iv_ratio_max: float = _limit(0.8)
    calendar_vrp_7d_min: float = _limit(5.0)
    iron_fly_iv_rank_min: float = _limit(0.80)
    iron_fly_vrp_min: float = _limit(10.0)
    straddle_vrp_min: float = _limit(15.0)
    straddle_adx_max: float = _limit(20.0)
    straddle_chop_max: float = _limit(0.6)
    strangle_vrp_min: float = _limit(10.0)
    strangle_adx_max: float = _limit(30.0)
    strangle_chop_max: float = _limit(0.8)
    skew_neutral_threshold: float = _limit(4.0)
    min_vrp_directional: float = _limit(2.0)
    min_vrp_floor: float = _limit(0.0)  # shown; no step of version 8.0 reads it
    rsi_lower: float = _limit(30.0)
    rsi_upper: float = _limit(70.0)

    def overridden(self, overrides: Mapping[str, Any]) -> "EntryThresholds":
        """
        Return these limits with *overrides* by their document keys, such as rsi_thresholds.lower.

        Raises:
            ValueError: A key is unknown or a value is no finite number; names each of them.
        """
        faults = (number_fault(key, value, FIELD_OF.keys()) for key, value in overrides.items())
        found = [fault for fault in faults if fault]
        if found:
            raise ValueError("; ".join(found))
        return evolve(self, **{FIELD_OF[key]: value for key, value in overrides.items()})

    def by_key(self) -> dict[str, float]:
        """Every limit by its document key, nested ones dotted."""
        return {key: getattr(self, name) for key, name in FIELD_OF.items()}


_NESTED = {"rsi_lower": "rsi_thresholds.lower", "rsi_upper": "rsi_thresholds.upper"}
FIELD_OF = {_NESTED.get(each.name, each.name): each.name for each in fields(EntryThresholds)}


@frozen(kw_only=True)
class EntryWindows:
    """Days to expiry that an entry may have, both ends included."""

    standard: Window = field(default=Window(25, 45))
    calendar_front: Window = field(default=Window(7, 14))
    credit_spread: Window = field(default=Window(20, 35))


@frozen(kw_only=True)
class EntryRules:
    """
    A rule document: its limits, its windows, and its steps in the order they are tried.

    *by_underlying* are limits of single coins in place of the document's, *terms* the variants
    in use; neither is of the document, and both are empty unless settings say otherwise.
    """

    thresholds: EntryThresholds = EntryThresholds()
    by_underlying: Mapping[str, EntryThresholds] = field(factory=dict)
    terms: EntryTerms = field(factory=EntryTerms)
    windows: EntryWindows = field(factory=EntryWindows)
    steps: tuple[str, ...] = STEPS
    module: str = MODULE
    version: str = VERSION

    def of(self, underlying: str) -> "EntryRules":
        """These rules with the limits of *underlying*."""
        return evolve(self, thresholds=self.by_underlying.get(underlying, self.thresholds))


def entry_rules(document: Mapping[str, Any]) -> EntryRules:
    """
    Return the rules in *document*, as JSON tells them.

    Raises:
        ValueError: It is not a document of this engine and version, or a key, step or value in
            it is not known; names each fault.
    """
    meta = document.get("meta")
    told = meta if isinstance(meta, Mapping) else {}
    module, version = told.get("module"), str(told.get("version"))
    if module != MODULE or not version.startswith(VERSION):
        raise ValueError(f"not rules of {MODULE} {VERSION}: module {module}, version {version}")
    steps = document.get("steps", list(STEPS))
    if not isinstance(steps, list) or (unknown := [each for each in steps if each not in STEPS]):
        raise ValueError(f"unknown steps: {steps if not isinstance(steps, list) else unknown}")
    return EntryRules(
        thresholds=EntryThresholds().overridden(flat_keys(document.get("calibration", {}))),
        windows=_windows(document.get("entry_windows", {})),
        steps=tuple(steps),
        version=version,
    )


def _windows(told: object) -> EntryWindows:
    if not isinstance(told, Mapping):
        raise ValueError("entry_windows: no object")  # noqa: TRY004  a fault of the document
    known = {each.name for each in fields(EntryWindows)}
    found: dict[str, Window] = {}
    for key, ends in told.items():
        if key not in known:
            raise ValueError(f"entry_windows.{key}: unknown")
        is_pair = isinstance(ends, list) and len(ends) == 2
        if not is_pair or not all(type(end) is int for end in ends) or not 0 < ends[0] <= ends[1]:
            raise ValueError(f"entry_windows.{key}: not a first and a last day: {ends!r}")
        found[key] = Window(*ends)
    return EntryWindows(**found)


def flat_keys(calibration: object) -> dict[str, object]:
    """Nested keys as dotted ones; what is no object is one unknown key."""
    if not isinstance(calibration, Mapping):
        return {"calibration": calibration}
    found: dict[str, object] = {}
    for key, value in calibration.items():
        if isinstance(value, Mapping):
            found.update({f"{key}.{inner}": each for inner, each in value.items()})
        else:
            found[key] = value
    return found


def number_fault(key: str, value: object, known: Set[str]) -> str:
    """What is wrong with *value* under *key*; empty if it is a finite number and *known*."""
    if key not in known:
        return f"{key}: unknown"
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return f"{key}: not a finite number: {value!r}"
    return ""
