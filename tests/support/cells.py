"""Cells of sweeps that go well, badly, and very badly."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ports.sweeps import Cell


def cells(count: int) -> list[Cell]:
    """Cells of which number n comes to n squared."""
    return [cell(f"n={number}", squared, number) for number in range(count)]


def cell(key: str, compute: Callable[..., Any], *arguments: Any) -> Cell:
    """A cell by its parts."""
    return Cell(key=key, compute=compute, arguments=arguments)


def squared(number: int) -> int:
    """*number* squared."""
    return number * number


def slowly_squared(number: int, seconds: float) -> int:
    """The same after *seconds* of work."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
    return number * number


def raising(sentence: str) -> None:
    """A cell that raises."""
    raise ValueError(sentence)


def unsendable() -> object:
    """A value that no pickle holds."""
    return lambda: None


def process_of(_: int) -> int:
    """The process that computes it."""
    return os.getpid()


def deadly() -> None:
    """A cell that kills whoever computes it."""
    os.kill(os.getpid(), signal.SIGKILL)


def deadly_once(number: int, mark: Path) -> int:
    """The first to compute it is killed; *mark* tells the others that somebody was."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def sum_from(values: Any, start: int) -> float:
    """The sum of an array from *start* on."""
    return float(values[start:].sum())


def slowly_summed(values: Any, start: int) -> float:
    """The same after some milliseconds of work."""
    slowly_squared(start, 0.005)
    return sum_from(values, start)
