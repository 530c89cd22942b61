"""Recorded markets: snapshots of whole chains, kept by instant."""

from datetime import datetime
from typing import Protocol

from ports.market_data import MarketSnapshot


class SnapshotArchive(Protocol):
    """Market snapshots of the past, by underlying and instant."""

    async def instants(self, underlying: str) -> tuple[datetime, ...]:
        """
        Return when snapshots of *underlying* were taken, oldest first; empty if never.

        Raises:
            StoreDamaged: A file of the archive cannot be read; names it.
        """
        ...

    async def load(self, underlying: str, taken_at: datetime) -> MarketSnapshot:
        """
        Return the snapshot taken at exactly *taken_at*.

        Raises:
            Unavailable: There is none.

            StoreDamaged: It cannot be read; names the file and what is wrong.
        """
        ...

    async def index_prices(self, underlying: str) -> tuple[tuple[datetime, float], ...]:
        """
        Return every snapshot's instant with its index in USD, oldest first.

        Raises:
            StoreDamaged: A file of the archive cannot be read; names it.
        """
        ...

    async def save(self, snapshot: MarketSnapshot) -> None:
        """
        Keep *snapshot*; one of the same underlying and instant is replaced.

        Raises:
            StoreUnwritable: It could not be written; nothing was changed.
        """
        ...
