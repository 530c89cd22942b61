"""A desk ready to trade: the book taken up, the market found, the venue opened."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from attrs import evolve

from apps.settings.root import Settings
from apps.wiring.book import EXCHANGE, BookFiles
from apps.wiring.deribit import Access
from apps.wiring.greg_params import greg_params
from apps.wiring.greg_risk import tightened_params
from apps.wiring.market import market_of
from apps.wiring.outside import Insider, outside_of
from apps.wiring.params import covered_call_params, desk_params
from apps.wiring.training_params import in_training
from core.greg.catalogue import STRATEGY_ID as GREG
from core.strategies.base import Strategy
from core.strategies.catalogue import strategies_of
from core.usecases.bookkeeper import Bookkeeper
from core.usecases.desk import Desk
from core.usecases.read_volatility import KeptVolatility
from ports.clock import Clock
from ports.decision_log import Alarm, Entry
from ports.errors import StoreDamaged
from ports.positions import BookSnapshot
from ports.volatility import Volatility
from ports.world import World


def chosen_strategies(settings: Settings) -> tuple[Strategy, ...]:
    """
    The strategies that *settings* name.

    Raises:
        ValueError: There is no strategy of a name; says which there are.

        SettingsError, StoreDamaged: The rules of one cannot be had.
    """
    names = tuple(settings.policy.strategies)
    greg = greg_params(settings) if GREG in names else None
    made = strategies_of(names, covered_call_params(settings), greg)
    return tuple(in_training(settings, each) for each in made)


@asynccontextmanager
async def opened_desk(
    settings: Settings, files: BookFiles, watch: Callable[[Entry], None]
) -> AsyncIterator[Desk]:
    """
    The desk that *settings* describe, over the book in *files*; the lock must be held.

    Entering raises:
        ValueError: There is no strategy of a name.

        SettingsError: The venue contradicts a setting; nothing was traded.

        PortError: Something cannot be read or written; nothing was traded.
    """
    strategies = chosen_strategies(settings)
    await files.controls.begin()
    snapshot, damage = await _snapshot(files)
    environment = files.place.environment
    keeper = Bookkeeper(files.log, files.positions, environment, watch)
    await keeper.recall(snapshot)
    insider = Insider(
        resume_at=keeper.at,
        paper_market=market_of,
        book=lambda: keeper.book,
        access=Access.ALL,
        log=files.venue,
        exchange_memory=files.place.directory / EXCHANGE,
    )
    async with outside_of(settings, insider) as outside:
        desk = Desk(
            world=World(
                environment=environment,
                market=outside.market,
                history=outside.history,
                trading=outside.trading,
                clock=outside.clock,
                log=files.log,
                positions=files.positions,
                controls=files.controls,
                volatility=volatility_for(strategies, outside.volatility, outside.clock),
            ),
            keeper=keeper,
            strategies=strategies,
            params=evolve(
                tightened_params(settings, desk_params(settings)),
                future_rules=outside.future_rules,
            ),
        )
        if damage:
            await keeper.record(Alarm(at=desk.now, subject="positions.json", detail=damage))
        yield desk


def volatility_for(
    strategies: Sequence[Strategy], source: Volatility | None, clock: Clock
) -> Volatility | None:
    """Who tells of volatility: *source*, asked now and then, where a strategy looks at it."""
    is_wanted = any(each.strategy_id == GREG for each in strategies)
    if source is None or not is_wanted:
        return None
    return KeptVolatility(source=source, clock=clock)


async def _snapshot(files: BookFiles) -> tuple[BookSnapshot | None, str]:
    """The newest snapshot, or what is wrong with it: the journal then tells everything."""
    try:
        return await files.positions.load(), ""
    except StoreDamaged as error:
        return None, f"{error}; the book is rebuilt from the journal"
