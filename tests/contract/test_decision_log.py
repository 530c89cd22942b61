"""What every DecisionLog promises."""

from collections.abc import Callable
from datetime import timedelta
from math import inf
from pathlib import Path

import attrs
import pytest

from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.memory.decision_log import MemoryDecisionLog
from ports.codec import Fields
from ports.decision_log import ENTRIES, Alarm, Decided, DecisionLog, Entry, Record, RollEnded
from tests.support.entries import NOW, entries


def memory(_: Path) -> DecisionLog:
    return MemoryDecisionLog()


def files(directory: Path) -> DecisionLog:
    return FileDecisionLog(Disk(), directory)


@pytest.fixture(params=[memory, files], ids=lambda make: make.__name__)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> DecisionLog:
    make: Callable[[Path], DecisionLog] = request.param
    return make(tmp_path / "book")


async def read(log: DecisionLog, after: int = 0) -> list[Record]:
    return [record async for record in log.records(after)]


def written(records: list[Record]) -> list[Fields]:
    """The entries as JSON: NaN differs from itself."""
    return [ENTRIES.encode(record.entry) for record in records]


def test_the_sample_holds_every_kind_of_entry() -> None:
    """The tests of this file speak for all entries."""
    assert {type(entry) for entry in entries()} == set(Entry.__args__)


async def test_a_new_log_is_empty(log: DecisionLog) -> None:
    """There are no records before the first."""
    assert await read(log) == []


async def test_entries_are_numbered_from_one_without_gaps(log: DecisionLog) -> None:
    """append() answers with the entry and its number."""
    records = [await log.append(entry) for entry in entries()]

    assert [record.seq for record in records] == list(range(1, len(entries()) + 1))
    assert written(records) == [ENTRIES.encode(entry) for entry in entries()]


async def test_what_was_appended_is_read_in_order(log: DecisionLog) -> None:
    """Every kind of entry comes back as it was, with its number and checksum."""
    appended = [await log.append(entry) for entry in entries()]
    found = await read(log)

    assert written(found) == written(appended)
    assert [(record.seq, record.checksum) for record in found] == [
        (record.seq, record.checksum) for record in appended
    ]


@pytest.mark.parametrize("after", [0, 1, 5, 20, 21, 40])
async def test_reading_starts_above_a_number(log: DecisionLog, after: int) -> None:
    """records(after) yields only what is numbered above it."""
    for entry in entries():
        await log.append(entry)

    assert [record.seq for record in await read(log, after)] == list(range(after + 1, 22))


async def test_equal_logs_have_equal_checksums(tmp_path: Path) -> None:
    """A journal in memory has the checksums of the one in files."""
    logs = memory(tmp_path), files(tmp_path)
    seals = [[(await log.append(entry)).checksum for entry in entries()] for log in logs]

    assert seals[0] == seals[1]


async def test_a_checksum_covers_all_before_it(log: DecisionLog, tmp_path: Path) -> None:
    """The same entry has another checksum behind another one."""
    last = Alarm(at=NOW, subject="same", detail="")
    other = files(tmp_path / "other")
    await log.append(Alarm(at=NOW, subject="one", detail=""))
    await other.append(Alarm(at=NOW, subject="two", detail=""))

    assert (await log.append(last)).checksum != (await other.append(last)).checksum


async def test_an_entry_that_json_cannot_hold_takes_no_number(log: DecisionLog) -> None:
    """An infinite number is refused; the log goes on as if it had never been tried."""
    good = RollEnded(at=NOW, position_id="p", outcome="done", opened=0.1, reason="")
    decided = next(entry for entry in entries() if isinstance(entry, Decided))
    bad = attrs.evolve(decided, candidates=(attrs.evolve(decided.candidates[0], score=inf),))
    with pytest.raises(ValueError, match="infinite"):
        await log.append(bad)

    assert (await log.append(good)).seq == 1


async def test_instants_may_go_back(log: DecisionLog) -> None:
    """The order is that of the appends, even if the clock was set back over midnight."""
    instants = [NOW, NOW + timedelta(days=1), NOW, NOW + timedelta(days=2)]
    for instant in instants:
        await log.append(Alarm(at=instant, subject="clock", detail=""))

    assert [record.entry.at for record in await read(log)] == instants


async def test_reading_and_writing_may_alternate(log: DecisionLog) -> None:
    """A reader that pauses while entries are appended misses none of those before it began."""
    for entry in entries():
        await log.append(entry)
    seqs = []
    async for record in log.records():
        seqs.append(record.seq)
        if record.seq <= 3:
            await log.append(Alarm(at=NOW, subject="meanwhile", detail=""))

    assert seqs[:17] == list(range(1, 18))
    assert seqs == list(range(1, len(seqs) + 1))
