"""
Time and size of an archive: a file a snapshot against the month that is made of them.

Three layouts hold the same columns: files as any Parquet writer makes them (snappy), our files of
one snapshot, and our month. The scan reads three columns of every row, as a sweep does. Time is
processor time of the fastest round, bytes are those on the disk.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from attrs import evolve, frozen

from adapters.files.archive_files import ArchiveFiles
from adapters.files.archive_scans import scan, series
from adapters.files.compaction import compact, month_named
from adapters.files.parquet import ParquetTable
from adapters.files.snapshots import ParquetSnapshots
from adapters.memory.clock import SteppedClock
from core.simulation.synthetic import SyntheticMarket
from core.simulation.synthetic_params import SyntheticParams
from core.usecases.harvest import derive
from ports.market_data import MarketSnapshot
from ports.snapshots import Harvest

_START = datetime(2026, 3, 1, tzinfo=UTC)
_STEP = timedelta(minutes=15)
_COLUMNS = ("strike", "mark_price", "mark_iv")


@frozen(kw_only=True)
class StorageFigures:
    """One archive in three layouts; times in seconds, sizes in bytes."""

    snapshots: int
    rows: int
    write_ms: float  # of one snapshot, derived columns, sync and manifest included
    plain_bytes: int
    files_bytes: int
    month_bytes: int
    plain_scan_s: float
    files_scan_s: float
    month_scan_s: float
    files_series_s: float
    month_series_s: float

    @property
    def scan_ratio(self) -> float:
        """How many times as fast a month is scanned as plain files."""
        return self.plain_scan_s / self.month_scan_s

    @property
    def size_ratio(self) -> float:
        """The bytes of a month over those of plain files."""
        return self.month_bytes / self.plain_bytes


def measure_storage(folder: Path, snapshots: int = 400, rounds: int = 20) -> StorageFigures:
    """Write *snapshots* of a synthetic chain below *folder*, compact them, and scan both."""
    files = ArchiveFiles(folder)
    write_s, rows = asyncio.run(_fill(folder, snapshots))
    instrument = _instrument(files)
    month = month_named(files, "BTC", f"{_START:%Y-%m}")
    kept = files.listing("BTC").kept
    plain = _plain(folder, [folder / each.file for each in kept])
    plain_bytes = sum(path.stat().st_size for path in plain)
    files_bytes = sum(each.size_bytes for each in kept)
    (files_scan_s,) = _fastest(rounds, lambda: _scan(files, rows))
    (files_series_s,) = _fastest(rounds, lambda: series(files, "BTC", instrument, _COLUMNS))
    month_bytes = compact(files, month).bytes_after
    plain_scan_s, month_scan_s = _fastest(
        rounds, lambda: _scan_plain(plain), lambda: _scan(files, rows)
    )
    (month_series_s,) = _fastest(rounds, lambda: series(files, "BTC", instrument, _COLUMNS))
    return StorageFigures(
        snapshots=snapshots,
        rows=rows,
        write_ms=1000.0 * write_s / snapshots,
        plain_bytes=plain_bytes,
        files_bytes=files_bytes,
        month_bytes=month_bytes,
        plain_scan_s=plain_scan_s,
        files_scan_s=files_scan_s,
        month_scan_s=month_scan_s,
        files_series_s=files_series_s,
        month_series_s=month_series_s,
    )


async def _fill(folder: Path, snapshots: int) -> tuple[float, int]:
    """The seconds that keeping took, and how many rows were kept."""
    clock = SteppedClock(_START, ())
    market = SyntheticMarket(3, clock, ("BTC",), SyntheticParams())
    archive, seconds, rows = ParquetSnapshots(folder), 0.0, 0
    for number in range(snapshots):
        await clock.sleep_until(_START + number * _STEP)
        shown = _as_told(await market.snapshot("BTC"))
        started = time.process_time()
        await archive.keep(Harvest.bare(shown), derive(shown))
        seconds += time.process_time() - started
        rows += len(shown.chain)
    return seconds, rows


def _as_told(shown: MarketSnapshot) -> MarketSnapshot:
    """*shown* with as many digits as the venue tells."""
    chain = evolve(
        shown.chain,
        forward=np.round(shown.chain.forward, 4),
        mark=np.round(shown.chain.mark, 8),
        mark_iv=np.round(shown.chain.mark_iv, 4),
        open_interest=np.round(shown.chain.open_interest, 1),
        volume=np.round(shown.chain.volume, 1),
    )
    return evolve(shown, chain=chain)


def _plain(folder: Path, paths: list[Path]) -> list[Path]:
    """The same tables, each written as a Parquet writer does unless it is told otherwise."""
    beside = folder / "plain"
    beside.mkdir()
    for path in paths:
        pq.write_table(pq.read_table(path), beside / path.name)
    return [beside / path.name for path in paths]


def _scan_plain(paths: list[Path]) -> None:
    for path in paths:
        table = ParquetTable.read(path, _COLUMNS)
        for name in _COLUMNS:
            table.floats(name)


def _scan(files: ArchiveFiles, rows: int) -> None:
    found = 0
    for table in scan(files, "BTC", _COLUMNS, _START, _START + timedelta(days=40)):
        for name in _COLUMNS:
            found += len(table.floats(name))
    if found != rows * len(_COLUMNS):
        raise ValueError(f"the scan found {found} cells of {rows * len(_COLUMNS)}")


def _instrument(files: ArchiveFiles) -> str:
    place = files.locate("BTC", _START)
    if place is None:
        raise ValueError("the first snapshot is not in the archive")
    return str(files.rows(place, ("instrument_name",))[0][-1].as_py())


def _fastest(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """The seconds of each of *actions*, in turns, in its fastest round."""
    fastest = [float("inf")] * len(actions)
    for _ in range(rounds):
        for number, action in enumerate(actions):
            started = time.process_time()
            action()
            fastest[number] = min(fastest[number], time.process_time() - started)
    return fastest


def main() -> None:
    """Print the figures of one archive."""
    parser = argparse.ArgumentParser(prog="python -m bench.storage", description=__doc__)
    parser.add_argument("--snapshots", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure_storage(Path(folder), given.snapshots)
    print(
        f"{found.snapshots} snapshots, {found.rows} rows; one is written in {found.write_ms:.1f} ms"
    )
    for name, size, seconds in (
        ("plain files", found.plain_bytes, found.plain_scan_s),
        ("our files", found.files_bytes, found.files_scan_s),
        ("month", found.month_bytes, found.month_scan_s),
    ):
        speed = found.rows / seconds / 1e6
        print(f"{name:12}{size / found.rows:6.1f} bytes a row, {speed:6.1f} million rows a second")
    series_ratio = found.files_series_s / found.month_series_s
    print(f"month over plain files: {found.scan_ratio:.1f} times the speed, ", end="")
    print(f"{found.size_ratio:.2f} of the bytes; one option {series_ratio:.0f} times as fast")


if __name__ == "__main__":
    main()
