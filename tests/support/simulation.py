"""Whole lives of the real agent on a virtual clock, in one process, with planned faults."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import numpy as np
from attrs import evolve, frozen

from adapters.memory.controls import MemoryControlStore
from adapters.memory.decision_log import MemoryDecisionLog
from adapters.memory.positions import MemoryPositionStore
from adapters.memory.venue_log import MemoryVenueLog
from core.execution.book import fold, state_hash
from core.execution.intents import OrderParams
from core.risk.limits import RiskLimits
from core.simulation.venue import SimulatedVenue
from core.strategies.covered_call import CoveredCall
from core.strategies.upkeep import UpkeepParams
from core.usecases.agent import Agent
from core.usecases.bookkeeper import Bookkeeper
from core.usecases.desk import Desk, DeskParams
from ports.clock import Clock
from ports.controls import ControlStore
from ports.decision_log import DecisionLog, Halted
from ports.errors import PortError, Severity
from ports.positions import Book
from ports.trading import Trading
from ports.venue_log import Deposit
from ports.world import World
from tests.support.invariants import Bounds, Event, Violation, violations
from tests.support.markets import NOW
from tests.support.plans import CALM_TICKS, Plan
from tests.support.walking import WalkingMarket
from tests.support.watched import MortalLog, WatchedControls, WatchedVenueLog
from tests.support.wire import RECORDS, Fault, Wire, WorldClock
from tests.support.worlds import FILTERS, STRATEGY, Crash

_ENVIRONMENT = "simulation"
_MOST_STARTS = 400  # of one life; more is a process that never gets anywhere
_RESTART = timedelta(seconds=30)
_BOUNDS = Bounds(expiry_lots=12, calls=3, requests_per_s=2.0, request_burst=5)
_LIMITS = RiskLimits(
    order_size={"BTC": 0.5},
    max_expiry_exposure=1.2,
    max_calls_per_underlying=3,
    max_spread_pct=50.0,
    max_fills_per_10_min=50,
    max_rejections_per_10_min=50,
)
_EAGER = evolve(  # trades often: takes small profits, defends early
    STRATEGY,
    filters=evolve(
        FILTERS, dte_min=0.3, dte_max=4.0, delta_min=0.02, max_spread_pct=50.0, ivrv_min=0.0
    ),
    upkeep=UpkeepParams(
        take_profit_pct=25.0, near_pct=3.0, last_dte=0.1, cooldown=timedelta(minutes=5)
    ),
    max_calls=2,
)
_STRATEGIES = (
    CoveredCall("alpha", _EAGER),
    CoveredCall("beta", evolve(_EAGER, order_size={"BTC": 0.3}, max_calls=1)),
)


@frozen
class Wiring:
    """What stands between the agent and its ports: nothing, unless a defect is planted."""

    trading: Callable[[Trading], Trading] = lambda trading: trading
    log: Callable[[DecisionLog], DecisionLog] = lambda log: log
    controls: Callable[[ControlStore, Clock], ControlStore] = lambda controls, _: controls


HONEST = Wiring()


@frozen
class Life:
    """One life as it was lived; *fingerprint* is the checksum that seals its whole journal."""

    plan: Plan
    fingerprint: str
    starts: int
    history: tuple[Event, ...]
    violations: tuple[Violation, ...]


async def live(plan: Plan, wiring: Wiring = HONEST) -> Life:
    """Live *plan* to its end, through every crash and restart, and check what happened."""
    stage = await _Stage.set_up(plan)
    starts, found = 0, []
    alive = True
    while alive and starts < _MOST_STARTS:
        starts += 1
        try:
            alive = await _lived_on(stage, wiring)
        except PortError as error:
            found.append(Violation("fatal", f"{type(error).__name__}: {error}"))
            alive = False
    if alive:
        found.append(Violation("I8", f"not at its end after {starts} starts"))
    records = [record async for record in stage.journal.records()]
    book = fold(Book(environment=_ENVIRONMENT), (record.entry for record in records))
    if state_hash(book) != state_hash(_last_book(stage.history)):
        found.append(Violation("I6", "the journal does not fold to the book of the last process"))
    found += [
        Violation("halt", event.reason) for event in stage.history if isinstance(event, Halted)
    ]
    found += violations(stage.history, _BOUNDS)
    return Life(
        plan=plan,
        fingerprint=records[-1].checksum,
        starts=starts,
        history=tuple(stage.history),
        violations=tuple(found),
    )


def _last_book(history: Sequence[Event]) -> Book:
    return next(event for event in reversed(history) if isinstance(event, Book))


async def _lived_on(stage: "_Stage", wiring: Wiring) -> bool:
    """
    Run one process to its end; True if another must follow.

    Raises:
        PortError: Of FATAL severity.
    """
    stage.log.is_full = False
    stage.wire.stop = asyncio.Event()
    log = wiring.log(stage.log)
    keeper = Bookkeeper(log, stage.snapshots, _ENVIRONMENT)
    await keeper.recall(await stage.snapshots.load())
    try:
        await Agent(_desk(stage, wiring, log, keeper), stage.wire.stop).run()
    except Crash:  # nobody knows what it believed
        await stage.clock.sleep_until(stage.clock.now() + _RESTART)
        return True
    except PortError as error:
        if error.severity is Severity.FATAL and not stage.log.is_full:
            raise
        is_finished = False
    else:
        is_finished = not stage.wire.stop.is_set()
    stage.history.append(keeper.book)
    if not is_finished:
        await stage.clock.sleep_until(stage.restart_at())
    return not is_finished


def _desk(stage: "_Stage", wiring: Wiring, log: DecisionLog, keeper: Bookkeeper) -> Desk:
    world = World(
        environment=_ENVIRONMENT,
        market=stage.wire,
        history=stage.market,
        trading=wiring.trading(stage.wire),
        clock=stage.clock,
        log=log,
        positions=stage.snapshots,
        controls=wiring.controls(stage.controls, stage.clock),
    )
    params = DeskParams(
        underlyings=("BTC",),
        seed=stage.plan.seed,
        limits=_LIMITS,
        orders=OrderParams(style=stage.plan.style),
    )
    return Desk(world=world, keeper=keeper, strategies=_STRATEGIES, params=params)


@frozen(eq=False, kw_only=True)
class _Stage:
    """What outlives a process."""

    plan: Plan
    ticks: tuple[datetime, ...]
    clock: WorldClock
    market: WalkingMarket
    wire: Wire
    journal: MemoryDecisionLog
    log: MortalLog
    controls: WatchedControls
    snapshots: MemoryPositionStore
    history: list[Event]

    @classmethod
    async def set_up(cls, plan: Plan) -> "_Stage":
        """The stage of *plan*, with everything that will happen on it."""
        history: list[Event] = []
        ticks = tuple(NOW + sum(plan.gaps[:row], timedelta()) for row in range(len(plan.gaps)))
        clock = WorldClock(NOW, ticks, plan.misses)
        length = ticks[-1] - NOW + timedelta(days=3)
        market = WalkingMarket.drawn(clock, NOW, length, np.random.default_rng(plan.seed))
        controls = WatchedControls(MemoryControlStore(), history)
        venue = await SimulatedVenue.opened(
            market=market,
            history=market,
            clock=clock,
            log=WatchedVenueLog(MemoryVenueLog(), history),
            deposits=(Deposit("BTC", 1.6),),
        )
        journal = MemoryDecisionLog()
        stage = cls(
            plan=plan,
            ticks=ticks,
            clock=clock,
            market=market,
            wire=Wire(venue=venue, market=market, clock=clock, controls=controls, history=history),
            journal=journal,
            log=MortalLog(journal, history),
            controls=controls,
            snapshots=MemoryPositionStore(_ENVIRONMENT),
            history=history,
        )
        stage._schedule()
        return stage

    def _schedule(self) -> None:
        """Faults at their ticks, and a venue that lives on while nobody asks it anything."""
        for fault in self.plan.faults:
            self.clock.at(self.ticks[fault.tick], partial(self._arm, fault))
        self.clock.at(self.ticks[-CALM_TICKS], self._calm)
        for tick, gap in zip(self.ticks, self.plan.gaps, strict=True):
            for share in (0.02, 0.5):
                self.clock.at(tick + gap * share, self._look)

    async def _arm(self, fault: Fault) -> None:
        if fault.kind in RECORDS:
            self.log.arm(fault)
        else:
            self.wire.arm(fault)

    async def _calm(self) -> None:
        self.log.deaths.clear()
        await self.wire.calm()

    async def _look(self) -> None:
        await self.wire.venue.moment("BTC")

    def restart_at(self) -> datetime:
        """When somebody starts the process again: soon, and at the next tick at the latest."""
        now = self.clock.now()
        return min([now + 20 * _RESTART, *(tick for tick in self.ticks if tick > now)])
