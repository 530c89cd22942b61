"""
Where harvested chains lie below one root, and what a name says.

    BTC/2026/03/27/BTC_2026-03-27_084500.parquet     one snapshot
    BTC/2026/03/27/manifest.json                     rows and hashes of what is beside it
    BTC/2026/03/BTC_2026-03.parquet                  a month, compacted, by instant
    BTC/2026/03/BTC_2026-03_by_instrument.parquet    the same rows, by instrument
    BTC/2026/03/BTC_2026-03.json                     rows and hashes of both
    quarantine/BTC/<name>, quarantine/BTC/<name>.reason.txt
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from attrs import frozen

from adapters.files.disk import Disk

MANIFEST = "manifest.json"
_FAMILY = re.compile(r"[A-Z]+(_USDC)?")
_YEAR = re.compile(r"\d{4}")
_MONTH_OR_DAY = re.compile(r"\d\d")
_PARQUET = re.compile(r"[A-Z]+(_USDC)?_\d{4}-\d\d-\d\d_\d{6}(_\d{6})?\.parquet")


@frozen
class Month:
    """One calendar month of one family, with its folder and files."""

    root: Path
    family: str
    year: int
    month: int

    @property
    def name(self) -> str:
        """Such as BTC_2026-03."""
        return f"{self.family}_{self.year:04d}-{self.month:02d}"

    @property
    def folder(self) -> Path:
        return self.root / self.family / f"{self.year:04d}" / f"{self.month:02d}"

    @property
    def by_instant(self) -> Path:
        return self.folder / f"{self.name}.parquet"

    @property
    def by_instrument(self) -> Path:
        return self.folder / f"{self.name}_by_instrument.parquet"

    @property
    def manifest(self) -> Path:
        return self.folder / f"{self.name}.json"


@frozen
class Layout:
    """Names below *root*."""

    root: Path

    def families(self, disk: Disk) -> tuple[str, ...]:
        """The families that have a folder with a year in it, sorted."""
        return tuple(
            name
            for name in disk.names(self.root)
            if _FAMILY.fullmatch(name) and next(self.months(disk, name), None) is not None
        )

    def months(self, disk: Disk, family: str) -> Iterator[Month]:
        """The months of *family* that have a folder, oldest first."""
        for year in _folders(disk, self.root / family, _YEAR):
            for month in _folders(disk, year, _MONTH_OR_DAY):
                yield Month(self.root, family, int(year.name), int(month.name))

    def days(self, disk: Disk, month: Month) -> Iterator[Path]:
        """The folders of the days of *month*, oldest first."""
        yield from _folders(disk, month.folder, _MONTH_OR_DAY)

    def month_of(self, family: str, at: datetime) -> Month:
        """The month that *at* is in."""
        return Month(self.root, family, at.year, at.month)

    def day_of(self, family: str, at: datetime) -> Path:
        """The folder of the UTC day that *at* is in."""
        return self.month_of(family, at).folder / f"{at.day:02d}"

    def files_of(self, family: str, at: datetime) -> tuple[Path, Path]:
        """
        Where a snapshot of *at* may lie: under its second, or under its microsecond where another
        one of the same second was first.
        """
        folder, stem = self.day_of(family, at), f"{family}_{at:%Y-%m-%d}"
        return (
            folder / f"{stem}_{at:%H%M%S}.parquet",
            folder / f"{stem}_{at:%H%M%S_%f}.parquet",
        )

    def quarantine(self, family: str) -> Path:
        """Where files of *family* go that are not what they should be."""
        return self.root / "quarantine" / family

    def relative(self, path: Path) -> str:
        """*path* as it is told: below the root."""
        return path.relative_to(self.root).as_posix()


def is_archive(disk: Disk, root: Path) -> bool:
    """Whether harvested chains lie below *root*."""
    return bool(Layout(root).families(disk))


def is_data_file(name: str) -> bool:
    """Whether a file in the folder of a day is one of snapshots."""
    return _PARQUET.fullmatch(name) is not None


def _folders(disk: Disk, folder: Path, name: re.Pattern[str]) -> Iterator[Path]:
    """The folders in *folder* that are called so, sorted."""
    if folder.is_dir():
        for each in disk.names(folder):
            if name.fullmatch(each) and (folder / each).is_dir():
                yield folder / each
