"""The health guard: what checks and ticks found, as one state that pauses new risk or does not."""

from datetime import datetime, timedelta
from enum import StrEnum

from attrs import evolve, field, frozen

from core.health.checks import Failure
from ports.decision_log import HealthState
from ports.errors import Severity

FAILURES_IN_A_ROW = 3  # transient ones that are DEGRADED together
CLEAN_IN_A_ROW = 3  # clean checks that end DEGRADED, over
CLEAN_FOR = timedelta(seconds=60)
START_FOR = timedelta(seconds=60)  # a start is tried again while its failures pass


class StartPolicy(StrEnum):
    """What a start does that is not healthy."""

    ABORT = "abort"  # mainnet: the process ends
    STAY_PAUSED = "stay_paused"  # testnet and paper: it stays, so that a person can see why


class StartStep(StrEnum):
    """What a start does next."""

    GO_ON = "go_on"
    RETRY = "retry"
    ABORT = "abort"


@frozen(kw_only=True)
class HealthParams:
    """
    How health is watched.

    *recheck_every* None is never while all is well; *market_age* None is a recording.
    """

    start_policy: StartPolicy = StartPolicy.STAY_PAUSED
    checks_on_start: bool = True
    recheck_every: timedelta | None = timedelta(seconds=600)
    is_pausing: bool = True  # whether DEGRADED pauses new risk; FATAL always does
    market_age: timedelta | None = timedelta(seconds=30)
    skew_warned: timedelta = timedelta(seconds=2)
    check_within: timedelta = timedelta(seconds=5)  # of the event loop: a later result is none


@frozen(kw_only=True)
class Guard:
    """The state, why it is so, and what has been seen on the way to the next one."""

    state: HealthState = HealthState.OK
    cause: str = ""
    failures: int = 0  # transient ones in a row
    clean: int = 0  # clean checks in a row since it is DEGRADED
    clean_since: datetime | None = field(default=None)
    is_released: bool = False  # a person has released the FATAL

    @property
    def is_well(self) -> bool:
        """Whether nothing is left to look after."""
        return self.state is HealthState.OK


def resumed(state: HealthState, cause: str) -> Guard:
    """The guard of a process that finds *state* in its book: nothing is forgiven by a restart."""
    return Guard(state=state, cause=cause, failures=int(state is HealthState.TRANSIENT))


def after_check(guard: Guard, failure: Failure | None, at: datetime) -> Guard:
    """The guard after a check that found *failure*, or nothing."""
    if failure is not None:
        return after_failure(guard, failure)
    if guard.state is HealthState.DEGRADED:
        since = at if guard.clean_since is None else guard.clean_since
        guard = evolve(guard, failures=0, clean=guard.clean + 1, clean_since=since)
        is_over = guard.clean >= CLEAN_IN_A_ROW and at - since >= CLEAN_FOR
        return Guard(cause="three clean checks") if is_over else guard
    if guard.state is HealthState.FATAL:
        return Guard(cause="released, and a clean check") if guard.is_released else guard
    return Guard(cause="a clean check" if guard.failures else "")


def after_tick(guard: Guard, failure: Failure | None) -> Guard:
    """
    The guard after a tick that met *failure*, or nothing.

    A tick that met nothing ends what passes by itself; more takes clean checks.
    """
    if failure is not None:
        return after_failure(guard, failure)
    if guard.state is HealthState.TRANSIENT:
        return Guard(cause="a tick without failure")
    return evolve(guard, failures=0)


def after_failure(guard: Guard, failure: Failure) -> Guard:
    """The guard after *failure*: it never gets better by one."""
    if failure.severity is Severity.FATAL:
        return Guard(state=HealthState.FATAL, cause=failure.cause)
    guard = evolve(guard, clean=0, clean_since=None)
    if guard.state is HealthState.FATAL:
        return guard
    is_transient = failure.severity is Severity.TRANSIENT
    failures = guard.failures + 1 if is_transient else 0
    if guard.state is HealthState.DEGRADED:
        return evolve(guard, failures=failures)
    if is_transient and failures < FAILURES_IN_A_ROW:
        return Guard(state=HealthState.TRANSIENT, cause=failure.cause, failures=failures)
    return Guard(state=HealthState.DEGRADED, cause=failure.cause, failures=failures)


def after_release(guard: Guard) -> Guard:
    """The guard after a person ended a halt with a reason: FATAL now waits for a clean check."""
    return evolve(guard, is_released=True) if guard.state is HealthState.FATAL else guard


def start_step(
    failure: Failure | None, policy: StartPolicy, waited: timedelta, *, is_taken_up: bool
) -> StartStep:
    """
    What a start that met *failure* does, *waited* after it began.

    What passes is tried again for a minute: always until the book is taken up, and on mainnet
    until it is healthy too.
    """
    if failure is None:
        return StartStep.GO_ON
    aborts = policy is StartPolicy.ABORT
    if (
        failure.severity is Severity.TRANSIENT
        and waited < START_FOR
        and (aborts or not is_taken_up)
    ):
        return StartStep.RETRY
    return StartStep.ABORT if aborts else StartStep.GO_ON
