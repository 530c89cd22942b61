"""Journal, venue log and controls that keep one common history, and a journal that fails."""

from collections.abc import AsyncIterator
from datetime import datetime

from attrs import define, evolve, field

from ports.controls import ControlChange, ControlStore, RuntimeControls
from ports.decision_log import ENTRIES, Entry, Record
from ports.errors import StoreUnwritable
from ports.sealing import NOTHING_BEFORE, seal
from ports.venue_log import VenueLog, VenueStep
from tests.support.events import Event
from tests.support.troubles import Kind, Mishap
from tests.support.worlds import Crash


@define(eq=False)
class MortalLog:
    """
    A journal in memory, *lines* as a file would have them, that keeps the history, and fails,
    or takes its process with it, when told.
    """

    history: list[Event]
    lines: list[str] = field(factory=list)
    kept: list[Record] = field(factory=list)
    mishaps: list[tuple[int, Kind]] = field(factory=list)  # by number of the record
    count: int = 0
    is_full: bool = False  # until another process opens it

    @property
    def checksum(self) -> str:
        """What seals everything that was written."""
        return self.kept[-1].checksum if self.kept else NOTHING_BEFORE

    def arm(self, mishap: Mishap) -> None:
        """Let the record that *mishap* counts to be the last of its process."""
        self.mishaps.append((self.count + mishap.count, mishap.kind))

    async def append(self, entry: Entry) -> Record:
        """See DecisionLog."""
        if self.is_full:
            raise StoreUnwritable("the journal is closed")
        self.count += 1
        happening = {kind for number, kind in self.mishaps if number <= self.count}
        self.mishaps = [each for each in self.mishaps if each[0] > self.count]
        if Kind.CRASH_BEFORE_RECORD in happening:
            raise Crash
        if Kind.DISK_FULL in happening:
            self.is_full = True
            raise StoreUnwritable("no space left")
        line = seal(self.checksum, len(self.kept) + 1, entry.at, ENTRIES.encode(entry))
        record = Record(line.seq, line.checksum, entry)
        self.lines.append(line.text)
        self.kept.append(record)
        self.history.append(entry)
        if happening:
            raise Crash
        return record

    async def records(self, after: int = 0) -> AsyncIterator[Record]:
        """See DecisionLog."""
        for record in self.kept[after:]:
            yield record


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
    """Controls that keep the history, with a kill switch that is a file beside them."""

    kept: ControlStore
    history: list[Event]
    is_killed_by_file: bool = False

    async def read(self) -> RuntimeControls:
        """See ControlStore."""
        return self._with_file(await self.kept.read())

    async def change(
        self, at: datetime, who: str, reason: str, changes: dict[str, object]
    ) -> RuntimeControls:
        """See ControlStore; a release takes the file away."""
        if changes.get("kill_switch") is False:
            self.is_killed_by_file = False
        controls = self._with_file(await self.kept.change(at, who, reason, changes))
        self.history.append(controls)
        return controls

    async def audit(self) -> tuple[ControlChange, ...]:
        """See ControlStore."""
        return await self.kept.audit()

    async def kill_by_file(self) -> None:
        """Somebody makes the file."""
        self.is_killed_by_file = True
        self.history.append(await self.read())

    def _with_file(self, controls: RuntimeControls) -> RuntimeControls:
        if not self.is_killed_by_file:
            return controls
        return evolve(controls, kill_switch=True, kill_reason="there is a file KILL")
