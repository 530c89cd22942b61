"""Journals as files: where they lie, whether they are whole, and what they say; only read."""

from collections.abc import AsyncIterator
from pathlib import Path

from attrs import frozen

from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.files.positions import FilePositionStore
from adapters.files.sealed_lines import LineDamaged
from apps.wiring.book import JOURNAL, POSITIONS, BookPlace
from apps.wiring.reading import place_at
from core.execution.book import after, state_hash
from ports.decision_log import Record
from ports.errors import StoreDamaged
from ports.positions import Book


@frozen
class JournalPlace:
    """The folder of a journal, and the book it belongs to; None if it lies alone."""

    directory: Path
    book: BookPlace | None


@frozen(kw_only=True)
class Verified:
    """
    What reading a journal to its end found; *damage* is None if every line is as written.

    *torn* is where an append was cut short by a crash, or is just being written.
    """

    files: int
    lines: int
    checksum: str
    torn: str | None
    damage: "Damage | None"


@frozen(kw_only=True)
class Damage:
    """The first thing that is not as it was written; None where a whole file is meant."""

    path: str | None
    line: int | None
    seq: int | None
    what: str


@frozen(kw_only=True)
class Replayed:
    """
    A journal folded from nothing: *snapshot_agrees* says whether positions.json is the same
    book at the same record, None if there is none.
    """

    book: Book
    seq: int
    state_hash: str
    snapshot_seq: int | None
    snapshot_agrees: bool | None


def journal_in(directory: Path) -> JournalPlace | None:
    """The journal in *directory*, a book's folder or the journal's own; None if there is none."""
    book = place_at(directory)
    if book is None and directory.name == JOURNAL:
        book = place_at(directory.parent)
    own = directory if directory.name == JOURNAL else directory / JOURNAL
    is_there = any(name.startswith("journal-") for name in Disk().names(own))
    return JournalPlace(own, book) if is_there else None


async def verify(place: JournalPlace) -> Verified:
    """
    Read every line of the journal at *place*: seals, numbers and contents.

    Raises:
        StoreForeign: A newer program wrote it.
    """
    names = Disk().names(place.directory)
    files = sum(name.startswith("journal-") and name.endswith(".jsonl") for name in names)
    lines, checksum = 0, ""
    try:
        log = FileDecisionLog(Disk(), place.directory)
        async for record in log.records():
            lines, checksum = record.seq, record.checksum
    except LineDamaged as error:
        found = Damage(path=str(error.path), line=error.line_number, seq=error.seq, what=str(error))
        return Verified(
            files=files, lines=error.seq - 1, checksum=checksum, torn=None, damage=found
        )
    except StoreDamaged as error:
        whole = Damage(path=None, line=None, seq=None, what=str(error))
        return Verified(files=files, lines=lines, checksum=checksum, torn=None, damage=whole)
    torn = f"{log.torn.path} behind byte {log.torn.size}" if log.torn else None
    return Verified(files=files, lines=lines, checksum=checksum, torn=torn, damage=None)


async def records(place: JournalPlace) -> AsyncIterator[Record]:
    """
    Yield every record of the journal at *place*.

    Raises:
        StoreDamaged, StoreForeign: It cannot be read to its end.
    """
    async for record in FileDecisionLog(Disk(), place.directory).records():
        yield record


async def replay(place: JournalPlace) -> Replayed:
    """
    Fold the journal at *place* from an empty book and compare it with the snapshot beside it.

    Raises:
        StoreDamaged, StoreForeign: Journal or snapshot cannot be read.
    """
    snapshot = None
    if place.book is not None:
        path = place.book.directory / POSITIONS
        snapshot = await FilePositionStore(Disk(), path, place.book.environment).peek()
    book, seq, agrees = Book(), 0, False
    async for record in records(place):
        book, seq = after(record.entry, book), record.seq
        if snapshot is not None and seq == snapshot.seq:
            same_record = record.checksum == snapshot.checksum
            agrees = same_record and state_hash(book) == state_hash(snapshot.book)
    return Replayed(
        book=book,
        seq=seq,
        state_hash=state_hash(book),
        snapshot_seq=None if snapshot is None else snapshot.seq,
        snapshot_agrees=None if snapshot is None else agrees,
    )
