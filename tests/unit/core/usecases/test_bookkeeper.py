"""The bookkeeper: written first, then folded; taken up from a snapshot if that fits."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import define, evolve, field

from adapters.memory.decision_log import MemoryDecisionLog
from adapters.memory.positions import MemoryPositionStore
from core.execution.book import fold, state_hash
from core.usecases.bookkeeper import Bookkeeper
from ports.decision_log import Entry, Opened, Record
from ports.errors import PortError, StoreUnwritable
from ports.positions import Book, BookSnapshot
from tests.support.entries import entries
from tests.support.markets import NOW

ALL = tuple(
    evolve(entry, environment="test") if isinstance(entry, Opened) else entry for entry in entries()
)
HALF = len(ALL) // 2


@define(eq=False)
class CountingLog:
    """A journal that knows how many records were read, and may be full."""

    kept: MemoryDecisionLog = field(factory=MemoryDecisionLog)
    read: int = 0
    is_full: bool = False

    async def append(self, entry: Entry) -> Record:
        """See DecisionLog."""
        if self.is_full:
            raise StoreUnwritable("disk full")
        return await self.kept.append(entry)

    async def records(self, after: int = 0) -> AsyncIterator[Record]:
        """See DecisionLog."""
        async for record in self.kept.records(after):
            self.read += 1
            yield record


def keeper_of(log: CountingLog, store: MemoryPositionStore | None = None) -> Bookkeeper:
    """A bookkeeper that has not taken up the book."""
    return Bookkeeper(log, store or MemoryPositionStore("test"), "test")


async def lived() -> tuple[CountingLog, BookSnapshot]:
    """A journal of every kind of entry, and a snapshot of its first half."""
    log, store = CountingLog(), MemoryPositionStore("test")
    keeper = keeper_of(log, store)
    for entry in ALL[:HALF]:
        await keeper.record(entry)
    await keeper.save(NOW)
    for entry in ALL[HALF:]:
        await keeper.record(entry)
    snapshot = await store.load()
    assert snapshot is not None
    return log, snapshot


def whole() -> str:
    """The fingerprint of the whole journal, folded."""
    return state_hash(fold(Book(environment="test"), ALL))


async def test_the_book_is_the_fold_of_what_was_recorded() -> None:
    """Entry by entry, and whoever watches sees each once it is in."""
    seen: list[Entry] = []
    keeper = Bookkeeper(CountingLog(), MemoryPositionStore("test"), "test", seen.append)
    for number, entry in enumerate(ALL, start=1):
        await keeper.record(entry)
        assert state_hash(keeper.book) == state_hash(fold(Book(environment="test"), ALL[:number]))
        assert (keeper.seq, keeper.at) == (number, entry.at)

    assert tuple(seen) == ALL


async def test_what_is_not_written_is_not_in_the_book() -> None:
    """The journal fails: book, number and watcher are as before."""
    log, seen = CountingLog(), list[Entry]()
    keeper = Bookkeeper(log, MemoryPositionStore("test"), "test", seen.append)
    await keeper.record(ALL[0])
    before = keeper.book
    log.is_full = True

    with pytest.raises(StoreUnwritable):
        await keeper.record(ALL[3])
    assert (keeper.book, keeper.seq, len(seen)) == (before, 1, 1)


async def test_a_snapshot_that_fits_saves_the_time() -> None:
    """Only its own record and those after it are read."""
    log, snapshot = await lived()
    keeper = keeper_of(log)
    await keeper.recall(snapshot)

    assert state_hash(keeper.book) == whole()
    assert (keeper.seq, keeper.at) == (len(ALL), ALL[-1].at)
    assert log.read <= 2 + len(ALL) - HALF


@pytest.mark.parametrize(
    "change", [{"checksum": "0" * 64}, {"seq": 3}, {"seq": 1}], ids=["checksum", "seq", "first"]
)
async def test_a_snapshot_that_does_not_fit_is_passed_over(change: dict[str, Any]) -> None:
    """Another journal, or another place in it: everything is folded from the start."""
    log, snapshot = await lived()
    keeper = keeper_of(log)
    wrong = evolve(snapshot, book=Book(environment="test", counter=999), **change)
    await keeper.recall(wrong)

    assert state_hash(keeper.book) == whole()
    assert log.read >= len(ALL)


async def test_without_a_snapshot_everything_is_folded() -> None:
    """From the first record."""
    log, _ = await lived()
    keeper = keeper_of(log)
    await keeper.recall(None)

    assert state_hash(keeper.book) == whole()


async def test_an_empty_journal_is_an_empty_book() -> None:
    """And there is no last instant to go on from."""
    keeper = keeper_of(CountingLog())
    await keeper.recall(None)

    assert (keeper.book, keeper.seq, keeper.at) == (Book(environment="test"), 0, None)


async def test_a_journal_shorter_than_its_snapshot_is_not_gone_on_with() -> None:
    """Lines that were there are gone: a person must look."""
    log, snapshot = await lived()
    log.kept._records[HALF - 2 :] = []

    with pytest.raises(PortError):
        await keeper_of(log).recall(snapshot)


async def test_the_journal_of_another_environment_is_refused() -> None:
    """A paper book is never gone on with as a live one."""
    log, _ = await lived()

    with pytest.raises(PortError):
        await Bookkeeper(log, MemoryPositionStore("live"), "live").recall(None)


async def test_a_book_is_saved_only_if_there_is_something_new() -> None:
    """The same record makes one snapshot."""
    log, store = CountingLog(), MemoryPositionStore("test")
    keeper = keeper_of(log, store)
    await keeper.save(NOW)
    assert await store.load() is None

    await keeper.record(ALL[0])
    await keeper.save(NOW)
    first = await store.load()
    await keeper.save(ALL[-1].at)
    assert await store.load() is first
    assert first is not None
    assert (first.seq, first.checksum, first.saved_at) == (1, keeper.checksum, NOW)
