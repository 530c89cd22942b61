"""What is known of a position of Greg's, and what may be advised for it."""

from enum import StrEnum
from math import isfinite

from attrs import field, frozen

from core.greg.catalogue import BOT_NAME, StrategyCode

_HIGH_LOSS, _HIGH_DELTA = 2.0, 0.3


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


def _known(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _fact() -> float | None:
    made: float | None = field(default=None, converter=_known)
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
    metrics: dict[str, float | bool | None]
    data_missing: tuple[str, ...] = ()
    bot_name: str = BOT_NAME


def priority_of(
    action: Advice, position: GregPosition, selected: StrategyCode | None = None
) -> Priority:
    """Return how soon *action* should be done; a roll into what is *selected* anyway is medium."""
    is_losing = position.loss_pct is not None and position.loss_pct >= _HIGH_LOSS
    is_tilted = position.net_delta is not None and abs(position.net_delta) > _HIGH_DELTA
    if action is Advice.CLOSE or is_losing or is_tilted:
        return Priority.HIGH
    if action in (Advice.TAKE_PROFIT, Advice.ASSIGN, Advice.HEDGE):
        return Priority.MEDIUM
    if action is Advice.ROLL and selected is position.code:
        return Priority.MEDIUM
    return Priority.LOW
