"""SweepExecutor on a Dask cluster, for more than one machine."""

import asyncio
import pickle
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

from attrs import evolve, frozen
from distributed import Client, KilledWorker
from distributed.client import FutureCancelledError

from ports.errors import Unavailable
from ports.sweeps import Cell, CellResult

_MOST_AT_ONCE = 25  # cells of one task: a task costs the scheduler a millisecond or more
_TASKS_A_THREAD = 8  # so that the last tasks end together
_CONNECT_S = 5.0
_LARGE_BYTES = 100_000  # an argument of several cells that is sent once and not with each task


class DaskSweeps:
    """
    Cells on the cluster whose scheduler is at *address*, such as tcp://10.0.0.5:8786.

    The workers need this program in the same version. A worker that dies is no loss: its cells
    are computed again elsewhere; the cell that several of them died of is an error.
    *patience_s* is how long to wait for a worker where there is none; a scheduler has less.
    """

    def __init__(self, address: str, patience_s: float = 30.0) -> None:
        self._address = address
        self._patience_s = patience_s

    async def results(self, cells: Sequence[Cell]) -> AsyncGenerator[CellResult, None]:
        """
        Yield each cell's result once, in the order they are done.

        Raises:
            Unavailable: The scheduler does not answer, or has no workers.
        """
        client = await self._connected()
        waiting: set[asyncio.Task[list[CellResult]]] = set()
        try:
            spread = await self._spread(client, cells)
            chunks = _chunks(spread.cells, _TASKS_A_THREAD * max(_threads(client), 1))
            waiting = {
                asyncio.create_task(_answers(client, chunk, spread.held)) for chunk in chunks
            }
            while waiting:
                done, waiting = await asyncio.wait(
                    waiting, timeout=self._patience_s, return_when=asyncio.FIRST_COMPLETED
                )
                if not done and not _threads(client):
                    raise Unavailable(f"{self._address} has no workers")
                for task in done:
                    for result in await task:
                        yield result
        except FutureCancelledError as error:
            raise Unavailable(f"{self._address} is gone: {error.reason}") from error
        finally:
            await client.close()  # which ends what still waits
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _spread(self, client: Any, cells: Sequence[Cell]) -> "_Spread":
        """
        Give every worker the large arguments that several cells share.

        All of them, because what is scattered to one dies with it.
        """
        shared = _shared(cells)
        if not shared:
            return _Spread(tuple(cells), [])
        try:
            held = await client.scatter(
                list(shared.values()), broadcast=True, hash=False, timeout=self._patience_s
            )
        except TimeoutError as error:
            raise Unavailable(f"{self._address} has no workers") from error
        number = {key: _Held(place) for place, key in enumerate(shared)}
        light = [
            evolve(cell, arguments=tuple(number.get(id(each), each) for each in cell.arguments))
            for cell in cells
        ]
        return _Spread(tuple(light), held)

    async def _connected(self) -> Any:
        client: Any = Client(  # type: ignore[no-untyped-call]
            self._address,
            asynchronous=True,
            timeout=min(_CONNECT_S, self._patience_s),
            set_as_default=False,
        )
        try:
            return await client
        except (OSError, ValueError) as error:  # ValueError: an address that is none
            await client.close()
            raise Unavailable(f"no scheduler answers at {self._address}: {error}") from error


@frozen
class _Held:
    """Stands for an argument that the workers have already, by its number."""

    number: int


@frozen(eq=False)
class _Spread:
    """Cells without their large shared arguments, and what stands for those in the cluster."""

    cells: tuple[Cell, ...]
    held: list[Any]


def _shared(cells: Sequence[Cell]) -> dict[int, Any]:
    """The large arguments that more than one of *cells* has, by their identity."""
    each = {id(argument): argument for cell in cells for argument in cell.arguments}
    counts = Counter(id(argument) for cell in cells for argument in cell.arguments)
    return {
        key: argument
        for key, argument in each.items()
        if counts[key] > 1 and len(pickle.dumps(argument)) > _LARGE_BYTES
    }


def _threads(client: Any) -> int:
    """How many cells the cluster computes at once, as its scheduler last said."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return sum(worker["nthreads"] for worker in workers.values())


def _chunks(cells: Sequence[Cell], count: int) -> Iterator[tuple[Cell, ...]]:
    """*cells* in about *count* parts of one size, none of them too large."""
    size = min(_MOST_AT_ONCE, max(1, -(-len(cells) // count)))
    for start in range(0, len(cells), size):
        yield tuple(cells[start : start + size])


async def _answers(client: Any, chunk: tuple[Cell, ...], held: list[Any]) -> list[CellResult]:
    """The results of *chunk*; where workers died of it, of its cells one by one."""
    try:
        # a key of its own: Dask would answer a task that it has seen from its memory
        answers: list[bytes] = await client.submit(_computed, chunk, held, pure=False)
    except KilledWorker as error:
        if len(chunk) == 1:
            return [CellResult(key=chunk[0].key, error=f"ended its process: {error}")]
        alone = [await _answers(client, (cell,), held) for cell in chunk]
        return [result for results in alone for result in results]
    return [pickle.loads(answer) for answer in answers]  # noqa: S301  of our own cluster


def _computed(chunk: tuple[Cell, ...], held: list[Any]) -> list[bytes]:
    """The results as bytes: one that cannot be sent must not take the others with it."""
    whole = [
        evolve(
            cell,
            arguments=tuple(
                held[each.number] if isinstance(each, _Held) else each for each in cell.arguments
            ),
        )
        for cell in chunk
    ]
    return [_pickled(cell.result()) for cell in whole]


def _pickled(result: CellResult) -> bytes:
    try:
        return pickle.dumps(result)
    except Exception as error:  # what a pickle of something unknown raises is unknown too
        text = f"its value cannot be sent: {type(error).__name__}: {error}"
        return pickle.dumps(CellResult(key=result.key, error=text))
