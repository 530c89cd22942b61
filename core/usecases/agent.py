"""The trading loop: recover, then tick after tick until asked to stop or nothing is left."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from attrs import frozen

from core.usecases.desk import Desk, controls_now
from core.usecases.orders import cancel, cancel_openings, catch_up, resolve, sweep
from core.usecases.tick import run_tick
from ports.decision_log import Alarm, Closed, ControlsSeen, Opened, Ticked
from ports.errors import PortError, Severity, StoreUnwritable
from ports.trading import OrderState

FINISHED, STOPPED = "finished", "stopped"  # why a book was put down


@frozen(eq=False)
class Agent:
    """One run of the loop, until it has nothing more to do or *stop* is set."""

    desk: Desk
    stop: asyncio.Event

    async def run(self, *, ticks: int | None = None) -> None:
        """
        Recover, then tick until *stop* is set, the clock has no more ticks, or *ticks* are done.

        Raises:
            PortError: Of FATAL severity: nothing was traded after it.
        """
        try:
            await self._run(ticks)
        except StoreUnwritable as error:
            await _abandon(self.desk, error)
            raise

    async def _run(self, ticks: int | None) -> None:
        await recover(self.desk)
        while ticks is None or ticks > 0:
            due_at = self.desk.world.clock.next_tick(self.desk.keeper.book.ticked_at)
            if due_at is None or not await self._reach(due_at):
                break
            await self._tick(due_at)
            ticks = None if ticks is None else ticks - 1
        await put_down(self.desk, STOPPED if self.stop.is_set() or ticks == 0 else FINISHED)

    async def _reach(self, due_at: datetime) -> bool:
        """Wait for *due_at*, looking after orders whose time ends before; False if stopped."""
        while not self.stop.is_set():
            ends = [each.intent.expires_at for each in self.desk.keeper.book.working]
            wake_at = min([due_at, *(end for end in ends if end > self.desk.now)])
            await _until(self.desk, wake_at, self.stop)
            if self.stop.is_set() or self.desk.now >= due_at:
                break
            await _each(self.desk, sweep)
        return not self.stop.is_set()

    async def _tick(self, due_at: datetime) -> None:
        desk = self.desk
        await _note_controls(desk)
        await _each(desk, partial(run_tick, due_at=due_at))
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
    for underlying in params.underlyings:
        await catch_up(desk, underlying)
    for record in keeper.book.working:
        if record.state in (OrderState.SENT, OrderState.UNKNOWN):
            await resolve(desk, record)
    for underlying in params.underlyings:  # last: an unknown order may turn out to be one
        await cancel_openings(desk, underlying)


async def put_down(desk: Desk, reason: str) -> None:
    """
    End in good order: working openings cancelled, journal closed by its last entry, book saved.

    Raises:
        StoreUnwritable: The journal or the snapshot could not be written.
    """
    await _each(desk, cancel_openings)
    await desk.keeper.record(Closed(at=desk.now, reason=reason))
    await desk.keeper.save(desk.now)


async def _note_controls(desk: Desk) -> None:
    """Write down controls that are not as the book knows them; a kill cancels our openings."""
    controls = await controls_now(desk)
    if controls != desk.keeper.book.controls:
        await desk.keeper.record(ControlsSeen(at=desk.now, controls=controls))
    if controls.kill_switch or desk.keeper.book.halted:
        await _each(desk, cancel_openings)


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


async def _each(desk: Desk, step: Callable[[Desk, str], Awaitable[None]]) -> None:
    """
    Do *step* for every underlying; one that fails is written down and stops no other.

    Raises:
        PortError: Of FATAL severity, which only a person can mend.
    """
    for underlying in desk.params.underlyings:
        try:
            await step(desk, underlying)
        except PortError as error:
            if error.severity is Severity.FATAL:
                raise
            subject = f"{type(error).__name__} on {underlying}"
            await desk.keeper.record(Alarm(at=desk.now, subject=subject, detail=str(error)))


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


async def _until(desk: Desk, instant: datetime, stop: asyncio.Event) -> None:
    """Sleep until *instant* or until *stop* is set, whichever is first."""
    sleeping = asyncio.ensure_future(desk.world.clock.sleep_until(instant))
    stopping = asyncio.ensure_future(stop.wait())
    _, waiting = await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
