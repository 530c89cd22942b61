"""What the disk does wrong, in our words."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.files.calls import SystemCalls
from adapters.files.disk import Disk
from ports.errors import StoreDamaged, StoreUnwritable
from tests.support.faulty_files import Fault, FaultKind, FaultyFiles

PATH = Path("/a.json")


def disk_failing_at(call: int, kind: FaultKind) -> Disk:
    return Disk(FaultyFiles(Fault(call, kind)))


def test_a_full_disk_is_named_with_its_free_bytes() -> None:
    """The message holds the path, what the system said and what is left."""
    with pytest.raises(StoreUnwritable) as raised:
        disk_failing_at(1, FaultKind.FULL).replace(PATH, b"content")

    assert str(raised.value) == "cannot write /a.json: No space left on device (4096 bytes free)"


def test_half_a_write_is_a_failure() -> None:
    """A write that takes less than all is not carried on with."""
    with pytest.raises(StoreUnwritable) as raised:
        disk_failing_at(2, FaultKind.FULL).replace(PATH, b"content")

    assert "only 3 of 7 bytes were taken (4096 bytes free)" in str(raised.value)


def test_a_failed_sync_is_a_failure() -> None:
    """What is not synced is not written."""
    with pytest.raises(StoreUnwritable, match=r"cannot write /a\.json: Input/output error"):
        disk_failing_at(3, FaultKind.FAIL).replace(PATH, b"content")


def test_a_path_below_a_file_takes_nothing(tmp_path: Path) -> None:
    """A directory that cannot be is StoreUnwritable for writers and nothing for readers."""
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "book"
    disk = Disk()

    assert disk.read(below / "a.json") is None
    assert disk.names(below) == ()
    writes: list[Callable[[Path], object]] = [
        disk.make_directory,
        disk.create,
        disk.sync,
        disk.remove,
        disk.move_aside,
        disk.try_lock,
    ]
    for write in writes:
        with pytest.raises(StoreUnwritable, match="Not a directory"):
            write(below)
    with pytest.raises(StoreUnwritable, match="Not a directory"):
        disk.append(below, b"")
    with pytest.raises(StoreUnwritable, match="Not a directory"):
        disk.replace(below, b"")


def test_what_is_no_file_cannot_be_read(tmp_path: Path) -> None:
    """A directory or a link to nothing where a file should be is damage, not absence."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nothing")

    with pytest.raises(StoreDamaged, match="Is a directory"):
        Disk().read(tmp_path / "directory")
    with pytest.raises(StoreDamaged, match="No such file"):
        Disk().read(tmp_path / "link")


def test_a_pipe_does_not_stop_a_reader(tmp_path: Path) -> None:
    """A named pipe without a writer reads as empty instead of for ever."""
    os.mkfifo(tmp_path / "pipe")

    assert Disk().read(tmp_path / "pipe") == b""


def test_the_previous_content_is_kept(tmp_path: Path) -> None:
    """replace() leaves the content before under its own name, and no temporary file."""
    path = tmp_path / "a.json"
    for content in (b"1", b"2", b"3"):
        Disk().replace(path, content)

    assert path.read_bytes() == b"3"
    assert (tmp_path / "a.json.previous").read_bytes() == b"2"
    assert len(list(tmp_path.iterdir())) == 2


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """New files can be read by nobody else."""
    Disk().replace(tmp_path / "a.json", b"")
    Disk().create(tmp_path / "b.jsonl")

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_creating_what_is_there_is_refused(tmp_path: Path) -> None:
    """create() never empties a file."""
    path = tmp_path / "a.jsonl"
    path.write_text("content")
    with pytest.raises(StoreUnwritable, match="File exists"):
        Disk().create(path)

    assert path.read_text() == "content"


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_lines_of_any_size_are_read_whole(tmp_path: Path, chunks: int) -> None:
    """Lines that end at, before or behind the edge of what is read at once come out whole."""
    edge = chunks << 20
    for length in (edge - 2, edge - 1, edge, edge + 1):
        lines = [b"a" * length + b"\n", b"\r\x0b\x85\n", b"\n", b"tail"]
        (tmp_path / "f").write_bytes(b"".join(lines))
        assert list(Disk().lines(tmp_path / "f", 0)) == lines
        assert list(Disk().lines(tmp_path / "f", length + 1)) == lines[1:]


def test_asides_do_not_replace_each_other(tmp_path: Path) -> None:
    """Each file moved or copied aside gets a name of its own."""
    path = tmp_path / "a.json"
    names = []
    for content, aside in ((b"1", Disk().move_aside), (b"2", Disk().copy_aside)):
        path.write_bytes(content)
        names.append(aside(path))

    assert [(name.name, name.read_bytes()) for name in names] == [
        ("a.json.corrupt-1", b"1"),
        ("a.json.corrupt-2", b"2"),
    ]
    assert path.read_bytes() == b"2"


def test_the_free_bytes_of_this_disk_are_told(tmp_path: Path) -> None:
    """There is room for what these tests write."""
    assert SystemCalls().free_bytes(tmp_path / "a") > 1_000_000
    assert Disk().free_bytes(tmp_path / "not" / "yet" / "there") > 1_000_000


def test_a_name_that_cannot_be_looked_up_is_not_absent(tmp_path: Path) -> None:
    """Only a missing file is absent: another error of the system is told."""
    with pytest.raises(StoreDamaged, match=r"cannot look for .*: File name too long"):
        Disk().read(tmp_path / ("x" * 300))
