"""Markets: invented, or recorded days."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from attrs import frozen

from apps.settings.root import Settings
from apps.settings.venue import VenueSettings
from apps.wiring.clock import system_clock
from apps.wiring.universe_file import universe_of
from core.simulation.listing import deribit_rules
from core.simulation.replay import ReplayClock, ReplayMarket
from core.simulation.shown import ShownMarket
from core.simulation.synthetic import SyntheticMarket
from core.simulation.synthetic_params import SyntheticParams
from core.simulation.universe.market import universe_market
from ports.clock import Clock
from ports.errors import Unavailable
from ports.history import History
from ports.market_data import MarketData
from ports.snapshots import Skipped, SnapshotArchive

_REASONS_TOLD = 3  # in one sentence


@frozen(eq=False)
class Market:
    """
    A market with its past and the clock it is seen by.

    *ticks* are those of a stepped clock's period, *archive* is what a recorded one is read from.
    """

    data: MarketData
    history: History
    clock: Clock
    ticks: tuple[datetime, ...] = ()
    archive: SnapshotArchive | None = None

    async def skipped(self, underlying: str) -> tuple[Skipped, ...]:
        """What of the recording of *underlying* is passed over; of an invented market nothing."""
        return () if self.archive is None else await self.archive.skipped(underlying)

    async def left_out(self, coins: Sequence[str]) -> list[str]:
        """The same of all *coins*, a line each."""
        return [] if self.archive is None else await left_out_of(self.archive, coins)


async def market_of(settings: Settings, resume_at: datetime | None) -> Market:
    """
    The market that *settings* name; a recording is taken up at *resume_at*, None for its start.

    Raises:
        Unavailable: There is no recording where it should be, or none of the period.

        StoreDamaged: A file of the recording cannot be read.
    """
    if not settings.venue.is_stepped:
        return _synthetic(settings, system_clock(interval_of(settings)))
    if settings.venue.market != "replay":
        ticks = _invented_ticks(settings)
        return _synthetic(settings, ReplayClock(ticks, resume_at or ticks[0]), ticks)
    return await _recorded(settings, resume_at, by_default=0)


async def market_at(settings: Settings, at: datetime | None) -> Market:
    """
    The market that *settings* name as it was at *at*; None is now, or the end of a recording.

    Raises:
        Unavailable, StoreDamaged: As market_of.
    """
    if settings.venue.market == "replay":
        return await _recorded(settings, at, by_default=-1)
    if settings.venue.is_stepped:
        ticks = _invented_ticks(settings)
        return _synthetic(settings, ReplayClock(ticks, at or ticks[-1]), ticks)
    return _synthetic(settings, system_clock() if at is None else ReplayClock((), at))


def interval_of(settings: Settings) -> timedelta:
    """The time from tick to tick."""
    return timedelta(seconds=settings.loop.loop_interval_sec)


async def ticks_of(settings: Settings) -> list[datetime]:
    """
    When a stepped clock ticks: at the recorded instants of the period, else at each interval.

    Raises:
        Unavailable, StoreDamaged: As market_of.
    """
    if settings.venue.market == "replay":
        return await _chosen(settings, _archive(settings))
    return _invented_ticks(settings)


async def passed_over(settings: Settings) -> list[str]:
    """
    What of a replay's recording is not read, a line each; nothing where nothing is replayed.

    Raises:
        Unavailable, StoreDamaged: As market_of.
    """
    if settings.venue.market != "replay":
        return []
    return await left_out_of(_archive(settings), settings.venue.underlyings)


async def left_out_of(archive: SnapshotArchive, coins: Sequence[str]) -> list[str]:
    """
    What *archive* has of *coins* and cannot use, a line each.

    Raises:
        StoreDamaged: It cannot be listed.
    """
    return [
        f"left out of {each.file}: {each.reason}"
        for coin in coins
        for each in await archive.skipped(coin)
    ]


async def nothing_of(archive: SnapshotArchive, coins: Sequence[str], place: str) -> Unavailable:
    """
    That *archive* has no snapshot of *coins* at *place*, with what it has and cannot use.

    Raises:
        StoreDamaged: It cannot be listed.
    """
    left_out = await left_out_of(archive, coins)
    more = len(left_out) - _REASONS_TOLD
    told = [*left_out[:_REASONS_TOLD], *([f"and {more} more"] if more > 0 else [])]
    return Unavailable("; ".join([f"no snapshot of {', '.join(coins)} in {place}", *told]))


def _archive(settings: Settings) -> SnapshotArchive:
    return archive_of(settings.venue.replay_data, tuple(settings.venue.underlyings))


def _invented_ticks(settings: Settings) -> list[datetime]:
    venue = settings.venue
    if venue.replay_from is None or venue.replay_to is None:
        raise ValueError("a stepped clock has a period: the settings were not checked")
    begin = datetime.combine(venue.replay_from, time(), UTC)
    end = datetime.combine(venue.replay_to, time(), UTC) + timedelta(days=1)
    interval = interval_of(settings)
    return [begin + number * interval for number in range(-((begin - end) // interval))]


async def _chosen(settings: Settings, archive: SnapshotArchive) -> list[datetime]:
    """The recorded instants of the period, oldest first; at least one."""
    venue = settings.venue
    instants = {at for coin in venue.underlyings for at in await archive.instants(coin)}
    chosen = sorted(at for at in instants if _in_period(at, settings))
    if not chosen:
        since, until = venue.replay_from or "its start", venue.replay_to or "its end"
        place = f"{venue.replay_data} from {since} to {until}"
        raise await nothing_of(archive, venue.underlyings, place)
    return chosen


async def _recorded(settings: Settings, at: datetime | None, by_default: int) -> Market:
    """The recorded market at *at*, or at its tick of the number *by_default*."""
    archive = _archive(settings)
    ticks = await _chosen(settings, archive)
    clock = ReplayClock(ticks, at or ticks[by_default])
    replay = await ReplayMarket.opened(archive, clock, settings.venue.underlyings)
    return Market(ShownMarket(replay), replay, clock, tuple(ticks), archive)


def _synthetic(settings: Settings, clock: Clock, ticks: Sequence[datetime] = ()) -> Market:
    invented = invented_market(settings.venue, clock)
    return Market(ShownMarket(invented), invented, clock, tuple(ticks))


def invented_market(venue: VenueSettings, clock: Clock) -> SyntheticMarket:
    """
    The market that *venue* invents: the plain one, or one fitted to history.

    Raises:
        Unavailable, StoreDamaged: As universe_of.
    """
    if venue.market == "universe":
        universe = universe_of(venue.universe_model)
        return universe_market(venue.seed, clock, venue.underlyings, universe)
    return SyntheticMarket(venue.seed, clock, venue.underlyings, SyntheticParams())


def archive_of(directory: Path | None, underlyings: tuple[str, ...]) -> SnapshotArchive:
    """
    The archive in *directory*: harvested chains, or recorded ones in monthly files.

    Recordings may lie in one folder somewhere below it.

    Raises:
        Unavailable: There is no such folder, or several below it hold recordings.
    """
    # who does not replay need not load what reads Parquet: it takes longer than its use
    from adapters.files.archive_layout import is_archive  # noqa: PLC0415
    from adapters.files.disk import Disk  # noqa: PLC0415
    from adapters.files.recorded_chains import RecordedChains, recorded_folder  # noqa: PLC0415
    from adapters.files.snapshots import ParquetSnapshots  # noqa: PLC0415

    if directory is None or not directory.is_dir():
        raise Unavailable(f"no folder of recorded chains at {directory}")
    if is_archive(Disk(), directory):
        return ParquetSnapshots(directory)
    rules = {coin: deribit_rules(coin) for coin in underlyings}
    return RecordedChains(recorded_folder(directory), rules)


def _in_period(at: datetime, settings: Settings) -> bool:
    venue = settings.venue
    if venue.replay_from and at < datetime.combine(venue.replay_from, time(), UTC):
        return False
    return not venue.replay_to or at.date() <= venue.replay_to
