"""GregDecisionLog in memory: gone with the process."""

from ports.greg_log import GregEntry, GregFilter, GregRecord, GregStats


class MemoryGregLog:
    """Entries in a list, numbered from one."""

    def __init__(self) -> None:
        self._records: list[GregRecord] = []

    async def append(self, entry: GregEntry) -> GregRecord:
        """See GregDecisionLog; it never fails."""
        record = GregRecord(len(self._records) + 1, entry)
        self._records.append(record)
        return record

    async def suggest(self, entry: GregEntry) -> GregRecord | None:
        """See GregDecisionLog; it never fails."""
        before = next((each.entry for each in await self._suggestions(entry)), None)
        return await self.append(entry) if entry.says_more_than(before) else None

    async def execute(self, entry: GregEntry) -> GregRecord:
        """See GregDecisionLog; it never fails."""
        for record in await self._suggestions(entry):
            if record.entry.action_type == entry.action_type and not record.entry.executed:
                done = GregRecord(record.id, record.entry.executed_as(entry))
                self._records[record.id - 1] = done
                return done
        return await self.append(entry)

    async def copied(self, journal: str) -> int:
        """See GregDecisionLog; it never fails."""
        numbers = (
            each.entry.journal_seq for each in self._records if each.entry.journal == journal
        )
        return max(numbers, default=0)

    async def history(
        self, wanted: GregFilter | None = None, limit: int | None = 100
    ) -> tuple[GregRecord, ...]:
        """See GregDecisionLog; it never fails."""
        asked = wanted or GregFilter()
        found = [record for record in self._records if asked.wants(record.entry)]
        found.sort(key=lambda record: (record.entry.timestamp, record.id), reverse=True)
        return tuple(found[:limit])

    async def stats(self, wanted: GregFilter | None = None) -> GregStats:
        """See GregDecisionLog; it never fails."""
        return GregStats.of(record.entry for record in await self.history(wanted, limit=None))

    async def _suggestions(self, entry: GregEntry) -> tuple[GregRecord, ...]:
        """What engines said of the position of *entry* in its journal, newest first."""
        same = await self.history(GregFilter(position_id=entry.position_id), limit=None)
        return tuple(
            record
            for record in same
            if record.entry.is_suggestion and record.entry.journal == entry.journal
        )
