"""Months made of snapshot files: the same rows in large groups, by instant and by instrument."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from attrs import frozen

from adapters.files.archive_files import ArchiveFiles, Place
from adapters.files.archive_layout import MANIFEST, Month
from adapters.files.harvest_schema import SCHEMA, VERSION, WRITTEN, Head, metadata_of
from adapters.files.manifests import put
from adapters.files.parquet import damage_of
from ports.errors import StoreDamaged
from ports.snapshots import Kept

_GROUP_ROWS = 100_000
_INSTRUMENT = [
    (name, "ascending") for name in ("expiry_timestamp", "strike", "option_type", "harvest_time")
]


@frozen(kw_only=True)
class Compacted:
    """One month that was made: of how many files and bytes, into how many bytes."""

    family: str
    month: str
    snapshots: int
    rows: int
    files_before: int
    bytes_before: int
    bytes_after: int  # of the file by instant
    removed: int  # files whose snapshots the month now has


def months_to_compact(files: ArchiveFiles, family: str, now: datetime) -> tuple[Month, ...]:
    """The months of *family* that are over and have snapshots outside their month file."""
    this = files.layout.month_of(family, now)
    return tuple(
        month
        for month in files.layout.months(files.disk, family)
        if (month.year, month.month) < (this.year, this.month) and _loose(files, month)
    )


def compact(files: ArchiveFiles, month: Month, *, keeps_originals: bool = False) -> Compacted:
    """
    Write the month file and its copy by instrument, and remove what they hold.

    Only what was read back from the month file, and is the same, is removed; a crash at any
    instant leaves every snapshot in one file at least.

    Raises:
        StoreDamaged: A file cannot be read, or the month file does not hold what was written.

        StoreUnwritable: It could not be written; all snapshots are where they were.
    """
    loose = _loose(files, month)
    places = list(_places(files, month, loose))
    heads = [place.head for place in places]
    data = _by_instant(files, places, heads)
    put(files.disk, month.by_instant, data)
    files.forget()
    _check(month.by_instant, data, heads)
    put(files.disk, month.by_instrument, _by_instrument(month.by_instant, hashlib.sha256(data)))
    put(files.disk, month.manifest, _manifest(files, month, heads).encode())
    originals = sorted({files.layout.root / each.file for each in loose})
    sizes = {each.file: each.size_bytes for each in loose}
    if not keeps_originals:
        manifests = {path.parent / MANIFEST for path in originals}
        files.remove(originals)
        files.remove(path for path in sorted(manifests) if files.disk.exists(path))
    return Compacted(
        family=month.family,
        month=month.name,
        snapshots=len(heads),
        rows=sum(head.rows for head in heads),
        files_before=len(sizes),
        bytes_before=sum(sizes.values()),
        bytes_after=len(data),
        removed=0 if keeps_originals else len(originals),
    )


def _loose(files: ArchiveFiles, month: Month) -> tuple[Kept, ...]:
    """The snapshots of *month* that lie in files of their days."""
    days = files.layout.days(files.disk, month)
    return tuple(each for day in days for each in files.day(day).kept)


def _places(files: ArchiveFiles, month: Month, loose: Sequence[Kept]) -> Iterator[Place]:
    """Every snapshot of *month* once, oldest first; one of a day comes before that of the month."""
    instants = {each.taken_at for each in loose}
    if files.disk.exists(month.by_instant):
        instants |= {head.taken_at for head in files.bundle(month.by_instant).heads}
    for instant in sorted(instants):
        place = files.locate(month.family, instant)
        if place is None:
            raise StoreDamaged(f"{month.name}: the snapshot of {instant} is gone")
        yield place


def _by_instant(files: ArchiveFiles, places: Sequence[Place], heads: Sequence[Head]) -> bytes:
    """The month file, its row groups of whole snapshots."""
    sink = pa.BufferOutputStream()
    schema = SCHEMA.with_metadata(metadata_of(heads))
    with pq.ParquetWriter(sink, schema, **WRITTEN) as writer:
        group: list[Any] = []
        rows = 0
        for place in places:
            group.append(files.rows(place).cast(SCHEMA))
            rows += place.head.rows
            if rows >= _GROUP_ROWS:
                writer.write_table(pa.concat_tables(group), row_group_size=rows)
                group, rows = [], 0
        if group:
            writer.write_table(pa.concat_tables(group), row_group_size=max(rows, 1))
    return bytes(sink.getvalue())


def _check(path: Path, data: bytes, heads: Sequence[Head]) -> None:
    """
    Raises:
        StoreDamaged: What lies in *path* is not *data*, or has not the rows of *heads*.
    """
    with damage_of(path):
        is_same = path.read_bytes() == data
        rows = pq.read_table(path, columns=["strike"]).num_rows
    if not is_same or rows != sum(head.rows for head in heads):
        raise StoreDamaged(f"{path} is not what was written into it")


def _by_instrument(path: Path, source: Any) -> bytes:
    """The rows of the month file *path* by instrument and instant, one expiry after the other."""
    sink = pa.BufferOutputStream()
    told = {"schema_version": VERSION, "sorted_copy_of_sha256": source.hexdigest()}
    with damage_of(path):
        expiries = pc.unique(pq.read_table(path, columns=["expiry_timestamp"])[0]).to_pylist()
        with pq.ParquetWriter(sink, SCHEMA.with_metadata(told), **WRITTEN) as writer:
            for expiry in sorted(expiries):
                rows = pq.read_table(path, filters=[("expiry_timestamp", "=", expiry)])
                ordered = rows.cast(SCHEMA).sort_by(_INSTRUMENT)
                writer.write_table(ordered, row_group_size=_GROUP_ROWS)
    return bytes(sink.getvalue())


def _manifest(files: ArchiveFiles, month: Month, heads: Sequence[Head]) -> str:
    told = {
        path.name: {
            "rows": sum(head.rows for head in heads),
            "size_bytes": files.disk.size(path),
            "sha256": hashlib.sha256(files.disk.read(path) or b"").hexdigest(),
        }
        for path in (month.by_instant, month.by_instrument)
    }
    return json.dumps({"schema_version": VERSION, "snapshots": len(heads), "files": told}, indent=1)


def month_named(files: ArchiveFiles, family: str, text: str) -> Month:
    """
    Return the month that *text*, such as 2026-03, names.

    Raises:
        ValueError: It names none.
    """
    first = datetime.strptime(f"{text}-01", "%Y-%m-%d").replace(tzinfo=UTC)
    return files.layout.month_of(family, first)
