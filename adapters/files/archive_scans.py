"""Scans of an archive: a few columns of many snapshots, from months and single files alike."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adapters.files.archive_files import ArchiveFiles, checked_file
from adapters.files.parquet import ParquetTable, damage_of
from ports.snapshots import Kept

_TIME = "harvest_time"
_NAME = "instrument_name"


def scan(
    files: ArchiveFiles, family: str, columns: Sequence[str], since: datetime, until: datetime
) -> Iterator[ParquetTable]:
    """
    Yield *columns*, and no others, of every snapshot taken from *since* to *until*, each row once.

    A table is a row group of a month, or a single file; oldest first within a month file and
    within the single files, which come after it. Files that cannot be read are passed over, as
    ArchiveFiles.listing tells.

    Raises:
        StoreDamaged: A column is missing, or a file cannot be read to its end.
    """
    by_file: dict[str, list[Kept]] = {}
    for each in files.listing(family).kept:
        if since <= each.taken_at <= until:
            by_file.setdefault(each.file, []).append(each)
    for file, kept in by_file.items():
        yield from _rows_of(files.layout.root / file, list(columns), kept)


def series(
    files: ArchiveFiles, family: str, instrument: str, columns: Sequence[str]
) -> ParquetTable:
    """
    Return *columns* of one *instrument* over all snapshots, oldest first, its times among them.

    Months are read from their copies by instrument, where a few pages hold it.

    Raises:
        StoreDamaged: As scan.
    """
    wanted = list(dict.fromkeys((_TIME, *columns)))
    sorted_copies = {
        files.layout.relative(month.by_instant): month.by_instrument
        for month in files.layout.months(files.disk, family)
        if files.disk.exists(month.by_instrument)
    }
    instants: dict[str, list[datetime]] = {}
    for each in files.listing(family).kept:
        instants.setdefault(each.file, []).append(each.taken_at)
    parts = []
    for file, taken in instants.items():
        path = sorted_copies.get(file, files.layout.root / file)
        with damage_of(path):
            named = [(_NAME, "=", instrument)]
            rows = pq.read_table(
                path, columns=wanted, filters=named, page_checksum_verification=True
            )
            parts.append(rows.filter(pc.is_in(rows[_TIME], _instants(taken))))
    joined = pa.concat_tables([_unnamed(part) for part in parts]) if parts else pa.table({})
    return ParquetTable(files.layout.root, joined.sort_by(_TIME) if parts else joined)


def _rows_of(path: Path, columns: list[str], kept: Sequence[Kept]) -> Iterator[ParquetTable]:
    """The rows of *kept* in *path*, a table a row group; groups without any are not read."""
    times = _instants([each.taken_at for each in kept])
    first, last = kept[0].taken_at, kept[-1].taken_at
    with damage_of(path), checked_file(path) as file:
        whole = file.metadata.num_rows == sum(each.rows for each in kept)
        wanted = columns if whole else list(dict.fromkeys((_TIME, *columns)))
        for number in range(file.metadata.num_row_groups):
            if not whole and not _overlaps(file, number, first, last):
                continue
            rows = file.read_row_group(number, columns=wanted)
            if not whole:
                rows = rows.filter(pc.is_in(rows[_TIME], times)).select(columns)
            if len(rows):
                yield ParquetTable(path, _unnamed(rows))


def _overlaps(file: "pq.ParquetFile", number: int, first: datetime, last: datetime) -> bool:
    """Whether a row group may have rows from *first* to *last*, by its statistics."""
    group = file.metadata.row_group(number)
    index = file.schema_arrow.get_field_index(_TIME)
    told = group.column(index).statistics
    return told is None or not told.has_min_max or (told.min <= last and told.max >= first)


def _instants(taken: Sequence[datetime]) -> "pa.Array":
    return pa.array(list(taken), pa.timestamp("us", tz="UTC"))


def _unnamed(table: "pa.Table") -> "pa.Table":
    """*table* without the metadata of its file, which differ from file to file."""
    return table.replace_schema_metadata(None)
