"""The files of an archive of harvested chains: which hold what, read and written whole."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from attrs import field, frozen

from adapters.files.archive_layout import MANIFEST, Layout, is_data_file
from adapters.files.disk import Disk
from adapters.files.harvest_schema import Head, heads_in
from adapters.files.manifests import put, read_manifest, write_manifest
from adapters.files.parquet import damage_of
from ports.errors import StoreDamaged
from ports.snapshots import Kept, Skipped

_GroupKey = tuple[Path, int, tuple[str, ...]]  # a row group and the columns read of it
_FOREIGN = "not a name of this archive; `data import` reads files of others"


@frozen(eq=False)
class Bundle:
    """A file of one snapshot or many, oldest first, with where each begins and ends."""

    path: Path
    heads: tuple[Head, ...]
    starts: tuple[int, ...] = field(kw_only=True)

    @classmethod
    def read(cls, path: Path) -> "Bundle":
        """
        Return what the metadata of *path* says.

        Raises:
            StoreDamaged: It is not one of ours, or counts other rows than it has.
        """
        with damage_of(path):
            footer = pq.read_metadata(path)
            told = {key.decode(): text.decode() for key, text in (footer.metadata or {}).items()}
        heads = heads_in(path, told)
        starts = tuple(accumulate((head.rows for head in heads), initial=0))
        if footer.num_rows != starts[-1]:
            raise StoreDamaged(f"{path} does not have the rows that its metadata counts")
        return cls(path, heads, starts=starts)

    def number_of(self, taken_at: datetime) -> int | None:
        """Which of the snapshots was taken at *taken_at*; None if there is none."""
        number = bisect_right(self.heads, taken_at, key=lambda head: head.taken_at) - 1
        return number if number >= 0 and self.heads[number].taken_at == taken_at else None


@frozen(eq=False)
class Place:
    """A snapshot in its file."""

    bundle: Bundle
    number: int

    @property
    def head(self) -> Head:
        return self.bundle.heads[self.number]


@frozen(eq=False)
class _Listing:
    kept: tuple[Kept, ...] = ()
    skipped: tuple[Skipped, ...] = ()


class ArchiveFiles:
    """
    The files below *root*; the last row group read is kept in memory.

    A snapshot in a file of its own comes before one of the same instant in a month, so
    that nothing is counted twice while a month is being made of its days.
    """

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.layout = Layout(root)
        self.disk = disk or Disk()
        self._opened: dict[Path, Bundle] = {}
        self._group: tuple[_GroupKey, Any] | None = None

    def listing(self, family: str) -> _Listing:
        """Every snapshot of *family* once, oldest first, and the files that cannot be read."""
        found: dict[datetime, Kept] = {}
        skipped: list[Skipped] = []
        for month in self.layout.months(self.disk, family):
            parts = [self._file(month.by_instant)] if self.disk.exists(month.by_instant) else []
            parts += [self.day(folder) for folder in self.layout.days(self.disk, month)]
            for part in parts:
                skipped += part.skipped
                found |= {each.taken_at: each for each in part.kept}
        return _Listing(tuple(found[at] for at in sorted(found)), tuple(skipped))

    def day(self, folder: Path) -> _Listing:
        """The snapshots in the files of one day."""
        listed = read_manifest(self.disk, folder)
        kept: list[Kept] = []
        skipped: list[Skipped] = []
        for name in self.disk.names(folder):
            path = folder / name
            if is_data_file(name):
                told = listed.get(self.layout.relative(path), ())
                is_whole = told and told[0].size_bytes == self.disk.size(path)
                part = _Listing(told) if is_whole else self._file(path)
                kept += part.kept
                skipped += part.skipped
            elif name.endswith(".parquet"):
                skipped.append(Skipped(self.layout.relative(path), _FOREIGN))
        return _Listing(tuple(kept), tuple(skipped))

    def locate(self, family: str, taken_at: datetime) -> Place | None:
        """
        Return where the snapshot of exactly *taken_at* is; None if there is none.

        Raises:
            StoreDamaged: A file that may have it cannot be read.
        """
        month = self.layout.month_of(family, taken_at)
        for path in (*self.layout.files_of(family, taken_at), month.by_instant):
            if self.disk.exists(path):
                bundle = self.bundle(path)
                number = bundle.number_of(taken_at)
                if number is not None:
                    return Place(bundle, number)
        return None

    def bundle(self, path: Path) -> Bundle:
        """What is in *path*; a month is read once."""
        if path not in self._opened:
            bundle = Bundle.read(path)
            if len(bundle.heads) == 1:
                return bundle
            self._opened[path] = bundle
        return self._opened[path]

    def rows(self, place: Place, columns: Sequence[str] | None = None) -> Any:
        """
        Return the rows of one snapshot, a pyarrow.Table; all columns unless told.

        Raises:
            StoreDamaged: They cannot be read, or a column is missing.
        """
        path, start = place.bundle.path, place.bundle.starts[place.number]
        with damage_of(path), checked_file(path) as file:
            known = file.schema_arrow.names
            missing = [name for name in columns or () if name not in known]
            if missing:
                raise StoreDamaged(f"{path} has no column {missing[0]!r}")
            return self._part(file, path, start, place.head.rows, tuple(columns or known))

    def write(self, family: str, head: Head, data: bytes) -> Kept:
        """
        Put the snapshot *data* of *head* in its file and into the manifest of its day.

        Raises:
            StoreUnwritable: It could not be written; what was there before is as it was.
        """
        path = self._place_for(family, head.taken_at)
        self.disk.make_directory(path.parent)
        put(self.disk, path, data)
        self.forget()
        kept = self._kept(path, head, data)
        others = [each for each in self.day(path.parent).kept if each.file != kept.file]
        write_manifest(self.disk, path.parent, [*others, kept])
        return kept

    def remove(self, paths: Iterable[Path]) -> None:
        """Remove *paths*, whose snapshots a month has, and what is said of them."""
        for path in paths:
            self.disk.remove(path)
        self.forget()

    def set_aside(self, family: str, file: str, reason: str) -> Path:
        """
        Move *file* into quarantine with *reason* beside it; return where it is.

        Raises:
            StoreUnwritable: It is where it was.
        """
        source, folder = self.layout.root / file, self.layout.quarantine(family)
        self.disk.make_directory(folder)
        target = _free(self.disk, folder / source.name)
        put(self.disk, target.with_name(f"{target.name}.reason.txt"), f"{reason}\n".encode())
        self.disk.move(source, target)
        self.forget()
        if self.disk.exists(source.parent / MANIFEST):
            write_manifest(self.disk, source.parent, self.day(source.parent).kept)
        return target

    def forget(self) -> None:
        """Read anew what is asked for next: files have changed."""
        self._opened.clear()
        self._group = None

    def _file(self, path: Path) -> _Listing:
        file = self.layout.relative(path)
        try:
            bundle = self.bundle(path)
        except StoreDamaged as error:
            return _Listing(skipped=(Skipped(file, str(error)),))
        if len(bundle.heads) == 1:
            data = self.disk.read(path) or b""
            return _Listing((self._kept(path, bundle.heads[0], data),))
        size = self.disk.size(path)
        shared = [_kept_of(file, head, size, "") for head in bundle.heads]
        return _Listing(tuple(shared))

    def _kept(self, path: Path, head: Head, data: bytes) -> Kept:
        digest = hashlib.sha256(data).hexdigest()
        return _kept_of(self.layout.relative(path), head, len(data), digest)

    def _place_for(self, family: str, taken_at: datetime) -> Path:
        """The file named by the second, unless that holds a snapshot of another instant."""
        by_second, by_microsecond = self.layout.files_of(family, taken_at)
        if not self.disk.exists(by_second):
            return by_second
        holds_it = self.bundle(by_second).number_of(taken_at) is not None
        return by_second if holds_it else by_microsecond

    def _part(self, file: Any, path: Path, start: int, rows: int, columns: tuple[str, ...]) -> Any:
        """Rows of *file* from *start* on, out of as few row groups as can be."""
        parts, first = [], 0
        for number in range(file.metadata.num_row_groups):
            count = file.metadata.row_group(number).num_rows
            low, high = max(start, first), min(start + rows, first + count)
            if low < high:
                group = self._row_group(file, (path, number, columns))
                parts.append(group.slice(low - first, high - low))
            first += count
        return pa.concat_tables(parts) if parts else _nothing(file, columns)

    def _row_group(self, file: Any, key: _GroupKey) -> Any:
        if self._group is None or self._group[0] != key:
            _, number, columns = key
            self._group = (key, file.read_row_group(number, columns=list(columns)))
        return self._group[1]


def checked_file(path: Path) -> Any:
    """The Parquet file *path*, open; its pages are checked against their sums as they are read."""
    return pq.ParquetFile(path, page_checksum_verification=True)


def _nothing(file: Any, columns: Sequence[str]) -> Any:
    return file.schema_arrow.empty_table().select(list(columns))


def _kept_of(file: str, head: Head, size: int, digest: str) -> Kept:
    return Kept(
        taken_at=head.taken_at,
        file=file,
        rows=head.rows,
        index_usd=head.index_usd,
        size_bytes=size,
        sha256=digest,
    )


def _free(disk: Disk, path: Path) -> Path:
    """*path*, or the first of `<stem>-2.<suffix>`, … that nobody has."""
    number, free = 1, path
    while disk.exists(free):
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
