"""
What must always be true of an agent and its venue, checked from what both wrote down.

Nothing of the program's own arithmetic is used here: only the values of the journal, the
venue's log and the wire, counted in whole lots.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from attrs import evolve, frozen

from ports.controls import RuntimeControls
from ports.decision_log import Alarm, Halted, OrderUpdated, Sent, Ticked
from ports.positions import Book
from ports.trading import Fill, OrderState, Side
from ports.venue_log import VenueStep
from tests.support.events import UNLABELLED, Event, Requested, Violation
from tests.support.folds import JournalFold, Known, VenueFold, folds_of, lots, whole_lots
from tests.support.traffic import Traffic, within_credits, without_secrets

_NEVER_PLACED = {OrderState.REJECTED, OrderState.NOT_PLACED, OrderState.DENIED}
_TICKS_TO_CANCEL = 2  # after a stop
_NEWS = timedelta(seconds=5)  # that a person's trade may be unknown: it is read of meanwhile


@frozen(kw_only=True)
class Bounds:
    """The limits that were set: sizes in lots."""

    expiry_lots: int
    calls: int
    requests_per_s: float
    request_burst: int


NO_TRAFFIC = Traffic()


def violations(
    history: Sequence[Event], bounds: Bounds, traffic: Traffic = NO_TRAFFIC
) -> tuple[Violation, ...]:
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
        *within_credits(traffic.asked),
        *without_secrets(traffic),
        *_converged(history),
    )


def _one_order_per_intent(history: Sequence[Event]) -> Iterator[Violation]:
    """I1: a label is written down once and has one order at most."""
    sent = Counter(event.intent.label for event in history if isinstance(event, Sent))
    ids = {
        (order.label, order.order_id)
        for event in history
        if isinstance(event, VenueStep)
        for order in event.orders
    }
    orders = Counter(label for label, _ in ids if label != UNLABELLED)
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
        elif isinstance(event, Requested) and event.label not in written:
            yield Violation("I2", f"{event.label} left before it was written down")
        elif isinstance(event, VenueStep):
            for order in event.orders:
                if order.label not in written and order.label != UNLABELLED:
                    yield Violation("I2", f"{order.label} is at the venue and was never written")


def _counted_once(history: Sequence[Event]) -> Iterator[Violation]:
    """I3: in the end the journal has the venue's trades, each as it was, and the same lots."""
    ours, theirs = folds_of(history)
    traded = {
        fill.trade_id: _as_told(fill)
        for event in history
        if isinstance(event, VenueStep)
        for fill in event.fills
        if fill.label != UNLABELLED
    }
    for trade_id in sorted(traded.keys() | ours.trades.keys()):
        if traded.get(trade_id) != ours.trades.get(trade_id):
            yield Violation("I3", f"trade {trade_id} is not booked as the venue has it")
    for symbol in sorted(theirs.held.keys() | ours.held.keys()):
        if theirs.held[symbol] != ours.held[symbol]:
            detail = f"{symbol}: the venue {theirs.held[symbol]} lots, we {ours.held[symbol]}"
            yield Violation("I3", detail)


def _as_told(fill: Fill) -> Fill:
    """*fill* as the venue tells it, whose instants have milliseconds."""
    return evolve(fill, at=fill.at.replace(microsecond=fill.at.microsecond // 1000 * 1000))


def _within_limits(history: Sequence[Event], bounds: Bounds) -> Iterator[Violation]:
    """I4: whenever an opening leaves, all that is short or may become so is within the limits."""
    ours, theirs = JournalFold(), VenueFold()
    for event in history:
        if isinstance(event, VenueStep):
            theirs.take(event)
        elif isinstance(event, Requested) and not event.reduce_only:
            yield from _over(event, _short(ours, theirs, event), theirs, bounds)
        else:
            ours.take(event)


def _short(ours: JournalFold, theirs: VenueFold, leaving: Requested) -> Counter[str]:
    """
    Lots short by symbol with all that works, is unresolved or is *leaving*.

    What was done by hand in the last moments nobody can know of yet.
    """
    known_until = leaving.at - _NEWS
    held = theirs.held.copy()
    for fill in theirs.by_hand:
        if fill.side is Side.SELL and fill.at > known_until:
            held[fill.contract.symbol] += lots(fill.amount)
    short = Counter({symbol: -size for symbol, size in held.items() if size < 0})
    for order in theirs.orders.values():
        if order.label == UNLABELLED and order.created_at > known_until:
            continue
        if order.side is Side.SELL and not order.reduce_only and order.label != leaving.label:
            short[order.contract.symbol] += lots(order.open_amount)
    for known in ours.orders.values():
        unresolved = not known.state.is_terminal and known.intent.label not in theirs.labels
        if unresolved and not known.intent.reduce_only and known.intent.label != leaving.label:
            short[known.intent.contract.symbol] += lots(known.intent.amount)
    short[leaving.symbol] += lots(leaving.amount)
    return short


def _over(
    leaving: Requested, short: Counter[str], theirs: VenueFold, bounds: Bounds
) -> Iterator[Violation]:
    total, coin = sum(short.values()), whole_lots(theirs.coin)
    day = leaving.symbol.split("-")[1]
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
        elif isinstance(event, Requested) and (killed or halted) and not event.reduce_only:
            yield Violation("I5", f"{event.label} left after a stop")


def lingering(history: Sequence[Event]) -> Iterator[Violation]:
    """I5, where the venue answers: within two ticks of a stop none of our openings works."""
    theirs, ticks = VenueFold(), None
    for event in history:
        if isinstance(event, VenueStep):
            theirs.take(event)
        elif isinstance(event, Halted) or (
            isinstance(event, RuntimeControls) and event.kill_switch
        ):
            ticks = 0 if ticks is None else ticks
        elif isinstance(event, RuntimeControls):
            ticks = None
        elif isinstance(event, Ticked) and ticks is not None:
            ticks += 1
            if ticks == _TICKS_TO_CANCEL:
                yield from _working_openings(theirs)


def _working_openings(theirs: VenueFold) -> Iterator[Violation]:
    for order in theirs.orders.values():
        if order.state.is_working and not order.reduce_only and order.label != UNLABELLED:
            yield Violation("I5", f"{order.label} works on after a stop")


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
    ours, theirs = folds_of(history)
    for label, known in ours.orders.items():
        if known.state in (OrderState.SENT, OrderState.UNKNOWN):
            yield Violation("I12", f"{label} is still {known.state}")
        if known.state.is_terminal and known.booked != known.filled:
            yield Violation("I12", f"{label} has {known.filled - known.booked} lots not booked")
    for order in theirs.orders.values():
        if order.state.is_working and not order.reduce_only:
            yield Violation("I12", f"{order.label} still works at the venue")
