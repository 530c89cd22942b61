"""What the account is exposed to, and what it would be after an order: the state risk judges."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property

from attrs import evolve, frozen

from core.risk.limits import RiskLimits, lots_within
from ports.controls import RuntimeControls
from ports.instruments import ContractRules, FutureContract, OptionContract
from ports.market_data import MarketSnapshot
from ports.positions import Book, OrderRecord
from ports.trading import Account, Order, OrderIntent, Side


@frozen
class Holding:
    """
    Contracts of one kind, in lots, negative short, and what pending orders may add or take.

    The venue's account and our book may be a moment apart: both are kept.
    """

    contract: OptionContract
    held: int = 0  # as the venue says
    booked: int = 0  # as our book says
    selling: int = 0  # by sells that open
    unwinding: int = 0  # by sells that only reduce
    buying: int = 0  # by buys that open
    covering: int = 0  # by buys that only reduce

    @property
    def short(self) -> int:
        """Lots that are short or may become short, by whichever source says more."""
        return max(-self.held, -self.booked, 0) + self.selling

    @property
    def unmargined(self) -> int:
        """Lots of `short` that the venue's margin does not count yet."""
        return self.short - max(-self.held, 0)

    @property
    def fewest(self) -> int:
        """Lots held if every sell is filled and no buy."""
        return min(self.held, self.booked) - self.selling - self.unwinding

    @property
    def most(self) -> int:
        """Lots held if every buy is filled and no sell."""
        return max(self.held, self.booked) + self.buying + self.covering


@frozen
class FutureReach:
    """
    Coin that the futures may amount to, negative short: the least and the most, as pending
    orders are filled or not; and what is held now.
    """

    fewest: float
    most: float
    held: float

    @property
    def largest(self) -> float:
        """The most that may be held either way, without sign."""
        return max(abs(self.fewest), abs(self.most))

    def with_filled(self, change_coin: float) -> "FutureReach":
        """The reach once an order of *change_coin*, negative sold, may be filled too."""
        return FutureReach(
            self.fewest + min(change_coin, 0.0), self.most + max(change_coin, 0.0), self.held
        )


@frozen
class Pending:
    """
    An order that may still trade, or has traded what is not booked yet.

    *amount* is in contracts, or in USD for a future.
    """

    order: OrderIntent | Order
    amount: float

    @property
    def opens_short(self) -> bool:
        """Whether it may make the account shorter in an option."""
        is_option = isinstance(self.order.contract, OptionContract)
        return is_option and self.order.side is Side.SELL and not self.order.reduce_only


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
    future_rules: ContractRules | None = None  # of the coin's futures; None refuses them

    def with_working(self, intent: OrderIntent) -> "RiskState":
        """The state once *intent* works at the venue."""
        return evolve(self, planned=(*self.planned, intent))

    def with_filled(self, intent: OrderIntent) -> "RiskState":
        """The state once *intent* is filled."""
        return evolve(self, closed=(*self.closed, intent))

    @cached_property
    def pending(self) -> tuple[Pending, ...]:
        """Working, unresolved, provisional and planned orders on the underlying, of anyone."""
        return tuple(
            each
            for each in _pending(self)
            if each.amount > 0 and each.order.contract.underlying == self.snapshot.underlying
        )

    @cached_property
    def holdings(self) -> tuple[Holding, ...]:
        """
        Positions in options and pending orders on them of the underlying, by contract.

        Sizes that are no whole lots are rounded away from zero: never less risk than there is.
        """
        found: dict[OptionContract, Holding] = {}
        for part in _parts(self):
            before = found.get(part.contract)
            found[part.contract] = part if before is None else _sum(before, part)
        return tuple(found[contract] for contract in sorted(found))

    @property
    def futures(self) -> FutureReach:
        """Coin held in futures of the underlying, and what pending orders may make of it."""
        held = sum(
            each.size_coin
            for each in self.account.futures
            if each.contract.underlying == self.snapshot.underlying
        )
        reach = FutureReach(held, held, held)
        for pending in self.pending:
            if isinstance(pending.order.contract, FutureContract):
                change_coin = pending.order.side.sign * pending.amount / self.snapshot.index_usd
                reach = reach.with_filled(change_coin)
        return reach

    @property
    def short_calls(self) -> tuple[Holding, ...]:
        """The calls that are short or may become short."""
        return tuple(each for each in self.holdings if each.contract.is_call and each.short > 0)


def coin_lots(account: Account, rules: ContractRules) -> int:
    """
    Coin held, in lots of the option, rounded down; a loss of futures that is not settled yet is
    gone already, a gain is not there yet.

    The balance is what pays a call that ends in the money: one coin covers one contract,
    whatever the price. Equity, which falls as a short call gains value, would count it twice.
    """
    loss_coin = min(sum(each.profit_coin for each in account.futures), 0.0)
    return lots_within(max(account.balance_coin + loss_coin, 0.0), rules)


def reduces(intent: OrderIntent, state: RiskState) -> bool:
    """
    Whether *intent* can only make an existing position smaller: it fits in what the venue says
    is held, less what other reducing orders are about to take of it.
    """
    if not intent.reduce_only:
        return False
    if isinstance(intent.contract, FutureContract):
        return _reduces_future(intent, state)
    holding = next(
        (each for each in state.holdings if each.contract == intent.contract),
        Holding(intent.option),
    )
    lots = state.snapshot.rules.lots_up(intent.amount)
    if intent.side is Side.BUY:
        return lots <= -holding.held - holding.covering
    return lots <= holding.held - holding.unwinding


def _reduces_future(intent: OrderIntent, state: RiskState) -> bool:
    held_usd = sum(
        each.size_usd for each in state.account.futures if each.contract == intent.contract
    )
    spoken_for_usd = sum(
        pending.amount
        for pending in state.pending
        if (pending.order.contract, pending.order.side) == (intent.contract, intent.side)
        and pending.order.reduce_only
    )
    return intent.amount <= -intent.side.sign * held_usd - spoken_for_usd


def _pending(state: RiskState) -> Iterator[Pending]:
    for record in state.book.unsettled:  # of the others nothing may trade any more
        yield Pending(record.intent, _may_trade(record))
    for order in state.external:
        yield Pending(order, order.open_amount)
    for intent in state.planned:
        yield Pending(intent, intent.amount)


def _may_trade(record: OrderRecord) -> float:
    """
    What opens counts until its trades are booked. What reduces counts only while it works: the
    venue's position, which it is compared with, has lost what was filled already.
    """
    if not record.intent.reduce_only:
        return record.working_amount
    return record.intent.amount - record.filled_amount if record.state.is_working else 0.0


def _parts(state: RiskState) -> Iterator[Holding]:
    """Every position and order on its own."""
    rules, underlying = state.snapshot.rules, state.snapshot.underlying
    for position in state.account.positions:
        if position.contract.underlying == underlying:
            yield Holding(position.contract, held=_away_from_zero(rules, position.size))
    for tracked in state.book.open_positions(underlying):
        for leg in tracked.open_legs:
            yield Holding(leg.contract, booked=_away_from_zero(rules, leg.size))
    for intent in state.closed:
        change = intent.side.sign * rules.lots_up(intent.amount)
        yield Holding(intent.option, held=change, booked=change)
    for pending in state.pending:
        contract = pending.order.contract
        if isinstance(contract, OptionContract):
            yield _on_its_way(pending, contract, rules.lots_up(pending.amount))


def _on_its_way(pending: Pending, contract: OptionContract, lots: int) -> Holding:
    side = pending.order.side
    if pending.order.reduce_only:
        if side is Side.BUY:
            return Holding(contract, covering=lots)
        return Holding(contract, unwinding=lots)
    return Holding(contract, buying=lots) if side is Side.BUY else Holding(contract, selling=lots)


def _sum(one: Holding, other: Holding) -> Holding:
    return Holding(
        contract=one.contract,
        held=one.held + other.held,
        booked=one.booked + other.booked,
        selling=one.selling + other.selling,
        unwinding=one.unwinding + other.unwinding,
        buying=one.buying + other.buying,
        covering=one.covering + other.covering,
    )


def _away_from_zero(rules: ContractRules, size: float) -> int:
    lots = rules.lots_up(abs(size))
    return lots if size > 0 else -lots
