"""What became of a hedge, and the newest of them."""

from collections import deque
from collections.abc import Iterable

from attrs import define, field, frozen

from core.greg.hedging import HedgeOrder

HISTORY_SHOWN, STATUS_SHOWN = 50, 20
_LABEL, _LABEL_ID = "hedge_", 20  # characters of the position's id


@frozen(kw_only=True)
class HedgeResult:
    """One hedge: *success* without *executed* is a dry run."""

    order: HedgeOrder
    success: bool
    executed: bool
    dry_run: bool
    message: str
    order_id: str | None = None
    error: str | None = None

    @property
    def label(self) -> str:
        """What the hedge is called: by the beginning of its position's id."""
        return f"{_LABEL}{self.order.strategy_position_id[:_LABEL_ID]}"


def simulated(order: HedgeOrder) -> HedgeResult:
    """The result of *order* in a dry run: noted, and nothing sent."""
    return HedgeResult(
        order=order,
        success=True,
        executed=False,
        dry_run=True,
        message=f"dry run: would {order.side} {order.size:g} of {order.instrument}",
    )


def acknowledged(order: HedgeOrder, order_id: str) -> HedgeResult:
    """The result of *order* once the venue has filled it as *order_id*."""
    return HedgeResult(
        order=order,
        success=True,
        executed=True,
        dry_run=False,
        message=f"{order.side} {order.size:g} of {order.instrument}",
        order_id=order_id,
    )


def failed(order: HedgeOrder, error: str) -> HedgeResult:
    """The result of *order* that the venue, or the lack of one, kept from being carried out."""
    return HedgeResult(
        order=order,
        success=False,
        executed=False,
        dry_run=False,
        message=f"not hedged: {error}",
        error=error,
    )


@define(eq=False)
class HedgeHistory:
    """The newest results, kept in memory as long as the process lives."""

    _kept: deque[HedgeResult] = field(factory=lambda: deque(maxlen=1000), init=False)

    def add(self, results: Iterable[HedgeResult]) -> None:
        """Keep *results*, which come oldest first."""
        self._kept.extendleft(results)

    def newest(self, limit: int = HISTORY_SHOWN) -> tuple[HedgeResult, ...]:
        """Return at most *limit* results, the newest first."""
        return tuple(self._kept)[:limit]
