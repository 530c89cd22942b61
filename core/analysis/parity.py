"""The same rule in several worlds: which trades differ, by how much, and by what."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from attrs import field, frozen

from ports.backtest_runs import BacktestTrade, ExitReason

_SAME_INSTANT = timedelta(seconds=60)  # a world on the wire takes moments to do what is decided
_EXACT = 1e-9  # coin: below it two figures are the same


class Cause(StrEnum):
    """What a difference comes from."""

    FILL = "fill"  # another price or amount at the same instant
    IV_MODEL = "iv_model"  # another mark of what is still held
    FEE = "fee"
    TIMING = "timing"  # traded at another instant, or in one world only


@frozen(kw_only=True)
class ParityRow:
    """One trade that differs: *coin* by cause adds up to the difference in profit."""

    symbol: str
    opened_at: str
    ours: str  # what the first world did; empty where it did not trade
    theirs: str
    coin: dict[Cause, float]

    @property
    def total_coin(self) -> float:
        """Profit there less profit here."""
        return sum(self.coin.values())


@frozen(kw_only=True)
class ParityReport:
    """
    One world held against another: trades of each, those that match, and every difference.

    *coin* sums the differences by cause; their total is the difference in profit, whatever
    was matched with what.
    """

    ours: str
    theirs: str
    our_trades: int
    their_trades: int
    matched: int
    our_pnl_coin: float
    their_pnl_coin: float
    rows: tuple[ParityRow, ...] = field(default=())

    @property
    def coin(self) -> dict[Cause, float]:
        """Differences by cause, coin."""
        return {cause: sum(row.coin.get(cause, 0.0) for row in self.rows) for cause in Cause}

    @property
    def difference_coin(self) -> float:
        """Profit there less profit here."""
        return self.their_pnl_coin - self.our_pnl_coin

    @property
    def agrees(self) -> bool:
        """Whether every trade is the same, to 1e-9 coin."""
        return not self.rows


def compare_worlds(
    names: tuple[str, str],
    ours: Sequence[BacktestTrade],
    theirs: Sequence[BacktestTrade],
) -> ParityReport:
    """
    Hold the trades of two worlds against each other.

    Trades of one contract are matched in the order they were opened. A matched pair that was
    opened or ended at other instants differs by timing as a whole.
    """
    left = list(theirs)
    rows: list[ParityRow] = []
    matched = 0
    for trade in ours:
        other = next((each for each in left if each.contract == trade.contract), None)
        if other is None:
            rows.append(_only(trade, -trade.pnl_coin, is_ours=True))
            continue
        left.remove(other)
        matched += 1
        row = _pair(trade, other)
        if row is not None:
            rows.append(row)
    rows += [_only(trade, trade.pnl_coin, is_ours=False) for trade in left]
    return ParityReport(
        ours=names[0],
        theirs=names[1],
        our_trades=len(ours),
        their_trades=len(theirs),
        matched=matched,
        our_pnl_coin=sum(trade.pnl_coin for trade in ours),
        their_pnl_coin=sum(trade.pnl_coin for trade in theirs),
        rows=tuple(sorted(rows, key=lambda row: row.opened_at)),
    )


def _pair(ours: BacktestTrade, theirs: BacktestTrade) -> ParityRow | None:
    """The difference of two trades of one contract; None where there is none."""
    gained = theirs.pnl_coin - ours.pnl_coin
    fee = ours.fees_coin - theirs.fees_coin
    is_timely = (
        abs(theirs.opened_at - ours.opened_at) <= _SAME_INSTANT
        and abs(theirs.closed_at - ours.closed_at) <= _SAME_INSTANT
        and theirs.exit_reason is ours.exit_reason
    )
    is_same = max(abs(gained), abs(fee), abs(theirs.amount - ours.amount)) < _EXACT
    if is_timely and is_same:
        return None
    if not is_timely:
        coin = {Cause.TIMING: gained}
    else:
        is_open = ours.exit_reason is ExitReason.LEFT_OPEN
        mark = theirs.amount * (ours.exit_coin - theirs.exit_coin) if is_open else 0.0
        coin = {Cause.FEE: fee, Cause.IV_MODEL: mark, Cause.FILL: gained - fee - mark}
    return ParityRow(
        symbol=ours.contract.symbol,
        opened_at=_instant(ours),
        ours=_words(ours),
        theirs=_words(theirs),
        coin=coin,
    )


def _only(trade: BacktestTrade, coin: float, *, is_ours: bool) -> ParityRow:
    """A trade that one world alone made."""
    words = _words(trade)
    return ParityRow(
        symbol=trade.contract.symbol,
        opened_at=_instant(trade),
        ours=words if is_ours else "",
        theirs="" if is_ours else words,
        coin={Cause.TIMING: coin},
    )


def _instant(trade: BacktestTrade) -> str:
    return f"{trade.opened_at:%Y-%m-%d %H:%M:%S}"


def _words(trade: BacktestTrade) -> str:
    return (
        f"{trade.amount:g} at {trade.entry_coin:.4f}, {trade.exit_reason} at "
        f"{trade.exit_coin:.6f}, fees {trade.fees_coin:.6f}, {trade.pnl_coin:+.6f}"
    )
