"""Sensors of past days from a CSV file, as `options-agent greg history --out` writes it."""

import csv
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from math import nan
from pathlib import Path

import numpy as np

from core.analysis.sensor_series import SensorSeries
from core.context.sensors import SENSORS
from core.greg.catalogue import StrategyCode
from ports.columns import Floats
from ports.errors import StoreDamaged, Unavailable

SOURCE = "recorded"
_PNL = "pnl_"  # and the code of a strategy: what it would have earned if opened that day


def recorded_series(path: Path, underlying: str) -> SensorSeries:
    """
    The days of *underlying* in the file at *path*, from its first to its last, as one path.

    Columns `day` and `underlying`, one a sensor, and perhaps `pnl_<strategy>`; others are not
    looked at. An empty field is unknown; of a day that the file leaves out all is.

    Raises:
        Unavailable: There is no such file, or no day of the coin in it.

        StoreDamaged: A column is missing, a field is no number, or a day does not follow the
            one before it; says where.
    """
    rows = [row for row in _rows(path) if row[1]["underlying"] == underlying]
    if not rows:
        raise Unavailable(f"{path} has no day of {underlying}")
    days = [_day(path, line, row["day"]) for line, row in rows]
    for (before, after), (line, _) in zip(pairwise(days), rows[1:], strict=True):
        if not before < after:
            raise StoreDamaged(f"{path}, line {line}: {after} comes too late")
    steps = [(day - days[0]).days for day in days]
    names = rows[0][1].keys()
    pnl = [name for name in names if name.removeprefix(_PNL) in set(StrategyCode)]
    return SensorSeries(
        underlying=underlying,
        source=SOURCE,
        columns={name: _column(path, rows, steps, name) for name in SENSORS if name in names},
        pnl={name.removeprefix(_PNL): _column(path, rows, steps, name) for name in pnl},
    )


_Row = tuple[int, dict[str, str]]  # with the number of its line


def _rows(path: Path) -> list[_Row]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader]
            names = reader.fieldnames or ()
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise StoreDamaged(f"{path} is no CSV: {error}") from error
    missing = [name for name in ("day", "underlying") if name not in names]
    if missing or not set(names) & set(SENSORS):
        wanted = ", ".join(missing) or "a sensor"
        raise StoreDamaged(f"{path} has no column {wanted}")
    for line, row in rows:
        if None in row or None in row.values():
            raise StoreDamaged(f"{path}, line {line}: not as many fields as columns")
    return rows


def _day(path: Path, line: int, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise StoreDamaged(f"{path}, line {line}: {text!r} is no day such as 2026-03-27") from error


def _column(path: Path, rows: Sequence[_Row], steps: Sequence[int], name: str) -> Floats:
    """The field *name* of each row at its step; NaN where it is empty, and at steps of no row."""
    found = np.full(steps[-1] + 1, nan)
    for (line, row), step in zip(rows, steps, strict=True):
        try:
            found[step] = float(row[name]) if row[name] else nan
        except ValueError as error:
            raise StoreDamaged(f"{path}, line {line}: {name} is no number: {row[name]}") from error
    return found
