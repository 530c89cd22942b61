"""SweepExecutor and FinishedCells in this process."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

from ports.sweeps import Cell, CellResult


class MemorySweeps:
    """Cells one after the other, in their order."""

    async def results(self, cells: Sequence[Cell]) -> AsyncGenerator[CellResult, None]:
        """Yield each cell's result once; it never fails."""
        for cell in cells:
            await asyncio.sleep(0)  # other tasks, and whoever wants to end this, come in here
            yield cell.result()


class MemoryFinishedCells:
    """Results by sweep and key, in a dict."""

    def __init__(self) -> None:
        self._sweeps: dict[str, dict[str, CellResult]] = {}

    async def kept(self, sweep: str) -> Mapping[str, CellResult]:
        """See FinishedCells; it never fails."""
        return dict(self._sweeps.get(sweep, {}))

    async def keep(self, sweep: str, result: CellResult) -> None:
        """See FinishedCells; it never fails."""
        self._sweeps.setdefault(sweep, {})[result.key] = result

    async def names(self) -> tuple[str, ...]:
        """See FinishedCells; it never fails."""
        return tuple(sorted(self._sweeps))

    async def forget(self, sweep: str) -> None:
        """See FinishedCells; it never fails."""
        self._sweeps.pop(sweep, None)
