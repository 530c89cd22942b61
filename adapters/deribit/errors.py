"""The venue's error codes in our words: for what may be repeated, and for what may not."""

from attrs import frozen

from ports.errors import (
    OutcomeUnknown,
    PortError,
    RateLimited,
    Refused,
    Unauthorised,
    Unavailable,
)


@frozen
class VenueError:
    """
    An error as the venue told it.

    *code* is the venue's; an HTTP status stands in where a body told none. *message* is for
    people only: nothing is ever decided by it.
    """

    code: int
    message: str


@frozen
class Meaning:
    """What a code says: of a read or a cancel, and of an order that may now exist or not."""

    of_read: type[PortError]
    of_submit: type[PortError]


FINAL = Meaning(Refused, Refused)
LATER = Meaning(Unavailable, Refused)  # turned away at the door; asking again later may help
SLOW_DOWN = Meaning(RateLimited, Refused)
NO_ACCESS = Meaning(Unauthorised, Refused)  # nothing was placed; the next read stops the agent
AMBIGUOUS = Meaning(Unavailable, OutcomeUnknown)  # it may have been carried out all the same
NOT_IN_THE_TABLE = Meaning(Refused, OutcomeUnknown)

TOKEN_CODES = frozenset({10000, 13009})  # what a new token may mend


def read_error(method: str, error: VenueError) -> PortError:
    """Return what *error* is when *method* may be repeated."""
    return _error(MEANINGS.get(error.code, NOT_IN_THE_TABLE).of_read, method, error)


def submit_error(method: str, error: VenueError) -> PortError:
    """Return what *error* is when *method* places an order: Refused or OutcomeUnknown."""
    return _error(MEANINGS.get(error.code, NOT_IN_THE_TABLE).of_submit, method, error)


def _error(kind: type[PortError], method: str, error: VenueError) -> PortError:
    if kind is Refused:
        return Refused(error.code, f"{error.message} ({method})")
    return kind(f"{method}: {error.code} {error.message}")


# Every code of the error article, by what it means to us; HTTP statuses stand below 1000.
_FINAL = (
    *(400, -32700, -32600, -32601, -32602, -32000),
    *(10002, 10003, 10004, 10005, 10006, 10007, 10008, 10009, 10010, 10011, 10012),
    *(10013, 10014, 10015, 10016, 10017, 10018, 10020, 10021, 10022, 10023, 10024),
    *(10025, 10026, 10027, 10029, 10030, 10031, 10032, 10033, 10034, 10035, 10036),
    *(10037, 10038, 10039, 10043, 10044, 10045, 10046, 10048, 10049),
    *(11008, 11021, 11029, 11030, 11031, 11035, 11036, 11037, 11038, 11039, 11041),
    *(11043, 11044, 11046, 11047, 11048, 11049, 11050, 11052, 11054, 11055),
    *(13010, 13016, 13019, 13020, 13030, 13032, 13040, 13042, 13043),
)
_LATER = (10019, 11056, 13025)
_SLOW_DOWN = (429, 10028, 10066)
_NO_ACCESS = (401, 403, 10000, 11042, 13004, 13009, 13021, 13778)
_AMBIGUOUS = (10001, 10040, 10041, 10047, 11051, 11094, 13028, 13503, 13666, 13777, 13888)

MEANINGS = {
    **dict.fromkeys(_FINAL, FINAL),
    **dict.fromkeys(_LATER, LATER),
    **dict.fromkeys(_SLOW_DOWN, SLOW_DOWN),
    **dict.fromkeys(_NO_ACCESS, NO_ACCESS),
    **dict.fromkeys(_AMBIGUOUS, AMBIGUOUS),
}
