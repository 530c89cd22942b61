"""Many independent cells computed somewhere: here, on all cores, or on other machines."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

from attrs import field, frozen


@frozen(kw_only=True)
class Cell:
    """
    One piece of a sweep: *compute(*arguments)*, a module-level function of values that pickle.

    *key* names the cell in results and when a sweep is taken up again.
    """

    key: str
    compute: Callable[..., Any]
    arguments: tuple[Any, ...]


@frozen(kw_only=True)
class CellResult:
    """What a cell came to: a value, or the sentence of the error it raised."""

    key: str
    value: Any = field(default=None)
    error: str = field(default="")


class SweepExecutor(Protocol):
    """Computes cells; a cell that raises is a result and stops no other."""

    def results(self, cells: Sequence[Cell]) -> AsyncIterator[CellResult]:
        """
        Yield each cell's result once, in the order they are done; closing the iterator ends
        the work.

        Raises:
            Unavailable: Nothing is left that computes; what was yielded before stays true.
        """
        ...
