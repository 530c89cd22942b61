"""One writer for a book, one environment for ever."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.files.disk import Disk
from adapters.files.lock import BookLock
from ports.errors import StoreDamaged, StoreForeign, StoreLocked, StoreUnwritable
from tests.support.faulty_files import Fault, FaultKind, FaultyFiles

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from adapters.files.disk import Disk
from adapters.files.lock import BookLock

lock = BookLock.take(Disk(), Path(sys.argv[1]), "paper", command="trade", since="nine")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Another process that holds the book in tmp_path."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def take(directory: Path, environment: str = "paper") -> BookLock:
    return BookLock.take(Disk(), directory, environment, command="test", since="ten")


def test_a_second_process_is_told_who_holds_the_book(
    tmp_path: Path, holder: "subprocess.Popen[bytes]"
) -> None:
    """StoreLocked names the lock file, the process, its command and since when."""
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(StoreLocked) as raised:
        take(tmp_path)

    assert str(raised.value) == (
        f"{tmp_path}/LOCK is held by process {holder.pid} (trade) since nine"
    )
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_end_of_the_holder_frees_the_book(
    tmp_path: Path, holder: "subprocess.Popen[bytes]", end: signal.Signals
) -> None:
    """However the holder ends, the next process gets the book."""
    holder.send_signal(end)
    assert holder.wait() == -end

    with take(tmp_path):
        assert (tmp_path / "LOCK").read_bytes().startswith(b'{"command":"test","pid":')


def test_a_closed_lock_is_free(tmp_path: Path) -> None:
    """Two locks in one process keep each other out, until one is closed."""
    with take(tmp_path), pytest.raises(StoreLocked):
        take(tmp_path)
    with take(tmp_path):
        pass


def test_an_unreadable_holder_still_holds(tmp_path: Path) -> None:
    """A lock file that says nothing useful locks all the same."""
    with take(tmp_path):
        for content in ("", "garbage", "[]"):
            (tmp_path / "LOCK").write_text(content)
            with pytest.raises(StoreLocked, match="held by another process"):
                take(tmp_path)


def test_a_book_keeps_its_environment(tmp_path: Path) -> None:
    """A book of another environment is refused, with both names, and given back."""
    take(tmp_path / "book", "paper").close()
    with pytest.raises(StoreForeign, match="holds a book of 'paper', not of 'mainnet'"):
        take(tmp_path / "book", "mainnet")

    take(tmp_path / "book", "paper").close()


def test_a_damaged_environment_is_nobodys(tmp_path: Path) -> None:
    """A marker that was changed is refused whatever it says now."""
    take(tmp_path, "paper").close()
    marker = tmp_path / "environment.json"
    marker.write_bytes(marker.read_bytes().replace(b"paper", b"mains"))

    for environment in ("paper", "mains"):
        with pytest.raises(StoreDamaged, match=r"environment\.json is damaged"):
            take(tmp_path, environment)


def test_a_directory_that_cannot_be_is_told(tmp_path: Path) -> None:
    """A path below a file is StoreUnwritable with its name."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnwritable, match=f"cannot make {tmp_path}/file/book"):
        take(tmp_path / "file" / "book")


@pytest.mark.parametrize("kind", [FaultKind.FAIL, FaultKind.FULL], ids=lambda kind: kind.name)
def test_a_failing_disk_gives_no_lock(kind: FaultKind) -> None:
    """Whichever call fails, there is no half taken lock: the descriptor is closed again."""
    sound = FaultyFiles()
    BookLock.take(Disk(sound), Path("/book"), "paper", command="", since="").close()
    assert sound.calls_made > 10
    for call in range(sound.calls_made):
        files = FaultyFiles(Fault(call, kind))
        with pytest.raises((StoreUnwritable, StoreDamaged)):
            BookLock.take(Disk(files), Path("/book"), "paper", command="", since="")
        assert files.open_descriptors == 0
