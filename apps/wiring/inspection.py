"""A desk to look from: book and venue as they are, copied into memory; nothing is written."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.files.disk import Disk
from adapters.files.positions import FilePositionStore
from adapters.files.venue_log import FileVenueLog
from adapters.memory.decision_log import MemoryDecisionLog
from adapters.memory.positions import MemoryPositionStore
from adapters.memory.venue_log import MemoryVenueLog
from apps.settings.root import Settings
from apps.wiring.book import EXCHANGE, POSITIONS, VENUE, BookPlace, controls_of
from apps.wiring.deribit import Access
from apps.wiring.market import market_at
from apps.wiring.outside import Insider, outside_of
from apps.wiring.params import desk_params
from apps.wiring.reading import BookReader, BookState
from core.usecases.bookkeeper import Bookkeeper
from core.usecases.desk import Desk
from ports.venue_log import VenueStep
from ports.world import World


@asynccontextmanager
async def inspected_desk(settings: Settings, place: BookPlace) -> AsyncIterator[Desk]:
    """
    The desk that *settings* describe over a copy of the book at *place*; no lock is needed.

    Where there is no book yet it is empty, and the venue new. It has no strategies. A paper
    exchange that nobody serves is served meanwhile.

    Entering raises:
        SettingsError: The venue contradicts a setting.

        PortError: Book, recording or venue cannot be read.
    """
    state = await _state(place)
    log = MemoryDecisionLog()
    keeper = Bookkeeper(log, MemoryPositionStore(place.environment), place.environment)
    if state:
        keeper.book, keeper.seq, keeper.at = state.book, state.seq, state.at
    at = state.now if state else None
    memory = place.directory / EXCHANGE
    insider = Insider(
        resume_at=at if place.is_stepped else None,
        paper_market=lambda settings, _: market_at(settings, at),
        book=lambda: keeper.book,
        access=Access.READ,
        log=MemoryVenueLog(await _steps(place)),
        exchange_memory=memory if memory.is_dir() else None,
    )
    async with outside_of(settings, insider) as outside:
        yield Desk(
            world=World(
                environment=place.environment,
                market=outside.market,
                history=outside.history,
                trading=outside.trading,
                clock=outside.clock,
                log=log,
                positions=FilePositionStore(Disk(), place.directory / POSITIONS, place.environment),
                controls=controls_of(place),
            ),
            keeper=keeper,
            strategies=(),
            params=desk_params(settings),
        )


async def _state(place: BookPlace) -> BookState | None:
    if not place.directory.is_dir():
        return None
    return await (await BookReader.opened(place)).state()


async def _steps(place: BookPlace) -> list[VenueStep]:
    if not place.directory.is_dir():
        return []
    return [step async for step in FileVenueLog(Disk(), place.directory / VENUE).steps()]
