"""Secondary guards of the entry document: told beside the advice where they are in use."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from attrs import evolve, field, frozen

from core.greg.advice import GregPosition, Suggestion, known_or_none
from core.greg.catalogue import StrategyCode

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
_SPREADS = frozenset({StrategyCode.BULL_PUT, StrategyCode.BEAR_CALL})
_LAST_DAY_HOURS = 24.0
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


@frozen(kw_only=True)
class GuardFacts:
    """
    What guards look at beside the position; None is unknown, and then a guard is silent.

    Volatilities in points, *loss_of_debit* a share of what a calendar cost, *market_cap_pct* the
    change of the whole market in a day, *health* of the account; the rest is how far the coin's
    own index went, percent, and its volatility index, points.
    """

    iv_since_entry: float | None = field(default=None, converter=known_or_none)
    front_iv: float | None = field(default=None, converter=known_or_none)
    back_iv: float | None = field(default=None, converter=known_or_none)
    hours_to_expiry: float | None = field(default=None, converter=known_or_none)
    loss_of_debit: float | None = field(default=None, converter=known_or_none)
    is_in_the_money: bool | None = None
    market_cap_pct: float | None = field(default=None, converter=known_or_none)
    health: float | None = field(default=None, converter=known_or_none)
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


def firing(
    position: GregPosition, facts: GuardFacts, guards: Iterable[Guard]
) -> Mapping[Guard, str]:
    """Return those of *guards* that fire for *position*, each with what it notes."""
    asked = ((guard, _GUARDS[guard](position, facts)) for guard in guards)
    return {guard: said for guard, said in asked if said}


def with_guards(
    suggestion: Suggestion, position: GregPosition, facts: GuardFacts, guards: Iterable[Guard]
) -> Suggestion:
    """Return *suggestion* with what fires in its metrics; its action stays what it is."""
    fired = firing(position, facts, guards)
    told: dict[str, float | bool | str | None] = {
        f"guard_{each}": said for each, said in fired.items()
    }
    return evolve(suggestion, metrics={**suggestion.metrics, **told})


def _tight_delta(position: GregPosition, _: GuardFacts) -> str:
    limits = {StrategyCode.STRADDLE: 0.10, StrategyCode.STRANGLE: 0.12}
    limit, delta = limits.get(position.code), position.net_delta
    if limit is None or delta is None or abs(delta) <= limit:
        return ""
    return f"hedge: |{abs(delta):.3f}| > {limit:g}"


def _iv_rise(position: GregPosition, facts: GuardFacts) -> str:
    rise = facts.iv_since_entry
    is_hit = position.code == StrategyCode.STRADDLE and rise is not None and rise > 10.0
    return f"stop: IV rose {rise:.1f} > 10 points" if is_hit else ""


def _last_day(position: GregPosition, facts: GuardFacts) -> str:
    hours = facts.hours_to_expiry
    closes = _NEUTRAL | {StrategyCode.CALENDAR, StrategyCode.IRON_BUTTERFLY}
    if position.code not in closes or hours is None or hours > _LAST_DAY_HOURS:
        return ""
    what = "the short leg" if position.code == StrategyCode.CALENDAR else "all"
    return f"close {what}: {hours:.1f} h <= 24 h to expiry"


def _calendar_target(position: GregPosition, facts: GuardFacts) -> str:
    if position.code != StrategyCode.CALENDAR:
        return ""
    front, back, profit = facts.front_iv, facts.back_iv, position.profit_pct
    if front is not None and back is not None and front < back:
        return f"profit: front IV {front:.1f} < back IV {back:.1f}"
    return f"profit {profit:.1%} >= 25%" if profit is not None and profit >= 0.25 else ""


def _calendar_loss(position: GregPosition, facts: GuardFacts) -> str:
    loss = facts.loss_of_debit
    is_hit = position.code == StrategyCode.CALENDAR and loss is not None and loss > 1.0
    return f"stop: loss {loss:.0%} > 100% of the debit" if is_hit else ""


def _take_ownership(position: GregPosition, facts: GuardFacts) -> str:
    is_hit = (
        position.code == StrategyCode.SHORT_PUT
        and facts.hours_to_expiry == 0.0
        and facts.is_in_the_money is True
    )
    return "take ownership by perpetual or spot: expired in the money" if is_hit else ""


def _fly_target(position: GregPosition, _: GuardFacts) -> str:
    profit = position.profit_pct
    is_hit = position.code == StrategyCode.IRON_BUTTERFLY and profit is not None and profit >= 0.40
    return f"profit {profit:.1%} >= 40%" if is_hit else ""


def _double_loss(position: GregPosition, _: GuardFacts) -> str:
    loss = position.loss_pct
    if loss is None:
        return ""
    if position.code == StrategyCode.IRON_BUTTERFLY and loss >= 2.0:
        return f"stop: loss {loss:.2f}x credit >= 2x"
    if position.code in _SPREADS and loss > 2.0:
        return f"stop: loss {loss:.2f}x credit > 2x"
    return ""


def _expiring_in_the_money(position: GregPosition, facts: GuardFacts) -> str:
    is_hit = (
        position.code in _SPREADS and facts.hours_to_expiry == 0.0 and facts.is_in_the_money is True
    )
    return "close: in the money at expiry" if is_hit else ""


def _black_swan(position: GregPosition, facts: GuardFacts) -> str:
    change = facts.market_cap_pct
    if change is None or change >= _CRASH_PCT:
        return ""
    if position.code in _SHORT_VOL:
        return f"close at market: the market fell {-change:.1f} % > 10 % in a day"
    if position.code != StrategyCode.SHORT_PUT:
        return ""
    if facts.health is not None and facts.health < _LEAST_HEALTH:
        return f"close: account health {facts.health:.2f} < 1.2"
    return f"hold: the market fell {-change:.1f} % > 10 % in a day"


def _own_crash(position: GregPosition, facts: GuardFacts) -> str:
    day, hour, jump = facts.index_day_pct, facts.index_hour_pct, facts.vol_index_day_points
    seen = []
    if day is not None and day <= _CRASH_PCT:
        seen.append(f"{day:.1f} % in a day")
    if hour is not None and hour <= _HOUR_CRASH_PCT:
        seen.append(f"{hour:.1f} % in an hour")
    if jump is not None and jump >= _INDEX_JUMP_POINTS:
        seen.append(f"volatility index {jump:+.1f} points in a day")
    if not seen or position.code not in _SHORT_VOL | {StrategyCode.SHORT_PUT}:
        return ""
    return f"neutralise with the perpetual, then leave by limits: {', '.join(seen)}"


_GUARDS: dict[Guard, Callable[[GregPosition, GuardFacts], str]] = {
    Guard.TIGHT_DELTA: _tight_delta,
    Guard.IV_RISE: _iv_rise,
    Guard.LAST_DAY: _last_day,
    Guard.CALENDAR_TARGET: _calendar_target,
    Guard.CALENDAR_LOSS: _calendar_loss,
    Guard.TAKE_OWNERSHIP: _take_ownership,
    Guard.FLY_TARGET: _fly_target,
    Guard.DOUBLE_LOSS: _double_loss,
    Guard.EXPIRING_IN_THE_MONEY: _expiring_in_the_money,
    Guard.BLACK_SWAN: _black_swan,
    Guard.OWN_CRASH: _own_crash,
}
