"""Hourly bars of a spot market as recorded: {btc,eth}usdt_1h_*.csv.gz, read only."""

import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from ports.checks import epoch_ms
from ports.errors import StoreDamaged, Unavailable
from ports.history import Candles

_BAR_MS = timedelta(hours=1) // timedelta(milliseconds=1)
_COLUMNS = ("timestamp", "open", "high", "low", "close")


def read_spot_bars(directory: Path, underlying: str) -> Candles:
    """
    Return every hourly bar of *underlying* in *directory*, oldest first; the later file wins.

    Raises:
        Unavailable: There is no file of *underlying*.

        StoreDamaged: A row is not an instant and four positive prices in order.
    """
    paths = sorted(directory.glob(f"{underlying.lower()}usdt_1h_*.csv.gz"))
    if not paths:
        raise Unavailable(f"no hourly spot bars of {underlying} in {directory}")
    bars: dict[int, tuple[float, ...]] = {}
    for path in paths:
        bars |= _rows(path)
    begun = sorted(bars)
    prices = np.array([bars[at] for at in begun], dtype=np.float64).reshape(-1, 4)
    return Candles(
        underlying,
        closed_at_ms=np.array(begun, dtype=np.int64) + _BAR_MS,
        open=prices[:, 0],
        high=prices[:, 1],
        low=prices[:, 2],
        close=prices[:, 3],
    )


def _rows(path: Path) -> dict[int, tuple[float, ...]]:
    try:
        with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise StoreDamaged(f"{path}: no column {missing[0]!r}")
            return dict(_bar(path, row) for row in reader)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise StoreDamaged(f"{path} cannot be read: {error}") from error


def _bar(path: Path, row: dict[str, str]) -> tuple[int, tuple[float, ...]]:
    try:
        begun = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
        opened, high, low, close = (float(row[name]) for name in _COLUMNS[1:])
    except (TypeError, ValueError) as error:
        raise StoreDamaged(f"{path}: no bar in {row}") from error
    if not (0.0 < low <= min(opened, close) and max(opened, close) <= high < float("inf")):
        raise StoreDamaged(f"{path}: the prices of {begun:%Y-%m-%d %H:%M} are not in order")
    return epoch_ms(begun), (opened, high, low, close)
