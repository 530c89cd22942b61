"""What the account is exposed to, and what it would be after an order: the state risk judges."""

from datetime import datetime, timedelta
from typing import Protocol

from attrs import evolve, frozen

from core.risk.limits import RiskLimits
from ports.controls import RuntimeControls
from ports.instruments import ContractRules, OptionContract
from ports.market_data import MarketSnapshot
from ports.positions import Book
from ports.trading import Account, Order, OrderIntent, Side


@frozen
class Holding:
    """
    Contracts of one kind, in lots, negative short, and what working orders may add.

    The venue's account and our book may be a moment apart: both are kept.
    """

    contract: OptionContract
    held: int = 0  # as the venue says
    booked: int = 0  # as our book says
    selling: int = 0  # working or unresolved sells that open
    covering: int = 0  # working or unresolved buys that only reduce

    @property
    def short(self) -> int:
        """Lots that are short or may become short, by whichever source says more."""
        return max(-self.held, -self.booked, 0) + self.selling


@frozen(kw_only=True)
class RiskState:
    """
    Everything a verdict depends on. *now* is the venue's time; *planned* are orders of the same
    batch that were approved before and count as working, *closed* those that count as filled.
    """

    now: datetime
    snapshot: MarketSnapshot
    account: Account
    book: Book
    controls: RuntimeControls
    limits: RiskLimits
    external: tuple[Order, ...] = ()  # working orders that are not ours
    environment_agrees: bool = True
    clock_skew: timedelta = timedelta(0)
    planned: tuple[OrderIntent, ...] = ()
    closed: tuple[OrderIntent, ...] = ()

    def with_working(self, intent: OrderIntent) -> "RiskState":
        """The state once *intent* works at the venue."""
        return evolve(self, planned=(*self.planned, intent))

    def with_filled(self, intent: OrderIntent) -> "RiskState":
        """The state once *intent* is filled."""
        return evolve(self, closed=(*self.closed, intent))


def holdings(state: RiskState) -> tuple[Holding, ...]:
    """
    Positions plus working, unresolved and planned orders of the state's underlying, by contract.

    Sizes that are no whole lots are rounded away from zero: never less risk than there is.
    """
    rules, found = state.snapshot.rules, dict[OptionContract, Holding]()

    def add(contract: OptionContract, **lots: int) -> None:
        if contract.underlying == state.snapshot.underlying:
            before = found.get(contract, Holding(contract))
            sums = {name: getattr(before, name) + more for name, more in lots.items()}
            found[contract] = evolve(before, **sums)

    for position in state.account.positions:
        add(position.contract, held=_away_from_zero(rules, position.size))
    for tracked in state.book.open_positions(state.snapshot.underlying):
        for leg in tracked.open_legs:
            add(leg.contract, booked=_away_from_zero(rules, leg.size))
    for intent in state.closed:
        change = intent.side.sign * rules.lots_up(intent.amount)
        add(intent.contract, held=change, booked=change)
    for record in state.book.working:
        _add_order(add, record.intent, rules.lots_up(record.working_amount))
    for order in state.external:
        _add_order(add, order, rules.lots_up(order.open_amount))
    for intent in state.planned:
        _add_order(add, intent, rules.lots_up(intent.amount))
    return tuple(found[contract] for contract in sorted(found))


def short_calls(state: RiskState) -> tuple[Holding, ...]:
    """The calls that are short or may become short."""
    return tuple(each for each in holdings(state) if each.contract.is_call and each.short > 0)


def coin_lots(state: RiskState) -> int:
    """
    Coin held, in lots of the option, rounded down.

    The balance is what pays a call that ends in the money: one coin covers one contract,
    whatever the price. Equity, which falls as a short call gains value, would count it twice.
    """
    return state.snapshot.rules.lots_down(max(state.account.balance_coin, 0.0))


def reduces(intent: OrderIntent, state: RiskState) -> bool:
    """Whether *intent* can only make an existing position smaller."""
    if not intent.reduce_only:
        return False
    holding = next(
        (each for each in holdings(state) if each.contract == intent.contract),
        Holding(intent.contract),
    )
    lots = state.snapshot.rules.lots_up(intent.amount)
    if intent.side is Side.BUY:
        return lots <= -holding.held - holding.covering
    return lots <= holding.held


class _Add(Protocol):
    def __call__(self, contract: OptionContract, **lots: int) -> None: ...


def _away_from_zero(rules: ContractRules, size: float) -> int:
    lots = rules.lots_up(abs(size))
    return lots if size > 0 else -lots


def _add_order(add: _Add, order: OrderIntent | Order, lots: int) -> None:
    if order.side is Side.SELL and not order.reduce_only:
        add(order.contract, selling=lots)
    elif order.side is Side.BUY and order.reduce_only:
        add(order.contract, covering=lots)
