"""
How much of the ideal a sweep reaches: cells of one length on all cores, start included.

    python -m bench.sweeps [--cells 400] [--ms 50] [--workers 2] [--waiting]
        [--cluster ADDRESS]

A cell works for its length by the clock, so that the ideal is known: cells x length / workers.
With --waiting it sleeps instead: on a machine that others use, that shows what the sweep itself
costs.
"""

import argparse
import asyncio
import time
from collections.abc import Callable

from attrs import frozen

from adapters.dask.sweeps import DaskSweeps
from adapters.system.sweeps import ProcessSweeps
from ports.sweeps import Cell, SweepExecutor


def main() -> None:
    """Compute the cells and print the share of the ideal."""
    parser = argparse.ArgumentParser(prog="python -m bench.sweeps", description=__doc__)
    parser.add_argument("--cells", type=int, default=400)
    parser.add_argument("--ms", type=float, default=50.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cluster", help="a Dask scheduler with as many threads as --workers")
    parser.add_argument("--waiting", action="store_true", help="cells that sleep")
    given = parser.parse_args()
    compute = time.sleep if given.waiting else worked
    executor: SweepExecutor = ProcessSweeps(given.workers)
    if given.cluster:
        executor = DaskSweeps(given.cluster)
    taken_s = seconds_taken(executor, compute, given.cells, given.ms / 1000.0)
    ideal_s = given.cells * given.ms / 1000.0 / given.workers
    print(
        f"{given.cells} cells of {given.ms:g} ms on {given.workers} workers: {taken_s:.2f} s, "
        f"{ideal_s / taken_s:.3f} of ideal"
    )


@frozen(kw_only=True)
class SweepFigures:
    """The share of the ideal that cells reach which keep a core busy, and which sleep."""

    busy: float
    waiting: float


def measure_sweeps(cells: int = 400, length_s: float = 0.05, workers: int = 2) -> SweepFigures:
    """So many cells of *length_s* in so many processes, once of either kind."""
    ideal_s = cells * length_s / workers

    def share(compute: Callable[[float], None]) -> float:
        return ideal_s / seconds_taken(ProcessSweeps(workers), compute, cells, length_s)

    return SweepFigures(busy=share(worked), waiting=share(time.sleep))


def worked(length_s: float) -> None:
    """Keep a core busy until *length_s* have passed."""
    until = time.perf_counter() + length_s
    while time.perf_counter() < until:
        pass


def seconds_taken(
    executor: SweepExecutor, compute: Callable[[float], None], cells: int, length_s: float
) -> float:
    """Seconds that *executor* takes for so many cells of *length_s*, its own start included."""
    wanted = [
        Cell(key=str(number), compute=compute, arguments=(length_s,)) for number in range(cells)
    ]

    async def count() -> int:
        return len([result async for result in executor.results(wanted)])

    start = time.perf_counter()
    done = asyncio.run(count())
    taken_s = time.perf_counter() - start
    if done != cells:
        raise RuntimeError(f"{done} of {cells} cells were computed")
    return taken_s


if __name__ == "__main__":
    main()
