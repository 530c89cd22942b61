"""The guard: every row of the table of states, as a walk through it."""

from datetime import datetime, timedelta

import pytest

from core.health.checks import Failure
from core.health.guard import (
    Guard,
    StartPolicy,
    StartStep,
    after_check,
    after_failure,
    after_release,
    after_tick,
    resumed,
    start_step,
)
from ports.decision_log import HealthState
from ports.errors import Severity
from tests.support.markets import NOW

TRANSIENT, DEGRADED, FATAL = (Failure(severity, f"{severity} cause") for severity in Severity)
SECOND = timedelta(seconds=1)


def checked(guard: Guard, *found: Failure | None, step_s: float = 30.0) -> Guard:
    """*guard* after checks that found this, *step_s* apart."""
    for number, failure in enumerate(found):
        guard = after_check(guard, failure, at(number * step_s))
    return guard


def at(seconds: float) -> datetime:
    """So many seconds after the beginning."""
    return NOW + seconds * SECOND


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ((None,), HealthState.OK),
        ((TRANSIENT,), HealthState.TRANSIENT),
        ((TRANSIENT, None), HealthState.OK),
        ((TRANSIENT, TRANSIENT), HealthState.TRANSIENT),
        ((TRANSIENT, TRANSIENT, TRANSIENT), HealthState.DEGRADED),
        ((TRANSIENT, TRANSIENT, None, TRANSIENT), HealthState.TRANSIENT),
        ((DEGRADED,), HealthState.DEGRADED),
        ((TRANSIENT, DEGRADED), HealthState.DEGRADED),
        ((DEGRADED, TRANSIENT), HealthState.DEGRADED),
        ((FATAL,), HealthState.FATAL),
        ((TRANSIENT, FATAL), HealthState.FATAL),
        ((DEGRADED, FATAL), HealthState.FATAL),
        ((FATAL, TRANSIENT), HealthState.FATAL),
        ((FATAL, DEGRADED), HealthState.FATAL),
        ((FATAL, None, None, None, None), HealthState.FATAL),
    ],
)
def test_findings_lead_to_a_state(found: tuple[Failure | None, ...], state: HealthState) -> None:
    """One failure that passes is TRANSIENT, three running are DEGRADED, FATAL stays."""
    assert checked(Guard(), *found).state is state


@pytest.mark.parametrize(
    ("clean_s", "state"),
    [
        ((0, 30), HealthState.DEGRADED),  # two are too few
        ((0, 60), HealthState.DEGRADED),
        ((0, 20, 59), HealthState.DEGRADED),  # three within less than a minute
        ((0, 30, 60), HealthState.OK),
        ((0, 1, 2, 3, 60), HealthState.OK),
        ((0, 300, 600), HealthState.OK),
    ],
)
def test_degraded_ends_after_three_clean_checks_over_a_minute(
    clean_s: tuple[float, ...], state: HealthState
) -> None:
    """Both are needed: three checks, and sixty seconds from the first to the last."""
    guard = after_failure(Guard(), DEGRADED)
    for seconds in clean_s:
        guard = after_check(guard, None, at(seconds))

    assert guard.state is state


@pytest.mark.parametrize("failure", [TRANSIENT, DEGRADED])
def test_any_failure_begins_the_count_anew(failure: Failure) -> None:
    """Clean checks in between do not add up."""
    guard = checked(after_failure(Guard(), DEGRADED), None, None, failure, None, None)

    assert guard.state is HealthState.DEGRADED
    assert after_check(guard, None, at(150)).state is HealthState.OK


def test_fatal_ends_by_a_person_and_a_clean_check() -> None:
    """Neither alone is enough; a new fatal finding latches again."""
    guard = after_failure(Guard(), FATAL)
    released = after_release(guard)

    assert released.state is HealthState.FATAL
    assert checked(released, TRANSIENT).state is HealthState.FATAL
    assert checked(released, TRANSIENT, None).state is HealthState.OK
    assert checked(released, FATAL, None).state is HealthState.FATAL


@pytest.mark.parametrize("guard", [Guard(), after_failure(Guard(), DEGRADED)])
def test_a_release_ends_nothing_but_fatal(guard: Guard) -> None:
    """What mends itself is not for a person to wave through."""
    assert after_release(guard) == guard


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Guard(), HealthState.OK),
        (after_failure(Guard(), TRANSIENT), HealthState.OK),
        (after_failure(Guard(), DEGRADED), HealthState.DEGRADED),
        (after_failure(Guard(), FATAL), HealthState.FATAL),
    ],
)
def test_a_quiet_tick_ends_only_what_passes_by_itself(before: Guard, after: HealthState) -> None:
    """The next success ends TRANSIENT; more takes checks."""
    assert after_tick(before, None).state is after


def test_failing_ticks_count_like_failing_checks() -> None:
    """Three ticks without an answer are DEGRADED, and the cause is told."""
    guard = Guard()
    for _ in range(3):
        guard = after_tick(guard, TRANSIENT)

    assert (guard.state, guard.cause) == (HealthState.DEGRADED, "transient cause")


@pytest.mark.parametrize("state", HealthState)
def test_a_restart_forgives_nothing(state: HealthState) -> None:
    """The state is that of the book; its way out is as long as before."""
    guard = resumed(state, "why")

    assert (guard.state, guard.clean, guard.is_released) == (state, 0, False)
    assert checked(resumed(HealthState.TRANSIENT, ""), TRANSIENT, TRANSIENT).state is (
        HealthState.DEGRADED
    )


ABORT, STAY = StartPolicy.ABORT, StartPolicy.STAY_PAUSED


@pytest.mark.parametrize(
    ("failure", "policy", "waited_s", "is_taken_up", "step"),
    [
        (None, ABORT, 0, True, StartStep.GO_ON),
        (None, STAY, 0, True, StartStep.GO_ON),
        (FATAL, ABORT, 0, True, StartStep.ABORT),
        (DEGRADED, ABORT, 0, True, StartStep.ABORT),
        (TRANSIENT, ABORT, 0, True, StartStep.RETRY),
        (TRANSIENT, ABORT, 59, False, StartStep.RETRY),
        (TRANSIENT, ABORT, 60, True, StartStep.ABORT),
        (FATAL, STAY, 0, True, StartStep.GO_ON),
        (DEGRADED, STAY, 0, True, StartStep.GO_ON),
        (TRANSIENT, STAY, 0, True, StartStep.GO_ON),
        (TRANSIENT, STAY, 0, False, StartStep.RETRY),
        (TRANSIENT, STAY, 60, False, StartStep.GO_ON),
    ],
)
def test_a_start_goes_on_tries_again_or_aborts(
    failure: Failure | None,
    policy: StartPolicy,
    waited_s: float,
    is_taken_up: bool,
    step: StartStep,
) -> None:
    """Mainnet aborts on what does not pass and waits a minute for the rest; others stay."""
    waited = waited_s * SECOND
    assert start_step(failure, policy, waited, is_taken_up=is_taken_up) is step
