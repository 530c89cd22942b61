"""What every PositionStore promises."""

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.files.disk import Disk
from adapters.files.positions import FilePositionStore
from adapters.memory.positions import MemoryPositionStore
from ports.positions import PositionStore
from tests.support.entries import book_snapshot


def memory(_: Path) -> PositionStore:
    return MemoryPositionStore("paper")


def files(directory: Path) -> PositionStore:
    return FilePositionStore(Disk(), directory / "positions.json", "paper")


@pytest.fixture(params=[memory, files], ids=lambda make: make.__name__)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> PositionStore:
    make: Callable[[Path], PositionStore] = request.param
    return make(tmp_path / "book")


async def test_a_new_store_is_empty(store: PositionStore) -> None:
    """There is no snapshot before the first."""
    assert await store.load() is None


async def test_the_newest_snapshot_is_loaded(store: PositionStore) -> None:
    """A snapshot takes the place of the one before, and comes back equal."""
    await store.save(book_snapshot(1))
    await store.save(book_snapshot(2))

    assert await store.load() == book_snapshot(2)


async def test_another_environment_is_not_kept(store: PositionStore) -> None:
    """A book of another environment is refused and the one before stays."""
    await store.save(book_snapshot(1))
    with pytest.raises(ValueError, match="'live'"):
        await store.save(book_snapshot(2, environment="live"))

    assert await store.load() == book_snapshot(1)


async def test_room_is_told_before_anything_is_kept(store: PositionStore) -> None:
    """A disk has room for these tests; memory does not say."""
    room = store.free_bytes()

    assert room is None or room > 1_000_000
