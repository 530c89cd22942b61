"""HarvestArchive in Parquet: a file a snapshot, months once compacted, manifests beside them."""

from datetime import datetime
from pathlib import Path

import numpy as np

from adapters.files.archive_files import ArchiveFiles, Place
from adapters.files.disk import Disk
from adapters.files.harvest_schema import CHAIN_COLUMNS, as_bytes, chain_in, head_of, rows_of
from adapters.files.raw_tables import raw_table
from ports.errors import Unavailable
from ports.market_data import MarketSnapshot
from ports.snapshots import (
    DerivedColumns,
    Harvest,
    Kept,
    MarketLevels,
    RawTable,
    Skipped,
    nothing_derived,
)


class ParquetSnapshots:
    """
    Harvested snapshots below *root*, as archive_layout names them.

    A snapshot is written under a temporary name, synced and renamed, and then counted in the
    manifest of its day: a crash between leaves a file that is found all the same. Files that
    cannot be read are passed over, and told by skipped.
    """

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.files = ArchiveFiles(root, disk)
        self._last: dict[str, MarketSnapshot] = {}  # a tick looks at one snapshot many times

    async def instants(self, underlying: str) -> tuple[datetime, ...]:
        """
        Return when snapshots were taken, oldest first.

        Raises:
            StoreDamaged: A folder or a manifest cannot be read.
        """
        return tuple(each.taken_at for each in self.files.listing(underlying).kept)

    async def index_prices(self, underlying: str) -> tuple[tuple[datetime, float], ...]:
        """
        Return every snapshot's instant with its index in USD, oldest first.

        Raises:
            StoreDamaged: As from instants.
        """
        kept = self.files.listing(underlying).kept
        return tuple((each.taken_at, each.index_usd) for each in kept)

    async def load(self, underlying: str, taken_at: datetime) -> MarketSnapshot:
        """
        Return the snapshot taken at exactly *taken_at*, without the rows that have no mark.

        Raises:
            Unavailable: There is none.

            StoreDamaged: Its file cannot be read.
        """
        last = self._last.get(underlying)
        if last is not None and last.taken_at == taken_at:
            return last
        place = self._place(underlying, taken_at)
        table = self.files.rows(place, CHAIN_COLUMNS)
        chain = chain_in(place.bundle.path, underlying, table)
        marked = chain.where(np.isfinite(chain.mark))
        head = place.head
        found = MarketSnapshot(marked.underlying, taken_at, head.index_usd, marked, head.rules)
        self._last[underlying] = found
        return found

    async def skipped(self, underlying: str) -> tuple[Skipped, ...]:
        """
        Return the files of *underlying* that cannot be read.

        Raises:
            StoreDamaged: As from instants.
        """
        return self.files.listing(underlying).skipped

    async def save(self, snapshot: MarketSnapshot) -> None:
        """
        Keep *snapshot* without levels and derived columns, safe on the disk on return.

        Raises:
            StoreUnwritable: It could not be written; what was there before is as it was.
        """
        await self.keep(Harvest.bare(snapshot), nothing_derived(len(snapshot.chain)))

    async def keep(self, harvest: Harvest, derived: DerivedColumns) -> Kept:
        """
        Keep *harvest* in a file of its own, safe on the disk on return.

        Raises:
            StoreUnwritable: As save.
        """
        head = head_of(harvest)
        self._last.pop(harvest.family, None)
        return self.files.write(harvest.family, head, as_bytes(rows_of(harvest, derived), [head]))

    async def families(self) -> tuple[str, ...]:
        """Return the families that have a folder, sorted."""
        return self.files.layout.families(self.files.disk)

    async def kept(self, family: str) -> tuple[Kept, ...]:
        """Return the snapshots of *family*, each once, oldest first."""
        return self.files.listing(family).kept

    async def levels(self, family: str, taken_at: datetime) -> MarketLevels:
        """
        Return what was kept beside the chain of exactly *taken_at*.

        Raises:
            Unavailable, StoreDamaged: As load.
        """
        return self._place(family, taken_at).head.levels

    async def table(self, family: str, taken_at: datetime) -> RawTable:
        """
        Return the rows of the snapshot as they are.

        Raises:
            Unavailable, StoreDamaged: As load.
        """
        place = self._place(family, taken_at)
        path = place.bundle.path
        return raw_table(path, self.files.layout.relative(path), self.files.rows(place))

    async def quarantine(self, family: str, file: str, reason: str) -> str:
        """
        Move *file* out of the archive with *reason* beside it; return where it lies now.

        Raises:
            StoreUnwritable: It is where it was.
        """
        self._last.pop(family, None)
        return self.files.layout.relative(self.files.set_aside(family, file, reason))

    def _place(self, family: str, taken_at: datetime) -> Place:
        place = self.files.locate(family, taken_at)
        if place is None:
            raise Unavailable(f"no snapshot of {family} taken at {taken_at}")
        return place
