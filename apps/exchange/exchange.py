"""The exchange itself: market, venue, books, sessions and credits, behind the wire."""

from asyncio import Lock
from datetime import datetime, timedelta
from math import isfinite

from attrs import define, field, frozen

from apps.exchange.frames import Frame, Frames
from apps.exchange.ledger import CoinLedger, Ledger, OrderRecord, Seen
from apps.exchange.limits import Allowance, Cost, Meter
from apps.exchange.protection import Protection
from apps.exchange.rpc import RpcError
from apps.exchange.sessions import Credentials, Sessions
from apps.wiring.exchange import ExchangeWorld
from core.risk.margin import MarginRates
from core.simulation.matching import Moment
from core.simulation.perpetual import perpetual_quote
from core.simulation.settling import last_settlement
from core.simulation.venue import SimulatedVenue, VenueParams
from ports.errors import Refused, Unavailable
from ports.history import DeliveryPrice
from ports.instruments import Contract, FutureContract
from ports.trading import Order, OrderState
from ports.venue_log import TimeInForce, TriggerOrder, VenueStep

ACCOUNT_ID = 1
ACCOUNT_NAME = "paper"
_DAY = timedelta(days=1)


@frozen(kw_only=True)
class ExchangeParams:
    """How the exchange is run."""

    coins: tuple[str, ...]
    credentials: Credentials
    token_lifetime_s: int = 900
    frame: timedelta = timedelta(milliseconds=100)  # the market is looked at this often
    allowed: dict[Cost, Allowance] | None = None  # None: as much as one can
    can_be_stepped: bool = False
    market: str = ""  # which one is shown, in words


@define(eq=False, kw_only=True, repr=False)
class Exchange:
    """
    One account on a simulated venue, with all that the venue does not keep itself.

    *waiting_turn* is held by whoever changes, cancels or places an order that waits: it is never
    cancelled and placed at once.
    """

    params: ExchangeParams
    world: ExchangeWorld
    frames: Frames
    venue: SimulatedVenue
    ledger: Ledger
    sessions: Sessions
    meter: Meter
    _settled: dict[str, "_Settled"] = field(factory=dict, init=False)
    _deliveries: dict[tuple[str, datetime], DeliveryPrice] = field(factory=dict, init=False)
    self_trading_mode: str = field(default="reject_taker", init=False)
    protections: dict[str, Protection] = field(factory=dict, init=False)  # by coin
    cancels_on_disconnect: bool = field(default=False, init=False)  # of every new websocket
    waiting_turn: Lock = field(factory=Lock, init=False)

    @classmethod
    async def opened(cls, params: ExchangeParams, world: ExchangeWorld) -> "Exchange":
        """
        Return the exchange that the log of *world* remembers; a new one has its deposits.

        Raises:
            StoreDamaged: The log cannot be read.
        """
        frames = Frames(market=world.market, clock=world.clock, step=params.frame)
        ledger = Ledger(log=world.log, look=lambda contract: _seen(frames, contract))
        await ledger.recall()
        venue = await SimulatedVenue.opened(
            market=frames,
            history=world.history,
            clock=world.clock,
            log=ledger,
            deposits=world.deposits,
            params=VenueParams(),
        )
        return cls(
            params=params,
            world=world,
            frames=frames,
            venue=venue,
            ledger=ledger,
            sessions=Sessions(credentials=params.credentials, lifetime_s=params.token_lifetime_s),
            meter=Meter(params.allowed),
        )

    @property
    def now(self) -> datetime:
        """The exchange's time."""
        return self.world.clock.now()

    @property
    def now_us(self) -> int:
        """The exchange's time in microseconds from 1970."""
        return round(self.now.timestamp() * 1_000_000)

    @property
    def now_s(self) -> float:
        """The exchange's time in seconds from 1970."""
        return self.now.timestamp()

    @property
    def rates(self) -> MarginRates:
        """The margin in force."""
        return self.venue.params.margin

    async def frame(self, coin: str) -> Frame:
        """
        Return what is shown of *coin* now.

        Raises:
            RpcError: 13020, it is not traded here.

            Unavailable: The market does not answer.
        """
        if coin not in self.params.coins:
            raise RpcError(13020, "not_found")
        return await self.frames.frame(coin)

    async def frame_of(self, contract: Contract) -> Frame:
        """
        Return the frame that shows *contract*, with all that the market can tell of it.

        Raises:
            RpcError: 13020, its coin is not traded here.

            Unavailable: The market does not answer.
        """
        watch, frame = self.world.watch, await self.frame(contract.underlying)
        if watch is None or isinstance(contract, FutureContract):
            return frame
        if contract.symbol not in frame.listing.row_of or not watch.add(contract):
            return frame
        self.frames.forget(contract.underlying)
        return await self.frame(contract.underlying)

    async def moment(self, coin: str) -> Moment:
        """
        Return market and account of *coin*, after all that was due has happened.

        Raises:
            RpcError: 13020, it is not traded here.

            Unavailable: The market does not answer.
        """
        if coin not in self.params.coins:
            raise RpcError(13020, "not_found")
        return await self.venue.moment(coin)

    def books(self, coin: str) -> CoinLedger:
        """What happened in *coin*; nothing if nothing did."""
        return self.ledger.coins[coin] if coin in self.ledger.coins else CoinLedger()

    async def catch_up(self) -> None:
        """Let everything happen that is due by now: fills and deliveries."""
        for coin in self.params.coins:
            await self.venue.moment(coin)

    async def end_day(self) -> None:
        """Cancel what was good until the end of the day that has ended."""
        for coin in self.params.coins:
            for record in self.working_records(coin):
                is_daily = record.terms.time_in_force is TimeInForce.GOOD_TIL_DAY
                if is_daily and record.order.created_at < self.last_settlement:
                    await self.cancelled_if_open(record, "settlement")

    async def cancelled(self, record: OrderRecord, reason: str) -> OrderRecord:
        """
        Cancel the order of *record* for *reason* and return how it then stands.

        Raises:
            Refused: It is not there, or not open any more.

            Unavailable: The market does not answer.
        """
        if record.trigger is None:
            return self.record_of(await self.venue.cancel_for(record.order, reason))
        async with self.waiting_turn:
            waiting = self.armed_one(record.order)
            if waiting is None:
                raise Refused(10010, "already_closed")
            ended = waiting.ended(OrderState.CANCELLED)
            await self.ledger.append(VenueStep(at=self.now, triggers=(ended,), reason=reason))
            return self.record_of(ended.order)

    async def cancelled_if_open(self, record: OrderRecord, reason: str) -> int:
        """Cancel as `cancelled` and return 1; 0 where it was filled or closed in between."""
        try:
            await self.cancelled(record, reason)
        except Refused:
            return 0
        return 1

    async def fill_working(self) -> None:
        """
        Let every working order trade to its end at its own price.

        Raises:
            Unavailable: The market does not answer.
        """
        for coin in self.params.coins:
            for orders in tuple(self.books(coin).working.values()):
                for order in tuple(orders.values()):
                    await self.venue.hit(order)

    def record_of(self, order: Order) -> OrderRecord:
        """The newest record of *order*."""
        return self.books(order.contract.underlying).orders[order.order_id]

    @property
    def last_settlement(self) -> datetime:
        """The last 08:00."""
        return last_settlement(self.now)

    async def funding(self, coin: str, start: datetime, end: datetime) -> float:
        """
        Return what the perpetual's funding came to between two instants; see History.

        Raises:
            Unavailable: The history does not answer.
        """
        return await self.world.history.funding(coin, start, end)

    def armed(self, coin: str) -> list[TriggerOrder]:
        """The orders in *coin* that wait for their price, oldest first."""
        return list(self.books(coin).armed.values())

    def armed_one(self, order: Order) -> TriggerOrder | None:
        """How *order* waits now; None if it does not, or not any more."""
        return self.books(order.contract.underlying).armed.get(order.order_id)

    def working_records(self, coin: str) -> list[OrderRecord]:
        """The orders in *coin* that work, oldest first of each contract."""
        working = self.books(coin).working.values()
        return [self.record_of(order) for orders in working for order in tuple(orders.values())]

    async def settlement_marks(self, coin: str) -> dict[str, float]:
        """The marks at the last 08:00 by name; empty where nobody knows them."""
        at = last_settlement(self.now)
        known = self._settled.get(coin)
        if known is None or known.at != at:
            known = self._settled[coin] = await self._settlement(coin, at)
        return known.marks

    async def settlement_index(self, coin: str) -> float | None:
        """The index of *coin* at the last 08:00; None where nobody knows it."""
        await self.settlement_marks(coin)
        return self._settled[coin].index_usd

    async def delivery_price(self, coin: str, expiry: datetime) -> DeliveryPrice | None:
        """
        Return what *expiry* was delivered at; None if it is not known.

        Raises:
            Unavailable: The history does not answer.
        """
        if (coin, expiry) not in self._deliveries:
            price = await self.world.history.delivery_price(coin, expiry)
            if price is None:
                return None
            self._deliveries[coin, expiry] = price
        return self._deliveries[coin, expiry]

    async def deliveries(self, coin: str) -> list[tuple[datetime, DeliveryPrice]]:
        """The delivery prices of the last days, newest first, as far back as they are known."""
        newest = last_settlement(self.now)
        found = []
        for back in range(self.world.delivered_days):
            price = await self.delivery_price(coin, newest - back * _DAY)
            if price is None and back > 0:
                break
            if price is not None:
                found.append((newest - back * _DAY, price))
        return found

    async def _settlement(self, coin: str, at: datetime) -> "_Settled":
        try:
            snapshot = await self.world.past.snapshot(coin, at)
        except Unavailable:
            return _Settled(at, None, {})
        marks = zip(snapshot.chain.contracts, snapshot.chain.mark.tolist(), strict=True)
        return _Settled(at, snapshot.index_usd, {contract.symbol: mark for contract, mark in marks})


@frozen(eq=False)
class _Settled:
    at: datetime
    index_usd: float | None
    marks: dict[str, float]


def _seen(frames: Frames, contract: Contract) -> Seen | None:
    try:
        frame = frames.shown(contract.underlying)
    except Unavailable:
        return None
    if isinstance(contract, FutureContract):
        return Seen(mark=perpetual_quote(frame.snapshot).mark, forward=frame.index_usd)
    row = frame.listing.row_of.get(contract.symbol)
    if row is None or not isfinite(frame.mark[row]):
        return None
    iv = frame.mark_iv[row]
    return Seen(mark=frame.mark[row], forward=frame.forward[row], iv=iv if isfinite(iv) else None)
