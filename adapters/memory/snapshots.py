"""HarvestArchive in memory: gone with the process."""

from collections.abc import Iterable
from datetime import datetime

import numpy as np
from attrs import evolve, frozen

from ports.errors import Unavailable
from ports.harvest_columns import table_of
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


@frozen(eq=False)
class _Entry:
    harvest: Harvest
    derived: DerivedColumns


class MemorySnapshots:
    """Snapshots by family and instant, in a dict; its files are only names."""

    def __init__(self, snapshots: Iterable[MarketSnapshot] = ()) -> None:
        self._kept: dict[tuple[str, datetime], _Entry] = {}
        self._quarantine: dict[str, str] = {}
        for each in snapshots:
            self._put(Harvest.bare(each), nothing_derived(len(each.chain)))

    async def instants(self, underlying: str) -> tuple[datetime, ...]:
        """See SnapshotArchive; it never fails."""
        return tuple(sorted(at for family, at in self._kept if family == underlying))

    async def load(self, underlying: str, taken_at: datetime) -> MarketSnapshot:
        """
        See SnapshotArchive.

        Raises:
            Unavailable: There is none.
        """
        market = self._entry(underlying, taken_at).harvest.market
        marked = market.chain.where(np.isfinite(market.chain.mark))
        return evolve(market, chain=marked)

    async def index_prices(self, underlying: str) -> tuple[tuple[datetime, float], ...]:
        """See SnapshotArchive; it never fails."""
        return tuple((each.taken_at, each.index_usd) for each in await self.kept(underlying))

    async def save(self, snapshot: MarketSnapshot) -> None:
        """See SnapshotArchive; it never fails."""
        self._put(Harvest.bare(snapshot), nothing_derived(len(snapshot.chain)))

    async def keep(self, harvest: Harvest, derived: DerivedColumns) -> Kept:
        """See HarvestArchive; it never fails."""
        self._put(harvest, derived)
        return self._told(harvest.family, harvest.market.taken_at)

    async def families(self) -> tuple[str, ...]:
        """See HarvestArchive."""
        return tuple(sorted({family for family, _ in self._kept}))

    async def kept(self, family: str) -> tuple[Kept, ...]:
        """See HarvestArchive."""
        return tuple(self._told(family, at) for at in await self.instants(family))

    async def skipped(self, underlying: str) -> tuple[Skipped, ...]:  # noqa: ARG002
        """See SnapshotArchive; there is none."""
        return ()

    async def levels(self, family: str, taken_at: datetime) -> MarketLevels:
        """See HarvestArchive."""
        return self._entry(family, taken_at).harvest.levels

    async def table(self, family: str, taken_at: datetime) -> RawTable:
        """See HarvestArchive."""
        entry = self._entry(family, taken_at)
        return table_of(entry.harvest, entry.derived, _name(family, taken_at))

    async def quarantine(self, family: str, file: str, reason: str) -> str:
        """See HarvestArchive."""
        for key in [key for key in self._kept if key[0] == family and _name(*key) == file]:
            del self._kept[key]
        self._quarantine[file] = reason
        return f"quarantine/{family}/{file}"

    def _put(self, harvest: Harvest, derived: DerivedColumns) -> None:
        self._kept[harvest.family, harvest.market.taken_at] = _Entry(harvest, derived)

    def _entry(self, family: str, taken_at: datetime) -> _Entry:
        if (family, taken_at) not in self._kept:
            raise Unavailable(f"no snapshot of {family} taken at {taken_at}")
        return self._kept[family, taken_at]

    def _told(self, family: str, taken_at: datetime) -> Kept:
        market = self._kept[family, taken_at].harvest.market
        return Kept(
            taken_at=taken_at,
            file=_name(family, taken_at),
            rows=len(market.chain),
            index_usd=market.index_usd,
            size_bytes=0,
            sha256="",
        )


def _name(family: str, taken_at: datetime) -> str:
    return f"{family}_{taken_at:%Y-%m-%d_%H%M%S_%f}"
