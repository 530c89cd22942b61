"""What is known of a position of Greg's, and what may be advised for it."""

from collections.abc import Mapping
from enum import StrEnum
from math import isfinite
from numbers import Real
from typing import Any

from attrs import field, fields, frozen

from core.greg.catalogue import BOT_NAME, StrategyCode
from ports.checks import finite


class Advice(StrEnum):
    """What to do with a position."""

    HEDGE = "HEDGE"
    TAKE_PROFIT = "TAKE_PROFIT"
    ROLL = "ROLL"
    ASSIGN = "ASSIGN"
    CLOSE = "CLOSE"
    HOLD = "HOLD"


class Priority(StrEnum):
    """How soon."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Its place in a list, the most urgent first."""
        return list(Priority).index(self)


@frozen(kw_only=True)
class Urgency:
    """From where on a position is urgent whatever is advised: credits lost, delta in coin."""

    high_loss_multiple: float = field(default=2.0, validator=finite)
    high_delta_abs: float = field(default=0.3, validator=finite)


def known_or_none(value: float | None) -> float | None:
    """*value* if it is a finite number."""
    return value if value is not None and isfinite(value) else None


def _price_or_none(value: float | None) -> float | None:
    """A price or strike; what is not positive is none."""
    found = known_or_none(value)
    return found if found is not None and found > 0.0 else None


def _fact() -> float | None:
    made: float | None = field(default=None, converter=known_or_none)
    return made


def _price() -> float | None:
    made: float | None = field(default=None, converter=_price_or_none)
    return made


@frozen(kw_only=True)
class GregPosition:
    """
    An open position and what is known of it; None is unknown, as is a price that is not positive.

    Deltas in coin with the sign of the position, prices and strikes USD, days to expiry;
    *profit_pct* a share of what could be earned, *loss_pct* a multiple of the credit, >= 0.
    """

    position_id: str
    code: StrategyCode
    underlying: str
    net_delta: float | None = _fact()
    dte: float | None = _fact()
    profit_pct: float | None = _fact()
    loss_pct: float | None = _fact()
    spot_price: float | None = _price()
    strike: float | None = _price()
    front_dte: float | None = _fact()
    delta_abs: float | None = _fact()
    funding_rate: float | None = _fact()
    center_strike: float | None = _price()
    lower_wing: float | None = _price()
    upper_wing: float | None = _price()
    short_strike: float | None = _price()
    expected_move_pct: float | None = _fact()  # of the front leg to its expiry, a fraction
    credit_usd: float | None = _fact()  # of one contract of the structure
    earlier_price: float | None = _price()  # a print at least a quarter of an hour old
    forward_price: float | None = _price()  # of the nearest short leg's expiry
    quoted_profit_pct: float | None = _fact()  # as profit_pct, at mids less a part of the spread
    quoted_loss_pct: float | None = _fact()  # as loss_pct, so
    bare_perp_coin: float | None = _fact()  # the perpetual, once no option is held any more


def position_told(told: Mapping[str, Any]) -> GregPosition:
    """
    Return the position that *told* tells as JSON does: position_id, strategy_code, underlying, and
    facts by their names. What is left out is unknown, what is no fact is passed over.

    Raises:
        ValueError: It does not say which position of what it is, or a fact is no number.
    """
    names = {"position_id": "position_id", "code": "strategy_code", "underlying": "underlying"}
    lacking = [name for name in names.values() if not isinstance(told.get(name), str)]
    facts = {
        each.name: told.get(each.name) for each in fields(GregPosition) if each.name not in names
    }
    wrong = [
        f"{name}: not a number: {value!r}"
        for name, value in facts.items()
        if value is not None and (isinstance(value, bool) or not isinstance(value, Real))
    ]
    if lacking or wrong:
        raise ValueError("; ".join((*(f"{name}: missing" for name in lacking), *wrong)))
    code = told["strategy_code"]
    return GregPosition(
        position_id=told["position_id"],
        code=StrategyCode(code) if code in set(StrategyCode) else code,
        underlying=told["underlying"],
        **facts,
    )


@frozen(kw_only=True)
class Suggestion:
    """The advice for one position, with the figures it was judged by."""

    position_id: str
    code: StrategyCode
    underlying: str
    action: Advice
    priority: Priority
    summary: str
    reason: str
    metrics: dict[str, float | bool | str | None]
    data_missing: tuple[str, ...] = ()
    secondary_actions: tuple[Advice, ...] = ()
    bot_name: str = BOT_NAME


def priority_of(
    action: Advice,
    position: GregPosition,
    selected: StrategyCode | None = None,
    urgency: Urgency | None = None,
) -> Priority:
    """Return how soon *action* should be done; a roll into what is *selected* anyway is medium."""
    limits = urgency or Urgency()
    loss, delta = position.loss_pct, position.net_delta
    is_losing = loss is not None and loss >= limits.high_loss_multiple
    is_tilted = delta is not None and abs(delta) > limits.high_delta_abs
    if action == Advice.CLOSE or is_losing or is_tilted:
        return Priority.HIGH
    if action in (Advice.TAKE_PROFIT, Advice.ASSIGN, Advice.HEDGE):
        return Priority.MEDIUM
    if action == Advice.ROLL and selected == position.code:
        return Priority.MEDIUM
    return Priority.LOW
