"""What every FinishedCells promises."""

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.files.finished_cells import FileFinishedCells
from adapters.memory.sweeps import MemoryFinishedCells
from ports.sweeps import CellResult, FinishedCells

Reopen = Callable[[], FinishedCells]  # the store as the next process finds it
VALUE = {"sharpe": 0.1 + 0.2, "trades": 31, "note": "ünïcode", "unknown": None, "band": [1.5, -2.0]}


def memory(_: Path) -> Reopen:
    store = MemoryFinishedCells()
    return lambda: store


def files(directory: Path) -> Reopen:
    return lambda: FileFinishedCells(directory)


@pytest.fixture(params=[memory, files], ids=lambda make: make.__name__)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Reopen:
    make: Callable[[Path], Reopen] = request.param
    return make(tmp_path)


async def test_nothing_is_kept_at_first(reopen: Reopen) -> None:
    """No sweep has ever been run."""
    assert await reopen().kept("scan-1") == {}
    assert await reopen().names() == ()


async def test_what_was_kept_is_found(reopen: Reopen) -> None:
    """Every figure bit for bit, in another process too."""
    results = [
        CellResult(key="a", value=VALUE),
        CellResult(key="b", value=-1.5),
        CellResult(key="c", error="ValueError: no"),
    ]
    for result in results:
        await reopen().keep("scan-1", result)

    assert await reopen().kept("scan-1") == {result.key: result for result in results}


async def test_a_later_result_replaces(reopen: Reopen) -> None:
    """The same cell computed again has its new value."""
    await reopen().keep("scan-1", CellResult(key="a", value=1))
    await reopen().keep("scan-1", CellResult(key="a", value=2))

    assert await reopen().kept("scan-1") == {"a": CellResult(key="a", value=2)}


async def test_sweeps_are_kept_apart(reopen: Reopen) -> None:
    """One is forgotten, the other stays; forgetting nothing is fine."""
    for name in ("scan-2", "scan-1"):
        await reopen().keep(name, CellResult(key="a", value=name))
    assert await reopen().names() == ("scan-1", "scan-2")

    await reopen().forget("scan-1")
    await reopen().forget("scan-3")

    assert await reopen().names() == ("scan-2",)
    assert await reopen().kept("scan-1") == {}
    assert (await reopen().kept("scan-2"))["a"].value == "scan-2"


async def test_a_forgotten_sweep_can_be_kept_again(reopen: Reopen) -> None:
    """By the store that forgot it."""
    store = reopen()
    await store.keep("scan-1", CellResult(key="a", value=1))
    await store.forget("scan-1")
    await store.keep("scan-1", CellResult(key="b", value=2))

    assert list(await reopen().kept("scan-1")) == ["b"]
