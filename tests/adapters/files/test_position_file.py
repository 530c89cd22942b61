"""positions.json: its form, its damage, and whose it is."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from adapters.files.disk import Disk
from adapters.files.positions import FilePositionStore
from ports.errors import StoreDamaged, StoreForeign, StoreUnwritable
from tests.support.entries import book_snapshot
from tests.support.faulty_files import Fault, FaultKind, FaultyFiles


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A file with the second of two snapshots."""
    for seq in (1, 2):
        await store(tmp_path / "positions.json").save(book_snapshot(seq))
    return tmp_path / "positions.json"


def store(path: Path, environment: str = "paper") -> FilePositionStore:
    return FilePositionStore(Disk(), path, environment)


def content(path: Path) -> bytes:
    return path.read_bytes()


def put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def resealed(path: Path, **changes: Any) -> None:
    """Write *changes* into the document with a right checksum, worked out here."""
    fields = json.loads(content(path)) | changes
    del fields["checksum"]
    body = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    fields["checksum"] = sha256(body.encode()).hexdigest()
    path.write_text(json.dumps(fields, sort_keys=True, separators=(",", ":")) + "\n")


async def test_the_file_says_what_it_is(path: Path) -> None:
    """Version, environment, number and checksum of the journal stand beside the book."""
    fields = json.loads(content(path))
    resealed(path)

    assert sorted(fields) == [
        "book",
        "checksum",
        "environment",
        "journal_checksum",
        "saved_at",
        "seq",
        "version",
    ]
    assert (fields["version"], fields["environment"], fields["seq"]) == (1, "paper", 2)
    assert fields["journal_checksum"] == f"{2:064x}"
    assert json.loads(content(path)) == fields


async def test_the_snapshot_before_is_kept(path: Path) -> None:
    """The one before lies beside it and can be read as well."""
    assert await store(path.with_name("positions.json.previous")).load() == book_snapshot(1)


async def test_every_changed_byte_is_noticed(path: Path) -> None:
    """A snapshot with any byte changed is moved aside; a later load finds none."""
    good = content(path)
    for place in range(len(good)):
        bad = good[:place] + bytes([good[place] ^ 0x01]) + good[place + 1 :]
        put(path, bad)
        aside = path.with_name("positions.json.corrupt-1")
        with pytest.raises(StoreDamaged, match=f"it is now {aside}"):
            await store(path).load()
        assert await store(path).load() is None
        assert aside.read_bytes() == bad
        aside.unlink()


@pytest.mark.parametrize("garbage", [b"", b"[]", b"null", b"[" * 100_000, b'{"a":NaN}', b"\xff"])
async def test_garbage_is_moved_aside(path: Path, garbage: bytes) -> None:
    """Whatever stands in the file, it is damage and not a bug."""
    put(path, garbage)
    with pytest.raises(StoreDamaged, match=r"positions\.json is damaged"):
        await store(path).load()

    assert await store(path).load() is None


async def test_damage_that_cannot_be_moved_is_told(path: Path) -> None:
    """If the disk does not let us move the file, that is said instead."""
    damaged = content(path)[:-2]
    files = FaultyFiles()
    Disk(files).make_directory(Path("/book"))
    Disk(files).replace(Path("/book/positions.json"), damaged)
    files.fail_next(FaultKind.FAIL, skip=5)
    with pytest.raises(StoreUnwritable, match=r"cannot move aside /book/positions\.json"):
        await FilePositionStore(Disk(files), Path("/book/positions.json"), "paper").load()


async def test_another_environment_is_refused_and_stays(path: Path) -> None:
    """A book of another environment is not read, not moved and not replaced."""
    with pytest.raises(StoreForeign, match="a book of 'paper', not of 'mainnet'"):
        await store(path, "mainnet").load()

    assert await store(path).load() == book_snapshot(2)


@pytest.mark.parametrize("changed", [{"version": 2}, {"book": {"type": "Book", "version": 2}}])
async def test_a_newer_program_is_respected(path: Path, changed: dict[str, Any]) -> None:
    """A later version, of the file or of the book in it, is refused and stays."""
    resealed(path, **changed)
    before = content(path)
    with pytest.raises(StoreForeign, match=r"version 2; this program knows 1"):
        await store(path).load()

    assert content(path) == before


async def test_the_one_before_stays_when_the_disk_is_full() -> None:
    """StoreUnwritable names the path and the free bytes; the snapshot before is still there."""
    files = FaultyFiles()
    path = Path("/book/positions.json")
    store = FilePositionStore(Disk(files), path, "paper")
    await store.save(book_snapshot(1))
    files.fail_next(FaultKind.FULL, skip=4)
    with pytest.raises(StoreUnwritable, match=r"/book/positions.json: .* bytes free\)"):
        await store.save(book_snapshot(2))

    assert await store.load() == book_snapshot(1)


def test_faults_are_numbered_from_zero() -> None:
    """The failing disk of these tests does fail: its first call, if told so."""
    with pytest.raises(OSError, match="Input/output"):
        FaultyFiles(Fault(0, FaultKind.FAIL)).exists(Path("/"))
