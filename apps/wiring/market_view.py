"""A market only to be looked at: no book, no account, no orders."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from adapters.deribit.market_data import DeribitMarketData
from apps.settings.root import Settings
from apps.wiring.deribit import public_client
from apps.wiring.market import market_at
from ports.market_data import MarketData


@asynccontextmanager
async def market_view(settings: Settings, at: datetime | None) -> AsyncIterator[MarketData]:
    """
    The market of *settings* as it was at *at*: Deribit's, else the one a paper venue shows.

    None for *at* is now, or the end of a period. The paper exchange need not be served for it.

    Raises:
        Unavailable, StoreDamaged: As market_of.
    """
    if not settings.venue.is_deribit:
        yield (await market_at(settings, at)).data
        return
    async with public_client(settings) as client:
        yield DeribitMarketData(client=client)
