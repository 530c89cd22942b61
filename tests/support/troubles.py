"""What can go wrong on the agent's side of the wire, and what a person may do meanwhile."""

from datetime import timedelta
from enum import StrEnum, auto

from attrs import frozen


class Kind(StrEnum):
    """What happens."""

    # To the process, at the count-th record or request from then on.
    CRASH_BEFORE_RECORD = auto()
    CRASH_AFTER_RECORD = auto()
    CRASH_BEFORE_REQUEST = auto()
    CRASH_AFTER_REQUEST = auto()  # the venue has it, and nobody hears the answer
    DISK_FULL = auto()  # a record cannot be written; a person makes room and starts again
    FROZEN = auto()  # stopped for span in the middle of a request, while the world goes on
    # At an instant.
    STOPPED = auto()  # in good order, and started again
    CLOCK_SET = auto()  # the agent's clock jumps by span, and back after twenty minutes
    KILLED = auto()  # a person sets the kill switch, and releases it after span
    KILLED_BY_FILE = auto()  # as a file beside the journal
    KILLED_BY_DRAWDOWN = auto()  # a person bears no fall of equity any more, for span
    TRADED_BY_HAND = auto()  # a person sells a call, and buys it back after span
    ORDERED_BY_HAND = auto()  # a person lets an order work, and cancels it after span


RECORDS = frozenset({Kind.CRASH_BEFORE_RECORD, Kind.CRASH_AFTER_RECORD, Kind.DISK_FULL})
REQUESTS = frozenset({Kind.CRASH_BEFORE_REQUEST, Kind.CRASH_AFTER_REQUEST, Kind.FROZEN})


@frozen(kw_only=True)
class Mishap:
    """One thing that happens *after* tick number *tick* was due, or from then on."""

    tick: int
    kind: Kind
    after: timedelta = timedelta(0)
    count: int = 1
    span: timedelta = timedelta(0)
