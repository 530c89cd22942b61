"""py_vollib_vectorized in its own process, as peers beside the others."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import numpy as np
from attrs import fields_dict, frozen

from bench.sample import Floats, Sample

NAME = "py_vollib_vectorized"
ROWS = 1_000_000


@frozen
class OldPeer:
    """A running old_peer.py that holds one sample."""

    requests: IO[str]
    answers: IO[str]
    folder: Path

    def time_ns(self, task: str) -> int:
        """The processor time of one call."""
        return int(self._ask(task))

    def values(self, task: str) -> Floats:
        """What one call returns."""
        self._ask(f"save {task}")
        return np.asarray(np.load(self.folder / "values.npy"))

    def _ask(self, line: str) -> str:
        print(line, file=self.requests, flush=True)
        return self.answers.readline()


def start(python: Path, sample: Sample, folder: Path) -> OldPeer:
    """Give *sample* to a process of the interpreter *python*."""
    for name in fields_dict(Sample):
        np.save(folder / f"{name}.npy", getattr(sample, name))
    script = Path(__file__).with_name("old_peer.py")
    command = [str(python), "-W", "ignore", str(script), str(folder)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)  # noqa: S603
    return OldPeer(cast(IO[str], process.stdin), cast(IO[str], process.stdout), folder)


def tasks() -> Iterator[str]:
    """What it can do; its greeks are six of the eight columns."""
    yield from ("premium", "greeks", "iv")
