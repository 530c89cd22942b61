"""What happens at Greg's desk: written into the journal, and copied from there into his log."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from core.usecases.bookkeeper import Bookkeeper
from ports.decision_log import DecisionLog, Record
from ports.greg_journal import GregEvent, GregNoted
from ports.greg_log import NO_POSITION, SYSTEM, GregAction, GregDecisionLog, GregEntry, GregSink


@frozen(eq=False)
class GregNotes:
    """
    The events of Greg's desk, each with its flags, as entries of the journal.

    Every method raises:
        StoreUnwritable: The journal failed, and nothing may go on.
    """

    keeper: Bookkeeper

    async def suggested(self, entry: GregEntry) -> bool:
        """An engine emits *entry*; False where it says nothing new, and is not written."""
        if not entry.says_more_than(self.keeper.book.advised.get(entry.position_id)):
            return False
        await self._write(GregEvent.SUGGESTED, evolve(entry, suggested=True, executed=False))
        return True

    async def executed(
        self, entry: GregEntry, order_ids: tuple[str, ...], *, environment: str, dry_run: bool
    ) -> None:
        """A person executes *entry*: its suggestion is marked."""
        extra = {**entry.extra_info, "dry_run": dry_run, "environment": environment}
        done = evolve(entry, suggested=True, executed=True, order_ids=order_ids, extra_info=extra)
        await self._write(GregEvent.EXECUTED, done)

    async def refused(self, entry: GregEntry, reason: str) -> None:
        """A gate or a failure stops the execution of *entry*; *reason* is its message."""
        extra = {**entry.extra_info, "refused": True}
        no = evolve(entry, suggested=True, executed=False, reason=reason, extra_info=extra)
        await self._write(GregEvent.NOTED, no)

    async def dismissed(self, entry: GregEntry) -> None:
        """A person dismisses the suggestion *entry*."""
        ignored = evolve(entry, suggested=True, executed=False, action_type=GregAction.IGNORE)
        await self._write(GregEvent.NOTED, ignored)

    async def changed(
        self,
        now: datetime,
        action: GregAction,
        mode: str,
        reason: str,
        changes: dict[str, Any],
        *,
        refused: bool = False,
    ) -> None:
        """A person changes mode or configuration; *changes* are what JSON holds."""
        is_mode = action is GregAction.MODE_SWITCH
        entry = GregEntry(
            timestamp=now,
            underlying=SYSTEM,
            strategy_type="MODE_CHANGE" if is_mode else "CONFIG_CHANGE",
            position_id=NO_POSITION,
            action_type=action,
            mode=mode,
            suggested=False,
            executed=not refused,
            reason=reason,
            extra_info={**changes, "refused": True} if refused else changes,
        )
        await self._write(GregEvent.NOTED, entry)

    async def _write(self, event: GregEvent, entry: GregEntry) -> None:
        await self.keeper.record(GregNoted(at=entry.timestamp, event=event, entry=entry))


async def copy_journal(journal: DecisionLog, log: GregDecisionLog) -> int:
    """
    Copy into *log* what *journal* says of Greg's desk and *log* does not have; return how much.

    It may be cut off anywhere and begun again: what is there already is not written twice.

    Raises:
        Unavailable, StoreUnwritable: *log* failed; the journal has everything.

        StoreDamaged: The journal cannot be read.
    """
    name = await _name_of(journal)
    count = 0
    async for record in _behind(journal, await log.copied(name)):
        if isinstance(record.entry, GregNoted):
            entry = evolve(record.entry.entry, journal=name, journal_seq=record.seq)
            await _keep(log, record.entry.event, entry)
            count += 1
    return count


async def _keep(log: GregSink, event: GregEvent, entry: GregEntry) -> None:
    if event is GregEvent.SUGGESTED:
        await log.suggest(entry)
    elif event is GregEvent.EXECUTED:
        await log.execute(entry)
    else:
        await log.append(entry)


async def _name_of(journal: DecisionLog) -> str:
    """The checksum of its first record: no other journal has it."""
    async for record in journal.records():
        return record.checksum
    return ""


def _behind(journal: DecisionLog, seq: int) -> AsyncIterator[Record]:
    return journal.records(after=seq)
