"""How an order moves, how it is called, and what an error of the venue says of it."""

from datetime import datetime

from ports.trading import OrderState

STRATEGY_ID_LIMIT = 20  # characters, so that every label fits the venue's 64

_OPENED = frozenset(
    {
        OrderState.PARTIAL,
        OrderState.FILLED,
        OrderState.PENDING_CANCEL,
        OrderState.CANCELLED,
        OrderState.EXPIRED,
    }
)
_ANY_OUTCOME = frozenset(
    {
        OrderState.OPEN,
        OrderState.PARTIAL,
        OrderState.FILLED,
        OrderState.CANCELLED,
        OrderState.EXPIRED,
        OrderState.REJECTED,
        OrderState.NOT_PLACED,
    }
)
NEXT: dict[OrderState, frozenset[OrderState]] = {
    OrderState.SENT: _ANY_OUTCOME | {OrderState.UNKNOWN},
    OrderState.UNKNOWN: _ANY_OUTCOME,
    OrderState.OPEN: _OPENED,
    OrderState.PARTIAL: _OPENED - {OrderState.PARTIAL},
    OrderState.PENDING_CANCEL: frozenset(
        {OrderState.CANCELLED, OrderState.FILLED, OrderState.EXPIRED}
    ),
}


def moved(current: OrderState, reported: OrderState) -> OrderState:
    """
    The state after *reported* was heard of an order in *current*.

    Reports come late and in any order: one that cannot follow changes nothing, and a
    terminal state is final.
    """
    return reported if reported in NEXT.get(current, frozenset()) else current


def label_of(strategy_id: str, at: datetime, counter: int, leg: str) -> str:
    """
    The label of the *counter*-th intent, unique for ever: 64 ASCII characters at most.

    >>> from datetime import UTC
    >>> label_of("covered_call_v1", datetime(2026, 1, 2, 9, 18, tzinfo=UTC), 12, "open")
    'covered_call_v1.20260102T091800000000Z.000012.open'
    """
    return f"{strategy_id}.{at:%Y%m%dT%H%M%S%f}Z.{counter:06d}.{leg}"


def strategy_of(label: str) -> str:
    """The strategy that *label* names."""
    return label.split(".", 1)[0]
