"""Reading beside the process that writes: everything that is whole, and nothing is changed."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.files.lock import BookLock, environment_of, holder_of
from adapters.files.positions import FilePositionStore
from ports.decision_log import Alarm
from ports.errors import StoreDamaged, StoreForeign
from tests.support.entries import NOW, book_snapshot


def alarm(number: int, days: int = 0) -> Alarm:
    return Alarm(at=NOW + timedelta(days=days), subject=f"{number}", detail="")


def content(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


async def followed(log: FileDecisionLog) -> list[int]:
    return [record.seq async for record in log.follow()]


async def test_what_was_written_since_is_read_once(tmp_path: Path) -> None:
    """Each look yields what came after the one before, from the first line of an empty log on."""
    reader, writer = (FileDecisionLog(Disk(), tmp_path) for _ in range(2))
    assert await followed(reader) == []
    await writer.append(alarm(1))
    await writer.append(alarm(2))
    assert await followed(reader) == [1, 2]
    assert await followed(reader) == []
    await writer.append(alarm(3))

    assert await followed(reader) == [3]


async def test_a_reader_that_came_later_follows_from_there(tmp_path: Path) -> None:
    """Lines from before the opening are not told again."""
    writer = FileDecisionLog(Disk(), tmp_path)
    await writer.append(alarm(1))
    reader = FileDecisionLog(Disk(), tmp_path)
    await writer.append(alarm(2))

    assert await followed(reader) == [2]


async def test_a_new_day_begins_a_new_file(tmp_path: Path) -> None:
    """Files that appear are followed into."""
    writer = FileDecisionLog(Disk(), tmp_path)
    await writer.append(alarm(1))
    reader = FileDecisionLog(Disk(), tmp_path)
    await writer.append(alarm(2))
    await writer.append(alarm(3, days=1))
    await writer.append(alarm(4, days=2))

    assert await followed(reader) == [2, 3, 4]


async def test_an_append_under_way_is_left_for_the_next_look(tmp_path: Path) -> None:
    """Half a line is neither read nor touched; once it is whole it is read."""
    writer = FileDecisionLog(Disk(), tmp_path)
    await writer.append(alarm(1))
    await writer.append(alarm(2))
    (file,) = content(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    reader = FileDecisionLog(Disk(), tmp_path)
    before = content(tmp_path)
    assert await followed(reader) == []
    assert content(tmp_path) == before

    file.write_bytes(whole)
    assert await followed(reader) == [2]


async def test_damage_behind_the_last_look_is_noticed(tmp_path: Path) -> None:
    """A followed line is verified like any other."""
    writer = FileDecisionLog(Disk(), tmp_path)
    await writer.append(alarm(1))
    reader = FileDecisionLog(Disk(), tmp_path)
    await writer.append(alarm(2))
    (file,) = content(tmp_path)
    file.write_bytes(file.read_bytes().replace(b'"subject":"2"', b'"subject":"3"'))

    with pytest.raises(StoreDamaged, match="number 2 of the log: its checksum is wrong"):
        await followed(reader)


async def test_a_file_that_is_gone_is_noticed(tmp_path: Path) -> None:
    """A log that loses a file is damaged, not shorter."""
    await FileDecisionLog(Disk(), tmp_path).append(alarm(1))
    reader = FileDecisionLog(Disk(), tmp_path)
    (file,) = content(tmp_path)
    file.unlink()

    with pytest.raises(StoreDamaged, match="are gone"):
        await followed(reader)


async def test_a_peek_reads_like_a_load(tmp_path: Path) -> None:
    """The newest snapshot, or None if there is none."""
    store = FilePositionStore(Disk(), tmp_path / "positions.json", "paper")
    assert await store.peek() is None
    await store.save(book_snapshot(1))

    assert await store.peek() == book_snapshot(1)


async def test_a_peek_leaves_a_damaged_snapshot_where_it_is(tmp_path: Path) -> None:
    """It says what is wrong, and the file stays for the process that may move it."""
    path = tmp_path / "positions.json"
    store = FilePositionStore(Disk(), path, "paper")
    await store.save(book_snapshot(1))
    path.write_bytes(path.read_bytes()[:-9])
    before = content(tmp_path)

    with pytest.raises(StoreDamaged, match=r"positions\.json is damaged"):
        await store.peek()
    assert content(tmp_path) == before


async def test_a_peek_refuses_another_environment(tmp_path: Path) -> None:
    """A book of paper is not one of live."""
    await FilePositionStore(Disk(), tmp_path / "positions.json", "paper").save(book_snapshot(1))

    with pytest.raises(StoreForeign):
        await FilePositionStore(Disk(), tmp_path / "positions.json", "live").peek()


def test_asking_who_holds_a_book_takes_nothing(tmp_path: Path) -> None:
    """The holder is named while there is one; asking makes no file and leaves the lock free."""
    assert holder_of(Disk(), tmp_path) is None
    assert content(tmp_path) == {}

    with BookLock.take(Disk(), tmp_path, "paper", command="run", since="noon"):
        assert "(run) since noon" in (holder_of(Disk(), tmp_path) or "")
    assert holder_of(Disk(), tmp_path) is None
    BookLock.take(Disk(), tmp_path, "paper", command="run", since="one").close()


def test_a_folder_says_whose_book_it_is(tmp_path: Path) -> None:
    """The environment it was begun with; None where there is no book."""
    assert environment_of(Disk(), tmp_path) is None
    BookLock.take(Disk(), tmp_path, "paper", command="run", since="one").close()

    assert environment_of(Disk(), tmp_path) == "paper"
