"""What the venue's steps and the journal's entries add up to, counted in whole lots."""

from collections import Counter
from collections.abc import Sequence

from attrs import define, field

from ports.decision_log import Delivered, OrderUpdated, Sent
from ports.trading import Fill, Order, OrderIntent, OrderState
from ports.venue_log import VenueStep
from tests.support.events import UNLABELLED, Event

LOT = 0.1  # contracts, the amount step of every market that is simulated


def lots(amount: float) -> int:
    """
    *amount* in lots.

    Raises:
        ValueError: It is no whole number of them.
    """
    whole = round(amount / LOT)
    if abs(amount / LOT - whole) > 1e-6:
        raise ValueError(f"not a whole number of lots: {amount}")
    return whole


def whole_lots(amount: float) -> int:
    """The whole lots in *amount*."""
    return int(amount / LOT + 1e-9)


@define
class VenueFold:
    """Lots held by symbol, coin, and orders, as the venue's steps add up."""

    held: Counter[str] = field(factory=Counter)
    coin: float = 0.0
    orders: dict[str, Order] = field(factory=dict)  # by order_id
    by_hand: list[Fill] = field(factory=list)

    def take(self, step: VenueStep) -> None:
        """Change as *step* says."""
        self.coin += sum(deposit.amount_coin for deposit in step.deposits)
        for order in step.orders:
            self.orders[order.order_id] = order
        for fill in step.fills:
            self.held[fill.contract.symbol] += fill.side.sign * lots(fill.amount)
            self.coin -= fill.side.sign * fill.price * fill.amount + fill.fee_coin
            self.by_hand += [fill] if fill.label == UNLABELLED else []
        for delivery in step.deliveries:
            self.held[delivery.contract.symbol] -= lots(delivery.size)
            self.coin += delivery.cash_coin - delivery.fee_coin

    @property
    def labels(self) -> set[str]:
        """Every label the venue has seen."""
        return {order.label for order in self.orders.values() if order.label is not None}


@define
class Known:
    """One intent as the journal tells of it."""

    intent: OrderIntent
    state: OrderState = OrderState.SENT
    filled: int = 0  # lots the venue said were filled
    booked: int = 0  # lots of the trades that were told


@define
class JournalFold:
    """Lots held by symbol and orders by label, as the journal's entries add up."""

    held: Counter[str] = field(factory=Counter)
    orders: dict[str, Known] = field(factory=dict)
    trades: dict[str, Fill] = field(factory=dict)

    def take(self, entry: object) -> None:
        """Change as *entry* says."""
        if isinstance(entry, Sent):
            self.orders[entry.intent.label] = Known(entry.intent)
        elif isinstance(entry, OrderUpdated):
            self._update(entry)
        elif isinstance(entry, Delivered):
            symbol = entry.delivery.contract.symbol
            self.held[symbol] = 0  # all that anybody held of it in the account
            for known in self.orders.values():
                if known.intent.contract.symbol == symbol and not known.state.is_terminal:
                    known.state = OrderState.EXPIRED

    def _update(self, entry: OrderUpdated) -> None:
        known = self.orders[entry.label]
        if entry.state in FOLLOWS.get(known.state, ()):
            known.state = entry.state
        for fill in entry.fills:
            if fill.trade_id not in self.trades:
                self.trades[fill.trade_id] = fill
                self.held[fill.contract.symbol] += fill.side.sign * lots(fill.amount)
                known.booked += lots(fill.amount)
        known.filled = max(known.filled, lots(entry.filled_amount), known.booked)


_ENDS = {OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED}
_ANSWERS = _ENDS | {
    OrderState.OPEN,
    OrderState.PARTIAL,
    OrderState.REJECTED,
    OrderState.NOT_PLACED,
}
FOLLOWS: dict[OrderState, set[OrderState]] = {  # section 3 of the specification
    OrderState.SENT: _ANSWERS | {OrderState.UNKNOWN},
    OrderState.UNKNOWN: _ANSWERS,
    OrderState.OPEN: _ENDS | {OrderState.PARTIAL, OrderState.PENDING_CANCEL},
    OrderState.PARTIAL: _ENDS | {OrderState.PENDING_CANCEL},
    OrderState.PENDING_CANCEL: _ENDS,
}


def folds_of(history: Sequence[Event]) -> tuple[JournalFold, VenueFold]:
    """Both sides after all of *history*."""
    ours, theirs = JournalFold(), VenueFold()
    for event in history:
        if isinstance(event, VenueStep):
            theirs.take(event)
        else:
            ours.take(event)
    return ours, theirs
