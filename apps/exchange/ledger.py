"""What happened at the exchange, as its answers tell it: orders, trades, and the account's log."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from attrs import define, field, frozen

from core.simulation.future_holding import FutureHolding
from core.simulation.venue_state import Holding
from ports.instruments import Contract, FutureContract, OptionContract
from ports.trading import Delivery, Fill, Order, OrderState, Side
from ports.venue_log import (
    Deposit,
    Funding,
    FutureSettlement,
    OrderTerms,
    TriggerOrder,
    VenueLog,
    VenueStep,
)


@frozen(kw_only=True)
class Seen:
    """The market of a contract at a trade; a future has no volatility."""

    mark: float
    forward: float
    iv: float | None = None


@frozen(kw_only=True)
class OrderRecord:
    """An order with its terms and trades, and how it came to be as it is."""

    order: Order
    terms: OrderTerms
    updated_at: datetime
    fills: tuple[Fill, ...] = ()
    is_replaced: bool = False
    cancel_reason: str | None = None
    trigger: TriggerOrder | None = None  # of an order that waits, or waited, outside the book

    @property
    def average_price(self) -> float:
        """The price over its trades, of futures by their coin; zero without any."""
        amount = sum(fill.amount for fill in self.fills)
        if not amount:
            return 0.0
        if isinstance(self.order.contract, FutureContract):
            return amount / sum(fill.amount / fill.price for fill in self.fills)
        return sum(fill.price * fill.amount for fill in self.fills) / amount


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
    """One line of the account's log: exactly one of the things it may be about is given."""

    number: int
    at: datetime
    change_coin: float
    balance_coin: float
    equity_coin: float | None  # None where the marks of that time are not known any more
    deposit: Deposit | None = None
    trade: TradeRecord | None = None
    delivery: Delivery | None = None
    settlement: FutureSettlement | None = None


@define(eq=False)
class CoinLedger:
    """What happened in one coin, oldest first."""

    orders: dict[str, OrderRecord] = field(factory=dict)
    working: dict[Contract, dict[str, Order]] = field(factory=lambda: defaultdict(dict))
    armed: dict[str, TriggerOrder] = field(factory=dict)  # those that wait, by order_id
    trades: list[TradeRecord] = field(factory=list)
    traded: dict[Contract, list[TradeRecord]] = field(factory=lambda: defaultdict(list))
    deliveries: list[Delivery] = field(factory=list)
    settlements: list[FutureSettlement] = field(factory=list)
    entries: list[LogEntry] = field(factory=list)
    balance_coin: float = 0.0
    holdings: dict[OptionContract, Holding] = field(factory=dict)
    futures: dict[FutureContract, FutureHolding] = field(factory=dict)

    def last_trade(self, contract: Contract) -> TradeRecord | None:
        """The newest trade in *contract*."""
        return self.traded[contract][-1] if contract in self.traded else None

    def trades_since(self, contract: Contract, since: datetime) -> list[TradeRecord]:
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
    look: Callable[[Contract], Seen | None]
    coins: dict[str, CoinLedger] = field(factory=lambda: defaultdict(CoinLedger), init=False)
    connections: dict[str, int] = field(factory=dict, init=False)  # websockets orders came by
    watchers: list[Callable[[VenueStep], None]] = field(factory=list, init=False)
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

    def _take(self, step: VenueStep) -> None:
        for deposit in step.deposits:
            coin = self.coins[deposit.underlying]
            coin.balance_coin += deposit.amount_coin
            self._enter(coin, step.at, deposit.amount_coin, deposit=deposit)
        for order in step.orders:
            self._put(order, step)
        for funding in step.fundings:
            self._fund(funding)
        for fill in step.fills:
            self._book(fill)
        for delivery in step.deliveries:
            coin = self.coins[delivery.contract.underlying]
            change = delivery.cash_coin - delivery.fee_coin
            coin.deliveries.append(delivery)
            coin.holdings.pop(delivery.contract, None)
            coin.balance_coin += change
            self._enter(coin, delivery.at, change, delivery=delivery)
        for settlement in step.settlements:
            self._settle(settlement)
        for waiting in step.triggers:
            self._wait(waiting, step)

    def _put(self, order: Order, step: VenueStep) -> None:
        coin = self.coins[order.contract.underlying]
        before = coin.orders.get(order.order_id)
        new_fills = tuple(fill for fill in step.fills if fill.order_id == order.order_id)
        is_edited = before is not None and (
            (before.order.price, before.order.amount) != (order.price, order.amount)
        )
        coin.orders[order.order_id] = OrderRecord(
            order=order,
            terms=step.terms.get(order.order_id, before.terms if before else OrderTerms()),
            updated_at=step.at,
            fills=(before.fills if before else ()) + new_fills,
            is_replaced=is_edited or (before is not None and before.is_replaced),
            cancel_reason=_reason(order, step),
        )
        if order.state.is_working:
            coin.working[order.contract][order.order_id] = order
        else:
            coin.working[order.contract].pop(order.order_id, None)

    def _wait(self, waiting: TriggerOrder, step: VenueStep) -> None:
        coin, order_id = self.coins[waiting.order.contract.underlying], waiting.order.order_id
        if waiting.order.state.is_working:
            coin.armed[order_id] = waiting
        else:
            coin.armed.pop(order_id, None)
        coin.orders[order_id] = OrderRecord(
            order=waiting.order,
            terms=waiting.terms,
            updated_at=step.at,
            cancel_reason=None if waiting.placed_id else _reason(waiting.order, step),
            trigger=waiting,
        )

    def _fund(self, funding: Funding) -> None:
        futures = self.coins[funding.contract.underlying].futures
        futures[funding.contract] = futures[funding.contract].funded(funding)

    def _settle(self, settlement: FutureSettlement) -> None:
        coin, contract = self.coins[settlement.contract.underlying], settlement.contract
        after = coin.futures[contract].settled(settlement)
        if after.size_usd:
            coin.futures[contract] = after
        else:
            del coin.futures[contract]
        coin.settlements.append(settlement)
        coin.balance_coin += settlement.profit_coin
        self._enter(coin, settlement.at, settlement.profit_coin, settlement=settlement)

    def _book(self, fill: Fill) -> None:
        coin = self.coins[fill.contract.underlying]
        last = coin.last_trade(fill.contract)
        held = _hold(coin, fill)
        trade = TradeRecord(
            fill=fill,
            seq=1 if last is None else last.seq + 1,
            tick_direction=_tick_direction(last, fill.price),
            profit_coin=held.profit_coin,
            position=held.size,
            seen=self.look(fill.contract) if self._is_live else None,
        )
        coin.trades.append(trade)
        coin.traded[fill.contract].append(trade)
        change = held.premium_coin - fill.fee_coin
        coin.balance_coin += change
        self._enter(coin, fill.at, change, trade=trade)

    def _enter(
        self,
        coin: CoinLedger,
        at: datetime,
        change_coin: float,
        *,
        deposit: Deposit | None = None,
        trade: TradeRecord | None = None,
        delivery: Delivery | None = None,
        settlement: FutureSettlement | None = None,
    ) -> None:
        entry = LogEntry(
            number=len(coin.entries) + 1,
            at=at,
            change_coin=change_coin,
            balance_coin=coin.balance_coin,
            equity_coin=self._equity_coin(coin),
            deposit=deposit,
            trade=trade,
            delivery=delivery,
            settlement=settlement,
        )
        coin.entries.append(entry)

    def _equity_coin(self, coin: CoinLedger) -> float | None:
        """The balance with what is held at the marks shown now; None where there is no mark."""
        contracts: tuple[Contract, ...] = (*coin.holdings, *coin.futures)
        equity_coin = coin.balance_coin
        for contract in contracts:
            seen = self.look(contract) if self._is_live else None
            if seen is None:
                return None
            if isinstance(contract, FutureContract):
                equity_coin += coin.futures[contract].profit_coin(seen.mark)
            else:
                equity_coin += coin.holdings[contract].size * seen.mark
        return equity_coin


@frozen
class _Held:
    """What a fill led to: the size then held, what it realised, and the premium it brought."""

    size: float
    profit_coin: float
    premium_coin: float


def _hold(coin: CoinLedger, fill: Fill) -> _Held:
    """Take *fill* into the holdings of *coin*."""
    contract = fill.contract
    if isinstance(contract, FutureContract):
        future = coin.futures.get(contract) or FutureHolding(contract=contract, funded_at=fill.at)
        coin.futures[contract] = future.after(fill)
        return _Held(coin.futures[contract].size_usd, future.realised_by(fill), 0.0)
    held = coin.holdings.get(contract, Holding())
    after = held.after(fill)
    if after.size:
        coin.holdings[contract] = after
    else:
        coin.holdings.pop(contract, None)
    premium_coin = -fill.side.sign * fill.price * fill.amount
    return _Held(after.size, _realised(held, fill), premium_coin)


def _reason(order: Order, step: VenueStep) -> str | None:
    if order.state is OrderState.EXPIRED:
        return "settlement"
    return step.reason or None if order.state is OrderState.CANCELLED else None


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
