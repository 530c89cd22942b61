"""controls.json and the KILL files: whatever is wrong with them, the kill switch is on."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.files.controls import FileControlStore
from adapters.files.disk import Disk
from ports.controls import RuntimeControls
from ports.errors import StoreDamaged, StoreUnwritable
from tests.support.entries import NOW
from tests.support.faulty_files import Fault, FaultKind, FaultyFiles

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from adapters.files.disk import Disk

lock = Disk().try_lock(Path(sys.argv[1]) / "controls.lock")
print("held", flush=True)
sys.stdin.read()
"""


def store(directory: Path, *, has_journal: bool = False) -> FileControlStore:
    kill_paths = (directory / "KILL", directory / "data" / "KILL")
    return FileControlStore(Disk(), directory, kill_paths, lambda: has_journal, lock_wait_s=0.0)


async def test_two_processes_see_each_other(tmp_path: Path) -> None:
    """What one store changes the other reads and goes on from."""
    one, other = store(tmp_path), store(tmp_path)
    await one.change(NOW, "ann", "", {"dte_min": 5})
    await other.change(NOW, "bob", "", {"dte_max": 50})

    assert await one.read() == RuntimeControls(revision=2, dte_min=5.0, dte_max=50.0)
    assert [line.who for line in await one.audit()] == ["ann", "bob"]


async def test_begin_writes_controls_once(tmp_path: Path) -> None:
    """A first start writes them, so that a later one may miss them; a later one changes nothing."""
    await store(tmp_path).begin()
    assert not (await store(tmp_path, has_journal=True).read()).kill_switch
    await store(tmp_path).change(NOW, "ann", "", {"dte_min": 5})
    await store(tmp_path, has_journal=True).begin()

    assert (await store(tmp_path).read()).dte_min == 5.0


async def test_absent_controls_beside_a_journal_kill(tmp_path: Path) -> None:
    """Controls that were there and are not are the kill switch on; begin() does not hide it."""
    later = store(tmp_path, has_journal=True)
    await later.begin()
    controls = await later.read()

    assert controls.kill_switch
    assert controls.kill_reason.endswith("controls.json is absent although there is a journal")


def a_word(path: Path) -> None:
    path.write_text("  fire in\nthe hall\n")


def garbage(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00\x1b[31mred" + bytes(range(256)) * 64)


def nothing(path: Path) -> None:
    path.touch()


def a_directory(path: Path) -> None:
    path.mkdir()


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to(path.with_name("nothing"))


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("name", ["KILL", "data/KILL"])
@pytest.mark.parametrize(
    ("lay", "reason"),
    [
        (a_word, "fire in the hall"),
        (garbage, "[31mred"),
        (nothing, "KILL exists"),
        (a_directory, "Is a directory"),
        (a_link_to_nothing, "No such file or directory"),
        (a_pipe, "KILL exists"),
    ],
)
async def test_a_kill_file_kills(
    tmp_path: Path, name: str, lay: Callable[[Path], None], reason: str
) -> None:
    """Anything of that name is the kill switch on, with what it says in one printable line."""
    (tmp_path / "data").mkdir()
    await store(tmp_path).change(NOW, "ann", "go", {"kill_switch": False, "dte_min": 5})
    lay(tmp_path / name)
    controls = await store(tmp_path).read()

    assert controls.kill_switch
    assert reason in controls.kill_reason
    assert controls.kill_reason.isprintable()
    assert controls.dte_min == 5.0
    assert (await store(tmp_path).change(NOW, "ann", "go", {"kill_switch": False})).kill_switch


async def test_a_long_kill_text_is_cut(tmp_path: Path) -> None:
    """The reason has at most 200 letters."""
    (tmp_path / "KILL").write_text("x" * 1_000_000)

    assert (await store(tmp_path).read()).kill_reason == "x" * 200


async def test_a_release_removes_the_kill_files(tmp_path: Path) -> None:
    """release() ends both, the flag and every file, and leaves a line in the audit."""
    (tmp_path / "data").mkdir()
    a_word(tmp_path / "KILL")
    a_link_to_nothing(tmp_path / "data" / "KILL")
    await store(tmp_path).change(NOW, "ann", "smoke", {"kill_switch": True})
    released = await store(tmp_path).release(NOW, "bob", "no fire")

    assert released == RuntimeControls(revision=2, releases=1)
    assert (await store(tmp_path).audit())[-1].reason == "no fire"
    assert not (tmp_path / "KILL").exists()


async def test_a_kill_file_that_cannot_be_removed_still_holds(tmp_path: Path) -> None:
    """The operator is told, and the kill switch stays on."""
    a_directory(tmp_path / "KILL")
    with pytest.raises(StoreUnwritable, match="cannot remove"):
        await store(tmp_path).release(NOW, "bob", "no fire")

    assert (await store(tmp_path).read()).kill_switch


async def test_every_changed_byte_kills(tmp_path: Path) -> None:
    """Controls with any byte changed are the kill switch on."""
    await store(tmp_path).change(NOW, "ann", "", {"dte_min": 5, "explore_prob": 0.5})
    path = tmp_path / "controls.json"
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x01]) + good[place + 1 :])
        controls = await store(tmp_path).read()
        assert controls.kill_switch
        assert "controls.json is damaged" in controls.kill_reason


async def test_damaged_controls_can_be_released(tmp_path: Path) -> None:
    """A person can go on: revision and releases count on, the damaged file is kept."""
    await store(tmp_path).change(NOW, "ann", "", {"dte_min": 5})
    await store(tmp_path).release(NOW, "ann", "one")
    (tmp_path / "controls.json").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="reason"):
        await store(tmp_path).release(NOW, "ann", "")
    released = await store(tmp_path).release(NOW, "ann", "two")

    assert released == RuntimeControls(revision=3, releases=2)
    assert (tmp_path / "controls.json.corrupt-1").read_bytes() == b"damaged"
    assert [line.revision for line in await store(tmp_path).audit()] == [1, 2, 3]


async def test_a_damaged_audit_is_told_and_does_not_stop_a_kill(tmp_path: Path) -> None:
    """The audit names the damaged line; the kill switch can still be turned on."""
    for number in range(3):
        await store(tmp_path).change(NOW, "ann", "", {"dte_min": number})
    path = tmp_path / "controls_audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"new":"1.0"', b'"new":"9.0"'))
    with pytest.raises(StoreDamaged, match=r"controls_audit.jsonl line 2: its checksum is wrong"):
        await store(tmp_path).audit()

    assert (await store(tmp_path).change(NOW, "ann", "smoke", {"kill_switch": True})).kill_switch


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Another process that is changing the controls in tmp_path, and never ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


async def test_a_change_waits_for_another_to_end(tmp_path: Path) -> None:
    """A lock that is given back in time is taken, without holding up other tasks."""
    held = Disk().try_lock(tmp_path / "controls.lock")
    assert held is not None
    patient = FileControlStore(Disk(), tmp_path, (), lambda: False, lock_wait_s=60.0)
    change = asyncio.create_task(patient.change(NOW, "ann", "", {"dte_min": 5}))
    await asyncio.sleep(0)
    held.release()

    assert (await change).dte_min == 5.0


async def test_a_change_that_another_process_holds_up_is_refused(
    tmp_path: Path, holder: "subprocess.Popen[bytes]"
) -> None:
    """The lock is waited for only so long; reading needs none."""
    with pytest.raises(StoreUnwritable, match=r"another process holds .*controls\.lock"):
        await store(tmp_path).change(NOW, "ann", "", {"dte_min": 5})
    assert await store(tmp_path).read() == RuntimeControls()

    holder.kill()
    holder.wait()
    assert (await store(tmp_path).change(NOW, "ann", "", {"dte_min": 6})).dte_min == 6.0


@pytest.mark.parametrize("call", range(5))
async def test_what_the_system_does_not_let_us_read_kills(call: int) -> None:
    """Wherever a read of the controls or of a KILL file fails, the kill switch is on."""
    files = FaultyFiles()
    controls = FileControlStore(Disk(files), Path("/book"), (Path("/KILL"),), lambda: True)
    await controls.release(NOW, "ann", "go")
    assert not (await controls.read()).kill_switch
    files.fail_next(FaultKind.FAIL, skip=call)
    killed = await controls.read()

    assert killed.kill_switch
    assert "Input/output error" in killed.kill_reason
    assert not (await controls.read()).kill_switch


async def test_a_change_over_controls_that_cannot_be_read_is_refused() -> None:
    """A passing failure to read must not make the overlays forgotten."""
    files = FaultyFiles()
    controls = FileControlStore(Disk(files), Path("/book"), (), lambda: True)
    await controls.change(NOW, "ann", "go", {"kill_switch": False, "dte_min": 5})
    made = files.calls_made
    await controls.change(NOW, "ann", "", {"dte_min": 5})
    for skip in range(files.calls_made - made):
        before = await controls.read()
        files.fail_next(FaultKind.FAIL, skip=skip)
        with pytest.raises(StoreUnwritable):
            await controls.change(NOW, "ann", "", {"dte_max": 50 + skip})
        after = await controls.read()
        assert (after.kill_switch, after.dte_min) == (False, 5.0)
        assert after.revision - before.revision in (0, 1)


def test_faults_fail_once() -> None:
    """The failing disk of these tests fails one call and no other."""
    files = FaultyFiles(Fault(1, FaultKind.FAIL))
    assert files.exists(Path("/"))
    with pytest.raises(OSError, match="Input/output"):
        files.exists(Path("/"))
    assert files.exists(Path("/"))
