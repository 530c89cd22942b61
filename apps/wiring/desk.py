"""A desk ready to trade on paper: the book taken up, the market found, the venue opened."""

from collections.abc import Callable

from apps.settings.root import Settings
from apps.wiring.book import BookFiles
from apps.wiring.market import Market, market_of
from apps.wiring.params import covered_call_params, desk_params
from core.simulation.venue import SimulatedVenue
from core.strategies.base import Strategy
from core.strategies.catalogue import strategies_of
from core.usecases.bookkeeper import Bookkeeper
from core.usecases.desk import Desk
from ports.decision_log import Alarm, Entry
from ports.errors import StoreDamaged
from ports.positions import BookSnapshot
from ports.venue_log import Deposit, VenueLog
from ports.world import World


def chosen_strategies(settings: Settings) -> tuple[Strategy, ...]:
    """
    The strategies that *settings* name.

    Raises:
        ValueError: There is no strategy of a name; says which there are.
    """
    return strategies_of(tuple(settings.policy.strategies), covered_call_params(settings))


async def paper_desk(settings: Settings, files: BookFiles, watch: Callable[[Entry], None]) -> Desk:
    """
    The desk that *settings* describe, over the book in *files*; the lock must be held.

    Raises:
        ValueError: There is no strategy of a name.

        PortError: Something cannot be read or written; nothing was traded.
    """
    strategies = chosen_strategies(settings)
    await files.controls.begin()
    snapshot, damage = await _snapshot(files)
    environment = files.place.environment
    keeper = Bookkeeper(files.log, files.positions, environment, watch)
    await keeper.recall(snapshot)
    market = await market_of(settings, resume_at=keeper.at)
    desk = Desk(
        world=World(
            environment=environment,
            market=market.data,
            history=market.history,
            trading=await simulated_venue(settings, files.venue, market),
            clock=market.clock,
            log=files.log,
            positions=files.positions,
            controls=files.controls,
        ),
        keeper=keeper,
        strategies=strategies,
        params=desk_params(settings),
    )
    if damage:
        await keeper.record(Alarm(at=desk.now, subject="positions.json", detail=damage))
    return desk


async def _snapshot(files: BookFiles) -> tuple[BookSnapshot | None, str]:
    """The newest snapshot, or what is wrong with it: the journal then tells everything."""
    try:
        return await files.positions.load(), ""
    except StoreDamaged as error:
        return None, f"{error}; the book is rebuilt from the journal"


async def simulated_venue(settings: Settings, log: VenueLog, market: Market) -> SimulatedVenue:
    """
    The venue that *log* remembers, on *market*; a new one has the balances of *settings*.

    Raises:
        StoreDamaged, StoreUnwritable: Its log cannot be read or written.
    """
    balances = settings.venue.paper_balances
    deposits = tuple(
        Deposit(coin, balances[coin])
        for coin in settings.venue.underlyings
        if balances.get(coin, 0.0) > 0.0
    )
    return await SimulatedVenue.opened(
        market=market.data,
        history=market.history,
        clock=market.clock,
        log=log,
        deposits=deposits,
    )
