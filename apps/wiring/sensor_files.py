"""Sensors of past days from a CSV file, as `options-agent greg history --out` writes it."""

import csv
from collections.abc import Sequence
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
    The days of *underlying* in the file at *path*, in its order, as one path.

    Columns `day` and `underlying`, one a sensor, and perhaps `pnl_<strategy>`; others are not
    looked at. An empty field is unknown.

    Raises:
        Unavailable: There is no such file, or no day of the coin in it.

        StoreDamaged: A column is missing, a field is no number, or a day does not follow the
            one before it; says where.
    """
    rows = [row for row in _rows(path) if row[1]["underlying"] == underlying]
    if not rows:
        raise Unavailable(f"{path} has no day of {underlying}")
    for before, after in pairwise(rows):
        if not before[1]["day"] < after[1]["day"]:
            raise StoreDamaged(f"{path}, line {after[0]}: {after[1]['day']} comes too late")
    names = rows[0][1].keys()
    pnl = [name for name in names if name.removeprefix(_PNL) in set(StrategyCode)]
    return SensorSeries(
        underlying=underlying,
        source=SOURCE,
        columns={name: _column(path, rows, name) for name in SENSORS if name in names},
        pnl={name.removeprefix(_PNL): _column(path, rows, name) for name in pnl},
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


def _column(path: Path, rows: Sequence[_Row], name: str) -> Floats:
    found = []
    for line, row in rows:
        try:
            found.append(float(row[name]) if row[name] else nan)
        except ValueError as error:
            raise StoreDamaged(f"{path}, line {line}: {name} is no number: {row[name]}") from error
    return np.array(found)
