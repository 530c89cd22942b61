"""A venue's books kept by hand in decimals: what the simulated venue is held against."""

from decimal import Decimal
from math import isnan

from attrs import define, field, frozen

from ports.instruments import OptionContract
from tests.support.markets import Listed


@define
class Resting:
    """An order in the ledger; *sign* is +1 for a buy, *number* its place in the sequence."""

    number: int
    contract: OptionContract
    sign: int
    price: Decimal
    left: Decimal
    reduce_only: bool


@frozen
class Shown:
    """One side of a quote: None where there is no price, and what is left of the amount."""

    price: Decimal | None
    left: Decimal


@define(eq=False)
class Ledger:
    """Cash, positions and resting orders, moved by the rules of the venue and nothing else."""

    cash: Decimal
    sizes: dict[OptionContract, Decimal] = field(factory=dict)
    resting: list[Resting] = field(factory=list)
    shown: dict[tuple[OptionContract, int], Shown] = field(factory=dict)
    placed: int = 0

    def size(self, contract: OptionContract) -> Decimal:
        """Contracts held, negative short."""
        return self.sizes.get(contract, Decimal(0))

    def show(self, rows: tuple[Listed, ...]) -> None:
        """Put up new quotes and let them trade through what rests."""
        for row in rows:
            self.shown[row.contract, -1] = _shown(row.bid, row.bid_amount)
            self.shown[row.contract, 1] = _shown(row.ask, row.ask_amount)
        self.meet()

    def meet(self) -> None:
        """Fill what the quotes are strictly beyond, dearest buy and cheapest sell first."""
        for order in sorted(self.resting, key=lambda each: -each.sign * each.price):
            if order.reduce_only and self._reducible(order.contract, order.sign) == 0:
                order.left = Decimal(0)
                continue
            quote = self.shown[order.contract, order.sign]
            if quote.price is not None and order.sign * (order.price - quote.price) > 0:
                self._trade(order, order.price)
        self.resting = [order for order in self.resting if order.left > 0]

    def refusal(self, order: Resting) -> int | None:
        """The code that a new *order* is refused with; None if it is taken."""
        if order.reduce_only and self._free_to_reduce(order) == 0:
            return 11030
        for other in self.resting:
            crosses = order.sign * (order.price - other.price) >= 0
            if (other.contract, other.sign) == (order.contract, -order.sign) and crosses:
                return 10003
        return None

    def place(self, order: Resting) -> None:
        """Take a new *order*: against the quote at the quote's price, the rest to rest."""
        self.placed += 1
        if order.reduce_only:
            order.left = min(order.left, self._free_to_reduce(order))
        quote = self.shown[order.contract, order.sign]
        if quote.price is not None and order.sign * (order.price - quote.price) >= 0:
            self._trade(order, quote.price)
        if order.left > 0:
            self.resting.append(order)

    def _trade(self, order: Resting, price: Decimal) -> None:
        side = order.contract, order.sign
        amount = min(order.left, self.shown[side].left)
        if order.reduce_only:
            amount = min(amount, self._reducible(*side))
        fee = min(Decimal("0.0003"), price / 8) * amount
        self.cash -= order.sign * price * amount + fee
        self.sizes[order.contract] = self.size(order.contract) + order.sign * amount
        self.shown[side] = Shown(self.shown[side].price, self.shown[side].left - amount)
        order.left -= amount

    def _reducible(self, contract: OptionContract, sign: int) -> Decimal:
        return max(Decimal(0), -sign * self.size(contract))

    def _free_to_reduce(self, order: Resting) -> Decimal:
        side = order.contract, order.sign
        waiting = [
            other.left
            for other in self.resting
            if other.reduce_only and (other.contract, other.sign) == side
        ]
        return max(Decimal(0), self._reducible(*side) - sum(waiting))


def _shown(price: float, amount: float) -> Shown:
    left = Decimal(0) if isnan(amount) else Decimal(repr(amount))
    return Shown(None if isnan(price) else Decimal(repr(price)), left)
