"""POSITION_ENGINE: one advice for each open position; nothing is sent by it."""

from collections.abc import Callable

from attrs import evolve, frozen

from core.greg.advice import Advice, GregPosition, Suggestion, priority_of
from core.greg.catalogue import StrategyCode
from core.greg.management import FundingConvention, PositionLimits, PositionRules

_HOURS_A_DAY = 24.0


@frozen
class _Firing:
    """A rule that fired."""

    action: Advice
    reason: str


@frozen
class _Rule:
    """A rule, and the facts it cannot be asked without."""

    needs: tuple[str, ...]
    ask: Callable[[GregPosition, PositionLimits], _Firing | None]


def advise(
    position: GregPosition,
    rules: PositionRules | None = None,
    *,
    convention: FundingConvention = FundingConvention.AS_SPECIFIED,
    selected: StrategyCode | None = None,
) -> Suggestion | None:
    """
    Return what to do with *position*: the first rule of its strategy that fires.

    A rule whose facts are missing cannot be passed over: the answer is HOLD, and says what is
    missing. None for a code that has no rules. *selected* is what the entry engine would choose
    for the coin now.
    """
    family = _RULES.get(position.code)
    if family is None:
        return None
    limits = (rules or PositionRules()).limits
    firing = _Firing(Advice.HOLD, "no rule fired")
    missing: tuple[str, ...] = ()
    for rule in family:
        missing = tuple(name for name in rule.needs if getattr(position, name) is None)
        if missing:
            firing = _Firing(Advice.HOLD, f"cannot be judged: {', '.join(missing)} unknown")
            break
        found = rule.ask(position, limits)
        if found is not None:
            firing = found
            break
    if firing.action is Advice.ASSIGN:
        firing = evolve(firing, reason=firing.reason + _route(position, convention))
    return Suggestion(
        position_id=position.position_id,
        code=position.code,
        underlying=position.underlying,
        action=firing.action,
        priority=priority_of(firing.action, position, selected),
        summary=f"{firing.action} {position.code} on {position.underlying}",
        reason=firing.reason,
        metrics=_metrics(position, limits),
        data_missing=missing,
    )


def _value(number: float | None) -> float:
    """A fact that was asked for before."""
    if number is None:
        raise ValueError("a rule was asked without its facts")
    return number


def _stop(name: str) -> _Rule:
    def ask(position: GregPosition, limits: PositionLimits) -> _Firing | None:
        loss, limit = _value(position.loss_pct), getattr(limits, f"{name}_stop_loss_multiple")
        if loss < limit:
            return None
        return _Firing(Advice.CLOSE, f"loss {loss:.2f}x credit >= {limit:g}x")

    return _Rule(("loss_pct",), ask)


def _profit(limit_name: str) -> _Rule:
    def ask(position: GregPosition, limits: PositionLimits) -> _Firing | None:
        profit, limit = _value(position.profit_pct), getattr(limits, limit_name)
        if profit < limit:
            return None
        return _Firing(Advice.TAKE_PROFIT, f"profit {profit:.1%} >= {limit:.0%}")

    return _Rule(("profit_pct",), ask)


def _tilt(name: str) -> _Rule:
    def ask(position: GregPosition, limits: PositionLimits) -> _Firing | None:
        delta, limit = _value(position.net_delta), getattr(limits, f"{name}_delta_threshold")
        if abs(delta) <= limit:
            return None
        how = "short" if delta > 0 else "long"
        reason = f"net delta {delta:+.3f}: |{abs(delta):.3f}| > {limit:g}; go {how} the perpetual"
        return _Firing(Advice.HEDGE, f"{reason} by {abs(delta):.3f}")

    return _Rule(("net_delta",), ask)


def _late(name: str) -> _Rule:
    def ask(position: GregPosition, limits: PositionLimits) -> _Firing | None:
        dte, limit = _value(position.dte), getattr(limits, f"{name}_close_at_dte")
        if dte > limit:
            return None
        reason = f"{dte:g} days to expiry <= {limit:g}: re-centre if the VRP case still holds"
        return _Firing(Advice.ROLL, f"{reason}, else close")

    return _Rule(("dte",), ask)


def _moved(position: GregPosition, limits: PositionLimits) -> _Firing | None:
    move, limit = _value(_move(position)), limits.calendar_price_move_stop_pct
    if move < limit:
        return None
    return _Firing(Advice.CLOSE, f"spot is {move:.2%} from the strike, limit {limit:.0%}")


def _front_ends(position: GregPosition, limits: PositionLimits) -> _Firing | None:
    days, hours = _value(position.front_dte), limits.calendar_close_front_leg_hours
    if days > hours / _HOURS_A_DAY:
        return None
    return _Firing(Advice.CLOSE, f"front leg has {days:g} days <= {hours:g} h: close both legs")


def _deep(position: GregPosition, limits: PositionLimits) -> _Firing | None:
    delta, limit = _value(position.delta_abs), limits.short_put_stop_delta_abs
    if delta < limit:
        return None
    return _Firing(Advice.ASSIGN, f"|delta| {delta:.2f} >= {limit:g}: close the put, take the coin")


def _wing(position: GregPosition, _: PositionLimits) -> _Firing | None:
    spot = _value(position.spot_price)
    lower, upper = _value(position.lower_wing), _value(position.upper_wing)
    if lower < spot < upper:
        return None
    side = f"lower wing {lower:g}" if spot <= lower else f"upper wing {upper:g}"
    return _Firing(Advice.CLOSE, f"spot {spot:g} has touched the {side}")


def _touched_below(position: GregPosition, _: PositionLimits) -> _Firing | None:
    spot, strike = _value(position.spot_price), _value(position.short_strike)
    return (
        None if spot > strike else _Firing(Advice.CLOSE, f"spot {spot:g} <= short put {strike:g}")
    )


def _touched_above(position: GregPosition, _: PositionLimits) -> _Firing | None:
    spot, strike = _value(position.spot_price), _value(position.short_strike)
    return (
        None if spot < strike else _Firing(Advice.CLOSE, f"spot {spot:g} >= short call {strike:g}")
    )


def _move(position: GregPosition) -> float | None:
    if position.spot_price is None or not position.strike:
        return None
    return abs(position.spot_price - position.strike) / position.strike


def _route(position: GregPosition, convention: FundingConvention) -> str:
    """Where to hold the coin, and what either way carries a period."""
    rate = position.funding_rate
    if rate is None:
        return ""
    takes_perp = rate >= 0 if convention is FundingConvention.AS_SPECIFIED else rate < 0
    where = "the perp" if takes_perp else "spot"
    return f"; by {where}: a long perp carries {-rate:+.5%} a period, spot nothing"


def _metrics(position: GregPosition, limits: PositionLimits) -> dict[str, float | bool | None]:
    found: dict[str, float | bool | None] = {
        name: getattr(position, name) for name in _SHOWN[position.code]
    }
    if position.code in _BANDED:
        found["target_delta_abs"] = getattr(limits, f"{_BANDED[position.code]}_delta_threshold")
    if position.code is StrategyCode.CALENDAR:
        found["price_move_pct"] = _move(position)
    if position.code in _SPREADS:
        found["is_bull_put"] = position.code is StrategyCode.BULL_PUT
    return found


_BANDED = {StrategyCode.STRADDLE: "straddle", StrategyCode.STRANGLE: "strangle"}
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
_RULES: dict[StrategyCode, tuple[_Rule, ...]] = {
    **{
        code: (_stop(name), _profit(f"{name}_profit_take_pct"), _tilt(name), _late(name))
        for code, name in _BANDED.items()
    },
    StrategyCode.CALENDAR: (
        _Rule(("spot_price", "strike"), _moved),
        _Rule(("front_dte",), _front_ends),
        _profit("calendar_profit_take_pct"),
    ),
    StrategyCode.SHORT_PUT: (
        _profit("short_put_profit_take_pct"),
        _Rule(("delta_abs",), _deep),
    ),
    StrategyCode.IRON_BUTTERFLY: (
        _Rule(("spot_price", "lower_wing", "upper_wing"), _wing),
        _profit("iron_fly_profit_take_pct"),
    ),
    StrategyCode.BULL_PUT: (
        _Rule(("spot_price", "short_strike"), _touched_below),
        _profit("spread_profit_take_pct"),
    ),
    StrategyCode.BEAR_CALL: (
        _Rule(("spot_price", "short_strike"), _touched_above),
        _profit("spread_profit_take_pct"),
    ),
}
