"""What a life consists of, and what is said of it: the words of the simulation's checkers."""

from datetime import datetime

from attrs import frozen

from ports.controls import RuntimeControls
from ports.decision_log import Entry
from ports.positions import Book
from ports.venue_log import VenueStep

UNLABELLED = "(no label)"  # what the venue keeps of an order that is not ours


@frozen
class Requested:
    """An order left the process, as its bytes say."""

    at: datetime
    label: str
    symbol: str
    amount: float
    reduce_only: bool


# All that happened, in the order in which it did: what was journaled, what left, what the venue
# did, what a person set, and what a process believed when it ended.
Event = Entry | Requested | VenueStep | RuntimeControls | Book


@frozen(order=True)
class Violation:
    """One broken invariant, by its number in the specification."""

    invariant: str
    detail: str
