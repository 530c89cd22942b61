"""Secondary guards of the entry document: told beside the advice where they are in use."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from attrs import evolve, field, frozen

from core.greg.advice import GregPosition, Suggestion, known_or_none
from core.greg.catalogue import StrategyCode
from core.greg.words import beside

_SHORT_VOL = frozenset(
    {
        StrategyCode.STRADDLE,
        StrategyCode.STRANGLE,
        StrategyCode.CALENDAR,
        StrategyCode.IRON_BUTTERFLY,
        StrategyCode.BULL_PUT,
        StrategyCode.BEAR_CALL,
    }
)
_NEUTRAL = frozenset({StrategyCode.STRADDLE, StrategyCode.STRANGLE})
_PUT = frozenset({StrategyCode.SHORT_PUT})
_CALENDAR = frozenset({StrategyCode.CALENDAR})
_FLY = frozenset({StrategyCode.IRON_BUTTERFLY})
_SPREADS = frozenset({StrategyCode.BULL_PUT, StrategyCode.BEAR_CALL})
_LAST_DAY_HOURS, _IV_RISE_POINTS = 24.0, 10.0
_CRASH_PCT, _LEAST_HEALTH = -10.0, 1.2
_HOUR_CRASH_PCT, _INDEX_JUMP_POINTS = -5.0, 15.0  # of a coin's own index, and its volatility's


class Guard(StrEnum):
    """The notes of the entry document, by name."""

    TIGHT_DELTA = "tight_delta"
    IV_RISE = "iv_rise"
    LAST_DAY = "last_day"
    CALENDAR_TARGET = "calendar_target"
    CALENDAR_LOSS = "calendar_loss"
    TAKE_OWNERSHIP = "take_ownership"
    FLY_TARGET = "fly_target"
    DOUBLE_LOSS = "double_loss"
    EXPIRING_IN_THE_MONEY = "expiring_in_the_money"
    BLACK_SWAN = "black_swan"
    OWN_CRASH = "own_crash"  # the black swan by the coin's own index, or its volatility's

    @property
    def asks_health(self) -> bool:
        """Whether the account's health matters to it."""
        return self in (Guard.BLACK_SWAN, Guard.OWN_CRASH)


@frozen(kw_only=True)
class GuardFacts:
    """
    What guards look at beside the position; None is unknown, and then a guard is not evaluated.

    Volatilities in points, *loss_of_debit* a share of what a calendar cost, *market_cap_pct* the
    change of the whole market in a day, *health* the equity of the account over its maintenance
    margin, infinite without one; the rest is how far the coin's own index went, percent, and its
    volatility index, points.
    """

    iv_since_entry: float | None = field(default=None, converter=known_or_none)
    front_iv: float | None = field(default=None, converter=known_or_none)
    back_iv: float | None = field(default=None, converter=known_or_none)
    hours_to_expiry: float | None = field(default=None, converter=known_or_none)
    loss_of_debit: float | None = field(default=None, converter=known_or_none)
    is_in_the_money: bool | None = None
    market_cap_pct: float | None = field(default=None, converter=known_or_none)
    health: float | None = None
    index_hour_pct: float | None = field(default=None, converter=known_or_none)
    index_day_pct: float | None = field(default=None, converter=known_or_none)
    vol_index_day_points: float | None = field(default=None, converter=known_or_none)


def guards_of(names: Iterable[str]) -> tuple[Guard, ...]:
    """
    The guards called *names*.

    Raises:
        ValueError: There is no such guard; names those there are.
    """
    told = tuple(names)
    unknown = [name for name in told if name not in set(Guard)]
    if unknown:
        raise ValueError(f"no guard {', '.join(unknown)}; there are {', '.join(Guard)}")
    return tuple(Guard(name) for name in told)


@frozen
class _Rule:
    """Whom a guard is for, facts of which it needs one at least, and what it says; or nothing."""

    codes: frozenset[StrategyCode]
    needs: tuple[str, ...]
    ask: Callable[[GregPosition, GuardFacts], str]


def firing(
    position: GregPosition, facts: GuardFacts, guards: Iterable[Guard]
) -> Mapping[Guard, str]:
    """Return those of *guards* that fire for *position*, each with what it notes."""
    asked = (
        (guard, _RULES[guard].ask(position, facts))
        for guard in guards
        if position.code in _RULES[guard].codes
    )
    return {guard: said for guard, said in asked if said}


def not_evaluated(
    position: GregPosition, facts: GuardFacts, guards: Iterable[Guard]
) -> Mapping[Guard, tuple[str, ...]]:
    """Return those of *guards* that could not be asked for *position*, with what is unknown."""
    return {
        guard: rule.needs
        for guard in guards
        for rule in [_RULES[guard]]
        if position.code in rule.codes
        and all(_fact(name, position, facts) is None for name in rule.needs)
    }


def with_guards(
    suggestion: Suggestion, position: GregPosition, facts: GuardFacts, guards: Sequence[Guard]
) -> Suggestion:
    """
    Return *suggestion* with what fires in its metrics, and which guards could not be asked; its
    action stays what it is.
    """
    told: dict[str, float | bool | str | None] = {
        f"guard_{guard}": said for guard, said in firing(position, facts, guards).items()
    }
    unknown = not_evaluated(position, facts, guards)
    if unknown:
        told["guards_not_evaluated"] = "; ".join(
            f"{guard}: {' and '.join(names)} unknown" for guard, names in unknown.items()
        )
    return evolve(suggestion, metrics={**suggestion.metrics, **told})


def _fact(name: str, position: GregPosition, facts: GuardFacts) -> object:
    return getattr(facts, name) if hasattr(facts, name) else getattr(position, name)


def _tight_delta(position: GregPosition, _: GuardFacts) -> str:
    limits = {StrategyCode.STRADDLE: 0.10, StrategyCode.STRANGLE: 0.12}
    limit, delta = limits[position.code], position.net_delta
    if delta is None or abs(delta) <= limit:
        return ""
    return f"hedge: |{beside(abs(delta), limit, 3)}| > {limit:g}"


def _iv_rise(_: GregPosition, facts: GuardFacts) -> str:
    rise = facts.iv_since_entry
    if rise is None or rise <= _IV_RISE_POINTS:
        return ""
    return f"stop: IV rose {beside(rise, _IV_RISE_POINTS, 1)} > {_IV_RISE_POINTS:g} points"


def _last_day(position: GregPosition, facts: GuardFacts) -> str:
    hours = facts.hours_to_expiry
    if hours is None or hours > _LAST_DAY_HOURS:
        return ""
    what = "the short leg" if position.code == StrategyCode.CALENDAR else "all"
    return f"close {what}: {hours:.1f} h <= 24 h to expiry"


def _calendar_target(position: GregPosition, facts: GuardFacts) -> str:
    front, back, profit = facts.front_iv, facts.back_iv, position.profit_pct
    if front is not None and back is not None and front < back:
        return f"profit: front IV {front:.1f} < back IV {back:.1f}"
    return f"profit {profit:.1%} >= 25%" if profit is not None and profit >= 0.25 else ""


def _calendar_loss(_: GregPosition, facts: GuardFacts) -> str:
    loss = facts.loss_of_debit
    return f"stop: loss {loss:.0%} > 100% of the debit" if loss is not None and loss > 1.0 else ""


def _take_ownership(_: GregPosition, facts: GuardFacts) -> str:
    is_hit = facts.hours_to_expiry == 0.0 and facts.is_in_the_money is True
    return "take ownership by perpetual or spot: expired in the money" if is_hit else ""


def _fly_target(position: GregPosition, _: GuardFacts) -> str:
    profit = position.profit_pct
    return f"profit {profit:.1%} >= 40%" if profit is not None and profit >= 0.40 else ""


def _double_loss(position: GregPosition, _: GuardFacts) -> str:
    loss = position.loss_pct
    if loss is None:
        return ""
    if position.code == StrategyCode.IRON_BUTTERFLY:
        return f"stop: loss {loss:.2f}x credit >= 2x" if loss >= 2.0 else ""
    return f"stop: loss {loss:.2f}x credit > 2x" if loss > 2.0 else ""


def _expiring_in_the_money(_: GregPosition, facts: GuardFacts) -> str:
    is_hit = facts.hours_to_expiry == 0.0 and facts.is_in_the_money is True
    return "close: in the money at expiry" if is_hit else ""


def _black_swan(position: GregPosition, facts: GuardFacts) -> str:
    change = facts.market_cap_pct
    if change is None or change >= _CRASH_PCT:
        return ""
    fell = f"the market fell {beside(-change, -_CRASH_PCT, 1)} % > 10 % in a day"
    if position.code == StrategyCode.SHORT_PUT:
        return _put_in_a_crash(fell, facts.health)
    return f"close at market: {fell}"


def _own_crash(position: GregPosition, facts: GuardFacts) -> str:
    day, hour, jump = facts.index_day_pct, facts.index_hour_pct, facts.vol_index_day_points
    seen = []
    if day is not None and day <= _CRASH_PCT:
        seen.append(f"{day:.1f} % in a day")
    if hour is not None and hour <= _HOUR_CRASH_PCT:
        seen.append(f"{hour:.1f} % in an hour")
    if jump is not None and jump >= _INDEX_JUMP_POINTS:
        seen.append(f"volatility index {jump:+.1f} points in a day")
    if not seen:
        return ""
    if position.code == StrategyCode.SHORT_PUT:
        return _put_in_a_crash(", ".join(seen), facts.health)
    return f"neutralise with the perpetual, then leave by limits: {', '.join(seen)}"


def _put_in_a_crash(seen: str, health: float | None) -> str:
    """A put is held through it as long as the account is healthy."""
    if health is None:
        return f"hold: {seen}; the account's health is unknown"
    if health >= _LEAST_HEALTH:
        return f"hold: {seen}"
    told = beside(health, _LEAST_HEALTH, 2)
    return f"close: account health {told} < {_LEAST_HEALTH:g}, {seen}"


_OF_INDEX = ("index_day_pct", "index_hour_pct", "vol_index_day_points")
_RULES: dict[Guard, _Rule] = {
    Guard.TIGHT_DELTA: _Rule(_NEUTRAL, ("net_delta",), _tight_delta),
    Guard.IV_RISE: _Rule(frozenset({StrategyCode.STRADDLE}), ("iv_since_entry",), _iv_rise),
    Guard.LAST_DAY: _Rule(_NEUTRAL | _CALENDAR | _FLY, ("hours_to_expiry",), _last_day),
    Guard.CALENDAR_TARGET: _Rule(_CALENDAR, ("front_iv", "profit_pct"), _calendar_target),
    Guard.CALENDAR_LOSS: _Rule(_CALENDAR, ("loss_of_debit",), _calendar_loss),
    Guard.TAKE_OWNERSHIP: _Rule(_PUT, ("hours_to_expiry",), _take_ownership),
    Guard.FLY_TARGET: _Rule(_FLY, ("profit_pct",), _fly_target),
    Guard.DOUBLE_LOSS: _Rule(_FLY | _SPREADS, ("loss_pct",), _double_loss),
    Guard.EXPIRING_IN_THE_MONEY: _Rule(_SPREADS, ("hours_to_expiry",), _expiring_in_the_money),
    Guard.BLACK_SWAN: _Rule(_SHORT_VOL | _PUT, ("market_cap_pct",), _black_swan),
    Guard.OWN_CRASH: _Rule(_SHORT_VOL | _PUT, _OF_INDEX, _own_crash),
}
