"""DecisionLog in files."""

from collections.abc import AsyncIterator
from pathlib import Path

from adapters.files.disk import Disk
from adapters.files.sealed_lines import Line, SealedLines, TornTail
from ports.decision_log import ENTRIES, Entry, Record
from ports.errors import StoreForeign


class FileDecisionLog:
    """
    The journal in *directory*, `journal-<day>-<seq>.jsonl`; see SealedLines.

    An append returns when the line is synced and does not let other tasks in before.

    Raises:
        StoreDamaged, StoreForeign: As SealedLines; nothing was changed.
    """

    def __init__(self, disk: Disk, directory: Path) -> None:
        self._lines = SealedLines(disk, directory, "journal")

    @property
    def torn(self) -> TornTail | None:
        """What a crash left behind the last whole line, found at opening."""
        return self._lines.torn

    async def append(self, entry: Entry) -> Record:
        """
        Write *entry* and return it with its number, once it is synced.

        Raises:
            StoreUnwritable: It is not safely written, and nothing more will be taken.
        """
        line = self._lines.append(entry.at, ENTRIES.encode(entry))
        return Record(line.seq, line.checksum, entry)

    async def records(self, after: int = 0) -> AsyncIterator[Record]:
        """
        Yield the records numbered above *after*, in order.

        Raises:
            StoreDamaged: A line is missing or is not as it was written.

            StoreForeign: A line is as it was written, by a newer program.
        """
        for line in self._lines.lines(after):
            yield _record(line)

    async def follow(self) -> AsyncIterator[Record]:
        """
        Yield what another process has written since the opening, or since the last time asked.

        Raises:
            StoreDamaged, StoreForeign: As records().
        """
        for line in self._lines.follow():
            yield _record(line)


def _record(line: Line) -> Record:
    try:
        entry = ENTRIES.decode(line.payload)
    except ValueError as error:
        raise StoreForeign(f"number {line.seq} of the journal: {error}") from error
    return Record(line.seq, line.checksum, entry)
