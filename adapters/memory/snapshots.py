"""SnapshotArchive in memory: gone with the process."""

from collections.abc import Iterable
from datetime import datetime

from ports.errors import Unavailable
from ports.market_data import MarketSnapshot


class MemorySnapshots:
    """Snapshots by underlying and instant, in a dict."""

    def __init__(self, snapshots: Iterable[MarketSnapshot] = ()) -> None:
        self._kept = {(kept.underlying, kept.taken_at): kept for kept in snapshots}

    async def instants(self, underlying: str) -> tuple[datetime, ...]:
        """See SnapshotArchive; it never fails."""
        return tuple(sorted(instant for name, instant in self._kept if name == underlying))

    async def load(self, underlying: str, taken_at: datetime) -> MarketSnapshot:
        """
        See SnapshotArchive.

        Raises:
            Unavailable: There is none.
        """
        if (underlying, taken_at) not in self._kept:
            raise Unavailable(f"no snapshot of {underlying} taken at {taken_at}")
        return self._kept[underlying, taken_at]

    async def index_prices(self, underlying: str) -> tuple[tuple[datetime, float], ...]:
        """See SnapshotArchive; it never fails."""
        instants = await self.instants(underlying)
        return tuple((instant, self._kept[underlying, instant].index_usd) for instant in instants)

    async def save(self, snapshot: MarketSnapshot) -> None:
        """See SnapshotArchive; it never fails."""
        self._kept[snapshot.underlying, snapshot.taken_at] = snapshot
