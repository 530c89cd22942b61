"""Many independent cells computed somewhere: here, on all cores, or on other machines."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Protocol

from attrs import field, frozen


@frozen(kw_only=True)
class CellResult:
    """What a cell came to: a value, or the sentence of the error it raised."""

    key: str
    value: Any = field(default=None)
    error: str = field(default="")


@frozen(kw_only=True)
class Cell:
    """
    One piece of a sweep: *compute(*arguments)*, a module-level function of values that pickle.

    *key* names the cell in results and when a sweep is taken up again.
    """

    key: str
    compute: Callable[..., Any]
    arguments: tuple[Any, ...]

    def result(self) -> CellResult:
        """Compute it; whatever it raises is its result, and no other cell's trouble."""
        try:
            return CellResult(key=self.key, value=self.compute(*self.arguments))
        except Exception as error:  # the rim of a cell: nothing is known of what it computes
            return CellResult(key=self.key, error=f"{type(error).__name__}: {error}")


class SweepExecutor(Protocol):
    """Computes cells; a cell that raises is a result and stops no other."""

    def results(self, cells: Sequence[Cell]) -> AsyncGenerator[CellResult, None]:
        """
        Yield each cell's result once, in the order they are done; closing the iterator ends
        the work.

        Raises:
            Unavailable: Nothing is left that computes; what was yielded before stays true.
        """
        ...


class FinishedCells(Protocol):
    """The results of sweeps, kept as they come, so that a sweep can be taken up again."""

    async def kept(self, sweep: str) -> Mapping[str, CellResult]:
        """
        Return what is kept of *sweep*, by the keys of its cells.

        Raises:
            StoreDamaged: It cannot be read.
        """
        ...

    async def keep(self, sweep: str, result: CellResult) -> None:
        """
        Keep *result*, whose value is what JSON holds; a later one of the same key replaces it.

        Raises:
            StoreUnwritable: It could not be written.

            ValueError: The value is not what JSON holds.
        """
        ...

    async def names(self) -> tuple[str, ...]:
        """
        Return the sweeps of which something is kept, sorted.

        Raises:
            StoreDamaged: They cannot be listed.
        """
        ...

    async def forget(self, sweep: str) -> None:
        """
        Drop what is kept of *sweep*, if anything is.

        Raises:
            StoreUnwritable: It is still there.
        """
        ...
