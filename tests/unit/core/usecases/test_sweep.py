"""A sweep keeps what is done, and goes on where it stopped."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from adapters.memory.sweeps import MemoryFinishedCells, MemorySweeps
from core.usecases.sweep import Sweep, SweepProgress, run_sweep, sweep_name
from ports.errors import StoreUnwritable, Unavailable
from ports.sweeps import Cell, CellResult
from tests.support.cells import cell, cells, raising, squared


class Stopping:
    """An executor that counts cells, and fails or is left behind the first so many."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.computed: list[str] = []

    async def results(self, cells: Sequence[Cell]) -> AsyncGenerator[CellResult, None]:
        for each in cells:
            if len(self.computed) == self.most:
                raise Unavailable("no worker is left")
            self.computed.append(each.key)
            yield each.result()


class Full(MemoryFinishedCells):
    """A store that takes three results."""

    async def keep(self, sweep: str, result: CellResult) -> None:
        if len(await self.kept(sweep)) == 3:
            raise StoreUnwritable("No space left on device")
        await super().keep(sweep, result)


def heard_by(news: list[SweepProgress]) -> SweepProgress:
    return news[-1]


async def test_results_come_in_the_order_of_the_cells() -> None:
    """Whatever order they were done in, and every step of it is told."""
    news: list[SweepProgress] = []
    sweep = Sweep(name="s", cells=tuple(cells(5)))
    outcome = await run_sweep(sweep, MemorySweeps(), MemoryFinishedCells(), news.append)

    assert outcome.values() == {f"n={number}": number * number for number in range(5)}
    assert [result.key for result in outcome.results] == [each.key for each in sweep.cells]
    assert [each.done for each in news] == [0, 1, 2, 3, 4, 5]
    assert {each.total for each in news} == {5}


async def test_an_ended_sweep_goes_on() -> None:
    """What was done is not computed again, and the outcome is that of one run."""
    sweep, finished = Sweep(name="s", cells=tuple(cells(10))), MemoryFinishedCells()
    with pytest.raises(Unavailable):
        await run_sweep(sweep, Stopping(4), finished, lambda _: None)
    rest, news = Stopping(99), list[SweepProgress]()
    outcome = await run_sweep(sweep, rest, finished, news.append)

    assert rest.computed == [f"n={number}" for number in range(4, 10)]
    assert outcome.kept == 4
    assert news[0] == SweepProgress(total=10, done=4, kept=4, failed=0)
    whole = await run_sweep(sweep, MemorySweeps(), MemoryFinishedCells(), lambda _: None)
    assert outcome.results == whole.results


async def test_another_sweep_is_begun_anew() -> None:
    """Results are kept under the name of their sweep."""
    finished, second = MemoryFinishedCells(), Stopping(99)
    for name, executor in (("a", Stopping(99)), ("b", second)):
        await run_sweep(Sweep(name=name, cells=tuple(cells(3))), executor, finished, lambda _: None)

    assert len(second.computed) == 3


async def test_a_cell_that_raised_is_named_and_tried_again() -> None:
    """It stops nothing, is counted, and is not kept."""
    finished, news = MemoryFinishedCells(), list[SweepProgress]()
    wanted = (cell("bad", raising, "no"), cell("good", squared, 2))
    sweep = Sweep(name="s", cells=wanted)
    outcome = await run_sweep(sweep, MemorySweeps(), finished, news.append)

    assert [(each.key, each.error) for each in outcome.failures] == [("bad", "ValueError: no")]
    assert outcome.values() == {"good": 4}
    assert heard_by(news).failed == 1
    again = Stopping(99)
    await run_sweep(sweep, again, finished, lambda _: None)
    assert again.computed == ["bad"]


async def test_a_full_disk_ends_the_sweep_and_keeps_the_rest() -> None:
    """What was kept before stays, and the failure is told as it is."""
    finished = Full()
    with pytest.raises(StoreUnwritable, match="No space"):
        await run_sweep(
            Sweep(name="s", cells=tuple(cells(9))), MemorySweeps(), finished, lambda _: None
        )

    assert list(await finished.kept("s")) == ["n=0", "n=1", "n=2"]


def test_cells_have_keys_of_their_own() -> None:
    """Two of one key could not be told apart when the sweep is taken up again."""
    with pytest.raises(ValueError, match="same key"):
        Sweep(name="s", cells=(cell("a", squared, 1), cell("a", squared, 2)))


def test_a_name_changes_with_every_parameter() -> None:
    """And with nothing else: the order of parameters does not matter."""
    name = sweep_name("scan", {"seed": 1, "paths": 200})

    assert name == sweep_name("scan", {"paths": 200, "seed": 1})
    assert name.startswith("scan-")
    assert len({name, sweep_name("scan", {"seed": 2, "paths": 200}), sweep_name("env", {})}) == 3
