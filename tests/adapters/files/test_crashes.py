"""Every call to the disk goes wrong in turn: what was acknowledged stays, nothing is invented."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from adapters.files.controls import FileControlStore
from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.files.positions import FilePositionStore
from ports.controls import RuntimeControls
from ports.decision_log import Alarm, Record
from ports.errors import PortError, StoreUnwritable
from tests.support.entries import NOW, book_snapshot
from tests.support.faulty_files import Fault, FaultKind, FaultyFiles, Loss, Stopped

BOOK = Path("/data/book")
ALARMS = tuple(
    Alarm(at=NOW + number // 3 * timedelta(days=1), subject="s", detail=f"{number}")
    for number in range(7)
)
LAST = Alarm(at=NOW + timedelta(days=9), subject="s", detail="last")
SNAPSHOTS = tuple(book_snapshot(seq) for seq in range(1, 5))
CONTROLS = (
    RuntimeControls(),
    RuntimeControls(revision=1, dte_min=5.0),
    RuntimeControls(revision=2, dte_min=5.0, kill_switch=True, kill_reason="smoke"),
    RuntimeControls(revision=3, dte_min=5.0, releases=1),
)
KINDS = pytest.mark.parametrize("kind", FaultKind, ids=lambda kind: kind.name)
LOSSES = pytest.mark.parametrize("loss", Loss, ids=lambda loss: loss.name)

Session = Callable[[FaultyFiles, list[Any]], Awaitable[None]]


@frozen
class Crash:
    """What a session left behind, and what it was told is safe."""

    files: FaultyFiles
    told: list[Any]


async def crashes(
    session: Session, kind: FaultKind, before: FaultyFiles | None = None
) -> list[Crash]:
    """Run *session* over what is in *before* with a fault of *kind* at each of its calls."""
    before = before or FaultyFiles()
    sound = before.restarted(Loss.NOTHING)
    await session(sound, [])
    found = []
    for call in range(sound.calls_made):
        files = before.restarted(Loss.NOTHING, Fault(call, kind))
        told: list[Any] = []
        with pytest.raises((PortError, Stopped)):
            await session(files, told)
        found.append(Crash(files, told))
    assert len(found) > 20
    return found


async def log_session(files: FaultyFiles, told: list[Any]) -> None:
    log = FileDecisionLog(Disk(files), BOOK)
    told.extend([record async for record in log.records()])
    await append_rest(log, told)


async def append_rest(log: FileDecisionLog, told: list[Any]) -> None:
    for alarm in ALARMS[len(told) :]:
        record = await log.append(alarm)
        told.append(record)


async def read(files: FaultyFiles) -> list[Record]:
    return [record async for record in FileDecisionLog(Disk(files), BOOK).records()]


async def check_log(crash: Crash, loss: Loss) -> None:
    """All that was told is there, at most the line under way more, and the log goes on."""
    files = crash.files.restarted(loss)
    found = await read(files)
    assert found[: len(crash.told)] == crash.told
    assert tuple(record.entry for record in found) == ALARMS[: len(found)]
    assert len(found) <= len(crash.told) + 1

    log = FileDecisionLog(Disk(files), BOOK)
    for alarm in (*ALARMS[len(found) :], LAST):
        await log.append(alarm)
    for found in (await read(files), await read(files.restarted(Loss.UNSYNCED))):
        assert tuple(record.entry for record in found) == (*ALARMS, LAST)


@KINDS
@LOSSES
async def test_a_journal_survives_every_crash(kind: FaultKind, loss: Loss) -> None:
    """A journal written over three days, stopped anywhere."""
    for crash in await crashes(log_session, kind):
        await check_log(crash, loss)


@KINDS
@LOSSES
async def test_a_journal_survives_crashes_of_its_recovery(kind: FaultKind, loss: Loss) -> None:
    """The same from a torn last line on: cutting it off may be stopped anywhere too."""
    torn = next(
        crash
        for crash in await crashes(log_session, FaultKind.TORN)
        if len(crash.told) == 4 and FileDecisionLog(Disk(again(crash)), BOOK).torn is not None
    )
    for crash in await crashes(log_session, kind, again(torn)):
        if crash.told:
            await check_log(crash, loss)


def again(crash: Crash) -> FaultyFiles:
    return crash.files.restarted(Loss.NOTHING)


@pytest.mark.parametrize("kind", [FaultKind.FAIL, FaultKind.FULL], ids=lambda kind: kind.name)
async def test_a_failed_append_closes_the_journal_for_ever(kind: FaultKind) -> None:
    """Whatever failed, every later append is refused and touches nothing, though it could work."""
    sound = FaultyFiles()
    await log_session(sound, [])
    for call in range(sound.calls_made):
        files = FaultyFiles(Fault(call, kind))
        told: list[Any] = []
        try:
            log = FileDecisionLog(Disk(files), BOOK)
        except PortError:
            continue
        with pytest.raises(StoreUnwritable) as first:
            await append_rest(log, told)
        made = files.calls_made
        with pytest.raises(StoreUnwritable) as second:
            await log.append(ALARMS[-1])
        assert str(second.value) == str(first.value)
        assert f"nothing more since number {len(told) + 1}: cannot" in str(first.value)
        assert files.calls_made == made


async def snapshot_session(files: FaultyFiles, told: list[Any]) -> None:
    store = FilePositionStore(Disk(files), BOOK / "positions.json", "paper")
    for snapshot in SNAPSHOTS:
        await store.save(snapshot)
        told.append(snapshot)


@KINDS
@LOSSES
async def test_a_snapshot_survives_every_crash(kind: FaultKind, loss: Loss) -> None:
    """The last one saved is there, or the one under way; never half of one, never none."""
    for crash in await crashes(snapshot_session, kind):
        files = crash.files.restarted(loss)
        store = FilePositionStore(Disk(files), BOOK / "positions.json", "paper")
        count = len(crash.told)
        assert await store.load() in ((None, *SNAPSHOTS)[count], SNAPSHOTS[count])

        await store.save(SNAPSHOTS[0])
        assert await store.load() == SNAPSHOTS[0]


def control_store(files: FaultyFiles, *, journal_exists: bool) -> FileControlStore:
    return FileControlStore(Disk(files), BOOK, (), lambda: journal_exists)


async def control_session(files: FaultyFiles, told: list[Any]) -> None:
    store = control_store(files, journal_exists=False)
    await store.begin()
    told.append(CONTROLS[0])
    told.append(await store.change(NOW, "ann", "", {"dte_min": 5}))
    told.append(await store.change(NOW, "ann", "smoke", {"kill_switch": True}))
    told.append(await store.change(NOW, "bob", "no fire", {"kill_switch": False}))


@KINDS
@LOSSES
async def test_controls_survive_every_crash(kind: FaultKind, loss: Loss) -> None:
    """The last change is in force, or the one under way, and the audit tells just those."""
    for crash in await crashes(control_session, kind):
        count = len(crash.told)
        assert crash.told == list(CONTROLS[:count])
        store = control_store(crash.files.restarted(loss), journal_exists=count > 0)
        found = await store.read()
        assert found in CONTROLS[max(count - 1, 0) : count + 1]
        await check_audit(store, found.revision)

        await store.change(NOW, "ann", "", {"dte_max": 50})
        await check_audit(store, found.revision + 1)


async def check_audit(store: FileControlStore, revision: int) -> None:
    assert [line.revision for line in await store.audit()] == list(range(1, revision + 1))
