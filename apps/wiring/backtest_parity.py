"""One rule in four worlds: compiled, backtest, paper, and the paper exchange over the wire."""

from collections.abc import Sequence
from enum import StrEnum

from attrs import evolve

from adapters.memory.controls import MemoryControlStore
from adapters.memory.fleeting_log import FleetingDecisionLog
from adapters.memory.positions import MemoryPositionStore
from adapters.memory.venue_log import MemoryVenueLog
from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.settings.venue import BASE_URLS
from apps.wiring.backtest import CoinBacktest, course_of
from apps.wiring.backtest_greg import is_greg
from apps.wiring.backtest_params import (
    backtest_desk_params,
    backtest_limits,
    call_account,
    call_rule,
    scoped,
)
from apps.wiring.backtest_past import Hooks
from apps.wiring.backtest_strategies import strategies_in
from apps.wiring.child import free_address
from apps.wiring.deribit import Access
from apps.wiring.market import market_of, ticks_of
from apps.wiring.outside import Insider, Outside, outside_of
from core.backtest.covered_call import run_calls, style_result
from core.backtest.latency import DelayedStrategy, Latency
from core.usecases.backtest import Course, Progress, keeper_of, ledger_of, run_backtest
from core.usecases.desk import Desk
from ports.backtest_runs import StyleResult
from ports.positions import Book
from ports.world import World


class WorldName(StrEnum):
    """Where a rule can be run over the same past."""

    FAST = "fast"
    TICK = "tick"
    PAPER = "paper"
    EXCHANGE = "exchange"


async def run_worlds(
    backtest: CoinBacktest, worlds: Sequence[WorldName], hooks: Hooks
) -> dict[WorldName, StyleResult]:
    """
    Run the primary exit style of *backtest* in each of *worlds*.

    Raises:
        PortError: A world cannot be opened.

        ValueError: A world cannot run what is asked for.
    """
    return {world: await _run_in(world, backtest, hooks) for world in worlds}


async def _run_in(world: WorldName, backtest: CoinBacktest, hooks: Hooks) -> StyleResult:
    if is_greg(backtest.settings):
        raise ValueError("parity compares calls: Greg's structures are traded by the tick alone")
    settings, coin, style = backtest.settings, backtest.coin, backtest.styles[0]
    if world is WorldName.FAST:
        limits, rule = backtest_limits(settings, coin), call_rule(settings, style)
        columns = backtest.in_memory.columns(limits)
        return style_result(run_calls(columns, rule, call_account(settings, coin), limits), rule)
    if world is WorldName.TICK:
        course = await course_of(backtest, style, hooks)
        return (await run_backtest(_told(course, world, hooks))).result
    settings = outside_settings(settings, coin, world)
    insider = Insider(
        resume_at=None,
        paper_market=market_of,
        book=Book,  # nothing is looked up in it where time is stepped
        access=Access.ALL,
        log=MemoryVenueLog(),
        exchange_memory=None,
    )
    async with outside_of(settings, insider) as outside:
        course = await _outside_course(settings, coin, style, outside)
        return (await run_backtest(_told(course, world, hooks))).result


def outside_settings(settings: Settings, coin: Coin, world: WorldName) -> Settings:
    """
    *settings* of a paper venue that starts with the coins of the backtest.

    The exchange is the one at deribit_base_url if that is told, else one of our own at a free
    address: whoever is served at the usual one has another account, and perhaps a past.
    """
    deposit = call_account(settings, coin).deposit_coin
    changed: dict[str, object] = {"venue_kind": "paper", "paper_balances": {coin: deposit}}
    if world is WorldName.EXCHANGE:
        told = settings.venue.deribit_base_url
        is_ours = told is None or told.rstrip("/") in BASE_URLS.values()
        address = free_address() if is_ours else told
        changed |= {"venue_kind": "exchange", "deribit_base_url": address}
    own = scoped(settings, coin)
    return own.model_copy(update={"venue": own.venue.model_copy(update=changed)})


async def _outside_course(settings: Settings, coin: Coin, style: str, outside: Outside) -> Course:
    """The desk in a world whose market and venue are those of paper trading."""
    world = World(
        environment="parity",
        market=outside.market,
        history=outside.history,
        trading=outside.trading,
        clock=outside.clock,
        log=FleetingDecisionLog(),
        positions=MemoryPositionStore("parity"),
        controls=MemoryControlStore(),
    )
    ledger = ledger_of(None)
    latency = Latency(settings.backtest.backtest_latency)
    desk = Desk(
        world=world,
        keeper=keeper_of(world, ledger, None),
        strategies=tuple(
            DelayedStrategy(each, latency) for each in strategies_in(settings, coin, style)
        ),
        params=backtest_desk_params(settings, coin),
    )

    async def proceed() -> bool:
        return True

    return Course(
        desk=desk,
        ledger=ledger,
        underlying=coin,
        exit_style=style,
        instants=await ticks_of(settings),
        venue=MemoryVenueLog(),
        proceed=proceed,
    )


def _told(course: Course, world: WorldName, hooks: Hooks) -> Course:
    def watch(progress: Progress) -> None:
        hooks.watch(f"{course.underlying} {world}", progress.done, progress.total)

    return evolve(course, watch=watch)
