"""The trading loop: recover, then tick after tick until asked to stop or nothing is left."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Protocol

from attrs import define, field, frozen

from core.health.checks import Failure, failure_of, worst
from core.health.guard import HealthParams, StartPolicy, StartStep, start_step
from core.usecases.check_health import HealthWatch
from core.usecases.desk import Desk, Look, controls_now, halt
from core.usecases.orders import cancel, cancel_openings, catch_up, look_after, next_look, resolve
from core.usecases.tick import run_tick
from ports.decision_log import Alarm, Closed, ControlsSeen, Opened, Ticked
from ports.errors import (
    PortError,
    Severity,
    StoreDamaged,
    StoreForeign,
    StoreLocked,
    StoreUnwritable,
)
from ports.trading import OrderState

FINISHED, STOPPED, REFUSED = "finished", "stopped", "start refused"  # why a book was put down
# A book or recording that cannot be relied on: only a person can mend it, and starts us again.
_ENDING = (StoreDamaged, StoreForeign, StoreLocked, StoreUnwritable)
_PATIENCE_S = 5.0  # of an end with what is under way,
_CANCELLING_S = 3.0  # and then with cancelling: whoever asked for an end waits ten seconds
_PAUSES_S = (1, 2, 4, 8, 15, 30)  # between attempts of a start: a minute in all


class Unhealthy(PortError):
    """The start failed: it was refused, or the run ended without a book to trade on."""

    severity = Severity.FATAL


class Hedging(Protocol):
    """Who hedges within the loop, by a schedule of its own."""

    def next_look(self) -> datetime | None:
        """When there is something to look at; None is never."""
        ...

    async def look(self, underlying: str) -> None:
        """
        Look at what is due on *underlying*.

        Raises:
            PortError: Something outside did not answer.
        """
        ...


@define(eq=False)
class _Progress:
    """What one run has done so far: whether it has taken up the book, and its health."""

    watch: HealthWatch
    is_taken_up: bool = False


@frozen(eq=False)
class Agent:
    """
    One run of the loop, until it has nothing more to do or *stop* is set.

    *beat* is called after each tick, as a sign of life; *hedger* hedges after ticks and between.
    """

    desk: Desk
    stop: asyncio.Event
    beat: Callable[[], None] = field(default=lambda: None)
    hedger: Hedging | None = None

    async def run(self, *, ticks: int | None = None) -> None:
        """
        Recover, then tick until *stop* is set, the clock has no more ticks, or *ticks* are done.

        Raises:
            Unhealthy: The start failed; nothing was traded.

            PortError: A store that cannot be relied on, or a clock that stands still: nothing was
                traded after it.
        """
        try:
            await self._run(ticks)
        except StoreUnwritable as error:
            await _abandon(self.desk, error)
            raise

    async def _run(self, ticks: int | None) -> None:
        progress = _Progress(HealthWatch(self.desk))
        await _open(self.desk)
        reason = await _unless_stopped(self._trade(ticks, progress), self.stop)
        await put_down(self.desk, reason or STOPPED)
        if not progress.is_taken_up and not self.stop.is_set():
            raise Unhealthy("the book was never taken up: the journal says why")

    async def _trade(self, ticks: int | None, progress: _Progress) -> str:
        """Start, and do tick after tick; returns why there are no more."""
        await self._start(progress)
        while ticks is None or ticks > 0:
            due_at = self.desk.world.clock.next_tick(self.desk.keeper.book.ticked_at)
            if due_at is None or not await self._reach(due_at, progress):
                break
            await self._tick(due_at, progress)
            self.beat()
            ticks = None if ticks is None else ticks - 1
        return STOPPED if self.stop.is_set() or ticks == 0 else FINISHED

    async def _start(self, progress: _Progress) -> None:
        """
        Take up the book and check health, again while it fails for what passes by itself.

        Where a start that fails is not refused the ticks go on trying.

        Raises:
            Unhealthy: It is refused.
        """
        desk, began = self.desk, self.desk.now
        policy = (desk.params.health or HealthParams()).start_policy
        for pause_s in (*_PAUSES_S, 0):
            failure = await _attempt(desk, progress)
            step = start_step(failure, policy, desk.now - began, is_taken_up=progress.is_taken_up)
            if step is not StartStep.RETRY or self.stop.is_set():
                break
            await _until(desk, desk.now + timedelta(seconds=pause_s), self.stop)
        if failure is not None and policy is StartPolicy.ABORT and not self.stop.is_set():
            await put_down(desk, REFUSED)
            raise Unhealthy(f"the start is refused: {failure.severity}: {failure.cause}")

    async def _reach(self, due_at: datetime, progress: _Progress) -> bool:
        """
        Wait for *due_at*, looking after orders in doubt and those whose time ends before, and
        after hedges.

        False if stopped.
        """
        while not self.stop.is_set():
            looks = [next_look(each, self.desk.now) for each in self.desk.keeper.book.working]
            looks.append(self._next_hedge(progress))
            wake_at = min([due_at, *(each for each in looks if each is not None)])
            await _until(self.desk, wake_at, self.stop)
            if self.stop.is_set() or self.desk.now >= due_at:
                break
            failure = worst(
                each
                for each in (
                    await _each(self.desk, look_after),
                    await self._hedge_if_due(progress),
                )
                if each
            )
            if failure is not None:  # without one, nothing is known of the market
                await progress.watch.note_tick(failure)
        return not self.stop.is_set()

    def _next_hedge(self, progress: _Progress) -> datetime | None:
        if self.hedger is None or not progress.is_taken_up:
            return None
        return self.hedger.next_look()

    async def _hedge_if_due(self, progress: _Progress) -> Failure | None:
        next_at = self._next_hedge(progress)
        if self.hedger is None or next_at is None or self.desk.now < next_at:
            return None
        return await self._hedge(self.hedger)

    async def _hedge(self, hedger: Hedging) -> Failure | None:
        return await _each(self.desk, lambda _, coin: hedger.look(coin))

    async def _tick(self, due_at: datetime, progress: _Progress) -> None:
        """One tick; while the book is not taken up it is another attempt at that."""
        desk = self.desk
        if not progress.is_taken_up:
            await _attempt(desk, progress)
        if progress.is_taken_up:
            failures = [await _note_controls(desk)]
            looks = {coin: Look(desk, coin) for coin in desk.params.underlyings}
            await progress.watch.check_if_due(looks)
            failures.append(await _each(desk, lambda _, coin: run_tick(desk, looks[coin], due_at)))
            if self.hedger is not None:
                failures.append(await self._hedge(self.hedger))
            await progress.watch.note_tick(worst(each for each in failures if each))
            await _stop_on_drawdown(desk)
        await desk.keeper.record(Ticked(at=desk.now, due_at=due_at))
        await desk.keeper.save(desk.now)


async def recover(desk: Desk) -> None:
    """
    Take up the book: say who we are, read the controls, resolve what was under way, cancel our
    working openings, book what happened meanwhile.

    Raises:
        PortError: The venue did not answer; nothing may be traded on half a book.
    """
    await _open(desk)
    await _take_up(desk)


async def _open(desk: Desk) -> None:
    """Say who we are, and which controls hold."""
    params, keeper = desk.params, desk.keeper
    await keeper.record(
        Opened(
            at=desk.now,
            environment=desk.world.environment,
            program_version=params.program_version,
            seed=params.seed,
            strategies=tuple(strategy.strategy_id for strategy in desk.strategies),
            settings_hash=params.settings_hash,
        )
    )
    await _note_controls(desk)


async def _take_up(desk: Desk) -> None:
    """Bring the book up to date and cancel our openings; may be done again when it failed."""
    for record in desk.keeper.book.working:
        if record.state in (OrderState.SENT, OrderState.UNKNOWN):
            await resolve(desk, record)
    for underlying in desk.params.underlyings:
        await cancel_openings(desk, underlying)  # an unknown order may have turned out to be one
        await catch_up(desk, underlying)


async def _attempt(desk: Desk, progress: _Progress) -> Failure | None:
    """Take up the book if that is still to be done, then check health; what does not work."""
    if not progress.is_taken_up:
        try:
            await _take_up(desk)
        except _ENDING:
            raise
        except PortError as error:
            failure = await _note_failure(desk, error, "taking up the book")
            await progress.watch.note_tick(failure)
            return failure
        progress.is_taken_up = True
    params = desk.params.health
    return await progress.watch.check() if params and params.checks_on_start else None


async def put_down(desk: Desk, reason: str) -> None:
    """
    End in good order: working openings cancelled, journal closed by its last entry, book saved.

    A venue that is silent is not waited for: an alarm says that openings may still work.

    Raises:
        StoreUnwritable: The journal or the snapshot could not be written.
    """
    try:
        async with asyncio.timeout(_CANCELLING_S):
            await _each(desk, cancel_openings)
    except TimeoutError:
        silent = f"the venue did not answer within {_CANCELLING_S:g} s"
        await desk.keeper.record(
            Alarm(at=desk.now, subject="openings may still work", detail=silent)
        )
    await desk.keeper.record(Closed(at=desk.now, reason=reason))
    await desk.keeper.save(desk.now)


async def _note_controls(desk: Desk) -> Failure | None:
    """
    Write down controls that are not as the book knows them; a kill cancels our openings.

    Returns what kept it from that.
    """
    controls = await controls_now(desk)
    if controls != desk.keeper.book.controls:
        await desk.keeper.record(ControlsSeen(at=desk.now, controls=controls))
    if controls.kill_switch or desk.keeper.book.halted:
        return await _each(desk, cancel_openings)
    return None


async def _stop_on_drawdown(desk: Desk) -> None:
    """Set the kill switch when equity has fallen too far within the day."""
    controls, fall = desk.keeper.book.controls, desk.keeper.book.drawdown
    limit = controls.daily_drawdown_limit_pct
    limit = desk.params.limits.daily_drawdown_limit_pct if limit is None else limit
    if not limit > 0 or fall is None or fall.fall_pct < limit or controls.kill_switch:
        return
    reason = f"equity fell {fall.fall_pct:.2f} % within the day, limit {limit} %"
    await desk.world.controls.change(desk.now, "drawdown", reason, {"kill_switch": True})
    await _note_controls(desk)


async def _each(desk: Desk, step: Callable[[Desk, str], Awaitable[None]]) -> Failure | None:
    """
    Do *step* for every underlying; one that fails is written down and stops no other.

    Returns the worst failure.

    Raises:
        PortError: A store that cannot be relied on.
    """
    failures = []
    for underlying in desk.params.underlyings:
        try:
            await step(desk, underlying)
        except _ENDING:
            raise
        except PortError as error:
            failures.append(await _note_failure(desk, error, underlying))
    return worst(failures)


async def _note_failure(desk: Desk, error: PortError, where: str) -> Failure:
    """Write down that *error* was met; a fatal one halts trading until a person releases it."""
    subject, failure = f"{type(error).__name__} on {where}", failure_of(error)
    await desk.keeper.record(Alarm(at=desk.now, subject=subject, detail=str(error)))
    if failure.severity is Severity.FATAL:
        await halt(desk, failure.cause)
    return failure


async def _abandon(desk: Desk, cause: PortError) -> None:
    """
    The journal takes nothing more: cancel our working openings without it, as far as the venue
    lets us; what it does not is noted on *cause*.
    """
    for underlying in desk.params.underlyings:
        try:
            for order in await desk.world.trading.open_orders(underlying):
                if order.label in desk.keeper.book.orders and not order.reduce_only:
                    await cancel(desk, order)
        except PortError as error:
            cause.add_note(f"{underlying}: openings may still work: {error}")


async def _unless_stopped(work: Coroutine[Any, Any, str], stop: asyncio.Event) -> str | None:
    """
    Return what *work* returns; None if it went on for too long once *stop* was set.

    It is then abandoned where it waits for the outside, which is as good as a crash there:
    what is in doubt was written down before, and the next start finds out.
    """
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({working}, timeout=_PATIENCE_S)
    finally:
        stopping.cancel()
        working.cancel()
    await asyncio.wait({working, stopping})
    return None if working.cancelled() else working.result()


async def _until(desk: Desk, instant: datetime, stop: asyncio.Event) -> None:
    """
    Sleep until *instant* or until *stop* is set, whichever is first.

    Raises:
        PortError: The clock stands still: waiting on would be for ever.
    """
    sleeping = asyncio.ensure_future(desk.world.clock.sleep_until(instant))
    stopping = asyncio.ensure_future(stop.wait())
    ended, waiting = await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for task in ended:
        task.result()
