"""What a run sold, bought back, paid off and earned: a report from its journal and book."""

from collections import Counter
from collections.abc import Iterable

from attrs import field, frozen

from core.execution.flows import tidy
from ports.decision_log import ActionType, Decided, Delivered, Entry, OrderUpdated, RollEnded
from ports.positions import Book, Leg, TrackedPosition, Wealth


@frozen(kw_only=True)
class Earnings:
    """One strategy on one coin; coin and, at the index of each flow, USD."""

    strategy_id: str
    underlying: str
    positions: int
    open_positions: int
    premium_sold_coin: float
    premium_sold_usd: float
    bought_back_coin: float
    bought_back_usd: float
    paid_off_coin: float
    paid_off_usd: float
    fees_coin: float
    fees_usd: float
    held_coin: float  # value of what is still held, negative for short
    pnl_coin: float


@frozen(kw_only=True)
class TradingReport:
    """
    A run as a whole: earnings by strategy and coin, wealth by coin, and counts.

    *reasons* counts decisions by reason code, *skips* candidates passed over by code,
    *refusals* controls that said no by code.
    """

    earnings: tuple[Earnings, ...]
    wealth: dict[str, Wealth]
    decisions: int
    actions: dict[str, int]
    reasons: dict[str, int]
    skips: dict[str, int]
    refusals: dict[str, int]
    orders: dict[str, int]
    rolls: dict[str, int]
    deliveries: int
    deliveries_in_the_money: int
    first_at: str = field(default="")
    last_at: str = field(default="")


class _Counts:
    """What is counted while the journal goes by."""

    def __init__(self) -> None:
        self.decisions = 0
        self.actions: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.skips: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.orders: Counter[str] = Counter()
        self.rolls: Counter[str] = Counter()
        self.deliveries = 0
        self.in_the_money = 0

    def take(self, entry: Entry) -> None:
        if isinstance(entry, Decided):
            self._take_decision(entry)
        elif isinstance(entry, OrderUpdated) and entry.state.is_terminal:
            self.orders[entry.state] += 1
        elif isinstance(entry, RollEnded):
            self.rolls[entry.outcome] += 1
        elif isinstance(entry, Delivered):
            self.deliveries += 1
            self.in_the_money += entry.delivery.cash_coin != 0.0

    def _take_decision(self, entry: Decided) -> None:
        self.decisions += 1
        for action, verdict in zip(entry.actions, entry.verdicts, strict=True):
            self.reasons[action.reason] += 1
            if verdict.approved and action.type is not ActionType.DO_NOTHING:
                self.actions[action.type] += 1
            self.refusals.update({breach.code for breach in verdict.breaches})
        for skipped in entry.skipped:
            self.skips[skipped.code] += len(skipped.symbols)


def report_of(book: Book, entries: Iterable[Entry]) -> TradingReport:
    """Return the report on the run whose journal holds *entries* and folds to *book*."""
    counts = _Counts()
    first = last = None
    for entry in entries:
        counts.take(entry)
        first, last = first or entry.at, entry.at
    traded = [each for each in book.positions.values() if not each.sandbox]
    keys = sorted({(each.strategy_id, each.underlying) for each in traded})
    return TradingReport(
        earnings=tuple(_earnings(book, *key) for key in keys),
        wealth=dict(book.wealth),
        decisions=counts.decisions,
        actions=_sorted(counts.actions),
        reasons=_sorted(counts.reasons),
        skips=_sorted(counts.skips),
        refusals=_sorted(counts.refusals),
        orders=_sorted(counts.orders),
        rolls=_sorted(counts.rolls),
        deliveries=counts.deliveries,
        deliveries_in_the_money=counts.in_the_money,
        first_at=f"{first:%Y-%m-%d %H:%M}" if first else "",
        last_at=f"{last:%Y-%m-%d %H:%M}" if last else "",
    )


def _earnings(book: Book, strategy_id: str, underlying: str) -> Earnings:
    positions: list[TrackedPosition] = [
        each
        for each in book.positions.values()
        if (each.strategy_id, each.underlying) == (strategy_id, underlying) and not each.sandbox
    ]
    legs: list[Leg] = [leg for position in positions for leg in position.legs]
    futures = [position.future for position in positions if position.future is not None]
    return Earnings(
        strategy_id=strategy_id,
        underlying=underlying,
        positions=len(positions),
        open_positions=sum(each.closed_at is None for each in positions),
        premium_sold_coin=sum(leg.sold_coin for leg in legs),
        premium_sold_usd=sum(leg.sold_usd for leg in legs),
        bought_back_coin=sum(leg.bought_coin for leg in legs),
        bought_back_usd=sum(leg.bought_usd for leg in legs),
        paid_off_coin=-sum(leg.settled_coin for leg in legs) + 0.0,
        paid_off_usd=-sum(leg.settled_usd for leg in legs) + 0.0,
        fees_coin=sum(leg.fees_coin for leg in legs) + sum(each.fees_coin for each in futures),
        fees_usd=sum(leg.fees_usd for leg in legs) + sum(each.fees_usd for each in futures),
        held_coin=sum(leg.size * (leg.mark_coin or 0.0) for leg in legs if leg.size),
        pnl_coin=sum(each.pnl_coin for each in positions),
    )


def holdings_lines(book: Book) -> tuple[str, ...]:
    """
    The economic content of *book*, a line a leg, a future and a coin: what was traded and earned,
    without the labels, numbers and instants that differ between a run and the same run resumed.
    """
    legs = [
        f"{position.strategy_id} {leg.contract.symbol} size {leg.size:g} "
        f"sold {tidy(leg.sold_coin)} bought {tidy(leg.bought_coin)} "
        f"settled {tidy(leg.settled_coin)} fees {tidy(leg.fees_coin)}"
        for position in book.positions.values()
        if not position.sandbox
        for leg in position.legs
    ]
    futures = [
        f"{position.strategy_id} {future.contract.symbol} size {future.size_usd:g} "
        f"realised {tidy(future.realised_coin)} fees {tidy(future.fees_coin)}"
        for position in book.positions.values()
        if (future := position.future) is not None
    ]
    coins = [
        f"{underlying} equity {tidy(wealth.equity_coin)} index {wealth.index_usd}"
        for underlying, wealth in book.wealth.items()
    ]
    return tuple(sorted(legs) + sorted(futures) + sorted(coins))


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {str(name): counts[name] for name in sorted(counts)}
