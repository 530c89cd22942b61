"""Processes of a sweep: workers that die, values that cannot be sent, and what is left behind."""

import os
import threading
from contextlib import aclosing
from pathlib import Path

import pytest

from adapters.system.sweeps import ProcessSweeps, ThreadSweeps
from ports.sweeps import Cell, CellResult
from tests.support.cells import (
    cell,
    cells,
    deadly,
    deadly_once,
    process_of,
    slowly_squared,
    squared,
    unsendable,
)


async def computed(wanted: list[Cell], workers: int = 2) -> dict[str, CellResult]:
    return {result.key: result async for result in ProcessSweeps(workers).results(wanted)}


async def test_the_cells_of_a_killed_worker_are_computed(tmp_path: Path) -> None:
    """Those it had and had not answered too; the figures are those of a calm run."""
    mark = tmp_path / "somebody was killed"
    wanted = [cell(f"n={number}", squared, number) for number in range(200)]
    wanted[50] = cell("n=50", deadly_once, 50, mark)
    found = await computed(wanted)

    assert mark.exists()
    assert {key: result.value for key, result in found.items()} == {
        f"n={number}": number * number for number in range(200)
    }


async def test_a_cell_that_kills_every_worker_is_an_error() -> None:
    """It is named with what it ended, and stops no other."""
    found = await computed([*cells(60), cell("bad", deadly), cell("after", squared, 3)])

    assert found["bad"].error == "ended its process 2 times, the last with exit code -9"
    assert found["after"].value == 9
    assert sum(not result.error for result in found.values()) == 61


async def test_a_value_that_cannot_be_sent_is_an_error() -> None:
    """A lambda, say."""
    found = await computed([cell("bad", unsendable), cell("after", squared, 3)])

    assert "cannot be sent" in found["bad"].error
    assert found["after"].value == 9


async def test_work_is_shared() -> None:
    """Two workers compute, and neither is this process."""
    wanted = [cell(str(number), process_of, number) for number in range(100)]
    found = {result.value for result in (await computed(wanted)).values()}

    assert len(found) <= 2
    assert os.getpid() not in found


async def test_closing_leaves_no_process_behind() -> None:
    """Workers end when the sweep is left, in the middle of a cell."""
    slow = [cell(str(number), slowly_squared, number, 5.0) for number in range(4)]
    wanted = [cell("quick", process_of, 0), *slow]
    async with aclosing(ProcessSweeps(2).results(wanted)) as results:
        worker = (await anext(results)).value

    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


async def test_workers_are_spawned_beside_threads() -> None:
    """A fork could inherit a lock that is held; the figures are the same."""
    done = threading.Event()
    beside = threading.Thread(target=done.wait)
    beside.start()
    try:
        found = await computed(cells(3), workers=1)
    finally:
        done.set()
        beside.join()

    assert [found[f"n={number}"].value for number in range(3)] == [0, 1, 4]


@pytest.mark.parametrize("make", [ProcessSweeps, ThreadSweeps])
def test_nobody_computes_nothing(make: type[ProcessSweeps]) -> None:
    """A sweep without workers is refused."""
    with pytest.raises(ValueError, match="one worker"):
        make(0)
