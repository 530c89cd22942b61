"""Defects to plant between the agent and its ports: what the simulation must notice."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from attrs import define, evolve, field

from ports.clock import Clock
from ports.controls import ControlChange, ControlStore, RuntimeControls
from ports.decision_log import DecisionLog, Entry, OrderUpdated, Record, Sent
from ports.errors import OutcomeUnknown, Unavailable
from ports.trading import Account, Activity, Order, OrderIntent, Placed, Trading


@define(eq=False)
class Forwarded:
    """Trading that adds nothing."""

    venue: Trading

    async def account(self, underlying: str) -> Account:
        """See Trading."""
        return await self.venue.account(underlying)

    async def place(self, intent: OrderIntent) -> Placed:
        """See Trading."""
        return await self.venue.place(intent)

    async def cancel(self, order: Order) -> Order:
        """See Trading."""
        return await self.venue.cancel(order)

    async def open_orders(self, underlying: str) -> tuple[Order, ...]:
        """See Trading."""
        return await self.venue.open_orders(underlying)

    async def orders_by_label(self, underlying: str, label: str) -> tuple[Order, ...]:
        """See Trading."""
        return await self.venue.orders_by_label(underlying, label)

    async def activity(self, underlying: str, since: datetime) -> Activity:
        """See Trading."""
        return await self.venue.activity(underlying, since)


class BlindRetry(Forwarded):
    """A placement without an answer is sent again."""

    async def place(self, intent: OrderIntent) -> Placed:
        """See Trading, and do it again."""
        try:
            return await self.venue.place(intent)
        except OutcomeUnknown:
            return await self.venue.place(intent)


class FailureAsAbsence(Forwarded):
    """A label that could not be looked up counts as one that nobody knows."""

    async def orders_by_label(self, underlying: str, label: str) -> tuple[Order, ...]:
        """See Trading, but never fail."""
        try:
            return await self.venue.orders_by_label(underlying, label)
        except Unavailable:
            return ()


@define(eq=False)
class WritesAfterSending:
    """A journal that keeps an intent back until the next entry comes."""

    kept: DecisionLog
    waiting: list[Entry] = field(factory=list)
    seq: int = 0

    async def append(self, entry: Entry) -> Record:
        """See DecisionLog, but write what is sent only with what came of it."""
        if isinstance(entry, Sent):
            self.waiting.append(entry)
            return Record(self.seq + 1, "", entry)
        while self.waiting:
            await self.kept.append(self.waiting.pop())
        record = await self.kept.append(entry)
        self.seq = record.seq
        return record

    def records(self, after: int = 0) -> AsyncIterator[Record]:
        """See DecisionLog."""
        return self.kept.records(after)


@define(eq=False)
class FillsTwice:
    """A journal whose trades are told twice when it is read again, as if they were others."""

    kept: DecisionLog

    async def append(self, entry: Entry) -> Record:
        """See DecisionLog."""
        return await self.kept.append(entry)

    async def records(self, after: int = 0) -> AsyncIterator[Record]:
        """See DecisionLog."""
        async for record in self.kept.records(after):
            entry = record.entry
            if isinstance(entry, OrderUpdated):
                again = tuple(evolve(each, trade_id=f"{each.trade_id}-") for each in entry.fills)
                entry = evolve(entry, fills=entry.fills + again)
            yield evolve(record, entry=entry)


@define(eq=False)
class ControlsOncePerLoop:
    """Controls that are read at the start of a loop and taken from memory within it."""

    kept: ControlStore
    clock: Clock
    loop: timedelta = timedelta(seconds=30)
    known: RuntimeControls | None = None
    read_at: datetime | None = None

    async def read(self) -> RuntimeControls:
        """See ControlStore, but late."""
        now = self.clock.now()
        if self.known is None or self.read_at is None or now - self.read_at > self.loop:
            self.known, self.read_at = await self.kept.read(), now
        return self.known

    async def change(
        self, at: datetime, who: str, reason: str, changes: dict[str, object]
    ) -> RuntimeControls:
        """See ControlStore."""
        return await self.kept.change(at, who, reason, changes)

    async def audit(self) -> tuple[ControlChange, ...]:
        """See ControlStore."""
        return await self.kept.audit()
