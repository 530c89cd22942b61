"""The outside of one book: who makes the market, takes the orders, and says what time it is."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from attrs import evolve, field, frozen

from adapters.deribit.client import DeribitClient
from adapters.deribit.clock import SteppedVenueClock
from adapters.deribit.futures import perpetual_rules
from adapters.deribit.market_data import Focus
from adapters.deribit.throttle import UNLIMITED, Throttle
from apps.settings.root import Settings
from apps.wiring.child import ExchangePlan, served_exchange
from apps.wiring.clock import system_clock
from apps.wiring.deribit import Access, DeribitParts, deribit_parts, public_client
from apps.wiring.entry import (
    check_address,
    check_exchange,
    check_family,
    check_key,
    check_time,
)
from apps.wiring.exchange import first_deposits
from apps.wiring.focus import focus_of
from apps.wiring.gates import sends_real_orders
from apps.wiring.market import Market, interval_of, ticks_of
from apps.wiring.training_params import entry_filters
from core.simulation.dry_run import DryRun, real_deposits
from core.simulation.lasting import LastingMarket
from core.simulation.perpetual import future_rules
from core.simulation.venue import SimulatedVenue
from ports.clock import Clock
from ports.history import History
from ports.instruments import ContractRules
from ports.market_data import MarketData
from ports.positions import Book
from ports.trading import Trading
from ports.venue_log import Deposit, VenueLog
from ports.volatility import Volatility

# Of a dry run: each request to its venue looks at the market, and a look is a dozen questions.
# A new order is looked at anew, because the amounts it may take come with its own ticker.
_PICTURE_LASTS = timedelta(seconds=2)


@frozen(eq=False, kw_only=True)
class Outside:
    """
    What a world is made of besides its own files: *volatility* None where none is told,
    *future_rules* the grids of perpetuals by coin, none where nobody is to trade them.
    """

    market: MarketData
    history: History
    trading: Trading
    clock: Clock
    volatility: Volatility | None = None
    future_rules: Mapping[str, ContractRules] = field(factory=dict)


@frozen(eq=False, kw_only=True)
class Insider:
    """
    What the outside must know of the book: where it stopped, what is in it later on, and whether
    orders may come of it, which *access* says.

    *log* is the memory of a venue of our own, *paper_market* its market, and *exchange_memory*
    the folder of a paper exchange of our own, None for one that forgets.
    """

    resume_at: datetime | None
    paper_market: Callable[[Settings, datetime | None], Awaitable[Market]]
    book: Callable[[], Book]
    access: Access
    log: VenueLog
    exchange_memory: Path | None


def outside_of(settings: Settings, insider: Insider) -> AbstractAsyncContextManager[Outside]:
    """
    The outside that *settings* and the gates lead to, open until its block ends.

    Entering raises:
        SettingsError: The venue contradicts a setting, or does not take the key, or the options
            that are wanted are not traded here; nothing was traded.

        PortError: Something cannot be read or written, or does not answer.
    """
    check_family(settings)
    if settings.venue.is_exchange:
        return _exchange(settings, insider)
    if settings.venue.is_deribit:
        return _deribit(settings, insider)
    return _paper(settings, insider)


@asynccontextmanager
async def _paper(settings: Settings, insider: Insider) -> AsyncIterator[Outside]:
    market = await insider.paper_market(settings, insider.resume_at)
    yield Outside(
        market=market.data,
        history=market.history,
        trading=await simulated_venue(settings, insider.log, market),
        clock=market.clock,
        future_rules={coin: future_rules(coin) for coin in settings.venue.underlyings},
    )


@asynccontextmanager
async def _exchange(settings: Settings, insider: Insider) -> AsyncIterator[Outside]:
    access = Access.READ if insider.access is Access.READ else Access.TRADE
    ticks = await ticks_of(settings) if settings.venue.is_stepped else []
    start = insider.resume_at or ticks[0] if ticks else None
    plan = ExchangePlan(directory=insider.exchange_memory, start=start)
    async with (
        public_client(settings) as client,
        served_exchange(settings, client, plan),
    ):
        await check_exchange(settings, client)
        rules = await _future_rules(settings, client)
        if start is not None:
            clock = await SteppedVenueClock.opened(client, ticks)
            check_time(settings, clock, insider.resume_at)
            await clock.sleep_until(start)
            throttle = Throttle(limits=UNLIMITED, now_s=clock.now_s)
            parts = deribit_parts(settings, access, throttle=throttle)
            async with _checked(settings, parts) as opened:
                yield evolve(_unindexed(opened, clock), future_rules=rules)
        else:
            focus = _focus(settings, insider)
            parts = deribit_parts(settings, access, focus=focus)
            async with _checked(settings, parts) as opened:
                outside = _unindexed(opened, system_clock(interval_of(settings)))
                yield evolve(outside, future_rules=rules)


def _unindexed(parts: DeribitParts, clock: Clock) -> Outside:
    """The paper exchange without its index: half a year of it is worked out chain by chain."""
    return evolve(_as_it_is(parts, clock), volatility=None)


@asynccontextmanager
async def _deribit(settings: Settings, insider: Insider) -> AsyncIterator[Outside]:
    is_live = sends_real_orders(settings, os.environ)
    access = insider.access if is_live else Access.READ
    parts = deribit_parts(settings, access, focus=_focus(settings, insider))
    async with public_client(settings) as client:
        await check_address(settings, client)
        rules = await _future_rules(settings, client)
    async with _checked(settings, parts) as opened:
        outside = _as_it_is(opened, system_clock(interval_of(settings)))
        real = evolve(outside, future_rules=rules)
        yield real if is_live else await _dry(settings, real, insider)


async def _future_rules(settings: Settings, client: DeribitClient) -> dict[str, ContractRules]:
    """The grids of the perpetuals that hedges may be sent in; the venue is asked only then."""
    is_wanted = settings.hedge.hedge_enabled or settings.greg.greg_trading_mode != "advice_only"
    coins = settings.venue.underlyings if is_wanted else ()
    return {coin: await perpetual_rules(client, coin) for coin in coins}


@asynccontextmanager
async def _checked(
    settings: Settings, parts: AbstractAsyncContextManager[DeribitParts]
) -> AsyncIterator[DeribitParts]:
    """The parts of the venue, once it has taken our key if there is one."""
    async with parts as opened:
        if settings.venue.key_id:
            await check_key(settings, opened.trading)
        yield opened


async def _dry(settings: Settings, real: Outside, insider: Insider) -> Outside:
    """
    *real*, with orders that go to a venue of our own.

    Without a key there is no account to read: the simulated one has the balances of *settings*.
    """
    log = insider.log
    lasting = LastingMarket(
        market=real.market,
        clock=real.clock,
        lasts=_PICTURE_LASTS,
        reason=lambda: tuple(record.intent.label for record in insider.book().working),
    )
    real = evolve(real, market=lasting)
    market = Market(lasting, real.history, real.clock)
    if not settings.venue.has_credentials:
        return evolve(real, trading=await simulated_venue(settings, log, market))
    first = [step async for step in log.steps()][:1]
    deposits = (
        first[0].deposits
        if first
        else await real_deposits(real.trading, settings.venue.underlyings)
    )
    return evolve(
        real,
        trading=DryRun(
            real=real.trading,
            simulated=await _venue(market, log, deposits),
            deposits={each.underlying: each.amount_coin for each in deposits},
        ),
    )


def _as_it_is(parts: DeribitParts, clock: Clock) -> Outside:
    return Outside(
        market=parts.market,
        history=parts.history,
        trading=parts.trading,
        clock=clock,
        volatility=parts.volatility,
    )


def _focus(settings: Settings, insider: Insider) -> Focus:
    return focus_of(entry_filters(settings), insider.book)


async def simulated_venue(settings: Settings, log: VenueLog, market: Market) -> SimulatedVenue:
    """
    The venue that *log* remembers, on *market*; a new one has the balances of *settings*.

    Raises:
        StoreDamaged, StoreUnwritable: Its log cannot be read or written.
    """
    return await _venue(market, log, first_deposits(settings))


async def _venue(market: Market, log: VenueLog, deposits: tuple[Deposit, ...]) -> SimulatedVenue:
    return await SimulatedVenue.opened(
        market=market.data,
        history=market.history,
        clock=market.clock,
        log=log,
        deposits=deposits,
    )
