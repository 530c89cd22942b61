"""What every SweepExecutor promises."""

from collections.abc import Callable
from contextlib import aclosing
from itertools import islice

import numpy as np
import pytest

from adapters.dask.sweeps import DaskSweeps
from adapters.memory.sweeps import MemorySweeps
from adapters.system.sweeps import ProcessSweeps, ThreadSweeps
from ports.sweeps import Cell, CellResult, SweepExecutor
from tests.support.cells import cell, cells, raising, slowly_squared, squared, sum_from
from tests.support.dask_cluster import cluster


def memory() -> SweepExecutor:
    return MemorySweeps()


def processes() -> SweepExecutor:
    return ProcessSweeps(2)


def threads() -> SweepExecutor:
    return ThreadSweeps(2)


def dask() -> SweepExecutor:
    return DaskSweeps(cluster().address)


@pytest.fixture(params=[memory, processes, threads, dask], ids=lambda make: make.__name__)
def executor(request: pytest.FixtureRequest) -> SweepExecutor:
    make: Callable[[], SweepExecutor] = request.param
    return make()


async def computed(executor: SweepExecutor, wanted: list[Cell]) -> dict[str, CellResult]:
    found = [result async for result in executor.results(wanted)]
    assert len({result.key for result in found}) == len(found)
    return {result.key: result for result in found}


async def test_every_cell_is_computed_once(executor: SweepExecutor) -> None:
    """Many small cells, and each has its own value."""
    found = await computed(executor, cells(400))

    assert {key: result.value for key, result in found.items()} == {
        f"n={number}": number * number for number in range(400)
    }
    assert not any(result.error for result in found.values())


async def test_nothing_is_computed_of_nothing(executor: SweepExecutor) -> None:
    """No cells, no results."""
    assert await computed(executor, []) == {}


async def test_a_cell_that_raises_is_a_result(executor: SweepExecutor) -> None:
    """Its sentence names the error; the cells around it are computed."""
    bad = cell("bad", raising, "delta 3 is none")
    found = await computed(executor, [*cells(3), bad, cell("after", squared, 9)])

    assert found["bad"] == CellResult(key="bad", error="ValueError: delta 3 is none")
    assert found["after"].value == 81
    assert len(found) == 5


async def test_large_arguments_arrive(executor: SweepExecutor) -> None:
    """An array of some megabytes, shared by cells, is what each of them sees."""
    column = np.arange(300_000, dtype=np.float64)
    found = await computed(executor, [cell(str(part), sum_from, column, part) for part in range(6)])

    assert found["5"].value == 299_999 * 150_000 - 0 - 1 - 2 - 3 - 4


async def test_closing_ends_the_work(executor: SweepExecutor) -> None:
    """Whoever has enough can leave; a new sweep is computed all the same."""
    slow = [cell(str(number), slowly_squared, number, 0.002) for number in range(2_000)]
    async with aclosing(executor.results(slow)) as results:
        first = await anext(results)

    assert first.value == int(first.key) ** 2
    assert len(await computed(executor, list(islice(cells(3), 3)))) == 3
