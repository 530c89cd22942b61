"""What is checked: results as values, how they add up, and the judgements that need no waiting."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from attrs import frozen

from ports.errors import PortError, Severity
from ports.market_data import MarketSnapshot
from ports.positions import Book
from ports.trading import Account, OrderState

_TEN_MINUTES = timedelta(minutes=10)
_UNRESOLVED = frozenset({OrderState.SENT, OrderState.UNKNOWN})
_LITTLE_BYTES, _TOO_FEW_BYTES = 1 << 30, 200_000_000  # of a disk that a journal grows on
_SEVERITIES = tuple(Severity)  # mildest first


class CheckStatus(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@frozen
class Failure:
    """Something does not work: how far that reaches, and what it is."""

    severity: Severity
    cause: str


@frozen(kw_only=True)
class CheckResult:
    """One check; *severity* is that of a failure, None for anything else."""

    name: str
    status: CheckStatus
    detail: str
    severity: Severity | None = None


@frozen
class HealthReport:
    """All checks of one moment, in their order."""

    results: tuple[CheckResult, ...]

    @property
    def status(self) -> CheckStatus:
        """FAIL before WARN before OK; what was skipped says nothing."""
        found = {result.status for result in self.results}
        for status in (CheckStatus.FAIL, CheckStatus.WARN):
            if status in found:
                return status
        return CheckStatus.OK

    @property
    def failure(self) -> Failure | None:
        """The worst severity among failing checks with their names; None if none fails."""
        failing = [result for result in self.results if result.severity is not None]
        named = ((each.severity, f"{each.name}: {each.detail}") for each in failing)
        return worst(Failure(severity, cause) for severity, cause in named if severity)


def worst(failures: Iterable[Failure]) -> Failure | None:
    """The failures of the worst severity there is, as one; None if there are none."""
    found = tuple(failures)
    if not found:
        return None
    severity = max((each.severity for each in found), key=_SEVERITIES.index)
    causes = (each.cause for each in found if each.severity is severity)
    return Failure(severity, "; ".join(causes))


def ok(name: str, detail: str) -> CheckResult:
    """It is as it should be."""
    return CheckResult(name=name, status=CheckStatus.OK, detail=detail)


def warn(name: str, detail: str) -> CheckResult:
    """It works, and a person should know."""
    return CheckResult(name=name, status=CheckStatus.WARN, detail=detail)


def fail(name: str, severity: Severity, detail: str) -> CheckResult:
    """It does not work."""
    return CheckResult(name=name, status=CheckStatus.FAIL, detail=detail, severity=severity)


def skipped(name: str, detail: str) -> CheckResult:
    """There was nothing to look at."""
    return CheckResult(name=name, status=CheckStatus.SKIPPED, detail=detail)


def failure_of(error: PortError) -> Failure:
    """What *error* means for health: by its type, never by its text."""
    return Failure(error.severity, f"{type(error).__name__}: {error}")


def market_check(snapshot: MarketSnapshot, now: datetime, age: timedelta | None) -> CheckResult:
    """
    Whether the market can be believed: not older than *age*, and somebody quotes two sides.

    None for *age* is a recording, which is as old as it is.
    """
    name, chain = f"market {snapshot.underlying}", snapshot.chain
    seen_s = (now - snapshot.taken_at).total_seconds()
    if age is not None and not abs(now - snapshot.taken_at) <= age:
        detail = f"the market is {seen_s:.0f} s old, at most {age.total_seconds():.0f}"
        return fail(name, Severity.DEGRADED, detail)
    two_sided = np.isfinite(chain.bid) & np.isfinite(chain.ask) & (chain.bid > 0)
    sound = int((two_sided & (chain.bid < chain.ask)).sum())
    if two_sided.any() and not sound:
        return fail(name, Severity.DEGRADED, f"all {int(two_sided.sum())} quotes are crossed")
    detail = f"index {snapshot.index_usd:,.2f} USD, {sound} of {len(chain)} options quoted"
    return ok(name, detail) if sound else warn(name, detail)


def account_check(account: Account) -> CheckResult:
    """Whether the account has something to trade with; positions without equity are fatal."""
    name, equity = f"account {account.underlying}", account.equity_coin
    if equity > 0:
        return ok(name, f"equity {equity:.6f} {account.underlying}")
    if account.positions or equity < 0:
        return fail(name, Severity.FATAL, f"equity is {equity:.6f} {account.underlying}")
    return warn(name, f"there is no {account.underlying} in it")


def equity_check(accounts: Sequence[Account]) -> CheckResult:
    """Whether there is anything in any account: all empty is more likely a fault than a fact."""
    if not accounts:
        return skipped("equity", "no account could be read")
    if any(account.equity_coin > 0 for account in accounts):
        return ok("equity", "there is something to trade with")
    return fail("equity", Severity.FATAL, "every account is empty")


def clock_check(
    underlying: str, skew: timedelta, warn_at: timedelta, most: timedelta
) -> CheckResult:
    """Whether our clock agrees with the venue's."""
    name = f"clock {underlying}"
    detail = f"our clock is {skew.total_seconds():+.1f} s from the venue's"
    if not abs(skew) <= most:
        return fail(name, Severity.DEGRADED, detail)
    return ok(name, detail) if abs(skew) <= warn_at else warn(name, detail)


def orders_check(book: Book, now: datetime, unknown_age: timedelta) -> CheckResult:
    """Whether the fate of every order, and every trade it made, is known in time."""
    unknown = [
        record.intent.label
        for record in book.working
        if record.state in _UNRESOLVED and now - record.sent_at > unknown_age
    ]
    untold = [
        record.intent.label
        for record in book.unsettled
        if record.booked_amount < record.filled_amount and now - record.updated_at > unknown_age
    ]
    age = f"for more than {unknown_age.total_seconds():.0f} s"
    found = [f"unknown {age}: {', '.join(unknown)}"] if unknown else []
    found += [f"filled without their trades {age}: {', '.join(untold)}"] if untold else []
    if found:
        return fail("orders", Severity.DEGRADED, "; ".join(found))
    return ok("orders", f"{len(book.working)} working, none unknown for long")


def rejections_check(book: Book, now: datetime, most: int) -> CheckResult:
    """Whether the venue takes our orders: fewer than *most* rejections within ten minutes."""
    count = sum(
        record.state is OrderState.REJECTED and now - record.updated_at < _TEN_MINUTES
        for record in book.orders.values()
    )
    detail = f"{count} within ten minutes, fewer than {most} are normal"
    if count >= most:
        return fail("rejections", Severity.DEGRADED, detail)
    return ok("rejections", detail)


def halt_check(book: Book) -> CheckResult:
    """Whether trading is halted until a person releases it."""
    if book.halted:
        return fail("halt", Severity.FATAL, book.halted)
    return ok("halt", "not halted")


def disk_check(free_bytes: int | None) -> CheckResult:
    """Whether the disk has room for what is to be written; None is no disk."""
    if free_bytes is None:
        return skipped("disk", "nothing is kept on one")
    detail = f"{free_bytes / (1 << 20):,.0f} MiB free"
    if free_bytes < _TOO_FEW_BYTES:
        return fail("disk", Severity.DEGRADED, detail)
    return warn("disk", detail) if free_bytes < _LITTLE_BYTES else ok("disk", detail)


def stores_check(unwritable: str, *, has_written: bool) -> CheckResult:
    """Whether journal and snapshot took what they were given last; *unwritable* says why not."""
    if unwritable:
        return fail("stores", Severity.FATAL, unwritable)
    if not has_written:
        return skipped("stores", "nothing was written by this process")
    return ok("stores", "journal and snapshot took what they were given")
