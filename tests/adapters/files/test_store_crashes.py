"""The stores that are no part of the book: each of their calls to the disk goes wrong in turn."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from adapters.files.disk import Disk
from adapters.files.lock import BookLock, environment_of
from adapters.files.snapshots import ParquetSnapshots
from adapters.files.venue_log import FileVenueLog
from ports.errors import PortError, StoreForeign
from ports.venue_log import Deposit, VenueStep
from tests.support.breaking_calls import BreakingCalls
from tests.support.entries import NOW
from tests.support.faulty_files import Fault, FaultKind, FaultyFiles, Loss, Stopped
from tests.support.markets import Listed, call, snapshot

BOOK = Path("/data/book")
STEPS = tuple(
    VenueStep(at=NOW + number // 2 * timedelta(days=1), deposits=(Deposit("BTC", number + 1.0),))
    for number in range(5)
)
SHOWN = tuple(
    snapshot(Listed(contract=call(90_000.0), mark=0.1), taken_at=NOW + number * timedelta(hours=9))
    for number in range(3)
)
KINDS = pytest.mark.parametrize("kind", FaultKind, ids=lambda kind: kind.name)
LOSSES = pytest.mark.parametrize("loss", Loss, ids=lambda loss: loss.name)


async def survived(session: Callable[[], Awaitable[None]]) -> None:
    """Let *session* end as it may."""
    try:
        await session()
    except (PortError, Stopped):
        return


async def record(files: FaultyFiles, told: list[VenueStep]) -> None:
    """Log the steps that are not in the venue's log yet."""
    log = FileVenueLog(Disk(files), BOOK)
    told += [step async for step in log.steps()]
    for step in STEPS[len(told) :]:
        await log.append(step)
        told.append(step)


@KINDS
@LOSSES
async def test_a_venues_log_survives_every_crash(kind: FaultKind, loss: Loss) -> None:
    """What was answered is there, at most the step under way more, and the log goes on."""
    sound = FaultyFiles()
    await record(sound, [])
    for number in range(sound.calls_made):
        files, told = FaultyFiles(Fault(number, kind)), list[VenueStep]()
        await survived(partial(record, files, told))

        after, found = files.restarted(loss), list[VenueStep]()
        await record(after, found)

        assert tuple(found) == STEPS
        assert tuple(told) == STEPS[: len(told)]
        kept = [step async for step in FileVenueLog(Disk(files.restarted(loss)), BOOK).steps()]
        assert len(told) <= len(kept) <= len(told) + 1


def take(files: FaultyFiles, environment: str) -> None:
    BookLock.take(Disk(files), BOOK, environment, command="test", since="now").close()


@KINDS
@LOSSES
async def test_an_environment_survives_every_crash(kind: FaultKind, loss: Loss) -> None:
    """The lock can be taken again; a book that was once told its environment never has another."""
    sound = FaultyFiles()
    take(sound, "paper")
    for number in range(sound.calls_made):
        files, is_told = FaultyFiles(Fault(number, kind)), True
        try:
            take(files, "paper")
        except (PortError, Stopped):
            is_told = False
        after = files.restarted(loss)

        if is_told or environment_of(Disk(after), BOOK) is not None:
            with pytest.raises(StoreForeign):
                take(after, "testnet")
        take(after, "paper")
        assert environment_of(Disk(after), BOOK) == "paper"


async def archive(root: Path, calls: BreakingCalls, told: list[int]) -> None:
    """Save the snapshots that are not in *told*, over two days."""
    kept = ParquetSnapshots(root, Disk(calls))
    for number in range(len(told), len(SHOWN)):
        await kept.save(SHOWN[number])
        told.append(number)


@KINDS
async def test_an_archive_survives_every_crash(kind: FaultKind, tmp_path: Path) -> None:
    """What was saved can be loaded, whatever happens to a later save; then the rest is saved."""
    sound = BreakingCalls()
    await archive(tmp_path / "sound", sound, [])
    for number in range(sound.calls_made):
        root, told = tmp_path / str(number), list[int]()
        calls = BreakingCalls(Fault(number, kind))
        await survived(partial(archive, root, calls, told))

        after = ParquetSnapshots(root)
        instants = await after.instants("BTC")
        assert instants[: len(told)] == tuple(SHOWN[each].taken_at for each in told)
        assert len(instants) <= len(told) + 1
        await archive(root, BreakingCalls(), told)

        assert await ParquetSnapshots(root).instants("BTC") == tuple(
            each.taken_at for each in SHOWN
        )
        loaded = await ParquetSnapshots(root).load("BTC", SHOWN[-1].taken_at)
        assert loaded.chain.mark.tolist() == SHOWN[-1].chain.mark.tolist()
