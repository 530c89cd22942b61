"""The exchange itself: market, venue, books, sessions and credits, behind the wire."""

from datetime import datetime, timedelta
from math import isfinite

from attrs import define, field, frozen

from apps.exchange.frames import Frame, Frames
from apps.exchange.ledger import CoinLedger, Ledger, OrderRecord, Seen
from apps.exchange.limits import Allowance, Cost, Meter
from apps.exchange.rpc import RpcError
from apps.exchange.sessions import Credentials, Sessions
from apps.wiring.exchange import ExchangeWorld
from core.risk.margin import MarginRates
from core.simulation.matching import Moment, TimeInForce
from core.simulation.venue import SimulatedVenue, VenueParams
from ports.errors import Refused, Unavailable
from ports.history import DeliveryPrice
from ports.instruments import OptionContract
from ports.trading import Order

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
    """One account on a simulated venue, with all that the venue does not keep itself."""

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
    cancels_on_disconnect: bool = field(default=False, init=False)  # of every new websocket

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

    async def frame_of(self, contract: OptionContract) -> Frame:
        """
        Return the frame that shows *contract*, with all that the market can tell of it.

        Raises:
            RpcError: 13020, its coin is not traded here.

            Unavailable: The market does not answer.
        """
        watch, frame = self.world.watch, await self.frame(contract.underlying)
        if watch is None or contract.symbol not in frame.listing.row_of or not watch.add(contract):
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

    async def go_on(self, since: datetime) -> None:
        """Let everything happen that was due after *since*: fills, deliveries, the end of days."""
        await self.catch_up()
        if last_settlement(self.now) > since:
            await self._end_day()

    async def cancelled(self, record: OrderRecord, reason: str) -> OrderRecord:
        """
        Cancel the order of *record* for *reason* and return how it then stands.

        Raises:
            Refused: It is not there, or not open any more.

            Unavailable: The market does not answer.
        """
        self.ledger.cancel_reason = reason
        try:
            order = await self.venue.cancel(record.order)
        finally:
            self.ledger.cancel_reason = "user_request"
        return self.record_of(order)

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

    async def _end_day(self) -> None:
        for coin in self.params.coins:
            for orders in tuple(self.books(coin).working.values()):
                for order in tuple(orders.values()):
                    await self._end_of_day(order)

    async def _end_of_day(self, order: Order) -> None:
        until = last_settlement(self.now)
        is_daily = self.ledger.terms_of(order).time_in_force is TimeInForce.GOOD_TIL_DAY
        if is_daily and order.created_at < until:
            await self.cancelled_if_open(self.record_of(order), "settlement")


@frozen(eq=False)
class _Settled:
    at: datetime
    index_usd: float | None
    marks: dict[str, float]


def last_settlement(now: datetime) -> datetime:
    """The last 08:00 UTC at *now* or before."""
    today = now.replace(hour=8, minute=0, second=0, microsecond=0)
    return today if today <= now else today - _DAY


def _seen(frames: Frames, contract: OptionContract) -> Seen | None:
    try:
        frame = frames.shown(contract.underlying)
    except Unavailable:
        return None
    row = frame.listing.row_of.get(contract.symbol)
    if row is None or not isfinite(frame.mark[row]):
        return None
    iv = frame.mark_iv[row]
    return Seen(mark=frame.mark[row], forward=frame.forward[row], iv=iv if isfinite(iv) else None)
