"""Journal, venue log and controls that keep one common history, and a journal that fails."""

from collections.abc import AsyncIterator
from datetime import datetime

from attrs import define, field

from ports.controls import ControlChange, ControlStore, RuntimeControls
from ports.decision_log import DecisionLog, Entry, Record
from ports.errors import StoreUnwritable
from ports.venue_log import VenueLog, VenueStep
from tests.support.invariants import Event
from tests.support.wire import Fault, Kind
from tests.support.worlds import Crash


@define(eq=False)
class MortalLog:
    """A journal that keeps the history, and fails, or takes its process with it, when told."""

    kept: DecisionLog
    history: list[Event]
    deaths: list[tuple[int, Kind]] = field(factory=list)  # by number of the record
    count: int = 0
    is_full: bool = False  # until another process opens it

    def arm(self, fault: Fault) -> None:
        """Let the record that *fault* says be the last of its process."""
        self.deaths.append((self.count + fault.count, fault.kind))

    async def append(self, entry: Entry) -> Record:
        """See DecisionLog."""
        if self.is_full:
            raise StoreUnwritable("the journal is closed")
        self.count += 1
        deaths = {kind for number, kind in self.deaths if number <= self.count}
        self.deaths = [each for each in self.deaths if each[0] > self.count]
        if Kind.CRASH_BEFORE in deaths:
            raise Crash
        if Kind.DISK_FULL in deaths:
            self.is_full = True
            raise StoreUnwritable("no space left")
        record = await self.kept.append(entry)
        self.history.append(entry)
        if deaths:
            raise Crash
        return record

    def records(self, after: int = 0) -> AsyncIterator[Record]:
        """See DecisionLog."""
        return self.kept.records(after)


@define(eq=False)
class WatchedVenueLog:
    """A venue's log that keeps the history."""

    kept: VenueLog
    history: list[Event]

    async def append(self, step: VenueStep) -> None:
        """See VenueLog."""
        await self.kept.append(step)
        self.history.append(step)

    def steps(self) -> AsyncIterator[VenueStep]:
        """See VenueLog."""
        return self.kept.steps()


@define(eq=False)
class WatchedControls:
    """Controls that keep the history."""

    kept: ControlStore
    history: list[Event]

    async def read(self) -> RuntimeControls:
        """See ControlStore."""
        return await self.kept.read()

    async def change(
        self, at: datetime, who: str, reason: str, changes: dict[str, object]
    ) -> RuntimeControls:
        """See ControlStore."""
        controls = await self.kept.change(at, who, reason, changes)
        self.history.append(controls)
        return controls

    async def audit(self) -> tuple[ControlChange, ...]:
        """See ControlStore."""
        return await self.kept.audit()
