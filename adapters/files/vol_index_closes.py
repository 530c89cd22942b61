"""Daily closes of a volatility index, as recorded: {btc,eth}_dvol_daily_close_*.csv, read only."""

import csv
from datetime import date
from math import isfinite
from pathlib import Path

from attrs import frozen

from ports.errors import StoreDamaged, Unavailable


@frozen
class VolIndexClose:
    """The value of the index at the end of a UTC day, in percent."""

    day: date
    close: float


def read_closes(directory: Path, underlying: str) -> tuple[VolIndexClose, ...]:
    """
    Return every close of *underlying* in *directory*, oldest first; the later file wins a day.

    Raises:
        Unavailable: There is no file of *underlying*.

        StoreDamaged: A row is not a date and a positive number.
    """
    paths = sorted(directory.glob(f"{underlying.lower()}_dvol_daily_close_*.csv"))
    if not paths:
        raise Unavailable(f"no daily closes of the volatility index of {underlying} in {directory}")
    closes: dict[date, VolIndexClose] = {}
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            next(rows, None)
            for row in rows:
                close = _close(path, row)
                closes[close.day] = close
    return tuple(closes[day] for day in sorted(closes))


def _close(path: Path, row: list[str]) -> VolIndexClose:
    try:
        close = VolIndexClose(date.fromisoformat(row[0]), float(row[1]))
    except (IndexError, ValueError) as error:
        raise StoreDamaged(f"{path}: no date and close in {','.join(row)!r}") from error
    if not (isfinite(close.close) and close.close > 0.0):
        raise StoreDamaged(f"{path}: the close of {close.day} is {close.close}")
    return close
