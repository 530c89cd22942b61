"""Archives of harvested chains, and the harvester that fills one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.deribit.client import DeribitClient
from adapters.deribit.harvest import DeribitHarvest
from adapters.files.snapshots import ParquetSnapshots
from apps.settings.root import Settings
from apps.settings.venue import BASE_URLS
from apps.wiring.child import ExchangePlan, served_exchange
from apps.wiring.clock import system_clock
from apps.wiring.deribit import public_client
from core.usecases.harvest import Harvester, HarvestParams
from ports.snapshots import HarvestArchive

_TIMEOUT_S = 10.0  # a list of all options is a quarter of a megabyte and more


def archive_at(root: Path) -> HarvestArchive:
    """The archive below *root*, which need not be there yet."""
    return ParquetSnapshots(root)


def harvest_params(settings: Settings) -> HarvestParams:
    """How *settings* want the harvest."""
    harvest = settings.harvest
    return HarvestParams(currencies=harvest.harvester_currencies, interval=harvest.interval)


@asynccontextmanager
async def harvester_of(settings: Settings) -> AsyncIterator[Harvester]:
    """
    The harvester of *settings*, connected until the end; it has no credentials.

    Its source is the paper exchange where that is the venue, and production otherwise: what is
    harvested on the testnet says nothing of any market.

    Raises:
        Unavailable: No paper exchange could be started.
    """
    async with public_source(settings) as client:
        yield Harvester(
            source=DeribitHarvest(client=client),
            archive=archive_at(settings.harvest.harvester_data_root),
            clock=system_clock(settings.harvest.interval),
            params=harvest_params(settings),
        )


@asynccontextmanager
async def public_source(settings: Settings) -> AsyncIterator[DeribitClient]:
    """A client of the venue that data is read from, as harvester_of says."""
    if not settings.venue.is_exchange:
        url = settings.venue.deribit_base_url or BASE_URLS["mainnet"]
        async with DeribitClient.opened(url, timeout_s=_TIMEOUT_S) as client:
            yield client
        return
    async with (
        public_client(settings, _TIMEOUT_S) as client,
        served_exchange(settings, client, ExchangePlan(directory=None)),
    ):
        yield client


def source_name(settings: Settings) -> str:
    """Where public_source reads from, in words."""
    venue = settings.venue
    if venue.is_exchange:
        return f"paper exchange at {venue.base_url}"
    return venue.deribit_base_url or BASE_URLS["mainnet"]
