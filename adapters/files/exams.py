"""Exam datasets: the snapshots of some days stitched into one file, with a summary beside it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from attrs import asdict, frozen

from adapters.files.archive_files import ArchiveFiles
from adapters.files.harvest_schema import SCHEMA, VERSION, WRITTEN
from adapters.files.manifests import put
from ports.errors import StoreDamaged, Unavailable
from ports.snapshots import Kept

_DTE = "dte_days"
_EXAM = SCHEMA.append(pa.field(_DTE, pa.float64()))
_EXPECTED = (
    "instrument_name",
    "underlying",
    "expiry_timestamp",
    "option_type",
    "strike",
    "underlying_price",
    "mark_price",
    "mark_iv",
    "greek_delta",
)
_S_PER_DAY = 86_400.0
_GROUP_ROWS = 100_000


@frozen(kw_only=True)
class ExamSummary:
    """What an exam dataset holds; instants as ISO text, the unit of volatility in words."""

    family: str
    start: str
    end: str
    files: int
    rows: int
    snapshots: int
    instruments: int
    first: str
    last: str
    dte_min: float
    dte_max: float
    iv_unit: str
    columns: tuple[str, ...]
    missing_columns: tuple[str, ...]  # of those that are expected: absent, or empty throughout
    skipped_files: tuple[str, ...]


@frozen
class Exam:
    """A dataset that was written, and what is in it."""

    path: Path
    summary: ExamSummary


def build_exam(
    files: ArchiveFiles, family: str, since: datetime, until: datetime, folder: Path
) -> Exam:
    """
    Stitch the snapshots of *family* from *since* to *until*, both in it, by time and name.

    Raises:
        Unavailable: There is none.

        StoreDamaged: One of them cannot be read; nothing is written.

        StoreUnwritable: The dataset could not be written.
    """
    listing = files.listing(family)
    kept = [each for each in listing.kept if since <= each.taken_at <= until]
    if not kept:
        raise Unavailable(f"no snapshot of {family} from {since:%Y-%m-%d} to {until:%Y-%m-%d}")
    stem = f"{family}_{since:%Y-%m-%d}_{until:%Y-%m-%d}_live_deribit"
    data, tally = _stitched(files, family, kept)
    summary = ExamSummary(
        family=family,
        start=f"{since:%Y-%m-%d}",
        end=f"{until:%Y-%m-%d}",
        files=len({each.file for each in kept}),
        rows=tally.rows,
        snapshots=len(kept),
        instruments=len(tally.instruments),
        first=kept[0].taken_at.isoformat(),
        last=kept[-1].taken_at.isoformat(),
        dte_min=tally.dte_min,
        dte_max=tally.dte_max,
        iv_unit="vol points",
        columns=tuple(_EXAM.names),
        missing_columns=tuple(name for name in _EXPECTED if tally.filled[name] == 0),
        skipped_files=tuple(f"{each.file}: {each.reason}" for each in listing.skipped),
    )
    files.disk.make_directory(folder)
    path = folder / f"{stem}.parquet"
    put(files.disk, path, data)
    text = json.dumps(asdict(summary), indent=1)
    put(files.disk, folder / f"{stem}_summary.json", text.encode())
    return Exam(path, summary)


@frozen(eq=False)
class _Tally:
    rows: int
    instruments: frozenset[str]
    dte_min: float
    dte_max: float
    filled: Mapping[str, int]  # cells that are not empty


def _stitched(files: ArchiveFiles, family: str, kept: Sequence[Kept]) -> tuple[bytes, _Tally]:
    """The file's bytes and what was counted; only a row group is in memory at a time."""
    sink = pa.BufferOutputStream()
    instruments: set[str] = set()
    filled, rows, dtes = dict.fromkeys(_EXPECTED, 0), 0, list[float]()
    schema = _EXAM.with_metadata({"schema_version": VERSION, "iv_unit": "vol points"})
    with pq.ParquetWriter(sink, schema, **WRITTEN) as writer:
        group: list[Any] = []
        for each in kept:
            table = _with_dte(_rows(files, family, each))
            group.append(table)
            rows += len(table)
            instruments.update(pc.unique(table["instrument_name"]).to_pylist())
            filled = {name: n + len(table) - table[name].null_count for name, n in filled.items()}
            ends = pc.min_max(table[_DTE]).as_py()
            dtes += [end for end in ends.values() if end is not None]
            if sum(map(len, group)) >= _GROUP_ROWS:
                writer.write_table(pa.concat_tables(group))
                group = []
        if group:
            writer.write_table(pa.concat_tables(group))
    ends = (min(dtes), max(dtes)) if dtes else (float("nan"), float("nan"))
    return bytes(sink.getvalue()), _Tally(rows, frozenset(instruments), *ends, filled)


def _rows(files: ArchiveFiles, family: str, kept: Kept) -> Any:
    place = files.locate(family, kept.taken_at)
    if place is None:
        raise StoreDamaged(f"{kept.file}: the snapshot of {kept.taken_at} is gone")
    return files.rows(place).cast(SCHEMA).sort_by("instrument_name")


def _with_dte(table: Any) -> Any:
    taken_s = pc.divide(pc.cast(table["harvest_time"], pa.int64()), 1e6)
    days = pc.divide(pc.subtract(table["expiry_timestamp"], taken_s), _S_PER_DAY)
    return table.append_column(_DTE, days)
