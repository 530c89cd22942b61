"""What can go wrong, as values: a Fault, and the Course of one request under it."""

from datetime import datetime, timedelta
from enum import StrEnum, auto
from fnmatch import fnmatchcase

from attrs import evolve, field, frozen

from ports.checks import utc


class FaultKind(StrEnum):
    """
    Everything that can be made to go wrong.

    Those of requests happen to a number of them, those of spans hold for a while. `span` is of
    the fault: how long a request waits, or how long it holds.
    """

    # Of requests, on their way in.
    DELAYED = auto()  # arrives after span: a client may long be gone when it is processed
    CONNECTION_REFUSED = auto()  # never connected; over an open socket the same as DROPPED
    DROPPED = auto()  # the connection ends before anything is processed
    TURNED_AWAY = auto()  # HTTP 429 without an answer in it
    TOO_MANY_REQUESTS = auto()  # 10028; over websocket the session ends
    ERROR = auto()  # not processed, answered with code
    SERVER_ERROR = auto()  # not processed, HTTP status code (500, 502, 503) and an HTML body
    DOUBLED = auto()  # arrives twice, is processed twice, and answered once
    TOKENS_LOST = auto()  # every session has ended
    CANCEL_TOO_LATE = auto()  # what works is filled just before the request is processed
    # Of requests that were processed, on the way out.
    ANSWER_LOST = auto()  # the connection ends without an answer
    ANSWER_LATE = auto()  # the answer comes after span
    ANSWER_REORDERED = auto()  # after span, behind others; over HTTP it is that of another request
    ANSWER_DOUBLED = auto()  # told twice; over HTTP as REORDERED
    TRUNCATED = auto()  # half of the body
    FOREIGN = auto()  # HTML with status 200
    WRONG_ID = auto()
    RESULT_AND_ERROR = auto()  # both in one answer
    NO_RESULT_NO_ERROR = auto()  # neither
    ERROR_AFTER = auto()  # processed, but answered with code
    SERVER_ERROR_AFTER = auto()  # processed, but HTTP status code and an HTML body
    # Of spans: of the interface.
    OUTAGE = auto()  # nothing answers or connects, while the market goes on: fills, expiries
    MAINTENANCE = auto()  # 11051, or code
    SETTLING = auto()  # 10041, or code
    TRADES_LAG = auto()  # lists of trades come without those of the last `lag`
    ORDERS_LAG = auto()  # lists of orders come without those of the last `lag`
    ORDER_STATES_LAG = auto()  # orders are told as they were when they were placed
    # Of spans: of the market and the clock.
    THIN = auto()  # no quote holds more than the smallest amount: orders fill in parts
    DELISTED = auto()  # `instrument` is not listed
    CLOCK_SKEWED = auto()  # the clock is ahead by `offset`: it jumps there, and back at the end


@frozen(kw_only=True)
class Fault:
    """
    One thing that goes wrong.

    *method* is a pattern such as private/buy or private/*. A fault of requests happens to
    *times* of them, after *skip* that it lets pass; one of spans holds for *span*. *starts_at*
    is by the true clock; None is from its arming on. *code* is an error code or HTTP status,
    None the kind's own.
    """

    kind: FaultKind
    method: str = "*"
    times: int = 1
    skip: int = 0
    span: timedelta = timedelta(0)
    starts_at: datetime | None = field(default=None)
    code: int | None = None
    lag: timedelta = timedelta(0)
    offset: timedelta = timedelta(0)
    instrument: str = ""

    @starts_at.validator
    def _starts_in_utc(self, attribute: object, value: datetime | None) -> None:
        if value is not None:
            utc(self, attribute, value)  # type: ignore[arg-type]

    @property
    def is_of_span(self) -> bool:
        """Whether it holds for a while, and not for a number of requests."""
        return self.kind in SPANS

    def is_about(self, method: str) -> bool:
        """Whether it can happen to a request for *method*."""
        return fnmatchcase(method, self.method)

    def holds(self, now: datetime) -> bool:
        """Whether a fault of spans is on at *now*; its start must be known."""
        return self.starts_at is not None and self.starts_at <= now < self.starts_at + self.span


class Trick(StrEnum):
    """What is done to the exchange before a request is processed."""

    END_SESSIONS = auto()
    FILL_WORKING = auto()


class Body(StrEnum):
    """What is done to the bytes of an answer."""

    TRUNCATED = auto()
    FOREIGN = auto()
    WRONG_ID = auto()
    RESULT_AND_ERROR = auto()
    NO_RESULT_NO_ERROR = auto()


class Cut(StrEnum):
    """How a connection ends without an answer."""

    REFUSED = auto()  # it never was
    DROPPED = auto()  # it was there, and is gone
    TIMED_OUT = auto()  # the client waits no longer


class View(StrEnum):
    """What is left out of the answers to reads."""

    NEW_TRADES = auto()
    NEW_ORDERS = auto()
    NEW_STATES = auto()


@frozen
class Lag:
    """A view that is behind by *by*."""

    view: View
    by: timedelta


@frozen(kw_only=True)
class Course:
    """
    What becomes of one request, in this order.

    It arrives after *arrives_after_s*, *trick* is played, it is processed *runs* times, and
    after *answers_after_s* it is *cut*, or answered with *code*, with HTTP *status* and HTML,
    or with what came of it, changed as *body* and *lags* say, *copies* times.
    """

    arrives_after_s: float = 0.0
    trick: Trick | None = None
    runs: int = 1
    answers_after_s: float = 0.0
    cut: Cut | None = None
    code: int | None = None
    status: int | None = None
    body: Body | None = None
    lags: tuple[Lag, ...] = ()
    copies: int = 1
    is_overtaken: bool = False  # other answers may go first


PLAIN = Course()


def course_of(fault: Fault) -> Course:
    """What *fault* makes of a request that it happens to."""
    course = _COURSES[fault.kind]
    seconds = fault.span.total_seconds()
    if fault.kind is FaultKind.DELAYED:
        return evolve(course, arrives_after_s=seconds)
    if fault.kind in (FaultKind.ANSWER_LATE, FaultKind.ANSWER_REORDERED):
        return evolve(course, answers_after_s=seconds)
    if fault.kind in _LAGS:
        return evolve(course, lags=(Lag(_LAGS[fault.kind], fault.lag),))
    if fault.code is not None and course.code is not None:
        return evolve(course, code=fault.code)
    if fault.code is not None and course.status is not None:
        return evolve(course, status=fault.code)
    return course


SPANS = frozenset(
    {
        FaultKind.OUTAGE,
        FaultKind.MAINTENANCE,
        FaultKind.SETTLING,
        FaultKind.TRADES_LAG,
        FaultKind.ORDERS_LAG,
        FaultKind.ORDER_STATES_LAG,
        FaultKind.THIN,
        FaultKind.DELISTED,
        FaultKind.CLOCK_SKEWED,
    }
)
_LAGS = {
    FaultKind.TRADES_LAG: View.NEW_TRADES,
    FaultKind.ORDERS_LAG: View.NEW_ORDERS,
    FaultKind.ORDER_STATES_LAG: View.NEW_STATES,
}
_COURSES = {
    FaultKind.DELAYED: Course(),
    FaultKind.CONNECTION_REFUSED: Course(runs=0, cut=Cut.REFUSED),
    FaultKind.DROPPED: Course(runs=0, cut=Cut.DROPPED),
    FaultKind.TURNED_AWAY: Course(runs=0, status=429),
    FaultKind.TOO_MANY_REQUESTS: Course(runs=0, code=10028),
    FaultKind.ERROR: Course(runs=0, code=11094),
    FaultKind.SERVER_ERROR: Course(runs=0, status=503),
    FaultKind.DOUBLED: Course(runs=2),
    FaultKind.TOKENS_LOST: Course(trick=Trick.END_SESSIONS),
    FaultKind.CANCEL_TOO_LATE: Course(trick=Trick.FILL_WORKING),
    FaultKind.ANSWER_LOST: Course(cut=Cut.DROPPED),
    FaultKind.ANSWER_LATE: Course(),
    FaultKind.ANSWER_REORDERED: Course(is_overtaken=True),
    FaultKind.ANSWER_DOUBLED: Course(copies=2),
    FaultKind.TRUNCATED: Course(body=Body.TRUNCATED),
    FaultKind.FOREIGN: Course(body=Body.FOREIGN),
    FaultKind.WRONG_ID: Course(body=Body.WRONG_ID),
    FaultKind.RESULT_AND_ERROR: Course(body=Body.RESULT_AND_ERROR),
    FaultKind.NO_RESULT_NO_ERROR: Course(body=Body.NO_RESULT_NO_ERROR),
    FaultKind.ERROR_AFTER: Course(code=13888),
    FaultKind.SERVER_ERROR_AFTER: Course(status=502),
    FaultKind.OUTAGE: Course(runs=0, cut=Cut.REFUSED),
    FaultKind.MAINTENANCE: Course(runs=0, code=11051),
    FaultKind.SETTLING: Course(runs=0, code=10041),
    FaultKind.TRADES_LAG: Course(),
    FaultKind.ORDERS_LAG: Course(),
    FaultKind.ORDER_STATES_LAG: Course(),
    FaultKind.THIN: Course(),
    FaultKind.DELISTED: Course(),
    FaultKind.CLOCK_SKEWED: Course(),
}
