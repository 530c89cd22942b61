"""What the paper exchange stands on: a market with its past, a clock, and the venue's memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from attrs import define, frozen

from adapters.files.disk import Disk
from adapters.files.venue_log import FileVenueLog
from adapters.memory.clock import SteppedClock
from adapters.memory.venue_log import MemoryVenueLog
from adapters.system.clock import SystemClock
from apps.settings.root import Settings
from apps.settings.venue import VenueSettings
from apps.wiring.book import VENUE, BookPlace, locked_book
from apps.wiring.clock import system_clock
from apps.wiring.market import archive_of, invented_market, nothing_of
from apps.wiring.watch import Watch
from core.simulation.replay import ReplayMarket
from core.simulation.shown import ShownMarket
from core.simulation.synthetic import SyntheticMarket
from ports.clock import Clock
from ports.history import History
from ports.market_data import MarketData, MarketSnapshot
from ports.venue_log import Deposit, VenueLog


class Pace(StrEnum):
    """How the exchange's time passes."""

    REAL = "real"  # with this computer's, from its now; a replay starts at its first instant
    STEPPED = "stepped"  # only when a client says so


class PastMarket(Protocol):
    """The market as it was."""

    async def snapshot(self, underlying: str, at: datetime) -> MarketSnapshot:
        """
        Return *underlying* as it stood at *at*.

        Raises:
            Unavailable: Nothing is known of then.
        """
        ...


@frozen(eq=False, kw_only=True)
class ExchangeWorld:
    """
    The ports of an exchange; *deposits* are for an account that is new.

    *watch* is told which contracts clients look at, where the market wants to know;
    *delivered_days* is how far back delivery prices are looked up.
    """

    clock: Clock
    market: MarketData
    history: History
    past: PastMarket
    log: VenueLog
    deposits: tuple[Deposit, ...]
    watch: Watch | None = None
    delivered_days: int = 400


async def exchange_world(
    settings: Settings,
    directory: Path | None,
    *,
    pace: Pace = Pace.REAL,
    speed: float = 1.0,
    start: datetime | None = None,
) -> ExchangeWorld:
    """
    The world of an exchange on the market of *settings*, remembered in *directory*.

    None for *directory* is memory only; *start* is where time begins, None for now or for the
    first recorded instant; *speed* how many seconds pass in one.

    Raises:
        Unavailable: There is no recording where it should be.

        StoreDamaged: A recording or the venue's log cannot be read.
    """
    log = MemoryVenueLog() if directory is None else FileVenueLog(Disk(), directory / VENUE)
    clock = _clock(pace, speed, await _begin(settings, log, start, pace))
    market = await _market(settings, clock)
    hand = _Hand(clock.now())
    return ExchangeWorld(
        clock=clock,
        market=ShownMarket(market),
        history=market,
        past=_Past(ShownMarket(await _market(settings, hand)), hand),
        log=log,
        deposits=first_deposits(settings),
    )


def first_deposits(settings: Settings) -> tuple[Deposit, ...]:
    """What a new account is given of each coin."""
    balances = settings.venue.paper_balances
    return tuple(
        Deposit(coin, balances[coin])
        for coin in settings.venue.underlyings
        if balances.get(coin, 0.0) > 0.0
    )


def market_name(venue: VenueSettings) -> str:
    """Which market *venue* names, in words: the same words mean the same market."""
    if venue.market == "replay":
        return f"replay of {venue.replay_data.resolve() if venue.replay_data else None}"
    return f"{venue.market}, seed {venue.seed}"


@contextmanager
def exchange_lock(market: str, directory: Path) -> Iterator[None]:
    """
    Hold the exchange's folder while it is served; another kind of market has another folder.

    Raises:
        StoreLocked: Another exchange serves it.

        StoreForeign: The folder belongs to something else.
    """
    environment = f"paper-exchange-{market}"
    with locked_book(BookPlace(environment, directory, directory), "exchange serve"):
        yield


@define
class _Hand:
    """A clock that somebody sets."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def next_tick(self, after: datetime | None) -> datetime | None:  # noqa: ARG002
        return None

    async def sleep_until(self, instant: datetime) -> None:
        self.at = instant


@frozen(eq=False)
class _Past:
    market: MarketData
    hand: _Hand

    async def snapshot(self, underlying: str, at: datetime) -> MarketSnapshot:
        self.hand.at = at
        return await self.market.snapshot(underlying)


async def _begin(
    settings: Settings, log: VenueLog, start: datetime | None, pace: Pace
) -> datetime | None:
    """
    Where time begins: at *start*, in a replay at its first instant; None is now.

    Time that does not pass by itself is never before what the venue has done already.
    """
    is_replay = settings.venue.market == "replay"
    begin = start if start or not is_replay else await _first_instant(settings)
    if begin is None or not (is_replay or pace is Pace.STEPPED):
        return begin
    return max([begin] + [step.at async for step in log.steps()])


async def _first_instant(settings: Settings) -> datetime:
    """The first instant of the recording within the period of *settings*."""
    venue = settings.venue
    archive = archive_of(venue.replay_data, tuple(venue.underlyings))
    instants = [at for coin in venue.underlyings for at in await archive.instants(coin)]
    since = datetime.combine(venue.replay_from or date.min, time(), UTC)
    wanted = [at for at in instants if at >= since]
    if not wanted:
        place = f"{venue.replay_data} from {venue.replay_from or 'its start'} on"
        raise await nothing_of(archive, venue.underlyings, place)
    return min(wanted)


def _clock(pace: Pace, speed: float, begin: datetime | None) -> Clock:
    wall = system_clock()
    if pace is Pace.STEPPED:
        return SteppedClock(begin or wall.now(), ())
    if begin is None and speed == 1.0:
        return wall
    began = wall.now()
    first = began if begin is None else begin
    return SystemClock(timedelta(seconds=1), lambda: first + (wall.now() - began) * speed)


async def _market(settings: Settings, clock: Clock) -> SyntheticMarket | ReplayMarket:
    venue = settings.venue
    if venue.market == "replay":
        archive = archive_of(venue.replay_data, tuple(venue.underlyings))
        return await ReplayMarket.opened(archive, clock, venue.underlyings)
    return invented_market(venue, clock)
