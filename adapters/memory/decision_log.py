"""DecisionLog in memory."""

from collections.abc import AsyncIterator

from ports.decision_log import ENTRIES, Entry, Record
from ports.sealing import NOTHING_BEFORE, seal


class MemoryDecisionLog:
    """A journal that is gone with its process; its checksums are those of any other."""

    def __init__(self) -> None:
        self._records: list[Record] = []

    async def append(self, entry: Entry) -> Record:
        """Keep *entry* and return it with its number."""
        previous = self._records[-1].checksum if self._records else NOTHING_BEFORE
        line = seal(previous, len(self._records) + 1, entry.at, ENTRIES.encode(entry))
        record = Record(line.seq, line.checksum, entry)
        self._records.append(record)
        return record

    async def records(self, after: int = 0) -> AsyncIterator[Record]:
        """Yield the records numbered above *after*, in order."""
        for record in self._records[after:]:
            yield record
