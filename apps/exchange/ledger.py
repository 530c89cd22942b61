"""What happened at the exchange, as its answers tell it: orders, trades, and the account's log."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from attrs import define, evolve, field, frozen

from core.simulation.matching import TimeInForce
from core.simulation.venue_state import Holding
from ports.instruments import OptionContract
from ports.trading import Delivery, Fill, Order, OrderState, Side
from ports.venue_log import Deposit, VenueLog, VenueStep


@frozen(kw_only=True)
class Terms:
    """What a client said of an order besides what the venue keeps; gone with the process."""

    order_type: str = "limit"
    time_in_force: TimeInForce = TimeInForce.GOOD_TIL_CANCELLED
    post_only: bool = False
    reject_post_only: bool = False
    mmp: bool = False
    connection: int | None = None  # the websocket it came by


@frozen(kw_only=True)
class Seen:
    """The market of a contract at a trade; None where the exchange was not looking."""

    mark: float
    forward: float
    iv: float | None


@frozen(kw_only=True)
class OrderRecord:
    """An order with its trades, and how it came to be as it is."""

    order: Order
    updated_at: datetime
    fills: tuple[Fill, ...] = ()
    is_replaced: bool = False
    cancel_reason: str | None = None

    @property
    def average_price(self) -> float:
        """Coin per contract over its trades; zero without any."""
        amount = sum(fill.amount for fill in self.fills)
        return sum(fill.price * fill.amount for fill in self.fills) / amount if amount else 0.0


@frozen(kw_only=True)
class TradeRecord:
    """A trade of ours, and what it did to the position."""

    fill: Fill
    seq: int  # of trades in the contract, from 1
    tick_direction: int
    profit_coin: float  # realised by what it closed
    position: float
    seen: Seen | None


@frozen(kw_only=True)
class LogEntry:
    """One line of the account's log: exactly one of deposit, trade and delivery is given."""

    number: int
    at: datetime
    change_coin: float
    balance_coin: float
    deposit: Deposit | None = None
    trade: TradeRecord | None = None
    delivery: Delivery | None = None


@define(eq=False)
class CoinLedger:
    """What happened in one coin, oldest first."""

    orders: dict[str, OrderRecord] = field(factory=dict)
    working: dict[OptionContract, dict[str, Order]] = field(factory=lambda: defaultdict(dict))
    trades: list[TradeRecord] = field(factory=list)
    traded: dict[OptionContract, list[TradeRecord]] = field(factory=lambda: defaultdict(list))
    deliveries: list[Delivery] = field(factory=list)
    entries: list[LogEntry] = field(factory=list)
    balance_coin: float = 0.0
    holdings: dict[OptionContract, Holding] = field(factory=dict)

    def last_trade(self, contract: OptionContract) -> TradeRecord | None:
        """The newest trade in *contract*."""
        return self.traded[contract][-1] if contract in self.traded else None

    def trades_since(self, contract: OptionContract, since: datetime) -> list[TradeRecord]:
        """The trades in *contract* at *since* or later, oldest first."""
        return [each for each in self.traded.get(contract, ()) if each.fill.at >= since]


@define(eq=False, kw_only=True)
class Ledger:
    """
    The venue's log, which remembers besides what was written to it.

    *look* tells the market of a contract at this moment, for trades that happen now.
    *watchers* hear of every step once it is in the books.
    """

    log: VenueLog
    look: Callable[[OptionContract], Seen | None]
    coins: dict[str, CoinLedger] = field(factory=lambda: defaultdict(CoinLedger), init=False)
    terms: dict[str, Terms] = field(factory=dict, init=False)
    watchers: list[Callable[[VenueStep], None]] = field(factory=list, init=False)
    cancel_reason: str = field(default="user_request", init=False)  # of cancels from now on
    _is_live: bool = field(default=False, init=False)

    async def recall(self) -> None:
        """
        Take in what the log holds; to be called once, before anything is appended.

        Raises:
            StoreDamaged: The log cannot be read.
        """
        async for step in self.log.steps():
            self._take(step)
        self._is_live = True

    async def append(self, step: VenueStep) -> None:
        """See VenueLog."""
        await self.log.append(step)
        self._take(step)
        for watcher in self.watchers:
            watcher(step)

    def steps(self) -> AsyncIterator[VenueStep]:
        """See VenueLog."""
        return self.log.steps()

    def terms_of(self, order: Order) -> Terms:
        """What was said of *order*; a plain limit order if that is no longer known."""
        return self.terms.get(order.order_id, Terms())

    def _take(self, step: VenueStep) -> None:
        for deposit in step.deposits:
            coin = self.coins[deposit.underlying]
            coin.balance_coin += deposit.amount_coin
            _enter(coin, step.at, deposit.amount_coin, deposit=deposit)
        for order in step.orders:
            self._put(order, step)
        for fill in step.fills:
            self._book(fill)
        for delivery in step.deliveries:
            coin = self.coins[delivery.contract.underlying]
            change = delivery.cash_coin - delivery.fee_coin
            coin.deliveries.append(delivery)
            coin.holdings.pop(delivery.contract, None)
            coin.balance_coin += change
            _enter(coin, delivery.at, change, delivery=delivery)

    def _put(self, order: Order, step: VenueStep) -> None:
        coin = self.coins[order.contract.underlying]
        before = coin.orders.get(order.order_id)
        new_fills = tuple(fill for fill in step.fills if fill.order_id == order.order_id)
        is_edited = before is not None and (
            (before.order.price, before.order.amount) != (order.price, order.amount)
        )
        coin.orders[order.order_id] = OrderRecord(
            order=order,
            updated_at=step.at,
            fills=(before.fills if before else ()) + new_fills,
            is_replaced=is_edited or (before is not None and before.is_replaced),
            cancel_reason=self._reason(order),
        )
        if order.state.is_working:
            coin.working[order.contract][order.order_id] = order
        else:
            coin.working[order.contract].pop(order.order_id, None)

    def _reason(self, order: Order) -> str | None:
        if order.state is OrderState.EXPIRED:
            return "settlement"
        return self.cancel_reason if order.state is OrderState.CANCELLED else None

    def _book(self, fill: Fill) -> None:
        coin = self.coins[fill.contract.underlying]
        held = coin.holdings.get(fill.contract, Holding())
        after = held.after(fill)
        last = coin.last_trade(fill.contract)
        trade = TradeRecord(
            fill=fill,
            seq=1 if last is None else last.seq + 1,
            tick_direction=_tick_direction(last, fill.price),
            profit_coin=_realised(held, fill),
            position=after.size,
            seen=self.look(fill.contract) if self._is_live else None,
        )
        coin.trades.append(trade)
        coin.traded[fill.contract].append(trade)
        if after.size:
            coin.holdings[fill.contract] = after
        else:
            coin.holdings.pop(fill.contract, None)
        change = -fill.side.sign * fill.price * fill.amount - fill.fee_coin
        coin.balance_coin += change
        _enter(coin, fill.at, change, trade=trade)


def _enter(
    coin: CoinLedger,
    at: datetime,
    change_coin: float,
    *,
    deposit: Deposit | None = None,
    trade: TradeRecord | None = None,
    delivery: Delivery | None = None,
) -> None:
    entry = LogEntry(
        number=len(coin.entries) + 1,
        at=at,
        change_coin=change_coin,
        balance_coin=coin.balance_coin,
    )
    coin.entries.append(evolve(entry, deposit=deposit, trade=trade, delivery=delivery))


def _tick_direction(last: TradeRecord | None, price: float) -> int:
    """0 plus, 1 zero-plus, 2 minus, 3 zero-minus."""
    if last is None or price > last.fill.price:
        return 0
    if price < last.fill.price:
        return 2
    return 1 if last.tick_direction in (0, 1) else 3


def _realised(held: Holding, fill: Fill) -> float:
    """What *fill* earns on the part of *held* that it closes, in coin before fees."""
    against = -fill.side.sign * held.size
    closed = min(fill.amount, max(against, 0.0))
    gain = (
        held.average_price - fill.price
        if fill.side is Side.BUY
        else (fill.price - held.average_price)
    )
    return closed * gain
