"""What outlives a process: the exchange with its market, the stores, and what will happen."""

import asyncio
from datetime import datetime, timedelta
from functools import partial

import httpx
import numpy as np
from attrs import define, field, frozen
from pydantic import SecretStr

from adapters.deribit.auth import Credentials, Tokens
from adapters.deribit.client import DeribitClient, RetryParams
from adapters.deribit.history import DeribitHistory
from adapters.deribit.market_data import DeribitMarketData
from adapters.deribit.throttle import Throttle
from adapters.deribit.trading import DeribitTrading
from adapters.memory.controls import MemoryControlStore
from adapters.memory.positions import MemoryPositionStore
from adapters.memory.venue_log import MemoryVenueLog
from apps.exchange.door import Door
from apps.exchange.exchange import Exchange, ExchangeParams
from apps.exchange.faults.carrying import Waits
from apps.exchange.faults.kinds import Fault
from apps.exchange.faults.runtime import Faults
from apps.exchange.faults.world import faulty_world
from apps.exchange.hub import Hub
from apps.exchange.limits import allowances
from apps.exchange.sessions import Credentials as Key
from apps.wiring.exchange import ExchangeWorld
from ports.history import History
from ports.market_data import MarketData, MarketSnapshot
from ports.trading import Trading
from ports.venue_log import Deposit
from tests.support.by_hand import Hand
from tests.support.events import Event
from tests.support.markets import NOW
from tests.support.plans import CALM_TICKS, Plan
from tests.support.troubles import RECORDS, REQUESTS, Kind, Mishap
from tests.support.virtual import Action, Agenda, AgentClock, TrueClock, pause
from tests.support.walking import WalkingMarket
from tests.support.watched import MortalLog, WatchedControls, WatchedVenueLog
from tests.support.wire import Wire, WireRpc, WireTransport

ENVIRONMENT = "simulation"
_KEY = Key(client_id="simulated", client_secret="simulated-secret")  # noqa: S106
_TOKEN_LASTS_S = 36_000
_NO_FALL_PCT = 1e-9
_FRAME = timedelta(seconds=2)  # the exchange looks at its market, which moves every ten
_PATIENCE_S = 5.0  # of a client, for an answer
_LOOKED_AT = 0.02  # of the time to the next tick: the venue's market moves on without us
_UNSET_AFTER = timedelta(minutes=20)  # a clock that was set is put right
_RETRIES = RetryParams(jitter_s=0.0)  # a life is the same every time


@frozen(eq=False)
class Venue:
    """The venue as one process has it: its own connections, tokens and throttle."""

    market: MarketData
    history: History
    trading: Trading


@define(eq=False, kw_only=True)
class Stage:
    """Everything round the agent."""

    plan: Plan
    ticks: tuple[datetime, ...]
    true: TrueClock
    clock: AgentClock
    exchange: Exchange
    faults: Faults
    wire: Wire
    hand: Hand
    log: MortalLog
    controls: WatchedControls
    snapshots: MemoryPositionStore
    history: list[Event]
    agenda: Agenda
    stop: asyncio.Event = field(factory=asyncio.Event)  # of the process that runs

    @classmethod
    async def set_up(cls, plan: Plan) -> "Stage":
        """The stage of *plan*, with everything that will happen on it."""
        history: list[Event] = []
        ticks, true = plan.ticks, TrueClock(NOW)
        faults = Faults(true)
        exchange = await _exchange(plan, true, faults, history)
        door = Door(hub=Hub(exchange), faults=faults)
        agenda = Agenda()
        waits = Waits(wait=pause, patience_s=_PATIENCE_S, later=agenda.add)
        stage = cls(
            plan=plan,
            ticks=ticks,
            true=true,
            clock=AgentClock(true, ticks, plan.misses),
            exchange=exchange,
            faults=faults,
            wire=Wire(door=door, waits=waits, clock=true, history=history),
            hand=Hand(exchange),
            log=MortalLog(history),
            controls=WatchedControls(MemoryControlStore(), history),
            snapshots=MemoryPositionStore(ENVIRONMENT),
            history=history,
            agenda=agenda,
        )
        stage._schedule()
        return stage

    @property
    def secrets(self) -> frozenset[str]:
        """All that must be told to nobody."""
        return frozenset({_KEY.client_secret, *self.wire.secrets})

    def connected(self) -> Venue:
        """New connections, as a process makes them when it starts."""
        throttle = Throttle(now_s=asyncio.get_running_loop().time)
        http = httpx.AsyncClient(transport=WireTransport(self.wire), base_url="http://venue")
        credentials = Credentials(
            _KEY.client_id, SecretStr(_KEY.client_secret), access="account:read trade:read_write"
        )
        client = DeribitClient.over_http(
            http, credentials, is_testnet=True, throttle=throttle, retries=_RETRIES
        )
        if not self.plan.is_over_http:
            rpc = WireRpc(self.wire, http)
            client.rpc = rpc
            client.access = Tokens(rpc=rpc, credentials=credentials, now_s=throttle.now_s)
        return Venue(
            market=DeribitMarketData(client=client),
            history=DeribitHistory(client),
            trading=DeribitTrading(client=client),
        )

    def restart_at(self, patience: timedelta) -> datetime:
        """When somebody starts the process again: soon, and at the next tick at the latest."""
        now = self.true.now()
        return min([now + patience, *(tick for tick in self.ticks if tick > now)])

    def at(self, instant: datetime, action: Action) -> None:
        """Let *action* happen at *instant*."""
        self.agenda.add((instant - self.true.now()).total_seconds(), action)

    def _schedule(self) -> None:
        """Troubles in their time, and a venue that lives on while nobody asks it anything."""
        for trouble in self.plan.troubles:
            if isinstance(trouble, Fault) and trouble.starts_at is not None:
                self.at(trouble.starts_at, partial(self._arm, trouble))
            elif isinstance(trouble, Mishap):
                due_at = self.ticks[trouble.tick] + trouble.after
                self.at(due_at, partial(self._happen, trouble))
        self.at(self.ticks[-CALM_TICKS], self._calm)
        for tick, gap in zip(self.ticks, self.plan.gaps, strict=True):
            self.at(tick + gap * _LOOKED_AT, self.exchange.catch_up)

    async def _arm(self, fault: Fault) -> None:
        self.faults.arm(fault)

    async def _happen(self, mishap: Mishap) -> None:
        now = self.true.now()
        if mishap.kind in RECORDS:
            self.log.arm(mishap)
        elif mishap.kind in REQUESTS:
            self.wire.arm(mishap)
        elif mishap.kind is Kind.STOPPED:
            self.stop.set()
        elif mishap.kind is Kind.CLOCK_SET:
            self.clock.set_ahead(mishap.span)
            self.at(now + _UNSET_AFTER, self._put_clock_right)
        elif mishap.kind is Kind.TRADED_BY_HAND:
            await self.hand.trade()
            self.at(now + mishap.span, self._take_back)
        elif mishap.kind is Kind.ORDERED_BY_HAND:
            await self.hand.order()
            self.at(now + mishap.span, self._take_back)
        else:
            await self._kill(mishap.kind)
            self.at(now + mishap.span, self._release)

    async def _kill(self, kind: Kind) -> None:
        if kind is Kind.KILLED_BY_FILE:
            await self.controls.kill_by_file()
            return
        changes: dict[str, object] = {"kill_switch": True}
        if kind is Kind.KILLED_BY_DRAWDOWN:
            changes = {"daily_drawdown_limit_pct": _NO_FALL_PCT}
        await self.controls.change(self.clock.now(), "person", "simulated", changes)

    async def _release(self) -> None:
        """A person takes kill switch and halt back, and bears what equity does."""
        changes: dict[str, object] = {"kill_switch": False, "daily_drawdown_limit_pct": None}
        await self.controls.change(self.clock.now(), "person", "calm", changes)

    async def _put_clock_right(self) -> None:
        self.clock.set_ahead(timedelta(0))

    async def _take_back(self) -> None:
        """A person undoes what was done by hand, and releases the halt that came of it."""
        await self.hand.take_back()
        await self._release()

    async def _calm(self) -> None:
        """From here on nothing goes wrong."""
        self.log.mishaps.clear()
        self.wire.mishaps.clear()
        self.faults.calm()
        await self._put_clock_right()
        await self._take_back()


async def _exchange(plan: Plan, true: TrueClock, faults: Faults, history: list[Event]) -> Exchange:
    length = plan.ticks[-1] - NOW + timedelta(days=3)
    market = WalkingMarket.drawn(true, NOW, length, np.random.default_rng(plan.seed))
    world = ExchangeWorld(
        clock=true,
        market=market,
        history=market,
        past=_Past(market),
        log=WatchedVenueLog(MemoryVenueLog(), history),
        deposits=(Deposit("BTC", 1.6),),
    )
    params = ExchangeParams(
        coins=("BTC",),
        credentials=_KEY,
        token_lifetime_s=_TOKEN_LASTS_S,
        allowed=allowances(tier=4),
        frame=_FRAME,
    )
    return await Exchange.opened(params, faulty_world(world, faults))


@frozen(eq=False)
class _Past:
    market: WalkingMarket

    async def snapshot(self, underlying: str, at: datetime) -> MarketSnapshot:
        """See PastMarket."""
        return await self.market.past(underlying, at)
