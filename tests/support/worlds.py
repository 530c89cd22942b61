"""A whole agent in memory: a scripted market, every port, and a venue that errs on command."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto

import numpy as np
from attrs import define, evolve, field

from adapters.memory.clock import SteppedClock
from adapters.memory.controls import MemoryControlStore
from adapters.memory.decision_log import MemoryDecisionLog
from adapters.memory.positions import MemoryPositionStore
from adapters.memory.venue_log import MemoryVenueLog
from core.execution.intents import OrderParams
from core.risk.limits import RiskLimits
from core.simulation.perpetual import future_rules
from core.simulation.venue import SimulatedVenue
from core.strategies.base import Strategy
from core.strategies.covered_call import CoveredCall, CoveredCallParams
from core.usecases.bookkeeper import Bookkeeper
from core.usecases.desk import Desk, DeskParams
from ports.checks import epoch_ms
from ports.decision_log import DecisionLog, Entry, Record
from ports.errors import NeverSent, OutcomeUnknown, PortError, Refused, Unavailable
from ports.history import Candles, DeliveryPrice
from ports.market_data import MarketSnapshot
from ports.trading import Account, Activity, Fill, Order, OrderIntent, Placed, Trading
from ports.venue_log import Deposit
from ports.world import World
from tests.support.calls import ANYTHING
from tests.support.markets import NOW

FILTERS = evolve(
    ANYTHING, dte_min=3.0, dte_max=12.0, delta_min=0.1, delta_max=0.48, max_spread_pct=20.0
)
STRATEGY = CoveredCallParams(underlyings=("BTC",), order_size={"BTC": 0.5}, filters=FILTERS)
PARAMS = DeskParams(
    underlyings=("BTC",),
    seed=7,
    limits=RiskLimits(
        order_size={"BTC": 1.0},
        max_expiry_exposure=5.0,
        max_calls_per_underlying=3,
        max_spread_pct=20.0,
    ),
    orders=OrderParams(),
    future_rules={"BTC": future_rules("BTC")},
)


def quiet_past(until: datetime = NOW + timedelta(days=20), days: int = 80) -> Candles:
    """Hourly closes that go up and down by 0.4 %: a realised volatility of 0.37."""
    count = 24 * days
    close = 1e5 * np.exp(0.004 * (np.arange(count) % 2))
    unknown = np.full(count, np.nan)
    ends = epoch_ms(until) - 3_600_000 * np.arange(count)[::-1]
    return Candles("BTC", ends, unknown, unknown, unknown, close)


@define(eq=False)
class ScriptedMarket:
    """MarketData and History: what was shown by now, a told past and told deliveries."""

    clock: SteppedClock
    shown: Sequence[MarketSnapshot]  # oldest first
    deliveries: dict[datetime, DeliveryPrice] = field(factory=dict)
    past: Candles = field(factory=quiet_past)
    failure: PortError | None = None

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """See MarketData."""
        if self.failure is not None:
            raise self.failure
        now = self.clock.now()
        seen = [each for each in self.shown if each.taken_at <= now]
        if not seen or underlying != "BTC":
            raise Unavailable(f"no market in {underlying}")
        return seen[-1]

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """See History."""
        past, last_ms = self.past, epoch_ms(min(end, self.clock.now()))
        rows = (past.closed_at_ms > epoch_ms(start)) & (past.closed_at_ms <= last_ms)
        columns = (past.closed_at_ms, past.open, past.high, past.low, past.close)
        return Candles(underlying, *(column[rows] for column in columns))

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """See History; there is none."""
        return 0.0

    async def delivery_price(self, underlying: str, expiry: datetime) -> DeliveryPrice | None:
        """See History."""
        return self.deliveries.get(expiry) if self.clock.now() >= expiry else None


class Fault(Enum):
    """What goes wrong with a placement."""

    NOTHING = auto()
    NEVER_SENT = auto()
    REFUSED = auto()
    LOST_BEFORE = auto()  # no answer, and it never arrived
    LOST_AFTER = auto()  # no answer, but the venue took it
    LATE = auto()  # no answer, and it arrives after the first look-up
    AWAY = auto()  # another kind of silence
    OTHER_LABEL = auto()  # taken, and answered with another order's label
    OTHER_AMOUNT = auto()  # taken, and answered with another amount
    NO_TRADES = auto()  # taken, and answered without its trades


@define(eq=False)
class FaultyTrading:
    """Trading over a venue, with faults one placement after the other, and reads that fail."""

    venue: Trading
    faults: deque[Fault] = field(factory=deque)
    failing: dict[str, int] = field(factory=dict)  # reads by name: how many more fail
    requests: list[OrderIntent] = field(factory=list)  # every placement that was tried
    reads: list[str] = field(factory=list)
    late: list[OrderIntent] = field(factory=list)
    hides_trades: int = 0  # so many answers come without the trades
    doubles_trades: bool = False
    hides_orders: bool = False  # lists of orders lag, and show none
    before_place: Callable[[], Awaitable[None]] | None = None
    after_lookup: Callable[[], Awaitable[None]] | None = None

    async def account(self, underlying: str) -> Account:
        """See Trading."""
        self._read("account")
        return await self.venue.account(underlying)

    async def place(self, intent: OrderIntent) -> Placed:
        """See Trading, and Fault."""
        self.requests.append(intent)
        if self.before_place is not None:
            await self.before_place()
        fault = self.faults.popleft() if self.faults else Fault.NOTHING
        _before_acceptance(fault, intent)
        if fault is Fault.LATE:
            self.late.append(intent)
            raise OutcomeUnknown("no answer in time")
        placed = await self.venue.place(intent)
        if fault is Fault.LOST_AFTER:
            raise OutcomeUnknown("the connection was reset")
        return _misreported(fault, placed)

    async def cancel(self, order: Order) -> Order:
        """See Trading."""
        self._read("cancel")
        return await self.venue.cancel(order)

    async def open_orders(self, underlying: str) -> tuple[Order, ...]:
        """See Trading."""
        self._read("open_orders")
        return await self.venue.open_orders(underlying)

    async def orders_by_label(self, underlying: str, label: str) -> tuple[Order, ...]:
        """See Trading; what is late arrives once somebody has looked for it."""
        self._read("orders_by_label")
        found = await self.venue.orders_by_label(underlying, label)
        for intent in [each for each in self.late if each.label == label]:
            self.late.remove(intent)
            await self.venue.place(intent)
        if self.after_lookup is not None:
            await self.after_lookup()
        if self.hides_orders:
            return ()
        return found

    async def activity(self, underlying: str, since: datetime) -> Activity:
        """See Trading; trades may be hidden, or told twice and backwards."""
        self._read("activity")
        told = await self.venue.activity(underlying, since)
        fills: tuple[Fill, ...] = () if self.hides_trades > 0 else told.fills
        self.hides_trades -= 1
        return evolve(told, fills=fills[::-1] + fills if self.doubles_trades else fills)

    def _read(self, name: str) -> None:
        self.reads.append(name)
        if self.failing.get(name, 0) > 0:
            self.failing[name] -= 1
            raise Unavailable(f"{name}: no answer")


def _before_acceptance(fault: Fault, intent: OrderIntent) -> None:
    errors: dict[Fault, PortError] = {
        Fault.NEVER_SENT: NeverSent("connection refused"),
        Fault.REFUSED: Refused(10009, "not_enough_funds"),
        Fault.LOST_BEFORE: OutcomeUnknown(f"{intent.label}: no answer"),
        Fault.AWAY: Unavailable("no answer"),
    }
    if fault in errors:
        raise errors[fault]


def _misreported(fault: Fault, placed: Placed) -> Placed:
    if fault is Fault.OTHER_LABEL:
        return evolve(placed, order=evolve(placed.order, label="another"))
    if fault is Fault.OTHER_AMOUNT:
        return evolve(placed, order=evolve(placed.order, amount=9.9))
    return evolve(placed, fills=()) if fault is Fault.NO_TRADES else placed


class Crash(BaseException):
    """The process is gone: nothing catches it."""


@define(eq=False)
class CutLog:
    """A journal whose process dies at record *dies_at*, before or after that is written."""

    kept: MemoryDecisionLog
    dies_at: int
    is_written: bool
    count: int = 0

    async def append(self, entry: Entry) -> Record:
        """See DecisionLog."""
        self.count += 1
        if self.count < self.dies_at:
            return await self.kept.append(entry)
        if self.is_written:
            await self.kept.append(entry)
        raise Crash

    def records(self, after: int = 0) -> AsyncIterator[Record]:
        """See DecisionLog."""
        return self.kept.records(after)


@define(eq=False)
class Stage:
    """What outlives a process: the market's script, the venue's and our own memory."""

    shown: Sequence[MarketSnapshot]
    ticks: Sequence[datetime]
    deliveries: dict[datetime, DeliveryPrice] = field(factory=dict)
    params: DeskParams = PARAMS
    strategies: tuple[Strategy, ...] = (CoveredCall("covered_call_v1", STRATEGY),)
    venue_log: MemoryVenueLog = field(factory=MemoryVenueLog)
    journal: MemoryDecisionLog = field(factory=MemoryDecisionLog)
    snapshots: MemoryPositionStore = field(factory=lambda: MemoryPositionStore("test"))
    controls: MemoryControlStore = field(factory=MemoryControlStore)

    async def rig(
        self,
        log: DecisionLog | None = None,
        watch: Callable[[Entry], None] = lambda _: None,
        start: datetime | None = None,
    ) -> "Rig":
        """A process that takes up the book, at *start* or where the journal ends."""
        keeper = Bookkeeper(log or self.journal, self.snapshots, "test", watch)
        await keeper.recall(await self.snapshots.load())
        clock = SteppedClock(start or keeper.at or self.shown[0].taken_at, self.ticks)
        market = ScriptedMarket(clock, self.shown, self.deliveries)
        venue = await SimulatedVenue.opened(
            market=market,
            history=market,
            clock=clock,
            log=self.venue_log,
            deposits=(Deposit("BTC", 10.0),),
        )
        trading = FaultyTrading(venue)
        world = World(
            environment="test",
            market=market,
            history=market,
            trading=trading,
            clock=clock,
            log=log or self.journal,
            positions=self.snapshots,
            controls=self.controls,
        )
        desk = Desk(world=world, keeper=keeper, strategies=self.strategies, params=self.params)
        return Rig(desk, market, trading, clock, self)

    async def entries(self) -> list[Entry]:
        """The journal so far."""
        return [record.entry async for record in self.journal.records()]

    def venue_orders(self) -> list[Order]:
        """Every order that the venue ever took, as it first was."""
        first: dict[str, Order] = {}
        for step in self.venue_log.kept:
            for order in step.orders:
                first.setdefault(order.order_id, order)
        return list(first.values())


@define(eq=False)
class Rig:
    """A process with its world at hand."""

    desk: Desk
    market: ScriptedMarket
    trading: FaultyTrading
    clock: SteppedClock
    stage: Stage

    async def sizes(self) -> tuple[dict[str, float], dict[str, float]]:
        """What is held by symbol, futures in USD: by our book, and by the venue."""
        ours: dict[str, float] = {}
        for position in self.desk.keeper.book.open_positions():
            for leg in position.open_legs:
                symbol = leg.contract.symbol
                ours[symbol] = ours.get(symbol, 0.0) + leg.size
            if position.future is not None and position.future_usd != 0.0:
                symbol = position.future.contract.symbol
                ours[symbol] = ours.get(symbol, 0.0) + position.future_usd
        account = await self.trading.venue.account("BTC")
        theirs = {held.contract.symbol: held.size for held in account.positions}
        return ours, theirs | {
            held.contract.symbol: held.size_usd for held in account.futures if held.size_usd
        }

    async def later(self, **amounts: float) -> datetime:
        """Move on by *amounts*, the keywords of timedelta, and return the instant."""
        await self.clock.sleep_until(self.clock.now() + timedelta(**amounts))
        return self.clock.now()
