"""What a backtest remembers of its ticks: trades, marks, and what was left out."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from math import inf, isfinite, nan

from attrs import define, evolve, field, frozen

from core.backtest.rules import delta_of
from core.backtest.trades import (
    HeldColumns,
    MarkColumns,
    equity_curve,
    trades_hash,
)
from core.greg.holdings import code_in
from core.pricing.marks import forward_of, iv_of, mark_of
from core.risk.margin import initial_margin_coin
from ports.backtest_runs import BacktestTrade, ExitReason, Omission, StyleResult
from ports.checks import epoch_ms
from ports.decision_log import Alarm, Decided, Delivered, Entry, Halted, OrderUpdated
from ports.instruments import OptionContract
from ports.market_data import MarketSnapshot
from ports.positions import Book, Leg, TrackedPosition

_ROUTINE = frozenset(
    {
        "hold",
        "let_expire",
        "let_deliver",
        "position_open",
        "order_working",
        "not_entry_time",
        "nothing_seen",
        "no_candidate",
    }
)
_EXITS = {  # the reasons of core.strategies.upkeep; those of the rule are exit reasons already
    "defend_by_roll": ExitReason.DEFENSIVE_ROLL,
    "defend_by_close": ExitReason.STOP,
}


@frozen(kw_only=True)
class Sale:
    """The instant a leg was opened, as the market showed it then; *size* negative if sold."""

    number: int
    chain: int
    position_id: str
    leg: int  # of the position
    reason: str
    contract: OptionContract
    size: float = -1.0
    index_usd: float
    mark_coin: float
    delta: float
    iv: float
    forward_usd: float
    margin_coin: float
    best_coin: float = -inf
    worst_coin: float = inf


@frozen(kw_only=True)
class MarkRow:
    """The account at the end of one tick."""

    at: datetime
    index_usd: float
    cash_coin: float
    low_coin: float
    high_coin: float


@frozen(kw_only=True)
class HeldRow:
    """One contract held then."""

    mark_number: int
    contract: OptionContract
    size: float
    forward: float
    iv: float
    mark: float
    margin_coin: float


@define(eq=False)
class Ledger:
    """
    Fed with every entry of the journal and, at the end of each tick, with book and market.

    Nothing in it decides anything; the book stays the only truth of what is held.
    """

    trades: list[BacktestTrade] = field(factory=list)
    open_sales: dict[tuple[str, int], Sale] = field(factory=dict)
    marks: list[MarkRow] = field(factory=list)
    held: list[HeldRow] = field(factory=list)
    omissions: list[Omission] = field(factory=list)
    chains: dict[str, int] = field(factory=dict)  # numbers of campaigns, by position_id
    sales: int = 0
    reasons: dict[str, str] = field(factory=dict)  # of the last action on a position
    last_problem: str = ""
    _entries: list[Entry] = field(factory=list, init=False)

    def watch(self, entry: Entry) -> None:
        """Take note of *entry*; to be given to the bookkeeper."""
        self._entries.append(entry)

    def end_tick(self, book: Book, snapshot: MarketSnapshot, equity_coin: float) -> None:
        """Take what the tick did out of *book*, and mark it on *snapshot*."""
        entries, self._entries = self._entries, []
        self._note_decisions(entries, snapshot.taken_at)
        deliveries = {
            entry.delivery.contract: entry for entry in entries if isinstance(entry, Delivered)
        }
        for position in _touched(book, entries, self.open_sales):
            for number, leg in enumerate(position.legs):
                self._follow(position, number, leg, snapshot, deliveries)
        self._mark(book, snapshot, equity_coin)

    def omit(self, at: datetime, subject: str, reason: str) -> None:
        """Write down that something was left out, unless the last tick said the same."""
        if reason != self.last_problem:
            self.omissions.append(Omission(at=at, subject=subject, reason=reason))
        self.last_problem = reason

    def _note_decisions(self, entries: Iterable[Entry], at: datetime) -> None:
        problem = ("", "")
        for entry in entries:
            if isinstance(entry, Decided):
                for action in entry.approved:
                    if action.position_id is not None:
                        self.reasons[action.position_id] = action.reason
                problem = _problem(entry) or problem
            elif isinstance(entry, (Alarm, Halted)):
                detail = entry.detail if isinstance(entry, Alarm) else entry.reason
                problem = (type(entry).__name__, detail)
        if problem[1]:
            self.omit(at, *problem)
        else:
            self.last_problem = ""

    def _follow(
        self,
        position: TrackedPosition,
        number: int,
        leg: Leg,
        snapshot: MarketSnapshot,
        deliveries: dict[OptionContract, Delivered],
    ) -> None:
        """Open, mark or close the trade that is *leg*, the one of that *number*."""
        key = (position.position_id, number)
        sale = self.open_sales.get(key)
        if sale is None:
            if leg.closed_at is not None and leg.opened_at < snapshot.taken_at:
                return  # an older trade
            sale = self._sold(position, number, leg, snapshot)
        if leg.closed_at is None:
            pnl = leg.pnl_coin
            self.open_sales[key] = evolve(
                sale, best_coin=max(sale.best_coin, pnl), worst_coin=min(sale.worst_coin, pnl)
            )
            return
        self.open_sales.pop(key, None)
        delivered = deliveries.get(leg.contract)
        if delivered is not None:
            end = _delivery_end(delivered)
        else:
            reason = self.reasons.get(position.position_id, "")
            end = _End(
                at=leg.closed_at,
                reason=_EXITS.get(reason) or _reason(reason),
                index_usd=snapshot.index_usd,
                mark_coin=mark_of(snapshot, leg.contract, snapshot.taken_at),
            )
        self.trades.append(_trade(sale, leg, end, position.strategy_id))

    def _sold(
        self, position: TrackedPosition, number: int, leg: Leg, snapshot: MarketSnapshot
    ) -> Sale:
        chain = self.chains.setdefault(position.position_id, len(self.chains) + 1)
        self.sales += 1
        contract, at = leg.contract, snapshot.taken_at
        forward = forward_of(snapshot, contract, at)
        mark = mark_of(snapshot, contract, at)
        return Sale(
            number=self.sales,
            chain=chain,
            position_id=position.position_id,
            leg=number,
            reason=self._entry_reason(position, leg),
            contract=contract,
            size=leg.size or -leg.contracts_sold,  # of one taken back at once
            index_usd=snapshot.index_usd,
            mark_coin=mark,
            delta=delta_of(contract, snapshot),
            iv=iv_of(snapshot, contract, at),
            forward_usd=forward,
            margin_coin=initial_margin_coin(contract, forward, mark, leg.size),
        )

    def _entry_reason(self, position: TrackedPosition, leg: Leg) -> str:
        """What opened *leg*: of Greg's structures their code, which a roll has too."""
        rolled = ExitReason.ROLL if leg.opened_at > position.opened_at else None
        reason = code_in(position.position_id) or rolled
        return reason or self.reasons.get(position.position_id, "")

    def _mark(self, book: Book, snapshot: MarketSnapshot, equity_coin: float) -> None:
        option_coin = 0.0
        at, number = snapshot.taken_at, len(self.marks)
        for position in book.open_positions(snapshot.underlying):
            for leg in position.open_legs:
                mark = leg.mark_coin if leg.mark_coin is not None else nan
                forward = forward_of(snapshot, leg.contract, at)
                option_coin += leg.size * mark
                self.held.append(
                    HeldRow(
                        mark_number=number,
                        contract=leg.contract,
                        size=leg.size,
                        forward=forward,
                        iv=iv_of(snapshot, leg.contract, at),
                        mark=mark,
                        margin_coin=initial_margin_coin(leg.contract, forward, mark, leg.size),
                    )
                )
        self.marks.append(
            MarkRow(
                at=at,
                index_usd=snapshot.index_usd,
                cash_coin=equity_coin - option_coin,
                low_coin=equity_coin,
                high_coin=equity_coin,
            )
        )

    def result(self, exit_style: str, book: Book) -> StyleResult:
        """The run so far; what is still held counts as left open at its last mark."""
        trades = tuple(sorted((*self.trades, *self._left_open(book)), key=lambda it: it.number))
        return StyleResult(
            exit_style=exit_style,
            trades=trades,
            equity=equity_curve(*self._columns()),
            metrics={},
            trades_hash=trades_hash(trades),
            omissions=tuple(self.omissions),
        )

    def _left_open(self, book: Book) -> Iterator[BacktestTrade]:
        for sale in self.open_sales.values():
            position = book.positions[sale.position_id]
            leg, last = position.legs[sale.leg], self.marks[-1]
            end = _End(
                at=last.at,
                reason=ExitReason.LEFT_OPEN,
                index_usd=last.index_usd,
                mark_coin=leg.mark_coin if leg.mark_coin is not None else nan,
            )
            yield _trade(sale, leg, end, position.strategy_id)

    def _columns(self) -> tuple[MarkColumns, HeldColumns]:
        marks, held = self.marks, self.held
        return (
            MarkColumns(
                at_ms=[epoch_ms(row.at) for row in marks],
                index_usd=[row.index_usd for row in marks],
                cash_coin=[row.cash_coin for row in marks],
                low_coin=[row.low_coin for row in marks],
                high_coin=[row.high_coin for row in marks],
            ),
            HeldColumns(
                mark_number=[row.mark_number for row in held],
                size=[row.size for row in held],
                expiry_ms=[epoch_ms(row.contract.expiry) for row in held],
                strike=[row.contract.strike for row in held],
                is_call=[row.contract.is_call for row in held],
                forward=[row.forward for row in held],
                iv=[row.iv for row in held],
                mark=[row.mark for row in held],
                margin_coin=[row.margin_coin for row in held],
            ),
        )


@frozen(kw_only=True)
class _End:
    at: datetime
    reason: ExitReason
    index_usd: float
    mark_coin: float
    settlement: str = ""
    settlement_error_usd: float = 0.0


def _touched(
    book: Book, entries: Iterable[Entry], open_sales: dict[tuple[str, int], Sale]
) -> Iterator[TrackedPosition]:
    """The positions that are held, or were traded in this tick."""
    held = {position_id for position_id, _ in open_sales}
    traded = [entry for entry in entries if isinstance(entry, OrderUpdated) and entry.fills]
    if traded:
        held |= {each.position_id for each in book.open_positions()}
        held |= {book.orders[entry.label].intent.position_id for entry in traded}
    for position_id in sorted(held):
        yield book.positions[position_id]


def _problem(entry: Decided) -> tuple[str, str] | None:
    """What a decision could not do; None where it did what it wanted or wanted nothing."""
    for action, verdict in zip(entry.actions, entry.verdicts, strict=True):
        if not verdict.approved:
            contract = action.contract or action.from_contract
            symbol = contract.symbol if contract else entry.underlying
            reasons = "; ".join(breach.detail for breach in verdict.breaches)
            return symbol, f"refused: {reasons}"
        wants_nothing = action.contract is None and action.from_contract is None
        if wants_nothing and action.reason not in _ROUTINE:
            return entry.underlying, action.detail or action.reason
    return None


def _reason(text: str) -> ExitReason:
    """The exit reason that an action gave; a stop where it gave another."""
    known = {reason.value: reason for reason in ExitReason}
    return known.get(text, ExitReason.STOP)


def _delivery_end(entry: Delivered) -> _End:
    delivery = entry.delivery
    payoff = delivery.contract.payoff_coin(delivery.delivery_price_usd)
    return _End(
        at=delivery.contract.expiry,
        reason=ExitReason.ASSIGNED if payoff > 0.0 else ExitReason.EXPIRED,
        index_usd=entry.index_usd,
        mark_coin=payoff,
        settlement=delivery.price_source,
        settlement_error_usd=delivery.price_error_usd,
    )


def _trade(sale: Sale, leg: Leg, end: _End, strategy_id: str) -> BacktestTrade:
    is_bought = sale.size > 0.0
    amount = -sale.size if is_bought else leg.contracts_sold
    paid = leg.bought_coin - leg.settled_coin
    held = -leg.size * end.mark_coin if leg.size else 0.0
    held_usd = held * end.index_usd
    paid_usd = leg.bought_usd - leg.settled_usd
    received = -leg.bought_coin if is_bought else leg.sold_coin
    given_back = held - leg.settled_coin - leg.sold_coin if is_bought else paid + held
    return BacktestTrade(
        number=sale.number,
        chain=sale.chain,
        strategy_id=strategy_id,
        contract=leg.contract,
        amount=amount,
        opened_at=leg.opened_at,
        closed_at=end.at,
        entry_reason=sale.reason,
        exit_reason=end.reason,
        entry_index_usd=sale.index_usd,
        exit_index_usd=end.index_usd,
        entry_coin=received / amount,
        exit_coin=given_back / amount,
        entry_mark_coin=sale.mark_coin,
        exit_mark_coin=end.mark_coin,
        entry_delta=sale.delta,
        entry_iv=sale.iv,
        entry_dte=leg.contract.days_left(leg.opened_at),
        entry_forward_usd=sale.forward_usd,
        fees_coin=leg.fees_coin,
        fees_usd=leg.fees_usd,
        pnl_coin=leg.sold_coin - paid - held - leg.fees_coin,
        pnl_usd=leg.sold_usd - paid_usd - held_usd - leg.fees_usd,
        favorable_coin=_known(sale.best_coin),
        adverse_coin=_known(sale.worst_coin),
        margin_coin=sale.margin_coin,
        settlement=end.settlement,
        settlement_error_usd=end.settlement_error_usd,
    )


def _known(excursion: float) -> float:
    return excursion if isfinite(excursion) else nan
