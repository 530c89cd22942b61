"""The rules of the position engine: what each asks of a position, strategy by strategy."""

from collections.abc import Callable, Set

from attrs import evolve, frozen

from core.greg.advice import Advice, GregPosition
from core.greg.catalogue import StrategyCode
from core.greg.management import PositionLimits, PositionVariant
from core.greg.words import beside, percent_beside

BANDED = {StrategyCode.STRADDLE: "straddle", StrategyCode.STRANGLE: "strangle"}
_HOURS_A_DAY = 24.0
_EARLY_DELTA, _EARLY_LOSS = 0.5, 2.0  # of a short put that is acted on early


@frozen
class Judgement:
    """What a rule says of a position: whether it fires, the figure beside its limit, and more."""

    fires: bool
    figures: str
    tail: str = ""


@frozen
class Rule:
    """A rule: what it advises, the facts it cannot be asked without, and the question."""

    action: Advice
    needs: tuple[str, ...]
    ask: Callable[[GregPosition, PositionLimits], Judgement]


def family_of(code: StrategyCode, variants: Set[PositionVariant]) -> tuple[Rule, ...]:
    """Return the rules of *code* in their order, in the variant that is in use; none if unknown."""
    chosen = _VARIANTS.get(code)
    if chosen is not None and chosen[0] in variants:
        return chosen[1]
    return _RULES.get(code, ())


def as_seen(position: GregPosition, variants: Set[PositionVariant]) -> GregPosition:
    """Return *position* with the prices and profits that the variants in use judge it by."""
    if PositionVariant.FORWARD_PRICE in variants:
        position = evolve(position, spot_price=position.forward_price)
    if PositionVariant.SPREAD_HAIRCUT in variants:
        position = evolve(
            position, profit_pct=position.quoted_profit_pct, loss_pct=position.quoted_loss_pct
        )
    return position


def _value(number: float | None) -> float:
    """A fact that was asked for before."""
    if number is None:
        raise ValueError("a rule was asked without its facts")
    return number


def _stop(name: str) -> Rule:
    def ask(position: GregPosition, limits: PositionLimits) -> Judgement:
        loss, limit = _value(position.loss_pct), getattr(limits, f"{name}_stop_loss_multiple")
        fires = loss >= limit
        return Judgement(
            fires, f"loss {beside(loss, limit, 2)}x credit {_at_least(fires)} {limit:g}x"
        )

    return Rule(Advice.CLOSE, ("loss_pct",), ask)


def _profit(limit_name: str) -> Rule:
    def ask(position: GregPosition, limits: PositionLimits) -> Judgement:
        profit, limit = _value(position.profit_pct), getattr(limits, limit_name)
        fires = profit >= limit
        told = percent_beside(profit, limit, 1)
        return Judgement(fires, f"profit {told} {_at_least(fires)} {100.0 * limit:g}%")

    return Rule(Advice.TAKE_PROFIT, ("profit_pct",), ask)


def _tilt(name: str) -> Rule:
    def ask(position: GregPosition, limits: PositionLimits) -> Judgement:
        delta, limit = _value(position.net_delta), getattr(limits, f"{name}_delta_threshold")
        fires = abs(delta) > limit
        sign = ">" if fires else "<="
        how, told = "short" if delta > 0 else "long", beside(abs(delta), limit, 3)
        return Judgement(
            fires,
            f"net delta {delta:+.3f}: |{told}| {sign} {limit:g}",
            f"; go {how} the perpetual by {told}",
        )

    return Rule(Advice.HEDGE, ("net_delta",), ask)


def _late(name: str) -> Rule:
    def ask(position: GregPosition, limits: PositionLimits) -> Judgement:
        dte, limit = _value(position.dte), getattr(limits, f"{name}_close_at_dte")
        fires = dte <= limit
        return Judgement(
            fires,
            f"{dte:g} days to expiry {_at_most(fires)} {limit:g}",
            ": re-centre if the VRP case still holds, else close",
        )

    return Rule(Advice.ROLL, ("dte",), ask)


def _moved(position: GregPosition, limits: PositionLimits) -> Judgement:
    move, limit = _value(move_of(position)), limits.calendar_price_move_stop_pct
    fires = move >= limit
    told = percent_beside(move, limit, 2)
    return Judgement(fires, f"spot is {told} from the strike {_at_least(fires)} {100.0 * limit:g}%")


def _front_ends(position: GregPosition, limits: PositionLimits) -> Judgement:
    days, hours = _value(position.front_dte), limits.calendar_close_front_leg_hours
    fires = days <= hours / _HOURS_A_DAY
    return Judgement(
        fires, f"front leg has {days:g} days {_at_most(fires)} {hours:g} h", ": close both legs"
    )


def _deep(position: GregPosition, limits: PositionLimits) -> Judgement:
    delta, limit = abs(_value(position.delta_abs)), limits.short_put_stop_delta_abs
    fires = delta >= limit
    return Judgement(
        fires,
        f"|delta| {beside(delta, limit, 2)} {_at_least(fires)} {limit:g}",
        ": close the put, take the coin",
    )


def _wing(position: GregPosition, _: PositionLimits) -> Judgement:
    spot = _value(position.spot_price)
    lower, upper = _value(position.lower_wing), _value(position.upper_wing)
    if lower < spot < upper:
        return Judgement(False, f"spot {spot:g} between the wings {lower:g} and {upper:g}")
    side = f"<= lower wing {lower:g}" if spot <= lower else f">= upper wing {upper:g}"
    return Judgement(True, f"spot {spot:g} {side}")


def _touched_below(position: GregPosition, _: PositionLimits) -> Judgement:
    spot, strike = _value(position.spot_price), _value(position.short_strike)
    fires = spot <= strike
    return Judgement(fires, f"spot {spot:g} {_at_most(fires)} short put {strike:g}")


def _touched_above(position: GregPosition, _: PositionLimits) -> Judgement:
    spot, strike = _value(position.spot_price), _value(position.short_strike)
    fires = spot >= strike
    return Judgement(fires, f"spot {spot:g} {_at_least(fires)} short call {strike:g}")


def _confirmed_below(position: GregPosition, _: PositionLimits) -> Judgement:
    strike, prints = _value(position.short_strike), _prints(position)
    fires = max(prints) <= strike
    return Judgement(fires, f"{_told(prints)}: {_both(fires)} <= short put {strike:g}")


def _confirmed_above(position: GregPosition, _: PositionLimits) -> Judgement:
    strike, prints = _value(position.short_strike), _prints(position)
    fires = min(prints) >= strike
    return Judgement(fires, f"{_told(prints)}: {_both(fires)} >= short call {strike:g}")


def _prints(position: GregPosition) -> tuple[float, float]:
    return _value(position.spot_price), _value(position.earlier_price)


def _told(prints: tuple[float, float]) -> str:
    return f"spot {prints[0]:g}, the print before {prints[1]:g}"


def _both(fires: bool) -> str:
    return "both" if fires else "not both"


def _early(position: GregPosition, _: PositionLimits) -> Judgement:
    delta, loss = abs(_value(position.delta_abs)), _value(position.loss_pct)
    fires = delta >= _EARLY_DELTA or loss >= _EARLY_LOSS
    figures = f"|delta| {delta:.2f}, limit {_EARLY_DELTA:g}, loss {loss:.2f}x, limit 2x"
    return Judgement(fires, figures, ": close the put, take the coin")


def _unexpected(position: GregPosition, _: PositionLimits) -> Judgement:
    move, limit = _value(move_of(position)), _value(position.expected_move_pct)
    fires = move >= limit
    return Judgement(
        fires, f"spot is {move:.2%} from the strike {_at_least(fires)} {limit:.2%}, as expected"
    )


def _beyond_break_even(position: GregPosition, _: PositionLimits) -> Judgement:
    spot, center = _value(position.spot_price), _value(position.center_strike)
    credit, loss = _value(position.credit_usd), _value(position.loss_pct)
    fires = abs(spot - center) >= credit or loss >= 1.0
    return Judgement(
        fires,
        f"spot {spot:g}, break-even {center - credit:g} and {center + credit:g}, "
        f"loss {loss:.2f}x, limit 1x",
    )


def _at_least(fires: bool) -> str:
    return ">=" if fires else "<"


def _at_most(fires: bool) -> str:
    return "<=" if fires else ">"


def move_of(position: GregPosition) -> float | None:
    if position.spot_price is None or not position.strike:
        return None
    return abs(position.spot_price - position.strike) / position.strike


_RULES: dict[StrategyCode, tuple[Rule, ...]] = {
    **{
        code: (_stop(name), _profit(f"{name}_profit_take_pct"), _tilt(name), _late(name))
        for code, name in BANDED.items()
    },
    StrategyCode.CALENDAR: (
        Rule(Advice.CLOSE, ("spot_price", "strike"), _moved),
        Rule(Advice.CLOSE, ("front_dte",), _front_ends),
        _profit("calendar_profit_take_pct"),
    ),
    StrategyCode.SHORT_PUT: (
        _profit("short_put_profit_take_pct"),
        Rule(Advice.ASSIGN, ("delta_abs",), _deep),
    ),
    StrategyCode.IRON_BUTTERFLY: (
        Rule(Advice.CLOSE, ("spot_price", "lower_wing", "upper_wing"), _wing),
        _profit("iron_fly_profit_take_pct"),
    ),
    StrategyCode.BULL_PUT: (
        Rule(Advice.CLOSE, ("spot_price", "short_strike"), _touched_below),
        _profit("spread_profit_take_pct"),
    ),
    StrategyCode.BEAR_CALL: (
        Rule(Advice.CLOSE, ("spot_price", "short_strike"), _touched_above),
        _profit("spread_profit_take_pct"),
    ),
}
_TOUCH = ("spot_price", "earlier_price", "short_strike")
_VARIANTS: dict[StrategyCode, tuple[PositionVariant, tuple[Rule, ...]]] = {
    StrategyCode.CALENDAR: (
        PositionVariant.EXPECTED_MOVE,
        (
            Rule(Advice.CLOSE, ("spot_price", "strike", "expected_move_pct"), _unexpected),
            *_RULES[StrategyCode.CALENDAR][1:],
        ),
    ),
    StrategyCode.SHORT_PUT: (
        PositionVariant.EARLY_PUT,
        (
            _RULES[StrategyCode.SHORT_PUT][0],
            Rule(Advice.ASSIGN, ("delta_abs", "loss_pct"), _early),
        ),
    ),
    StrategyCode.BULL_PUT: (
        PositionVariant.CONFIRMED_TOUCH,
        (
            Rule(Advice.CLOSE, _TOUCH, _confirmed_below),
            *_RULES[StrategyCode.BULL_PUT][1:],
        ),
    ),
    StrategyCode.BEAR_CALL: (
        PositionVariant.CONFIRMED_TOUCH,
        (
            Rule(Advice.CLOSE, _TOUCH, _confirmed_above),
            *_RULES[StrategyCode.BEAR_CALL][1:],
        ),
    ),
    StrategyCode.IRON_BUTTERFLY: (
        PositionVariant.BREAK_EVEN,
        (
            Rule(
                Advice.CLOSE,
                ("spot_price", "center_strike", "credit_usd", "loss_pct"),
                _beyond_break_even,
            ),
            *_RULES[StrategyCode.IRON_BUTTERFLY][1:],
        ),
    ),
}
