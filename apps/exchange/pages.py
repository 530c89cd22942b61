"""Pages of long lists: which trades are asked for, in which order, and whether there are more."""

from typing import Protocol

from attrs import frozen

from apps.exchange.ledger import TradeRecord
from apps.exchange.params import Sorting
from ports.checks import epoch_ms


class AskedTrades(Protocol):
    """What all methods about trades take."""

    @property
    def start_timestamp(self) -> int | None: ...
    @property
    def end_timestamp(self) -> int | None: ...
    @property
    def count(self) -> int: ...
    @property
    def sorting(self) -> Sorting: ...


@frozen(kw_only=True)
class Tape:
    """Which trades: ids and sequence numbers are inclusive, as are instants in milliseconds."""

    count: int
    sorting: Sorting
    start_ms: int | None
    end_ms: int | None
    start_id: str | None = None
    end_id: str | None = None
    start_seq: int | None = None
    end_seq: int | None = None

    @classmethod
    def of(cls, asked: AskedTrades) -> "Tape":
        """Read what the parameters of a method say."""
        return cls(
            count=asked.count,
            sorting=asked.sorting,
            start_ms=asked.start_timestamp,
            end_ms=asked.end_timestamp,
            start_id=getattr(asked, "start_id", None),
            end_id=getattr(asked, "end_id", None),
            start_seq=getattr(asked, "start_seq", None),
            end_seq=getattr(asked, "end_seq", None),
        )

    def has(self, trade: TradeRecord) -> bool:
        """Whether *trade* is asked for."""
        number, at_ms = trade_number(trade.fill.trade_id), epoch_ms(trade.fill.at)
        return (
            _is_within(at_ms, self.start_ms, self.end_ms)
            and _is_within(trade.seq, self.start_seq, self.end_seq)
            and _is_within(number, trade_number(self.start_id), trade_number(self.end_id))
        )


@frozen
class TradePage:
    """A page, and whether it left something out."""

    trades: list[TradeRecord]
    has_more: bool


def chosen(trades: list[TradeRecord], tape: Tape) -> TradePage:
    """Return those of *trades*, oldest first, that *tape* asks for: newest first unless told."""
    found = [trade for trade in trades if tape.has(trade)]
    is_ascending = tape.sorting == "asc"
    ordered = found if is_ascending else found[::-1]
    return TradePage(ordered[: tape.count], len(ordered) > tape.count)


def trade_number(trade_id: str | None) -> int | None:
    """The running number in an id such as BTC-T17; None without one."""
    if trade_id is None:
        return None
    digits = trade_id.rpartition("T")[2].rpartition("-")[2]
    return int(digits) if digits.isdecimal() else None


def _is_within(value: int | None, low: int | None, high: int | None) -> bool:
    """Whether *value* is from *low* to *high*; a bound that is not given is none."""
    if value is None:
        return low is None and high is None
    return (low is None or low <= value) and (high is None or value <= high)
