"""What every VenueLog promises."""

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.files.disk import Disk
from adapters.files.venue_log import FileVenueLog
from adapters.memory.venue_log import MemoryVenueLog
from ports.venue_log import VenueLog
from tests.support.entries import venue_steps


def memory(_: Path) -> VenueLog:
    return MemoryVenueLog()


def files(directory: Path) -> VenueLog:
    return FileVenueLog(Disk(), directory)


@pytest.fixture(params=[memory, files], ids=lambda make: make.__name__)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> VenueLog:
    make: Callable[[Path], VenueLog] = request.param
    return make(tmp_path / "book")


async def test_a_new_log_is_empty(log: VenueLog) -> None:
    """Nothing is remembered before the first step."""
    assert [step async for step in log.steps()] == []


async def test_steps_come_back_as_they_were(log: VenueLog) -> None:
    """Every step is yielded whole, oldest first, as often as it is asked for."""
    for step in venue_steps():
        await log.append(step)

    assert tuple([step async for step in log.steps()]) == venue_steps()
    assert tuple([step async for step in log.steps()]) == venue_steps()
