"""Faults: those that are armed, and what becomes of each request under them."""

from datetime import datetime, timedelta

from attrs import define, evolve, field, frozen

from apps.exchange.faults.drawn import Draws
from apps.exchange.faults.kinds import PLAIN, Course, Fault, FaultKind, course_of
from ports.clock import Clock

_NONE = timedelta()


@frozen
class Happened:
    """A fault that happened to a request."""

    at: datetime
    method: str
    fault: Fault


@define(eq=False)
class Faults:
    """
    The faults of one exchange.

    *clock* is the true one: faults begin and end by it, whatever the exchange's own clock is
    made to show. *draws* adds faults by chance, request by request.
    """

    clock: Clock
    draws: Draws | None = None
    happened: list[Happened] = field(factory=list, init=False)
    _armed: list[Fault] = field(factory=list, init=False)
    _skews: list[Fault] = field(factory=list, init=False)  # of them; every look at the clock asks

    @property
    def armed(self) -> tuple[Fault, ...]:
        """What can still happen, or holds, oldest first."""
        return tuple(self._armed)

    def arm(self, *faults: Fault) -> None:
        """Let *faults* happen; those without a start begin now."""
        now = self.clock.now()
        begun = [
            fault if fault.starts_at is not None else evolve(fault, starts_at=now)
            for fault in faults
        ]
        self._keep([*self._armed, *begun])

    def calm(self) -> None:
        """From here on nothing goes wrong."""
        self._keep([])
        self.draws = None

    def course(self, method: str) -> Course:
        """
        What becomes of the request for *method* that arrives now; it counts as one.

        An outage comes before everything else, then other spans without an answer, then the
        first armed fault of requests. Lists lag besides whatever else happens.
        What is not the venue's, such as paper/faults, always works.
        """
        if method.startswith("paper/"):
            return PLAIN
        now = self.clock.now()
        if self.draws is not None:
            self.arm(*self.draws.next(method))
        if not any(_has_begun(each, now) for each in self._armed):
            return PLAIN
        self._keep([each for each in self._armed if not _is_over(each, now)])
        holding = [each for each in self._holding(now) if each.is_about(method)]
        spans = [each for each in holding if course_of(each).runs == 0]
        lagging = [each for each in holding if course_of(each).lags and _is_read(method)]
        spans.sort(key=lambda each: each.kind is not FaultKind.OUTAGE)
        fault = spans[0] if spans else self._next_of_requests(method, now)
        for each in (*lagging, *([] if fault is None else [fault])):
            self.happened.append(Happened(now, method, each))
        course = PLAIN if fault is None else course_of(fault)
        if not lagging:
            return course
        return evolve(course, lags=tuple(lag for each in lagging for lag in course_of(each).lags))

    def holding(self, kind: FaultKind) -> tuple[Fault, ...]:
        """The faults of *kind* that hold now."""
        return tuple(each for each in self._holding(self.clock.now()) if each.kind is kind)

    @property
    def offset(self) -> timedelta:
        """How far the exchange's clock is ahead now."""
        if not self._skews:
            return _NONE
        now = self.clock.now()
        return sum((each.offset for each in self._skews if each.holds(now)), _NONE)

    def _keep(self, armed: list[Fault]) -> None:
        self._armed = armed
        self._skews = [each for each in armed if each.kind is FaultKind.CLOCK_SKEWED]

    def _holding(self, now: datetime) -> list[Fault]:
        return [each for each in self._armed if each.is_of_span and each.holds(now)]

    def _next_of_requests(self, method: str, now: datetime) -> Fault | None:
        for row, fault in enumerate(self._armed):
            if fault.is_of_span or not _has_begun(fault, now) or not fault.is_about(method):
                continue
            if fault.skip > 0:
                self._armed[row] = evolve(fault, skip=fault.skip - 1)
                continue
            self._armed[row] = evolve(fault, times=fault.times - 1)
            return fault
        return None


def _has_begun(fault: Fault, now: datetime) -> bool:
    return fault.starts_at is not None and fault.starts_at <= now


def _is_over(fault: Fault, now: datetime) -> bool:
    if not fault.is_of_span:
        return fault.times <= 0
    return fault.starts_at is not None and fault.starts_at + fault.span <= now


def _is_read(method: str) -> bool:
    return method.startswith("private/get_")
