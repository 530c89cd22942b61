"""The world of a paper exchange on Deribit's public feed: real quotes, paper orders."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from attrs import frozen

from adapters.deribit.client import DeribitClient
from adapters.deribit.history import DeribitHistory
from adapters.deribit.market_data import DeribitMarketData
from adapters.files.disk import Disk
from adapters.files.venue_log import FileVenueLog
from adapters.memory.venue_log import MemoryVenueLog
from apps.settings.root import Settings
from apps.wiring.book import VENUE
from apps.wiring.clock import system_clock
from apps.wiring.exchange import ExchangeWorld, first_deposits
from apps.wiring.watch import MOST_WATCHED, Watch
from ports.clock import Clock
from ports.errors import Unavailable
from ports.market_data import MarketSnapshot

_DELIVERED_DAYS = 30  # back that delivery prices are told: the feed is asked for each


@asynccontextmanager
async def fed_world(
    settings: Settings, directory: Path | None, feed_url: str, clock: Clock | None = None
) -> AsyncIterator[ExchangeWorld]:
    """
    The world of an exchange that shows what the venue at *feed_url* publishes, while it is held.

    None for *directory* is memory only, for *clock* this computer's. The feed tells the whole
    chain without amounts; these are asked of the contracts that clients look at. Its past is
    known by hours: what the chain was is not.
    """
    watch = Watch()
    async with DeribitClient.opened(feed_url) as client:
        yield ExchangeWorld(
            clock=clock or system_clock(),
            market=DeribitMarketData(client=client, focus=watch.rows, most_tickers=MOST_WATCHED),
            history=DeribitHistory(client),
            past=_Unknown(),
            log=MemoryVenueLog() if directory is None else FileVenueLog(Disk(), directory / VENUE),
            deposits=first_deposits(settings),
            watch=watch,
            delivered_days=_DELIVERED_DAYS,
        )


@frozen
class _Unknown:
    """The chains of the past, which nobody wrote down."""

    async def snapshot(self, underlying: str, at: datetime) -> MarketSnapshot:
        raise Unavailable(f"the feed does not tell what {underlying} was like at {at:%Y-%m-%d}")
