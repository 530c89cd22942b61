"""What is known of a position of Greg's, and what may be advised for it."""

from enum import StrEnum
from math import isfinite

from attrs import field, frozen

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


def _fact() -> float | None:
    made: float | None = field(default=None, converter=known_or_none)
    return made


@frozen(kw_only=True)
class GregPosition:
    """
    An open position and what is known of it; None is unknown.

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
    spot_price: float | None = _fact()
    strike: float | None = _fact()
    front_dte: float | None = _fact()
    delta_abs: float | None = _fact()
    funding_rate: float | None = _fact()
    center_strike: float | None = _fact()
    lower_wing: float | None = _fact()
    upper_wing: float | None = _fact()
    short_strike: float | None = _fact()
    expected_move_pct: float | None = _fact()  # of the front leg to its expiry, a fraction
    credit_usd: float | None = _fact()  # of one contract of the structure
    bare_perp_coin: float | None = _fact()  # the perpetual, once no option is held any more


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
