"""Where Greg's sensors come from: Deribit, an invented market, or a recording."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from attrs import frozen

from adapters.deribit.client import DeribitClient
from adapters.deribit.history import DeribitHistory
from adapters.deribit.market_data import DeribitMarketData
from adapters.deribit.volatility import DeribitVolatility
from adapters.files.spot_bars import read_spot_bars
from adapters.files.vol_index_history import RecordedVolatility
from apps.settings.root import Settings
from apps.settings.venue import BASE_URLS
from apps.wiring.clock import system_clock
from apps.wiring.deribit import public_client
from apps.wiring.greg_params import data_source, sensor_params
from apps.wiring.market import archive_of, left_out_of, market_at, nothing_of
from core.context.sensor_values import DataSource
from core.simulation.replay import ReplayClock, ReplayMarket
from core.simulation.spliced_history import SplicedHistory
from core.usecases.read_sensors import SensorReader
from ports.clock import Clock
from ports.history import Candles, History
from ports.market_data import MarketData


@frozen(kw_only=True)
class Recordings:
    """Folders of what was recorded: daily closes of the index, and hourly bars of spot."""

    vol_index: Path | None = None
    spot: Path | None = None


@frozen(eq=False, kw_only=True)
class SensorPlace:
    """
    A reader of sensors, the market it looks at, and the time there.

    *left_out* is what of a recording cannot be used, a line each.
    """

    reader: SensorReader
    market: MarketData
    clock: Clock
    left_out: tuple[str, ...] = ()


@asynccontextmanager
async def sensor_place(
    settings: Settings, recordings: Recordings, at: datetime | None = None
) -> AsyncIterator[SensorPlace]:
    """
    The market of *settings* as sensors see it at *at*; None is now, or the end of a recording.

    Raises:
        SettingsError: A variant of sensors is not known.

        Unavailable, StoreDamaged: A recording is not there, or cannot be read.
    """
    params = sensor_params(settings)
    if settings.venue.is_deribit:
        async with public_client(settings) as client, _past(settings, client) as past:
            market = DeribitMarketData(client=client)
            yield SensorPlace(
                reader=SensorReader(
                    market=market,
                    history=DeribitHistory(past),
                    volatility=DeribitVolatility(past),
                    data_source=data_source(settings),
                    params=params,
                ),
                market=market,
                clock=system_clock(),
            )
        return
    place = await market_at(settings, at)
    is_recorded = settings.venue.market == "replay"
    yield SensorPlace(
        reader=SensorReader(
            market=place.data,
            history=_with_spot(settings, place.history, recordings, await _begin(settings))
            if is_recorded
            else place.history,
            volatility=RecordedVolatility(recordings.vol_index if is_recorded else None),
            data_source=data_source(settings),
            params=params,
        ),
        market=place.data,
        clock=place.clock,
        left_out=tuple(await place.left_out(settings.venue.underlyings)),
    )


async def recorded_place(
    settings: Settings, chains: Path, recordings: Recordings, underlyings: tuple[str, ...]
) -> SensorPlace:
    """
    The recording in *chains* from its first instant on; its clock moves by sleeping.

    Raises:
        SettingsError: A variant of sensors is not known.

        Unavailable, StoreDamaged: A recording is not there, or cannot be read.
    """
    archive = archive_of(chains, underlyings)
    instants = sorted({at for coin in underlyings for at in await archive.instants(coin)})
    if not instants:
        raise await nothing_of(archive, underlyings, str(chains))
    clock = ReplayClock(instants, instants[0])
    market = await ReplayMarket.opened(archive, clock, underlyings)
    earlier = (
        {}
        if recordings.spot is None
        else {coin: read_spot_bars(recordings.spot, coin) for coin in underlyings}
    )
    return SensorPlace(
        reader=SensorReader(
            market=market,
            history=SplicedHistory(market, earlier, instants[0]),
            volatility=RecordedVolatility(recordings.vol_index),
            data_source=DataSource.RECORDED,
            params=sensor_params(settings),
        ),
        market=market,
        clock=clock,
        left_out=tuple(await left_out_of(archive, underlyings)),
    )


def _with_spot(
    settings: Settings, history: History, recordings: Recordings, begins_at: datetime | None
) -> History:
    if recordings.spot is None or begins_at is None:
        return history
    coins = settings.venue.underlyings
    bars: dict[str, Candles] = {coin: read_spot_bars(recordings.spot, coin) for coin in coins}
    return SplicedHistory(history, bars, begins_at)


async def _begin(settings: Settings) -> datetime | None:
    """The first instant of the whole recording, whatever period of it is played."""
    venue = settings.venue
    archive = archive_of(venue.replay_data, tuple(venue.underlyings))
    instants = [at for coin in venue.underlyings for at in await archive.instants(coin)]
    return min(instants, default=None)


@asynccontextmanager
async def _past(settings: Settings, client: DeribitClient) -> AsyncIterator[DeribitClient]:
    """Who tells the past: production for the testnet, whose own prices mean nothing."""
    if settings.venue.base_url != BASE_URLS["testnet"]:
        yield client
        return
    async with DeribitClient.opened(BASE_URLS["mainnet"], is_testnet=False) as past:
        yield past
