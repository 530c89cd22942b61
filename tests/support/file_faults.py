"""
Let every file operation of a short life go wrong in turn, live on, and see that nothing is lost.

    scripts/file_faults [--every 1]

On real files one call fails, finds no room, is torn, or is the last of its process; in memory
the power fails besides, and what was not synced is gone, half gone, or reads as NUL.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from adapters.files.calls import FileCalls
from ports.errors import PortError
from tests.support.breaking_calls import BreakingCalls
from tests.support.faulty_files import Fault, FaultKind, FaultyFiles, Loss, Stopped
from tests.support.file_lives import Left, lived

ENDS = (FaultKind.STOP, FaultKind.TORN)
LOSSES = (Loss.UNSYNCED, Loss.HALF, Loss.ZEROED)
_IN_MEMORY = Path("/data/book")


@frozen
class Found:
    """What was wrong after the life in which *fault* happened."""

    fault: Fault
    wrong: str


def on_real_files(kind: FaultKind, every: int = 1) -> Iterator[Found]:
    """What is wrong after *kind* happened at each *every*-th call of a life."""
    with tempfile.TemporaryDirectory() as directory:
        sound = BreakingCalls()
        asyncio.run(lived(sound, Path(directory) / "book"))
    for call in range(_first(kind, every), sound.calls_made, every):
        with tempfile.TemporaryDirectory() as directory:
            fault, root = Fault(call, kind), Path(directory) / "book"
            _live(BreakingCalls(fault), root)
            yield from _wrong(fault, BreakingCalls(), root)


def without_power(kind: FaultKind, loss: Loss, every: int = 1) -> Iterator[Found]:
    """What is wrong after *kind* and the power failed at each *every*-th call of a life."""
    sound = FaultyFiles()
    asyncio.run(lived(sound, _IN_MEMORY))
    for call in range(_first(kind, every), sound.calls_made, every):
        fault = Fault(call, kind)
        files = FaultyFiles(fault)
        _live(files, _IN_MEMORY)
        yield from _wrong(fault, files.restarted(loss), _IN_MEMORY)


def _first(kind: FaultKind, every: int) -> int:
    """Where to begin: another call for each kind, so that few calls are never looked at."""
    return list(FaultKind).index(kind) * every // len(FaultKind)


def _live(calls: FileCalls, root: Path) -> None:
    """A life that something happens to: it may end in any of these ways, or go on."""
    try:
        asyncio.run(lived(calls, root))
    except (PortError, Stopped):
        return


def _wrong(fault: Fault, calls: FileCalls, root: Path) -> Iterator[Found]:
    """What is wrong with the next life, which nothing happens to."""
    try:
        left = asyncio.run(lived(calls, root))
    except PortError as error:
        yield Found(fault, f"it cannot go on: {type(error).__name__}: {error}")
    else:
        yield from (Found(fault, wrong) for wrong in _faults_of(left))


def _faults_of(left: Left) -> Iterator[str]:
    if left.ours != left.theirs:
        yield f"our book has {left.ours}, the venue {left.theirs}"
    if len(set(left.placed)) != len(left.placed):
        yield f"a label has two orders: {left.placed}"
    if len(set(left.sent)) != len(left.sent):
        yield f"an intent was sent twice: {left.sent}"
    if not set(left.placed) <= set(left.sent):
        yield f"the venue has orders that were not written down: {left.placed}"
    if not left.is_folded:
        yield "the journal does not fold to the book"
    if left.is_killed:
        yield "the kill switch is on"


def main() -> int:
    """Break, print a line for each way, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1)
    every = parser.parse_args().every
    runs = {f"{kind.name} on real files": on_real_files(kind, every) for kind in FaultKind}
    for kind in ENDS:
        for loss in LOSSES:
            runs[f"{kind.name}, power failed, {loss.name}"] = without_power(kind, loss, every)
    count = 0
    for name, run in runs.items():
        found = list(run)
        count += len(found)
        print(f"{name}: {len(found)} wrong", flush=True)
        for each in found[:5]:
            print(f"  {each}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
