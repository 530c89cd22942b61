"""
What must always be true of an agent and its venue, checked from what both wrote down.

Nothing of the program's own arithmetic is used here: only the values of the journal, the
venue's log and the wire, counted in whole lots.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from attrs import define, field, frozen

from ports.controls import RuntimeControls
from ports.decision_log import Alarm, Delivered, Entry, Halted, OrderUpdated, Sent
from ports.positions import Book
from ports.trading import Fill, Order, OrderIntent, OrderState, Side
from ports.venue_log import VenueStep

LOT = 0.1  # contracts, the amount step of every market that is simulated


@frozen
class Requested:
    """A placement left the process."""

    intent: OrderIntent


# All that happened, in the order in which it did: what was journaled, what left, what the venue
# did, what a person set, and what a process believed when it ended.
Event = Entry | Requested | VenueStep | RuntimeControls | Book


@frozen(kw_only=True)
class Bounds:
    """The limits that were set: sizes in lots."""

    expiry_lots: int
    calls: int
    requests_per_s: float
    request_burst: int


@frozen(order=True)
class Violation:
    """One broken invariant, by its number in the specification."""

    invariant: str
    detail: str


def violations(history: Sequence[Event], bounds: Bounds) -> tuple[Violation, ...]:
    """Every invariant that *history*, a whole life that ended in quiet, breaks."""
    return (
        *_one_order_per_intent(history),
        *_written_first(history),
        *_counted_once(history),
        *_within_limits(history, bounds),
        *_stopped(history),
        *_remembered(history),
        *_lawful(history),
        *_paced(history, bounds),
        *_converged(history),
    )


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


@define
class VenueFold:
    """Lots held by symbol, coin, and orders, as the venue's steps add up."""

    held: Counter[str] = field(factory=Counter)
    coin: float = 0.0
    orders: dict[str, Order] = field(factory=dict)  # by order_id

    def take(self, step: VenueStep) -> None:
        """Change as *step* says."""
        self.coin += sum(deposit.amount_coin for deposit in step.deposits)
        for order in step.orders:
            self.orders[order.order_id] = order
        for fill in step.fills:
            self.held[fill.contract.symbol] += fill.side.sign * lots(fill.amount)
            self.coin -= fill.side.sign * fill.price * fill.amount + fill.fee_coin
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
            self.held[symbol] -= lots(entry.delivery.size)
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
_NEVER_PLACED = {OrderState.REJECTED, OrderState.NOT_PLACED, OrderState.DENIED}


def _one_order_per_intent(history: Sequence[Event]) -> Iterator[Violation]:
    """I1: a label is written down once and has one order at most."""
    sent = Counter(event.intent.label for event in history if isinstance(event, Sent))
    ids = {
        (order.label, order.order_id)
        for event in history
        if isinstance(event, VenueStep)
        for order in event.orders
    }
    orders = Counter(label for label, _ in ids)
    for what, counts in (("intents", sent), ("orders", orders)):
        for label, count in sorted(counts.items(), key=str):
            if count > 1:
                yield Violation("I1", f"{label} has {count} {what}")


def _written_first(history: Sequence[Event]) -> Iterator[Violation]:
    """I2: nothing leaves, and nothing is at the venue, before its intent is written."""
    written: set[str] = set()
    for event in history:
        if isinstance(event, Sent):
            written.add(event.intent.label)
        elif isinstance(event, Requested) and event.intent.label not in written:
            yield Violation("I2", f"{event.intent.label} left before it was written down")
        elif isinstance(event, VenueStep):
            for order in event.orders:
                if order.label not in written:
                    yield Violation("I2", f"{order.label} is at the venue and was never written")


def _counted_once(history: Sequence[Event]) -> Iterator[Violation]:
    """I3: in the end the journal has the venue's trades, each as it was, and the same lots."""
    ours, theirs = _folds(history)
    traded = {
        fill.trade_id: fill
        for event in history
        if isinstance(event, VenueStep)
        for fill in event.fills
    }
    for trade_id in sorted(traded.keys() | ours.trades.keys()):
        if traded.get(trade_id) != ours.trades.get(trade_id):
            yield Violation("I3", f"trade {trade_id} is not booked as the venue has it")
    for symbol in sorted(theirs.held.keys() | ours.held.keys()):
        if theirs.held[symbol] != ours.held[symbol]:
            detail = f"{symbol}: the venue {theirs.held[symbol]} lots, we {ours.held[symbol]}"
            yield Violation("I3", detail)


def _within_limits(history: Sequence[Event], bounds: Bounds) -> Iterator[Violation]:
    """I4: whenever an opening leaves, all that is short or may become so is within the limits."""
    ours, theirs = JournalFold(), VenueFold()
    for event in history:
        if isinstance(event, VenueStep):
            theirs.take(event)
        elif isinstance(event, Requested) and not event.intent.reduce_only:
            yield from _over(event.intent, _short(ours, theirs, event.intent), theirs, bounds)
        else:
            ours.take(event)


def _short(ours: JournalFold, theirs: VenueFold, leaving: OrderIntent) -> Counter[str]:
    """Lots short by symbol with all that works, is unresolved or is *leaving*."""
    short = Counter({symbol: -held for symbol, held in theirs.held.items() if held < 0})
    for order in theirs.orders.values():
        if order.side is Side.SELL and not order.reduce_only and order.label != leaving.label:
            short[order.contract.symbol] += lots(order.open_amount)
    for known in ours.orders.values():
        unresolved = not known.state.is_terminal and known.intent.label not in theirs.labels
        if unresolved and not known.intent.reduce_only and known.intent.label != leaving.label:
            short[known.intent.contract.symbol] += lots(known.intent.amount)
    short[leaving.contract.symbol] += lots(leaving.amount)
    return short


def _over(
    leaving: OrderIntent, short: Counter[str], theirs: VenueFold, bounds: Bounds
) -> Iterator[Violation]:
    total, coin = sum(short.values()), int(theirs.coin / LOT + 1e-9)
    day = leaving.contract.symbol.split("-")[1]
    same_day = sum(size for symbol, size in short.items() if symbol.split("-")[1] == day)
    if total > coin:
        yield Violation("I4", f"{leaving.label}: {total} lots short over {coin} of coin")
    if same_day > bounds.expiry_lots:
        yield Violation("I4", f"{leaving.label}: {same_day} lots short on {day}")
    if len(+short) > bounds.calls:
        yield Violation("I4", f"{leaving.label}: short of {len(+short)} calls")


def _stopped(history: Sequence[Event]) -> Iterator[Violation]:
    """I5: once stopped, nothing that can raise risk leaves until a person releases it."""
    killed, halted, releases = False, False, 0
    for event in history:
        if isinstance(event, RuntimeControls):
            killed = event.kill_switch
            halted = halted and event.releases == releases
            releases = event.releases
        elif isinstance(event, Halted):
            halted = True
        elif isinstance(event, Requested) and (killed or halted) and not event.intent.reduce_only:
            yield Violation("I5", f"{event.intent.label} left after a stop")


def _remembered(history: Sequence[Event]) -> Iterator[Violation]:
    """I6: what a process believed when it ended is what the journal says."""
    ours = JournalFold()
    for event in history:
        if not isinstance(event, Book):
            ours.take(event)
            continue
        believed: Counter[str] = Counter()
        for position in event.positions.values():
            for leg in position.legs:
                believed[leg.contract.symbol] += lots(leg.size)
        for symbol in sorted(believed.keys() | ours.held.keys()):
            if believed[symbol] != ours.held[symbol]:
                detail = f"{symbol}: believed {believed[symbol]} lots, told {ours.held[symbol]}"
                yield Violation("I6", detail)
        for label, record in event.orders.items():
            told = ours.orders[label].state if label in ours.orders else None
            if record.state is not told:
                yield Violation("I6", f"{label}: believed {record.state}, told {told}")


def _lawful(history: Sequence[Event]) -> Iterator[Violation]:
    """I7: an end is final and true, and a trade after it is booked with an alarm."""
    ours, theirs, before = JournalFold(), VenueFold(), None
    for event in history:
        if isinstance(event, VenueStep):
            theirs.take(event)
            continue
        if isinstance(event, OrderUpdated):
            yield from _broken_law(event, ours.orders[event.label], theirs, before)
        ours.take(event)
        before = event
    for label, known in ours.orders.items():
        if known.state in _NEVER_PLACED and label in theirs.labels:
            yield Violation("I7", f"{label} is {known.state}, and the venue has it")


def _broken_law(
    event: OrderUpdated, known: Known, theirs: VenueFold, before: Event | None
) -> Iterator[Violation]:
    if known.state.is_terminal and event.state is not known.state:
        yield Violation("I7", f"{event.label}: {event.state} after {known.state}")
    late = known.state.is_terminal and event.fills and known.booked >= known.filled
    if late and not (isinstance(before, Alarm) and before.detail == event.label):
        yield Violation("I7", f"{event.label}: a late trade without an alarm")
    if event.state in _NEVER_PLACED and event.label in theirs.labels:
        yield Violation("I7", f"{event.label} is said {event.state}, and the venue has it")


def _paced(history: Sequence[Event], bounds: Bounds) -> Iterator[Violation]:
    """I8: intents leave no faster than the throttle lets them."""
    sent = [event.at for event in history if isinstance(event, Sent)]
    level = float(bounds.request_burst)
    for earlier, later in pairwise(sent):
        refill = (later - earlier) / timedelta(seconds=1) * bounds.requests_per_s
        level = min(level - 1.0 + refill, bounds.request_burst)
        if level < 1.0 - 1e-9:
            yield Violation("I8", f"too many requests at {later:%d %b %H:%M:%S}")


def _converged(history: Sequence[Event]) -> Iterator[Violation]:
    """I12: in the end nothing is unresolved, nothing that opens works, no trade is missing."""
    ours, theirs = _folds(history)
    for label, known in ours.orders.items():
        if known.state in (OrderState.SENT, OrderState.UNKNOWN):
            yield Violation("I12", f"{label} is still {known.state}")
        if known.state.is_terminal and known.booked != known.filled:
            yield Violation("I12", f"{label} has {known.filled - known.booked} lots not booked")
    for order in theirs.orders.values():
        if order.state.is_working and not order.reduce_only:
            yield Violation("I12", f"{order.label} still works at the venue")


def _folds(history: Sequence[Event]) -> tuple[JournalFold, VenueFold]:
    ours, theirs = JournalFold(), VenueFold()
    for event in history:
        if isinstance(event, VenueStep):
            theirs.take(event)
        else:
            ours.take(event)
    return ours, theirs
