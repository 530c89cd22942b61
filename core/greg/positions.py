"""POSITION_ENGINE: one advice for each open position; nothing is sent by it."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from attrs import frozen

from core.greg.advice import Advice, GregPosition, Suggestion, position_told, priority_of
from core.greg.catalogue import StrategyCode
from core.greg.hedging import HEDGEABLE
from core.greg.management import (
    FundingConvention,
    PositionLimits,
    PositionRules,
    PositionVariant,
)
from core.greg.position_rules import BANDED, Rule, as_seen, family_of, move_of

_TOGETHER = (Advice.HEDGE, Advice.ROLL)


def advise(
    position: GregPosition | Mapping[str, Any],
    rules: PositionRules | None = None,
    *,
    convention: FundingConvention = FundingConvention.AS_SPECIFIED,
    selected: StrategyCode | None = None,
    variants: Set[PositionVariant] = frozenset(),
) -> Suggestion | None:
    """
    Return what to do with *position*: the first rule of its strategy that fires.

    A rule whose facts are missing cannot be passed over: the answer is HOLD, and says all that
    is missing. None for a code that has no rules. *position* may be as JSON tells it; *selected*
    is what the entry engine would choose for the coin now.

    Raises:
        ValueError: What is told is no position.
    """
    if isinstance(position, Mapping):
        position = position_told(position)
    family = family_of(position.code, variants)
    if not family:
        return None
    rules, position = rules or PositionRules(), as_seen(position, variants)
    answer = _left_over(position) or _first_firing(family, position, rules.limits)
    action, reason = answer.action, answer.reason
    if action == Advice.ASSIGN:
        reason += _route(position, convention)
    return Suggestion(
        position_id=position.position_id,
        code=position.code,
        underlying=position.underlying,
        action=action,
        priority=priority_of(action, position, selected, rules.urgency),
        summary=f"{action} {position.code} on {position.underlying}",
        reason=reason,
        metrics=_metrics(position, rules.limits),
        data_missing=answer.missing,
        secondary_actions=_besides(family, position, rules.limits, action)
        if PositionVariant.HEDGE_AND_ROLL in variants
        else (),
    )


def advise_all(
    positions: Iterable[GregPosition],
    rules: PositionRules | None = None,
    *,
    convention: FundingConvention = FundingConvention.AS_SPECIFIED,
    selected: Mapping[str, StrategyCode] | None = None,
    variants: Set[PositionVariant] = frozenset(),
) -> tuple[Suggestion, ...]:
    """Return the advice for *positions*, the most urgent first; *selected* by underlying."""
    chosen = selected or {}
    found = (
        advise(
            each,
            rules,
            convention=convention,
            selected=chosen.get(each.underlying),
            variants=variants,
        )
        for each in positions
    )
    return tuple(sorted((one for one in found if one), key=lambda one: one.priority.rank))


@frozen
class _Answer:
    """The action, its reason, and what it could not be judged without."""

    action: Advice
    reason: str
    missing: tuple[str, ...] = ()


def _left_over(position: GregPosition) -> _Answer | None:
    """What to do with the perpetual of a position that holds no option; None for any other."""
    coin = position.bare_perp_coin
    if not coin:
        return None
    told = f"no option is held any more, {coin:+.4f} {position.underlying} of the perpetual are"
    if position.code in HEDGEABLE:
        return _Answer(Advice.CLOSE, f"{told}: the hedge is left over")
    rate = position.funding_rate
    carry = "" if rate is None else f"; it carries {-rate:+.5%} a period"
    return _Answer(Advice.HOLD, f"{told}: coin that was taken up, which no rule sells{carry}")


def _first_firing(
    family: tuple[Rule, ...], position: GregPosition, limits: PositionLimits
) -> _Answer:
    passed = []
    for rule in family:
        if _missing(rule, position):
            names = dict.fromkeys(name for each in family for name in _missing(each, position))
            told = ", ".join(names)
            return _Answer(Advice.HOLD, f"cannot be judged: {told} unknown", tuple(names))
        found = rule.ask(position, limits)
        if found.fires:
            return _Answer(rule.action, found.figures + found.tail)
        passed.append(found.figures)
    return _Answer(Advice.HOLD, f"within its limits: {'; '.join(passed)}")


def _besides(
    family: tuple[Rule, ...], position: GregPosition, limits: PositionLimits, first: Advice
) -> tuple[Advice, ...]:
    """What would fire besides a hedge or a roll, which can be done together."""
    if first not in _TOGETHER:
        return ()
    return tuple(
        rule.action
        for rule in family
        if rule.action in _TOGETHER
        and rule.action is not first
        and not _missing(rule, position)
        and rule.ask(position, limits).fires
    )


def _missing(rule: Rule, position: GregPosition) -> tuple[str, ...]:
    return tuple(name for name in rule.needs if getattr(position, name) is None)


def _route(position: GregPosition, convention: FundingConvention) -> str:
    """Where to hold the coin, and what either way carries a period; nothing without a rate."""
    rate = position.funding_rate
    if rate is None:
        return ""
    if convention.prefers_perpetual(rate):
        return (
            f"; synthetic ownership through the perp, which carries {-rate:+.5%} a period, the "
            "coin itself nothing"
        )
    return f"; ownership by spot, which carries nothing, a long future {-rate:+.5%} a period"


def _metrics(
    position: GregPosition, limits: PositionLimits
) -> dict[str, float | bool | str | None]:
    found: dict[str, float | bool | str | None] = {
        name: getattr(position, name) for name in _SHOWN[position.code]
    }
    if position.code in BANDED:
        found["target_delta_abs"] = getattr(limits, f"{BANDED[position.code]}_delta_threshold")
    if position.code == StrategyCode.CALENDAR:
        found["price_move_pct"] = move_of(position)
    if position.code in _SPREADS:
        found["is_bull_put"] = position.code == StrategyCode.BULL_PUT
    return found


_SPREADS = (StrategyCode.BULL_PUT, StrategyCode.BEAR_CALL)
_NEUTRAL = ("net_delta", "dte", "profit_pct", "loss_pct")
_SHOWN = {
    StrategyCode.STRADDLE: _NEUTRAL,
    StrategyCode.STRANGLE: _NEUTRAL,
    StrategyCode.CALENDAR: ("spot_price", "strike", "front_dte", "profit_pct"),
    StrategyCode.SHORT_PUT: ("delta_abs", "profit_pct", "funding_rate"),
    StrategyCode.IRON_BUTTERFLY: (
        *("spot_price", "center_strike", "lower_wing", "upper_wing", "profit_pct"),
    ),
    StrategyCode.BULL_PUT: ("spot_price", "short_strike", "profit_pct"),
    StrategyCode.BEAR_CALL: ("spot_price", "short_strike", "profit_pct"),
}
