"""The wire between agent and venue as a seeded plan of faults has it, on a virtual clock."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum, auto
from heapq import heappop, heappush
from itertools import count

from attrs import define, evolve, field, frozen

from adapters.memory.clock import SteppedClock
from core.simulation.venue import SimulatedVenue
from ports.controls import ControlStore
from ports.errors import NeverSent, OutcomeUnknown, PortError, Refused, Unavailable
from ports.market_data import MarketData, MarketSnapshot
from ports.trading import Account, Activity, Fill, Order, OrderIntent, Placed
from tests.support.invariants import Event, Requested

_LATENCY = timedelta(milliseconds=50)


class Kind(StrEnum):
    """What can go wrong."""

    NEVER_SENT = auto()  # a placement did not leave
    REFUSED = auto()
    LOST_BEFORE = auto()  # no answer to a placement, and it never arrived
    LOST_AFTER = auto()  # no answer, but the venue took it
    LATE = auto()  # no answer, and it arrives some seconds later
    AWAY = auto()  # another kind of silence, after it was taken
    OTHER_LABEL = auto()  # taken, and answered with another order's label
    NO_TRADES = auto()  # taken, and answered without its trades
    READ_FAILS = auto()
    CANCEL_LOST_BEFORE = auto()
    CANCEL_LOST_AFTER = auto()
    TRADES_HIDDEN = auto()  # trade lists come without trades for a while
    TRADES_DOUBLED = auto()  # trade lists come twice and backwards
    KILL = auto()  # a person sets the kill switch, and releases it some ticks later
    CRASH_BEFORE = auto()  # the process is cut off before a record is written
    CRASH_AFTER = auto()  # or just after
    DISK_FULL = auto()  # a record cannot be written; a person makes room and starts again
    STOP = auto()  # a person stops the process in good order, and starts it again
    OUTAGE = auto()  # nothing of the venue answers for *span*
    JUMP = auto()  # the clock jumps by *span* during a request


PLACEMENTS = frozenset(
    {
        Kind.NEVER_SENT,
        Kind.REFUSED,
        Kind.LOST_BEFORE,
        Kind.LOST_AFTER,
        Kind.LATE,
        Kind.AWAY,
        Kind.OTHER_LABEL,
        Kind.NO_TRADES,
    }
)
RECORDS = frozenset({Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.DISK_FULL})
CANCELS = frozenset({Kind.CANCEL_LOST_BEFORE, Kind.CANCEL_LOST_AFTER})


@frozen(kw_only=True)
class Fault:
    """
    One thing that goes wrong from tick number *tick* on: with the next request of its sort, or
    with the *count*-th request or record; reads of *method* fail, or lists err, *count* times.
    """

    tick: int
    kind: Kind
    count: int = 1
    method: str = ""
    span: timedelta = timedelta(0)


class Misses(StrEnum):
    """What becomes of ticks that nobody was there for."""

    SKIPPED = auto()  # as on a live clock
    CAUGHT_UP = auto()  # as on a recorded one


class WorldClock(SteppedClock):
    """Time passes only when somebody waits, and what is due meanwhile happens on the way."""

    def __init__(self, start: datetime, ticks: Sequence[datetime], misses: Misses) -> None:
        super().__init__(start, ticks)
        self._misses = misses
        self._due: list[tuple[datetime, int, Callable[[], Awaitable[object]]]] = []
        self._numbers = count()

    def at(self, instant: datetime, action: Callable[[], Awaitable[object]]) -> None:
        """Let *action* happen at *instant*."""
        heappush(self._due, (instant, next(self._numbers), action))

    def next_tick(self, after: datetime | None) -> datetime | None:
        """See Clock: ticks that passed are caught up with, or are gone."""
        due_at = super().next_tick(after)
        while self._misses is Misses.SKIPPED and due_at is not None and due_at < self.now():
            due_at = super().next_tick(due_at)
        return due_at

    async def sleep_until(self, instant: datetime) -> None:
        """Move to *instant*, never back, and let happen what is due until then."""
        while self._due and self._due[0][0] <= instant:
            at, _, action = heappop(self._due)
            await super().sleep_until(at)
            await action()
        await super().sleep_until(instant)


@define(eq=False)
class Wire:
    """Trading and MarketData over a venue, with what goes wrong between the two."""

    venue: SimulatedVenue
    market: MarketData
    clock: WorldClock
    controls: ControlStore
    history: list[Event]
    placements: deque[Kind] = field(factory=deque)
    cancels: deque[Kind] = field(factory=deque)
    failing: dict[str, int] = field(factory=dict)  # reads by name: how many more fail
    hidden: int = 0
    doubled: int = 0
    countdowns: list[tuple[int, Fault]] = field(factory=list)  # by number of the request
    requests: int = 0
    down_until: datetime | None = None
    stop: asyncio.Event = field(factory=asyncio.Event)  # of the process that runs

    def arm(self, fault: Fault) -> None:
        """Let *fault* come true from now on."""
        if fault.kind in PLACEMENTS:
            self.placements.append(fault.kind)
        elif fault.kind in CANCELS:
            self.cancels.append(fault.kind)
        elif fault.kind is Kind.READ_FAILS:
            self.failing[fault.method] = fault.count
        elif fault.kind is Kind.TRADES_HIDDEN:
            self.hidden = fault.count
        elif fault.kind is Kind.TRADES_DOUBLED:
            self.doubled = fault.count
        else:
            self.countdowns.append((self.requests + fault.count, fault))

    async def calm(self) -> None:
        """From here on nothing goes wrong."""
        self.placements.clear()
        self.cancels.clear()
        self.failing.clear()
        self.countdowns.clear()
        self.hidden = self.doubled = 0
        self.down_until = None
        if (await self.controls.read()).kill_switch:
            await self.release()

    async def release(self) -> None:
        """A person takes the kill switch back."""
        await self.controls.change(self.clock.now(), "person", "calm", {"kill_switch": False})

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """See MarketData."""
        await self._read("snapshot")
        return await self.market.snapshot(underlying)

    async def account(self, underlying: str) -> Account:
        """See Trading."""
        await self._read("account")
        return await self.venue.account(underlying)

    async def place(self, intent: OrderIntent) -> Placed:
        """See Trading, and Kind."""
        self.history.append(Requested(intent))
        await self._pass()
        if self._is_down():
            raise NeverSent("connection refused")
        kind = self.placements.popleft() if self.placements else None
        if kind is Kind.NEVER_SENT:
            raise NeverSent("connection refused")
        if kind is Kind.REFUSED:
            raise Refused(10009, "not_enough_funds")
        if kind is Kind.LOST_BEFORE:
            raise OutcomeUnknown("no answer")
        if kind is Kind.LATE:
            self.clock.at(self.clock.now() + timedelta(seconds=3), lambda: self._arrive(intent))
            raise OutcomeUnknown("no answer in time")
        placed = await self.venue.place(intent)
        if kind is Kind.LOST_AFTER:
            raise OutcomeUnknown("the connection was reset")
        if kind is Kind.AWAY:
            raise Unavailable("502")
        if kind is Kind.OTHER_LABEL:
            return evolve(placed, order=evolve(placed.order, label="another"))
        return evolve(placed, fills=()) if kind is Kind.NO_TRADES else placed

    async def cancel(self, order: Order) -> Order:
        """See Trading, and Kind."""
        await self._pass()
        kind = self.cancels.popleft() if self.cancels else None
        if self._is_down() or kind is Kind.CANCEL_LOST_BEFORE:
            raise Unavailable("cancel: no answer")
        ended = await self.venue.cancel(order)
        if kind is Kind.CANCEL_LOST_AFTER:
            raise Unavailable("cancel: no answer")
        return ended

    async def open_orders(self, underlying: str) -> tuple[Order, ...]:
        """See Trading."""
        await self._read("open_orders")
        return await self.venue.open_orders(underlying)

    async def orders_by_label(self, underlying: str, label: str) -> tuple[Order, ...]:
        """See Trading."""
        await self._read("orders_by_label")
        return await self.venue.orders_by_label(underlying, label)

    async def activity(self, underlying: str, since: datetime) -> Activity:
        """See Trading; trades may be hidden, or told twice and backwards."""
        await self._read("activity")
        told = await self.venue.activity(underlying, since)
        fills: tuple[Fill, ...] = () if self.hidden > 0 else told.fills
        self.hidden -= 1
        self.doubled -= 1
        return evolve(told, fills=fills[::-1] + fills if self.doubled >= 0 else fills)

    async def _read(self, name: str) -> None:
        await self._pass()
        if self._is_down():
            raise Unavailable(f"{name}: the venue is down")
        if self.failing.get(name, 0) > 0:
            self.failing[name] -= 1
            raise Unavailable(f"{name}: no answer")

    async def _pass(self) -> None:
        """The time of one request, and what is due during it."""
        self.requests += 1
        due = [fault for number, fault in self.countdowns if number <= self.requests]
        self.countdowns = [each for each in self.countdowns if each[0] > self.requests]
        for fault in due:
            await self._happen(fault)
        await self.clock.sleep_until(self.clock.now() + _LATENCY)

    async def _happen(self, fault: Fault) -> None:
        now = self.clock.now()
        if fault.kind is Kind.KILL:
            await self.controls.change(now, "person", "simulated", {"kill_switch": True})
            self.clock.at(now + fault.span, self.release)
        elif fault.kind is Kind.STOP:
            self.stop.set()
        elif fault.kind is Kind.OUTAGE:
            self.down_until = now + fault.span
        elif fault.kind is Kind.JUMP:
            await self.clock.sleep_until(now + fault.span)

    async def _arrive(self, intent: OrderIntent) -> None:
        """A late placement at the venue's door, which may not take it any more."""
        try:
            await self.venue.place(intent)
        except PortError:
            return

    def _is_down(self) -> bool:
        return self.down_until is not None and self.clock.now() < self.down_until
