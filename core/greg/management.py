"""The limits of the position engine: when a position is closed, hedged, rolled or left."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import AttrsInstance, evolve, field, fields, frozen
from attrs.validators import optional

from core.greg.advice import Urgency
from core.greg.catalogue import CATALOGUE, HedgeMode, StrategyCode
from core.greg.thresholds import flat_keys, number_fault
from ports.checks import finite, not_negative, positive

MODULE, VERSION = "POSITION_ENGINE", "1."
_NO_BAND, _DEFAULT_BAND = 999.0, 0.15  # of a strategy without a hedge block, of one without a band


class FundingConvention(StrEnum):
    """How coin is taken up after a put went deep into the money."""

    AS_SPECIFIED = "as_specified"  # the perpetual where funding is not negative
    CARRY_AWARE = "carry_aware"  # the perpetual where it is paid to the long

    def prefers_perpetual(self, funding: float) -> bool:
        """Whether coin is held through the perpetual at a rate of *funding*, else by spot."""
        return funding >= 0.0 if self is FundingConvention.AS_SPECIFIED else funding < 0.0


class PositionVariant(StrEnum):
    """A better rule for an open position, off unless it is named."""

    EARLY_PUT = "early_put"  # act on a short put at half a delta, or two credits lost
    EXPECTED_MOVE = "expected_move"  # a calendar is left at one expected move, not at 5 %
    BREAK_EVEN = "break_even"  # a fly is left at its break-even, or one credit lost
    CONFIRMED_TOUCH = "confirmed_touch"  # a strike is touched by two prints, not by one wick
    SPREAD_HAIRCUT = "spread_haircut"  # profit and loss at mids less a part of the spread
    FORWARD_PRICE = "forward_price"  # the forward of the expiry is compared with strikes
    HEDGE_AND_ROLL = "hedge_and_roll"  # what would fire besides is told with the first


class BandBasis(StrEnum):
    """What a hedging band is measured in."""

    ABSOLUTE = "absolute"  # coin of the whole position
    PER_UNIT = "per_unit"  # coin per contract of it


def _limit(default: float) -> float:
    made: float = field(default=default, validator=finite, converter=float)
    return made


@frozen(kw_only=True)
class PositionLimits:
    """
    Limits by the names of the rule document.

    Deltas in coin, profits as shares, losses as multiples of the credit, days to expiry.
    """

    straddle_delta_threshold: float = _limit(0.15)
    strangle_delta_threshold: float = _limit(0.20)
    calendar_delta_threshold: float = _limit(0.20)
    iron_fly_delta_threshold: float = _limit(0.25)
    straddle_profit_take_pct: float = _limit(0.50)
    strangle_profit_take_pct: float = _limit(0.50)
    straddle_stop_loss_multiple: float = _limit(2.0)
    strangle_stop_loss_multiple: float = _limit(2.0)
    straddle_close_at_dte: float = _limit(21.0)
    strangle_close_at_dte: float = _limit(21.0)
    calendar_price_move_stop_pct: float = _limit(0.05)
    calendar_close_front_leg_hours: float = _limit(24.0)
    calendar_profit_take_pct: float = _limit(0.30)
    short_put_profit_take_pct: float = _limit(0.70)
    short_put_stop_delta_abs: float = _limit(0.80)
    iron_fly_profit_take_pct: float = _limit(0.30)
    spread_profit_take_pct: float = _limit(0.60)

    def overridden(self, overrides: Mapping[str, Any]) -> "PositionLimits":
        """
        Return these limits with *overrides* by their keys.

        Raises:
            ValueError: A key is unknown or a value is no finite number; names each of them.
        """
        known = frozenset(each.name for each in fields(PositionLimits))
        found = [
            fault for key, each in overrides.items() if (fault := number_fault(key, each, known))
        ]
        if found:
            raise ValueError("; ".join(found))
        return evolve(self, **overrides)


@frozen
class HedgeRule:
    """
    How one strategy is hedged: the band and the target in coin, the seconds between looks.

    It is looked at sooner after the price has moved by *on_move*, a fraction; None is never.
    """

    mode: HedgeMode
    band: float = field(validator=not_negative)
    every_s: float | None = field(default=None, validator=optional(positive))
    target: float = field(default=0.0, validator=finite)
    on_move: float | None = field(default=None, validator=optional(positive))


@frozen(kw_only=True)
class HedgeFigures:
    """What holds for every hedge: the least order in coin, and where no cooldown holds it."""

    least_coin: float = field(default=0.001, validator=not_negative)
    urgent_bands: float = field(default=2.0, validator=not_negative)


_EVERY_S: dict[HedgeMode, float | None] = {
    HedgeMode.DYNAMIC_DELTA: 60.0,
    HedgeMode.LIGHT_DELTA: 3600.0,
    HedgeMode.LOOSE_DELTA: 3600.0,
    HedgeMode.NONE: None,
}
_ON_MOVE = {HedgeMode.DYNAMIC_DELTA: 0.01}
_BAND_FIELD = {
    StrategyCode.STRADDLE: "straddle_delta_threshold",
    StrategyCode.STRANGLE: "strangle_delta_threshold",
    StrategyCode.CALENDAR: "calendar_delta_threshold",
    StrategyCode.IRON_BUTTERFLY: "iron_fly_delta_threshold",
}
_LEGACY_MODE = "delta_hedge_perp"


@frozen(kw_only=True)
class PositionRules:
    """A rule document of the position engine: its limits, and how each strategy is hedged."""

    limits: PositionLimits = PositionLimits()
    hedges: Mapping[StrategyCode, HedgeRule] = field(factory=lambda: hedge_rules(PositionLimits()))
    figures: HedgeFigures = field(factory=HedgeFigures)
    urgency: Urgency = field(factory=Urgency)
    version: str = "1.1"


def hedge_rules(limits: PositionLimits) -> dict[StrategyCode, HedgeRule]:
    """Return how each strategy of the catalogue is hedged under *limits*."""
    return {
        code: _rule(info.hedge, getattr(limits, _BAND_FIELD[code]))
        if code in _BAND_FIELD
        else _rule(HedgeMode.NONE, _NO_BAND)
        for code, info in CATALOGUE.items()
    }


def position_rules(document: Mapping[str, Any]) -> PositionRules:
    """
    Return the rules in *document*, as JSON tells them.

    A strategy whose hedge block is missing is not hedged; one whose block lacks the band has
    0.15; a mode that is not known counts as none.

    Raises:
        ValueError: It is not a document of this engine, or a key or value in it is not known.
    """
    meta = document.get("meta")
    told = meta if isinstance(meta, Mapping) else {}
    module, version = told.get("module"), str(told.get("version"))
    if module != MODULE or not version.startswith(VERSION):
        raise ValueError(f"not rules of {MODULE} {VERSION}: module {module}, version {version}")
    limits = PositionLimits().overridden(flat_keys(document.get("calibration", {})))
    blocks = document.get("hedges", {})
    if not isinstance(blocks, Mapping):
        raise ValueError("hedges: no object")  # noqa: TRY004  a fault of the document
    hedges = {code: _read_rule(code, blocks.get(code)) for code in CATALOGUE}
    return PositionRules(
        limits=limits,
        hedges=hedges,
        figures=HedgeFigures(**_numbers(document, "hedge_engine", HedgeFigures)),
        urgency=Urgency(**_numbers(document, "priority", Urgency)),
        version=version,
    )


def _numbers(document: Mapping[str, Any], name: str, of: type[AttrsInstance]) -> dict[str, float]:
    """The block *name* of *document*, whose keys are the fields of *of*; empty without one."""
    block = document.get(name, {})
    if not isinstance(block, Mapping):
        raise ValueError(f"{name}: no object")  # noqa: TRY004  a fault of the document
    known = frozenset(each.name for each in fields(of))
    faults = [
        f"{name}.{fault}" for key, at in block.items() if (fault := number_fault(key, at, known))
    ]
    if faults:
        raise ValueError("; ".join(faults))
    return {key: float(value) for key, value in block.items()}


def _read_rule(code: StrategyCode, block: object) -> HedgeRule:
    if not isinstance(block, Mapping) or code not in _BAND_FIELD:
        return _rule(HedgeMode.NONE, _NO_BAND)
    told = block.get("mode")
    mode = HedgeMode.DYNAMIC_DELTA if told == _LEGACY_MODE else HedgeMode.NONE
    if isinstance(told, str) and told in set(HedgeMode):
        mode = HedgeMode(told)
    usual = _rule(mode, _DEFAULT_BAND)
    found = evolve(
        usual,
        band=_number(code, block, "delta_threshold", usual.band),
        target=_number(code, block, "target_delta", usual.target),
    )
    if usual.every_s is not None:
        every_s = _number(code, block, "check_interval_sec", usual.every_s)
        found = evolve(found, every_s=every_s)
    if usual.on_move is not None:
        found = evolve(found, on_move=_number(code, block, "price_move_pct", usual.on_move))
    return found


def _number(code: StrategyCode, block: Mapping[str, Any], key: str, usual: float) -> float:
    value = block.get(key, usual)
    if fault := number_fault(key, value, {key}):
        raise ValueError(f"hedges.{code}.{fault}")
    return float(value)


def _rule(mode: HedgeMode, band: float) -> HedgeRule:
    return HedgeRule(mode, band, _EVERY_S[mode], on_move=_ON_MOVE.get(mode))
