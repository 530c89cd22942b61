"""Health: every check once, each within its time; and the watch that acts on what they find."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from core.health.checks import (
    CheckResult,
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
    stores_check,
)
from core.health.guard import (
    Guard,
    HealthParams,
    after_check,
    after_release,
    after_tick,
    resumed,
)
from core.usecases.desk import Desk, Look, halt
from ports.decision_log import HealthChanged, HealthState
from ports.errors import PortError, Severity
from ports.trading import Account

# Ports and numpy raise these on answers that make no sense; anything else is a bug and stops us.
_NOTHING_SEEN: Mapping[str, Look] = {}
_FAULTS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


async def check_health(
    desk: Desk, params: HealthParams, looks: Mapping[str, Look] = _NOTHING_SEEN
) -> HealthReport:
    """
    Look at everything that trading needs, and change nothing.

    Markets and accounts are read, unless *looks* still hold them; stores are judged by their last
    result, orders by the book. What raises, or is not done within its time, is a failing check.
    """
    book, limits, now = desk.keeper.book, desk.params.limits, desk.now
    seen = {coin: looks.get(coin) or Look(desk, coin) for coin in desk.params.underlyings}
    results: list[CheckResult] = []
    accounts: list[Account] = []

    async def market(underlying: str) -> tuple[CheckResult, ...]:
        snapshot = await seen[underlying].market()
        return (market_check(snapshot, desk.now, params.market_age),)

    async def account(underlying: str) -> tuple[CheckResult, ...]:
        found = await seen[underlying].account()
        accounts.append(found.account)
        skew = clock_check(underlying, found.clock_skew, params.skew_warned, limits.clock_skew)
        return account_check(found.account), skew

    async def controls() -> tuple[CheckResult, ...]:
        read = await desk.world.controls.read()
        return (ok("controls", f"revision {read.revision}"),)

    async def disk() -> tuple[CheckResult, ...]:
        return (disk_check(desk.world.positions.free_bytes()),)

    for coin in desk.params.underlyings:
        results += await _bounded(f"market {coin}", params.check_within, partial(market, coin))
        results += await _bounded(f"account {coin}", params.check_within, partial(account, coin))
    results.append(equity_check(accounts))
    results += await _bounded("controls", params.check_within, controls)
    results += await _bounded("disk", params.check_within, disk)
    results.append(stores_check(desk.keeper.unwritable, has_written=desk.keeper.has_written))
    results.append(orders_check(book, now, limits.unknown_age))
    results.append(rejections_check(book, now, limits.max_rejections_per_10_min))
    results.append(halt_check(book))
    return HealthReport(tuple(results))


async def _bounded(
    name: str, within: timedelta, check: Callable[[], Awaitable[tuple[CheckResult, ...]]]
) -> tuple[CheckResult, ...]:
    """What *check* finds; its failing, its fault and its silence are findings too."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await check()
    except TimeoutError:
        return (fail(name, Severity.TRANSIENT, f"no result within {within.total_seconds():g} s"),)
    except PortError as error:
        found = failure_of(error)
        return (fail(name, found.severity, found.cause),)
    except _FAULTS as error:
        return (fail(name, Severity.DEGRADED, f"the check itself failed: {error!r}"),)


class HealthWatch:
    """Watches the health of one run: checks when it is due, and writes down what changes."""

    def __init__(self, desk: Desk) -> None:
        book = desk.keeper.book
        self._desk = desk
        self._guard = resumed(book.health, book.health_cause)
        self._checked_at: datetime | None = None

    async def check(self, looks: Mapping[str, Look] = _NOTHING_SEEN) -> Failure | None:
        """
        Check health now, by what *looks* still hold, and write down a change of its state.

        Raises:
            StoreUnwritable: The journal failed.
        """
        params = self._desk.params.health
        if params is None:
            return None
        await self._note_release()
        report = await check_health(self._desk, params, looks)
        self._checked_at = self._desk.now
        await self._become(after_check(self._guard, report.failure, self._desk.now))
        return report.failure

    async def check_if_due(self, looks: Mapping[str, Look]) -> None:
        """
        Check as `check` if something is wrong, or if the last check is long enough ago.

        Raises:
            StoreUnwritable: The journal failed.
        """
        params = self._desk.params.health
        if params is not None and self._is_due(params):
            await self.check(looks)

    async def note_tick(self, failure: Failure | None) -> None:
        """
        Take what a tick met as a sign of health.

        Raises:
            StoreUnwritable: The journal failed.
        """
        if self._desk.params.health is not None:
            await self._become(after_tick(self._guard, failure))

    def _is_due(self, params: HealthParams) -> bool:
        if not self._guard.is_well:
            return True
        if params.recheck_every is None:
            return False
        return self._checked_at is None or self._desk.now - self._checked_at >= params.recheck_every

    async def _note_release(self) -> None:
        if not self._desk.keeper.book.halted:
            self._guard = after_release(self._guard)

    async def _become(self, guard: Guard) -> None:
        """Let *guard* hold from here on; its state goes into the journal if it is another."""
        desk, before, self._guard = self._desk, self._guard, guard
        if guard.state is before.state:
            return
        params = desk.params.health
        pauses_degraded = params is not None and params.is_pausing
        await desk.keeper.record(
            HealthChanged(
                at=desk.now,
                state=guard.state,
                cause=guard.cause,
                is_pausing=guard.state is HealthState.FATAL
                or (guard.state is HealthState.DEGRADED and pauses_degraded),
            )
        )
        if guard.state is HealthState.FATAL:
            await halt(desk, guard.cause)
