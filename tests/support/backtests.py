"""Backtests in memory: a past made ready, run by the tick and by the fast simulator."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from attrs import evolve, field, frozen

from adapters.memory.controls import MemoryControlStore
from adapters.memory.fleeting_log import FleetingDecisionLog
from adapters.memory.positions import MemoryPositionStore
from adapters.memory.venue_log import MemoryVenueLog
from core.backtest.covered_call import STRATEGY_ID, CallAccount, run_calls, style_result
from core.backtest.latency import DelayedStrategy, Latency
from core.backtest.prepared import Kinds, PreparedCoin, PreparedMarket, prepare
from core.backtest.rules import CallRule, RuledCalls
from core.backtest.tradable import FillParams
from core.execution.intents import OrderParams
from core.risk.limits import RiskLimits
from core.simulation.replay import ReplayClock, ReplayMarket
from core.simulation.shown import ShownMarket
from core.simulation.synthetic import SyntheticMarket
from core.simulation.synthetic_params import SyntheticParams
from core.simulation.venue import SimulatedVenue
from core.strategies.base import Strategy
from core.usecases.backtest import (
    Checkpoint,
    Course,
    Outcome,
    keeper_of,
    ledger_of,
    run_backtest,
)
from core.usecases.desk import Desk, DeskParams
from ports.backtest_runs import BacktestTrade, StyleResult
from ports.history import Candles, DeliveryPrice
from ports.market_data import MarketSnapshot
from ports.venue_log import Deposit
from ports.world import World
from tests.support.recorded import recorded_chains

_ENVIRONMENT = "backtest"


def research_limits(coin: str, size: float) -> RiskLimits:
    """Limits that let every believable quote be sold: margin and coverage hold."""
    return RiskLimits(
        order_size={coin: size},
        max_expiry_exposure=size,
        max_calls_per_underlying=1,
        max_order_notional_usd=1e9,
        max_net_delta_abs=100.0,
        price_collar_pct=100.0,
        max_spread_pct=200.0,
        min_open_interest=0.0,
    )


async def prepared_recording(
    coin: str, months: Iterable[int] | None = None, fills: FillParams | None = None
) -> PreparedCoin:
    """The recorded chains of *coin* made ready, of some *months* of 2026 or of all."""
    archive = recorded_chains()
    instants = await archive.instants(coin)
    if months is not None:
        instants = tuple(
            at for at in instants if (at.year, at.month) in {(2026, m) for m in months}
        )
    clock = ReplayClock(instants, instants[0])
    market = await ReplayMarket.opened(archive, clock, [coin])
    return await prepare(
        underlying=coin,
        instants=instants,
        clock=clock,
        market=ShownMarket(market),
        history=market,
        fills=fills or FillParams(),
    )


async def prepared_invention(
    coin: str, seed: int, days: int = 21, hours: int = 4, fills: FillParams | None = None
) -> PreparedCoin:
    """The synthetic market of *seed*, from 1 March 2025 on, every so many *hours*."""
    start = datetime(2025, 3, 1, tzinfo=UTC)
    instants = [start + timedelta(hours=hours * step) for step in range(24 * days // hours)]
    clock = ReplayClock(instants, instants[0])
    market = SyntheticMarket(seed, clock, [coin], SyntheticParams())
    return await prepare(
        underlying=coin,
        instants=instants,
        clock=clock,
        market=ShownMarket(market),
        history=market,
        fills=fills or FillParams(),
    )


class TakenSnapshots:
    """MarketData and History of snapshots made by hand; the clock says which."""

    def __init__(
        self,
        snapshots: Sequence[MarketSnapshot],
        clock: ReplayClock,
        delivered: dict[datetime, float] | None = None,
    ) -> None:
        self._snapshots = tuple(snapshots)
        self._clock = clock
        self._delivered = delivered or {}

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """The newest at now or before."""
        return [each for each in self._snapshots if each.taken_at <= self._clock.now()][-1]

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """None."""
        nothing = np.empty(0)
        return Candles(underlying, np.empty(0, dtype=np.int64), *(nothing,) * 4)

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """None."""
        return 0.0

    async def delivery_price(self, underlying: str, expiry: datetime) -> DeliveryPrice | None:
        """What was told of it."""
        price = self._delivered.get(expiry)
        return None if price is None else DeliveryPrice(price, "told")


async def prepared_by_hand(
    snapshots: Sequence[MarketSnapshot],
    delivered: dict[datetime, float] | None = None,
    fills: FillParams | None = None,
    kinds: Kinds = Kinds.CALLS,
) -> PreparedCoin:
    """Snapshots made by hand, ready to be run on."""
    instants = [snapshot.taken_at for snapshot in snapshots]
    clock = ReplayClock(instants, instants[0])
    market = TakenSnapshots(snapshots, clock, delivered)
    return await prepare(
        underlying=snapshots[0].underlying,
        instants=instants,
        clock=clock,
        market=market,
        history=market,
        kinds=kinds,
        fills=fills or FillParams(),
    )


@frozen(kw_only=True)
class Setup:
    """One run on a prepared past."""

    coin: PreparedCoin
    rule: CallRule = field(factory=CallRule)
    size: float = 1.0
    latency: Latency = Latency.PREVIOUS
    limits: RiskLimits | None = None
    strategy: Strategy | None = None  # instead of the rule

    @property
    def bounds(self) -> RiskLimits:
        """The limits in force."""
        return self.limits or research_limits(self.coin.underlying, self.size)


def by_kernel(setup: Setup) -> StyleResult:
    """What the fast simulator says."""
    account = CallAccount(
        deposit_coin=setup.size, order_size=setup.size, latency=setup.latency.snapshots
    )
    columns = setup.coin.columns(setup.bounds)
    return style_result(run_calls(columns, setup.rule, account, setup.bounds), setup.rule)


async def by_tick(
    setup: Setup, resumed: Checkpoint | None = None, ticks: int | None = None
) -> Outcome:
    """What the agent's tick says, from *resumed* on and for at most so many *ticks*."""
    left = [ticks]

    async def proceed() -> bool:
        if left[0] is None:
            return True
        left[0] -= 1
        return left[0] >= 0

    course = await course_of(setup, resumed)
    return await run_backtest(evolve(course, proceed=proceed), resumed)


async def course_of(setup: Setup, resumed: Checkpoint | None = None) -> Course:
    """A desk in a world of memory over the prepared past."""
    coin = setup.coin.underlying
    instants = setup.coin.instants
    clock = ReplayClock(instants, resumed.at if resumed else instants[0])
    market = PreparedMarket(setup.coin, clock)
    log = MemoryVenueLog(list(resumed.venue) if resumed else [])
    venue = await SimulatedVenue.opened(
        market=market,
        history=market,
        clock=clock,
        log=log,
        deposits=(Deposit(coin, setup.size),),
    )
    world = World(
        environment=_ENVIRONMENT,
        market=market,
        history=market,
        trading=venue,
        clock=clock,
        log=FleetingDecisionLog(),
        positions=MemoryPositionStore(_ENVIRONMENT),
        controls=MemoryControlStore(),
    )
    ledger = ledger_of(resumed)
    strategy = setup.strategy or RuledCalls(STRATEGY_ID, setup.rule, {coin: setup.size})
    desk = Desk(
        world=world,
        keeper=keeper_of(world, ledger, resumed),
        strategies=(DelayedStrategy(strategy, setup.latency),),
        params=DeskParams(underlyings=(coin,), seed=1, limits=setup.bounds, orders=OrderParams()),
    )

    async def proceed() -> bool:
        return True

    return Course(
        desk=desk,
        ledger=ledger,
        underlying=coin,
        exit_style=setup.rule.exits.style,
        instants=instants,
        venue=log,
        proceed=proceed,
    )


def facts_of(trade: BacktestTrade) -> tuple[object, ...]:
    """What two engines must say alike of a trade, figures aside."""
    return (
        trade.number,
        trade.chain,
        trade.contract,
        trade.opened_at,
        trade.closed_at,
        trade.entry_reason,
        trade.exit_reason,
        trade.settlement,
        trade.settlement_error_usd,
    )


_FIGURES = (
    "amount",
    "entry_coin",
    "exit_coin",
    "entry_index_usd",
    "exit_index_usd",
    "entry_mark_coin",
    "exit_mark_coin",
    "entry_delta",
    "entry_iv",
    "entry_dte",
    "entry_forward_usd",
    "fees_coin",
    "pnl_coin",
    "favorable_coin",
    "adverse_coin",
    "margin_coin",
)


def furthest(ours: Sequence[BacktestTrade], theirs: Sequence[BacktestTrade]) -> float:
    """The largest difference of any figure in coin of trades that are otherwise the same."""
    differences = [
        abs(getattr(one, name) - getattr(other, name))
        for one, other in zip(ours, theirs, strict=True)
        for name in _FIGURES
    ]
    return max(differences, default=0.0)
