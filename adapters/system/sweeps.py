"""SweepExecutor on this computer: processes for Python, threads for kernels without the GIL."""

import asyncio
import multiprocessing
import signal
import threading
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.reduction import ForkingPickler
from typing import Any

from attrs import define, field

from ports.errors import Unavailable
from ports.sweeps import Cell, CellResult

_MOST_AT_ONCE = 25  # cells handed to a worker in one message
_DEATHS = 2  # a cell that ended so many workers is not tried again
_GRACE_S = 2.0  # for a worker to end when it is told to


class ProcessSweeps:
    """
    Cells in *workers* processes, forked before any thread is started.

    A forked worker shares the memory of the cells, so large arguments cost nothing; beside other
    threads a fork could inherit a held lock, and workers are spawned instead. Cells are
    handed out a few at a time, fewer towards the end. A worker that dies is replaced and its
    cells are computed again; the cell that it died of, twice, is an error.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"a sweep needs one worker at least, was {workers}")
        self._workers = workers

    async def results(self, cells: Sequence[Cell]) -> AsyncGenerator[CellResult, None]:
        """
        Yield each cell's result once, in the order they are done.

        Raises:
            Unavailable: No process can be started.
        """
        crew = _Crew(tuple(cells), min(self._workers, len(cells)))
        try:
            crew.start()
            for _ in cells:
                yield await crew.next_result()
        finally:
            crew.dismiss()


class ThreadSweeps:
    """Cells in *workers* threads: for work that holds the GIL little, as our kernels do."""

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"a sweep needs one worker at least, was {workers}")
        self._workers = workers

    async def results(self, cells: Sequence[Cell]) -> AsyncGenerator[CellResult, None]:
        """Yield each cell's result once, in the order they are done; it never fails."""
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(self._workers)
        try:
            waiting = [loop.run_in_executor(pool, cell.result) for cell in cells]
            for done in asyncio.as_completed(waiting):
                yield await done
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@define(eq=False)
class _Worker:
    """A process, our end of its pipe, and the cells it has not answered, oldest first."""

    process: Any
    connection: Connection
    given: deque[int] = field(factory=deque)


class _Crew:
    """Workers around one list of cells."""

    def __init__(self, cells: tuple[Cell, ...], size: int) -> None:
        self._results: asyncio.Queue[CellResult | Unavailable] = asyncio.Queue()
        self._cells = cells
        self._size = size
        self._waiting = deque(range(len(cells)))
        self._deaths: Counter[int] = Counter()
        self._workers: list[_Worker] = []
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Start every worker before any is given work: none is forked beside a busy pipe."""
        for _ in range(self._size):
            self._workers.append(self._hired())
        for worker in self._workers:
            self._hand_out(worker)

    async def next_result(self) -> CellResult:
        """
        Return the next result that no call has returned.

        Raises:
            Unavailable: No worker is left.
        """
        result = await self._results.get()
        if isinstance(result, Unavailable):
            raise result
        return result

    def dismiss(self) -> None:
        """End every worker at once."""
        for worker in self._workers:
            self._loop.remove_reader(worker.connection.fileno())
            worker.process.terminate()
        for worker in self._workers:
            _end(worker)
        self._workers.clear()

    def _hired(self) -> _Worker:
        context = _context()
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._cells), daemon=True)  # type: ignore[attr-defined]
        try:
            process.start()
        except OSError as error:
            ours.close()
            raise Unavailable(f"no process can be started: {error.strerror}") from error
        finally:
            theirs.close()  # so that the end of the worker is the end of the pipe
        worker = _Worker(process, ours)
        self._loop.add_reader(ours.fileno(), self._listen, worker)
        return worker

    def _hand_out(self, worker: _Worker) -> None:
        """Give *worker* more if it is about to run out; single cells only when it has."""
        count = min(_MOST_AT_ONCE, max(1, len(self._waiting) // (2 * self._size)))
        if not self._waiting or len(worker.given) > (1 if count > 1 else 0):
            return
        chunk = [self._waiting.popleft() for _ in range(count)]
        worker.given.extend(chunk)
        try:
            worker.connection.send(chunk)
        except OSError:
            return  # it is dead: _listen is about to find that out, and has the cells in given

    def _listen(self, worker: _Worker) -> None:
        try:
            result = worker.connection.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return
        worker.given.popleft()
        self._results.put_nowait(result)
        self._hand_out(worker)

    def _replace(self, worker: _Worker) -> None:
        self._loop.remove_reader(worker.connection.fileno())
        self._workers.remove(worker)
        _end(worker)
        self._return(worker.given, worker.process.exitcode)
        if self._waiting:
            self._hire_successor()

    def _hire_successor(self) -> None:
        try:
            successor = self._hired()
        except Unavailable as error:
            if not self._workers:  # those who are left have time for the rest
                self._results.put_nowait(error)
            return
        self._workers.append(successor)
        self._hand_out(successor)

    def _return(self, given: Iterable[int], exit_code: int) -> None:
        """Put the cells of a dead worker back; it was busy with the first of them."""
        cells = list(given)
        for number in cells[:1]:
            self._deaths[number] += 1
            if self._deaths[number] == _DEATHS:
                cells.remove(number)
                error = f"ended its process {_DEATHS} times, the last with exit code {exit_code}"
                self._results.put_nowait(CellResult(key=self._cells[number].key, error=error))
        self._waiting.extendleft(reversed(cells))


def _context() -> BaseContext:
    is_alone = threading.active_count() == 1
    return multiprocessing.get_context("fork" if is_alone else "spawn")


def _end(worker: _Worker) -> None:
    worker.process.join(_GRACE_S)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.connection.close()


def _work(connection: Connection, cells: tuple[Cell, ...]) -> None:
    """Compute the cells whose numbers come in, until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        try:
            numbers = connection.recv()
        except EOFError:
            return
        for number in numbers:
            connection.send_bytes(_pickled(cells[number].result()))


def _pickled(result: CellResult) -> Any:
    try:
        return ForkingPickler.dumps(result)
    except Exception as error:  # what a pickle of something unknown raises is unknown too
        text = f"its value cannot be sent: {type(error).__name__}: {error}"
        return ForkingPickler.dumps(CellResult(key=result.key, error=text))
