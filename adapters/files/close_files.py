"""Closes that other people recorded, file by file: hourly prices, daily volatility indices."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path

from ports.checks import epoch_ms
from ports.errors import StoreDamaged, Unavailable

_HOUR_MS = timedelta(hours=1) // timedelta(milliseconds=1)
_DAY_MS = timedelta(days=1) // timedelta(milliseconds=1)


def read_hourly_closes(path: Path) -> Mapping[int, float]:
    """
    Return closes in USD by the millisecond at which their hour ended, in the file's order.

    CSV, gzipped if it ends in .gz, with columns `timestamp`, when the hour began, and `close`.

    Raises:
        Unavailable: There is no such file.

        StoreDamaged: A column is missing, or a row is not an instant and a positive number.
    """
    rows = csv.DictReader(_lines(path))
    if not {"timestamp", "close"} <= set(rows.fieldnames or ()):
        raise StoreDamaged(f"{path}: no columns timestamp and close")
    return dict(
        _known(path, row, row["timestamp"], row["close"], after_ms=_HOUR_MS) for row in rows
    )


def read_index_closes(path: Path) -> Mapping[int, float]:
    """
    Return closes in points by the millisecond at which their UTC day ended, in the file's order.

    CSV of a date and a close under a heading, or JSON of pairs: milliseconds at which the day
    began, and the close.

    Raises:
        Unavailable: There is no such file.

        StoreDamaged: It is neither, or a row is not a day and a positive number.
    """
    if path.suffix == ".json":
        return dict(_pairs(path))
    rows = csv.reader(_lines(path))
    next(rows, None)
    closes = {}
    for row in rows:
        if len(row) < 2:
            raise StoreDamaged(f"{path}: no date and close in {','.join(row)!r}")
        at_ms, close = _known(path, row, row[0], row[1], after_ms=_DAY_MS)
        closes[at_ms] = close
    return closes


def _lines(path: Path) -> list[str]:
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
                return list(file)
        return path.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError as error:
        raise Unavailable(f"there is no file {path}") from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise StoreDamaged(f"{path} cannot be read: {error}") from error


def _known(path: Path, row: object, begun: str, close: str, *, after_ms: int) -> tuple[int, float]:
    try:
        at, value = datetime.fromisoformat(begun), float(close)
    except (TypeError, ValueError) as error:
        raise StoreDamaged(f"{path}: no instant and close in {row}") from error
    at_ms = epoch_ms(at.replace(tzinfo=UTC) if at.tzinfo is None else at)
    return at_ms + after_ms, _positive(path, row, value)


def _pairs(path: Path) -> Iterator[tuple[int, float]]:
    try:
        rows = json.loads("".join(_lines(path)))
    except ValueError as error:
        raise StoreDamaged(f"{path} is no JSON: {error}") from error
    if not isinstance(rows, list):
        raise StoreDamaged(f"{path}: a list of pairs was expected")
    for row in rows:
        match row:
            case [int() as begun_ms, int() | float() as close]:
                yield begun_ms + _DAY_MS, _positive(path, row, float(close))
            case _:
                raise StoreDamaged(f"{path}: no day and close in {row}")


def _positive(path: Path, row: object, value: float) -> float:
    if not (isfinite(value) and value > 0.0):
        raise StoreDamaged(f"{path}: the close in {row} is no positive number")
    return value
