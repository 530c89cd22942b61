"""Whole lives of agent, adapter and exchange on one virtual clock, with planned troubles."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from attrs import evolve, frozen
from stamina.instrumentation import set_on_retry_hooks

from apps.exchange.faults.runtime import Happened
from core.execution.book import fold, state_hash
from core.execution.intents import OrderParams
from core.health.guard import HealthParams
from core.risk.limits import RiskLimits
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
from ports.world import World
from tests.support.events import Event, Violation
from tests.support.invariants import Bounds, violations
from tests.support.plans import Plan
from tests.support.stage import ENVIRONMENT, Stage, Venue
from tests.support.traffic import Traffic
from tests.support.troubles import Kind, Mishap
from tests.support.virtual import run_virtually
from tests.support.worlds import FILTERS, STRATEGY, Crash

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
    happened: tuple[Happened, ...]  # to requests
    violations: tuple[Violation, ...]


def lived(plan: Plan, wiring: Wiring = HONEST) -> Life:
    """Live *plan* to its end, through every crash and restart, and check what happened."""
    set_on_retry_hooks(())  # a retry is no news here
    return run_virtually(_live(plan, wiring))


async def _live(plan: Plan, wiring: Wiring) -> Life:
    stage = await Stage.set_up(plan)
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
    for failure in stage.agenda.failures:
        raise failure
    book = fold(Book(environment=ENVIRONMENT), (record.entry for record in stage.log.kept))
    if state_hash(book) != state_hash(_last_book(stage.history)):
        found.append(Violation("I6", "the journal does not fold to the book of the last process"))
    traffic = Traffic(stage.wire.asked, stage.secrets, "\n".join(stage.log.lines))
    found += [*_halts(stage), *violations(stage.history, _BOUNDS, traffic)]
    return Life(
        plan=plan,
        fingerprint=stage.log.checksum,
        starts=starts,
        history=tuple(stage.history),
        happened=tuple(stage.faults.happened),
        violations=tuple(found),
    )


def _last_book(history: Sequence[Event]) -> Book:
    return next(event for event in reversed(history) if isinstance(event, Book))


def _halts(stage: Stage) -> Iterator[Violation]:
    """Halts that nothing in the plan explains: only trades by hand make the books differ."""
    is_by_hand = any(
        isinstance(each, Mishap) and each.kind in (Kind.TRADED_BY_HAND, Kind.ORDERED_BY_HAND)
        for each in stage.plan.troubles
    )
    for event in stage.history:
        if isinstance(event, Halted) and not (is_by_hand and "book differs" in event.reason):
            yield Violation("halt", event.reason)


async def _lived_on(stage: Stage, wiring: Wiring) -> bool:
    """
    Run one process to its end; True if another must follow.

    Raises:
        PortError: Of FATAL severity.
    """
    stage.log.is_full = False
    stage.stop = asyncio.Event()
    log = wiring.log(stage.log)
    keeper = Bookkeeper(log, stage.snapshots, ENVIRONMENT)
    await keeper.recall(await stage.snapshots.load())
    venue = stage.connected()
    try:
        await Agent(_desk(stage, venue, wiring, keeper), stage.stop).run()
    except Crash:  # nobody knows what it believed
        await stage.true.sleep_until(stage.true.now() + _RESTART)
        return True
    except PortError as error:
        if error.severity is Severity.FATAL and not stage.log.is_full:
            raise
        is_finished = False
    else:
        is_finished = not stage.stop.is_set()
    stage.history.append(keeper.book)
    if not is_finished:
        await stage.true.sleep_until(stage.restart_at(20 * _RESTART))
    return not is_finished


def _desk(stage: Stage, venue: Venue, wiring: Wiring, keeper: Bookkeeper) -> Desk:
    world = World(
        environment=ENVIRONMENT,
        market=venue.market,
        history=venue.history,
        trading=wiring.trading(venue.trading),
        clock=stage.clock,
        log=wiring.log(stage.log),
        positions=stage.snapshots,
        controls=wiring.controls(stage.controls, stage.clock),
    )
    params = DeskParams(
        underlyings=("BTC",),
        seed=stage.plan.seed,
        limits=_LIMITS,
        orders=OrderParams(style=stage.plan.style),
        health=HealthParams() if stage.plan.is_watched else None,
    )
    return Desk(
        world=world, keeper=keeper, strategies=_STRATEGIES[: stage.plan.strategies], params=params
    )
