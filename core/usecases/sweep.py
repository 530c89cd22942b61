"""A sweep: every cell computed once, kept as it comes, and taken up again where it stopped."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from hashlib import sha256
from typing import Any

from attrs import field, frozen

from ports.codec import to_json
from ports.errors import Unavailable
from ports.sweeps import Cell, CellResult, FinishedCells, SweepExecutor

_FINGERPRINT = 12  # characters; the name is for a person, too


@frozen(kw_only=True)
class Sweep:
    """
    Cells with a name to keep their results under.

    *name* must change with everything that a result depends on: see sweep_name.
    """

    name: str
    cells: tuple[Cell, ...] = field()

    @cells.validator
    def _have_keys_of_their_own(self, _: object, cells: tuple[Cell, ...]) -> None:
        if len({cell.key for cell in cells}) != len(cells):
            raise ValueError(f"two cells of {self.name} have the same key")


@frozen(kw_only=True)
class SweepProgress:
    """How far a sweep is; *kept* of those done were finished by an earlier run."""

    total: int
    done: int
    kept: int
    failed: int


@frozen(kw_only=True)
class SweepOutcome:
    """The results in the order of the cells; *kept* of them come from an earlier run."""

    results: tuple[CellResult, ...]
    kept: int

    @property
    def failures(self) -> tuple[CellResult, ...]:
        """The cells that raised, each with its sentence."""
        return tuple(result for result in self.results if result.error)

    def values(self) -> dict[str, Any]:
        """The values of the cells that did not raise, by key."""
        return {result.key: result.value for result in self.results if not result.error}


def sweep_name(kind: str, parameters: dict[str, Any]) -> str:
    """
    Return a name for a sweep of *kind* that no other *parameters* lead to.

    Raises:
        ValueError: JSON does not hold the parameters.
    """
    return f"{kind}-{sha256(to_json(parameters).encode()).hexdigest()[:_FINGERPRINT]}"


async def run_sweep(
    sweep: Sweep,
    executor: SweepExecutor,
    finished: FinishedCells,
    told: Callable[[SweepProgress], None],
) -> SweepOutcome:
    """
    Compute the cells of *sweep* that are not finished, and return all results.

    A result is kept before *told* hears of it, so a run that is ended at any instant loses only
    what was being computed. A cell that raised is not kept: the next run tries it again.

    Raises:
        Unavailable: Nothing is left that computes; what is done is kept.

        StoreUnwritable, StoreDamaged: The results cannot be kept, or not be read.
    """
    kept = await finished.kept(sweep.name)
    found = {cell.key: kept[cell.key] for cell in sweep.cells if cell.key in kept}
    resumed = len(found)
    missing = [cell for cell in sweep.cells if cell.key not in found]
    told(_progress(sweep.cells, found, resumed))
    async with aclosing(executor.results(missing)) as results:
        async for result in results:
            if not result.error:
                await finished.keep(sweep.name, result)
            found[result.key] = result
            told(_progress(sweep.cells, found, resumed))
    return SweepOutcome(results=tuple(found[cell.key] for cell in sweep.cells), kept=resumed)


async def all_values(
    cells: Sequence[Cell], executor: SweepExecutor, told: Callable[[str], None]
) -> list[Any]:
    """
    Return what *cells* come to, in their order; *told* hears each key as it is done.

    Raises:
        Unavailable: Nothing is left that computes, or a cell raised: parts are no result here.
    """
    values: dict[str, Any] = {}
    async with aclosing(executor.results(cells)) as results:
        async for result in results:
            if result.error:
                raise Unavailable(f"{result.key}: {result.error}")
            values[result.key] = result.value
            told(result.key)
    return [values[cell.key] for cell in cells]


def _progress(cells: Sequence[Cell], found: dict[str, CellResult], resumed: int) -> SweepProgress:
    return SweepProgress(
        total=len(cells),
        done=len(found),
        kept=resumed,
        failed=sum(bool(result.error) for result in found.values()),
    )
