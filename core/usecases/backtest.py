"""The backtest: the agent's own tick, over a clock that is somebody else's past."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from attrs import field, frozen

from core.backtest.latency import DelayedStrategy, Seen
from core.backtest.prepared import require_rising
from core.context.regime import HISTORY, context_of
from core.usecases.backtest_ledger import HeldRow, Ledger, MarkRow, Sale
from core.usecases.bookkeeper import Bookkeeper
from core.usecases.desk import Desk, Look
from core.usecases.orders import next_look, sweep
from core.usecases.tick import run_tick
from ports.backtest_runs import BacktestTrade, Omission, StyleResult
from ports.checks import utc
from ports.codec import Codec
from ports.decision_log import Opened, Ticked
from ports.errors import PortError, StoreUnwritable
from ports.positions import Book
from ports.venue_log import VenueLog, VenueStep
from ports.world import World

_BAR = timedelta(hours=1)


@frozen(kw_only=True)
class Progress:
    """How far a run is."""

    done: int
    total: int
    at: datetime = field(validator=utc)
    equity_coin: float
    trades: int


@frozen(kw_only=True)
class Checkpoint:
    """All that a run stopped half-way needs to go on: what it had done by the last tick."""

    done: int
    at: datetime = field(validator=utc)
    book: Book
    venue: tuple[VenueStep, ...]
    trades: tuple[BacktestTrade, ...]
    open_sales: tuple[Sale, ...]
    marks: tuple[MarkRow, ...]
    held: tuple[HeldRow, ...]
    omissions: tuple[Omission, ...]
    chains: dict[str, int]
    sales: int
    reasons: dict[str, str]
    last_problem: str
    memory: str = ""  # of the course's manager


CHECKPOINTS = Codec.of([Checkpoint])


class Manager(Protocol):
    """Who trades besides the strategies of a desk."""

    async def manage(self) -> None:
        """Do at this tick what there is to do; raises PortError where the world does not answer."""
        ...

    @property
    def memory(self) -> str:
        """What it must be told to know again what it knows now."""
        ...

    async def look_back(self, memory: str) -> None:
        """Know again what was known at the last tick of a run that was stopped."""
        ...


@frozen(kw_only=True, eq=False)
class Course:
    """
    One run: a desk on one coin, the instants to tick at, and who is told and may stop it.

    *proceed* is awaited before each tick: it may wait, which pauses the run, and false stops it.
    *manager* trades what no strategy of the desk does, behind each of its ticks.
    """

    desk: Desk
    ledger: Ledger
    underlying: str
    exit_style: str
    instants: Sequence[datetime]
    venue: VenueLog
    proceed: Callable[[], Awaitable[bool]]
    watch: Callable[[Progress], None] = field(default=lambda _: None)
    manager: Manager | None = None


@frozen(kw_only=True, eq=False, repr=False)
class Outcome:
    """What came of a run; *checkpoint* is where it stopped, None if it came to its end."""

    result: StyleResult
    checkpoint: Checkpoint | None


async def run_backtest(course: Course, resumed: Checkpoint | None = None) -> Outcome:
    """
    Tick at every instant of *course*, from the start or on from where *resumed* stopped.

    The desk's world, its venue included, must be that of the checkpoint. An instant whose market
    cannot be read is left out and named.

    Raises:
        ValueError: The instants do not rise, or there are none.

        StoreUnwritable: The journal failed.
    """
    require_rising(course.instants)
    done = 0
    if resumed is None:
        await _open(course)
    else:
        done = resumed.done
        if done:
            await _look_back(course, resumed.memory)
    while done < len(course.instants):
        if not await course.proceed():
            break
        await _tick(course, course.instants[done])
        done += 1
        course.watch(_progress(course, done))
    is_over = done == len(course.instants)
    result = course.ledger.result(course.exit_style, course.desk.keeper.book)
    return Outcome(result=result, checkpoint=None if is_over else await _checkpoint(course, done))


def ledger_of(resumed: Checkpoint | None) -> Ledger:
    """The ledger a run starts with: an empty one, or as *resumed* left it."""
    if resumed is None:
        return Ledger()
    return Ledger(
        trades=list(resumed.trades),
        open_sales={(sale.position_id, sale.leg): sale for sale in resumed.open_sales},
        marks=list(resumed.marks),
        held=list(resumed.held),
        omissions=list(resumed.omissions),
        chains=dict(resumed.chains),
        sales=resumed.sales,
        reasons=dict(resumed.reasons),
        last_problem=resumed.last_problem,
    )


def keeper_of(world: World, ledger: Ledger, resumed: Checkpoint | None) -> Bookkeeper:
    """The bookkeeper of a run, with the book as *resumed* left it."""
    keeper = Bookkeeper(world.log, world.positions, world.environment, ledger.watch)
    if resumed is not None:
        keeper.book = resumed.book
    return keeper


async def _open(course: Course) -> None:
    desk = course.desk
    await desk.keeper.record(
        Opened(
            at=desk.now,
            environment=desk.world.environment,
            program_version=desk.params.program_version,
            seed=desk.params.seed,
            strategies=tuple(strategy.strategy_id for strategy in desk.strategies),
            settings_hash=desk.params.settings_hash,
        )
    )


async def _look_back(course: Course, memory: str) -> None:
    """Show strategies that decide on the tick before what the last tick of before showed."""
    desk = course.desk
    snapshot = await desk.world.market.snapshot(course.underlying)
    at = snapshot.taken_at
    candles = await desk.world.history.candles(course.underlying, _BAR, at - HISTORY, at)
    context = context_of(candles, snapshot.index_usd, at)
    for strategy in desk.strategies:
        if isinstance(strategy, DelayedStrategy):
            strategy.see(Seen(snapshot, context, candles))
    if course.manager is not None:
        await course.manager.look_back(memory)


async def _tick(course: Course, due_at: datetime) -> None:
    desk, ledger, coin = course.desk, course.ledger, course.underlying
    await _reach(desk, coin, due_at)
    try:
        await run_tick(desk, Look(desk, coin), due_at)
        if course.manager is not None:
            await course.manager.manage()
        await desk.keeper.record(Ticked(at=desk.now, due_at=due_at))
        snapshot = await desk.world.market.snapshot(coin)
    except StoreUnwritable:
        raise
    except PortError as error:
        ledger.omit(due_at, coin, f"{type(error).__name__}: {error}")
        return
    ledger.end_tick(desk.keeper.book, snapshot, desk.keeper.book.wealth[coin].equity_coin)


async def _reach(desk: Desk, underlying: str, due_at: datetime) -> None:
    """Wait for *due_at*, ending the orders whose time is over before."""
    looks = [next_look(each, desk.now) for each in desk.keeper.book.working]
    for look in sorted(look for look in looks if look is not None and look < due_at):
        await desk.world.clock.sleep_until(look)
        await sweep(desk, underlying)
    await desk.world.clock.sleep_until(due_at)


def _progress(course: Course, done: int) -> Progress:
    wealth = course.desk.keeper.book.wealth.get(course.underlying)
    return Progress(
        done=done,
        total=len(course.instants),
        at=course.instants[done - 1],
        equity_coin=wealth.equity_coin if wealth else float("nan"),
        trades=course.ledger.sales,
    )


async def _checkpoint(course: Course, done: int) -> Checkpoint:
    ledger = course.ledger
    return Checkpoint(
        done=done,
        at=course.desk.now,
        book=course.desk.keeper.book,
        venue=tuple([step async for step in course.venue.steps()]),
        trades=tuple(ledger.trades),
        open_sales=tuple(ledger.open_sales.values()),
        marks=tuple(ledger.marks),
        held=tuple(ledger.held),
        omissions=tuple(ledger.omissions),
        chains=dict(ledger.chains),
        sales=ledger.sales,
        reasons=dict(ledger.reasons),
        last_problem=ledger.last_problem,
        memory=course.manager.memory if course.manager is not None else "",
    )
