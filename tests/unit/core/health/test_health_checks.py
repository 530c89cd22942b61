"""Results of checks: how they add up, and what each judges by."""

from datetime import timedelta
from math import nan

import pytest
from attrs import evolve

from core.health.checks import (
    CheckResult,
    CheckStatus,
    Failure,
    HealthReport,
    account_check,
    clock_check,
    disk_check,
    equity_check,
    fail,
    failure_of,
    halt_check,
    market_check,
    ok,
    orders_check,
    rejections_check,
    skipped,
    stores_check,
    warn,
    worst,
)
from ports.errors import PortError, RateLimited, Refused, Severity, Unauthorised, Unavailable
from ports.positions import Book, OrderRecord
from ports.trading import Account, OrderState, Position
from tests.support.books import A, intent
from tests.support.markets import NOW, Listed, call, snapshot

SECOND = timedelta(seconds=1)
QUOTED = Listed(contract=call(110_000.0), bid=0.01, ask=0.011, mark=0.0105, mark_iv=0.5)
HELD = Position(contract=A, size=-1.0, average_price=0.03, mark=0.02)


def account(equity_coin: float, *positions: Position) -> Account:
    """An account in BTC."""
    return Account(
        underlying="BTC",
        read_at=NOW,
        balance_coin=equity_coin,
        equity_coin=equity_coin,
        initial_margin_coin=0.0,
        maintenance_margin_coin=0.0,
        positions=positions,
    )


def book_with(state: OrderState, age: timedelta, count: int = 1) -> Book:
    """A book of *count* orders in *state* that were sent and last heard of *age* before now."""
    record = OrderRecord(intent=intent(A), state=state, sent_at=NOW - age, updated_at=NOW - age)
    return Book(orders={f"order {number}": record for number in range(count)})


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ((), CheckStatus.OK),
        ((skipped("a", ""),), CheckStatus.OK),
        ((ok("a", ""), skipped("b", "")), CheckStatus.OK),
        ((ok("a", ""), warn("b", "")), CheckStatus.WARN),
        ((warn("a", ""), fail("b", Severity.TRANSIENT, ""), ok("c", "")), CheckStatus.FAIL),
    ],
)
def test_a_report_is_as_bad_as_its_worst_result(
    results: tuple[CheckResult, ...], status: CheckStatus
) -> None:
    """FAIL before WARN before OK; what was skipped counts as nothing."""
    assert HealthReport(results).status is status


def test_severity_comes_from_failing_checks_only() -> None:
    """Warnings have none; of the failing ones the worst counts, with every check of that kind."""
    transient = fail("market", Severity.TRANSIENT, "no answer")
    first = fail("clock", Severity.DEGRADED, "fast")
    second = fail("orders", Severity.DEGRADED, "unknown")

    assert HealthReport((warn("equity", "none"),)).failure is None
    assert HealthReport((transient, first, warn("x", ""), second)).failure == Failure(
        Severity.DEGRADED, "clock: fast; orders: unknown"
    )


def test_the_worst_of_no_failures_is_none() -> None:
    """There is nothing to make up."""
    assert worst(()) is None


@pytest.mark.parametrize(
    ("error", "severity"),
    [
        (Unavailable("fatal: unauthorised"), Severity.TRANSIENT),
        (RateLimited("fatal"), Severity.TRANSIENT),
        (Refused(13009, "unauthorized"), Severity.DEGRADED),
        (Unauthorised("timeout"), Severity.FATAL),
    ],
)
def test_severity_is_that_of_the_type_never_of_the_text(
    error: PortError, severity: Severity
) -> None:
    """Words that sound worse or better change nothing."""
    assert failure_of(error).severity is severity


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(0), CheckStatus.OK),
        (30 * SECOND, CheckStatus.OK),
        (31 * SECOND, CheckStatus.FAIL),
        (-31 * SECOND, CheckStatus.FAIL),
    ],
)
def test_a_market_is_fresh_up_to_its_age(age: timedelta, status: CheckStatus) -> None:
    """Older, or from the future, is DEGRADED."""
    result = market_check(snapshot(QUOTED), NOW + age, 30 * SECOND)

    assert result.status is status
    assert result.severity is (Severity.DEGRADED if status is CheckStatus.FAIL else None)


def test_a_recording_is_as_old_as_it_is() -> None:
    """Without a limit no age is a failure."""
    found = market_check(snapshot(QUOTED), NOW + timedelta(days=9), None)
    assert found.status is CheckStatus.OK


def test_a_market_whose_quotes_are_all_crossed_is_degraded() -> None:
    """One sound quote is enough to go on; none quoted at all is worth a warning."""
    crossed = evolve(QUOTED, contract=call(120_000.0), bid=0.02, ask=0.01)
    unquoted = evolve(QUOTED, bid=nan)

    def judged(*listed: Listed) -> CheckStatus:
        return market_check(snapshot(*listed), NOW, SECOND).status

    assert judged(crossed) is CheckStatus.FAIL
    assert judged(crossed, QUOTED) is CheckStatus.OK
    assert judged(unquoted) is CheckStatus.WARN


def test_positions_without_equity_are_fatal() -> None:
    """A zero beside positions is no account; an empty one only cannot trade; NaN is no equity."""
    assert account_check(account(0.1, HELD)).status is CheckStatus.OK
    assert account_check(account(0.0, HELD)).severity is Severity.FATAL
    assert account_check(account(-0.1)).severity is Severity.FATAL
    assert account_check(account(0.0)).status is CheckStatus.WARN


def test_accounts_that_are_all_empty_are_fatal() -> None:
    """One coin may be empty, all are not; what could not be read says nothing."""
    assert equity_check((account(0.0), account(0.0))).severity is Severity.FATAL
    assert equity_check((account(0.0), account(0.1))).status is CheckStatus.OK
    assert equity_check(()).status is CheckStatus.SKIPPED


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("seconds", "status"),
    [(2.0, "ok"), (2.1, "warn"), (5.0, "warn"), (5.1, "fail")],
)
def test_a_clock_warns_and_then_fails(seconds: float, status: str, sign: int) -> None:
    """More than two seconds warn, more than five are DEGRADED, in either direction."""
    found = clock_check("BTC", sign * seconds * SECOND, 2 * SECOND, 5 * SECOND)

    assert found.status == status


def test_an_order_may_be_unknown_for_a_minute() -> None:
    """Longer is DEGRADED, whether it was sent or asked for; a working order may be old."""
    for state in (OrderState.SENT, OrderState.UNKNOWN):
        young, old = book_with(state, 60 * SECOND), book_with(state, 61 * SECOND)
        assert orders_check(young, NOW, 60 * SECOND).status is CheckStatus.OK
        assert orders_check(old, NOW, 60 * SECOND).severity is Severity.DEGRADED
    rests = book_with(OrderState.OPEN, 900 * SECOND)
    assert orders_check(rests, NOW, 60 * SECOND).status is CheckStatus.OK


def test_trades_may_be_untold_for_a_minute() -> None:
    """An order that is filled without its trades for longer is DEGRADED, ended or not."""
    for state in (OrderState.FILLED, OrderState.PARTIAL):
        for age, severity in ((60 * SECOND, None), (61 * SECOND, Severity.DEGRADED)):
            (record,) = book_with(state, age).orders.values()
            filled = evolve(record, filled_amount=0.1)
            untold, told = (
                Book(orders={"a": filled}),
                Book(orders={"a": evolve(filled, booked_amount=0.1)}),
            )
            assert orders_check(untold, NOW, 60 * SECOND).severity is severity
            assert orders_check(told, NOW, 60 * SECOND).severity is None


@pytest.mark.parametrize(
    ("free_bytes", "status"),
    [
        (None, CheckStatus.SKIPPED),
        (199_999_999, CheckStatus.FAIL),
        (200_000_000, CheckStatus.WARN),
        (2**30 - 1, CheckStatus.WARN),
        (2**30, CheckStatus.OK),
    ],
)
def test_a_disk_needs_room(free_bytes: int | None, status: CheckStatus) -> None:
    """Below 200 MB is DEGRADED, below 1 GiB a warning; memory is no disk."""
    found = disk_check(free_bytes)

    assert found.status is status
    assert found.severity is (Severity.DEGRADED if status is CheckStatus.FAIL else None)


def test_five_rejections_within_ten_minutes_are_degraded() -> None:
    """Four are not, nor are five of before."""
    for age, count, severity in (
        (599 * SECOND, 5, Severity.DEGRADED),
        (599 * SECOND, 4, None),
        (600 * SECOND, 5, None),
    ):
        book = book_with(OrderState.REJECTED, age, count)
        assert rejections_check(book, NOW, 5).severity is severity


def test_a_halt_and_a_store_that_failed_are_fatal() -> None:
    """Each with its reason; a process that has written nothing says nothing of the stores."""
    assert halt_check(Book(halted="books differ")).severity is Severity.FATAL
    assert halt_check(Book()).status is CheckStatus.OK
    assert stores_check("disk full", has_written=True).severity is Severity.FATAL
    assert stores_check("", has_written=True).status is CheckStatus.OK
    assert stores_check("", has_written=False).status is CheckStatus.SKIPPED
