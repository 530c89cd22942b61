"""What a simulated venue knows: the fold of its log, an account a coin."""

from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile

from attrs import define, field, frozen

from core.simulation.exact import exact_sum
from core.simulation.future_holding import FutureHolding
from ports.instruments import Contract, FutureContract, OptionContract
from ports.trading import Delivery, Fill, Order, Side
from ports.venue_log import Funding, FutureSettlement, VenueLog, VenueStep


@frozen
class Holding:
    """Options held, negative short, and what they were entered at on average."""

    size: float = 0.0
    average_price: float = 0.0  # coin per contract

    def after(self, fill: Fill) -> "Holding":
        """The holding once *fill* is in it: an entry moves the average, an exit does not."""
        change = fill.side.sign * fill.amount
        size = exact_sum(self.size, change)
        if self.size * change >= 0:
            cost = self.average_price * self.size + fill.price * change
            return Holding(size, cost / size)
        turned = size * self.size < 0
        return Holding(size, fill.price if turned else self.average_price)


@define
class CoinAccount:
    """One coin's account at the venue. Fills and deliveries stand in the order they happened."""

    balance_coin: float = 0.0
    holdings: dict[OptionContract, Holding] = field(factory=dict)
    futures: dict[FutureContract, FutureHolding] = field(factory=dict)
    orders: dict[str, Order] = field(factory=dict)  # by order_id, oldest first
    working: dict[str, Order] = field(factory=dict)  # those of them that are working
    fills: list[Fill] = field(factory=list)
    deliveries: list[Delivery] = field(factory=list)

    def size_of(self, contract: Contract) -> float:
        """Contracts, or USD of a future, held, negative short; zero if none."""
        if isinstance(contract, FutureContract):
            future = self.futures.get(contract)
            return 0.0 if future is None else future.size_usd
        return self.holdings.get(contract, Holding()).size

    def fills_since(self, since: datetime) -> Iterator[Fill]:
        """The fills at *since* or later, newest first."""
        return takewhile(lambda fill: fill.at >= since, reversed(self.fills))

    def working_on(self, contract: Contract, side: Side) -> tuple[Order, ...]:
        """The working orders on one side of *contract*, oldest first."""
        return tuple(
            order
            for order in self.working.values()
            if order.contract == contract and order.side is side
        )

    def put(self, order: Order) -> None:
        """Replace what was known of *order*."""
        self.orders[order.order_id] = order
        if order.state.is_working:
            self.working[order.order_id] = order
        else:
            self.working.pop(order.order_id, None)

    def book(self, fill: Fill) -> None:
        """Move the coin and the contracts of *fill*: a future moves only its fee."""
        self.fills.append(fill)
        self.balance_coin -= fill.fee_coin
        if isinstance(fill.contract, FutureContract):
            held = self.futures.get(fill.contract)
            held = held or FutureHolding(contract=fill.contract, funded_at=fill.at)
            self.futures[fill.contract] = held.after(fill)
            return
        self.balance_coin -= fill.side.sign * fill.price * fill.amount
        self._hold(fill.contract, self.holdings.get(fill.contract, Holding()).after(fill))

    def fund(self, funding: Funding) -> None:
        """Count *funding* in the session of its future."""
        self.futures[funding.contract] = self.futures[funding.contract].funded(funding)

    def settle(self, settlement: FutureSettlement) -> None:
        """Move the session's profit to the balance; what is not held any more is forgotten."""
        after = self.futures[settlement.contract].settled(settlement)
        self.balance_coin += settlement.profit_coin
        if after.size_usd:
            self.futures[settlement.contract] = after
        else:
            del self.futures[settlement.contract]

    def deliver(self, delivery: Delivery) -> None:
        """End the holding that *delivery* settles."""
        self.deliveries.append(delivery)
        self.balance_coin += delivery.cash_coin - delivery.fee_coin
        self._hold(delivery.contract, Holding())

    def _hold(self, contract: OptionContract, holding: Holding) -> None:
        if holding.size:
            self.holdings[contract] = holding
        else:
            self.holdings.pop(contract, None)


@define
class VenueState:
    """All accounts of a venue, by underlying."""

    accounts: dict[str, CoinAccount] = field(factory=dict)

    @classmethod
    async def folded(cls, log: VenueLog) -> "VenueState":
        """
        Return what the steps in *log* add up to.

        Raises:
            StoreDamaged: The log cannot be read.
        """
        state = cls()
        async for step in log.steps():
            state.take(step)
        return state

    def account(self, underlying: str) -> CoinAccount:
        """The account in *underlying*; an empty one if nothing ever happened in it."""
        return self.accounts.get(underlying, CoinAccount())

    def take(self, step: VenueStep) -> None:
        """Change as *step* says."""
        for deposit in step.deposits:
            self._open(deposit.underlying).balance_coin += deposit.amount_coin
        for order in step.orders:
            self._open(order.contract.underlying).put(order)
        for funding in step.fundings:
            self._open(funding.contract.underlying).fund(funding)
        for fill in step.fills:
            self._open(fill.contract.underlying).book(fill)
        for delivery in step.deliveries:
            self._open(delivery.contract.underlying).deliver(delivery)
        for settlement in step.settlements:
            self._open(settlement.contract.underlying).settle(settlement)

    def _open(self, underlying: str) -> CoinAccount:
        return self.accounts.setdefault(underlying, CoinAccount())
