"""The fast simulator over a past too large for memory: part by part, with the same result."""

from collections.abc import Callable, Mapping
from datetime import datetime

import numpy as np
from attrs import frozen

from core.backtest.columns import CallColumns, joined
from core.backtest.covered_call import (
    CallAccount,
    CallRun,
    compiled,
    fresh_state,
    require_reach,
)
from core.backtest.kernel import simulate
from core.backtest.kernel_types import EXPIRY, TRADES, Log, empty_log
from core.backtest.rules import CallRule
from core.risk.limits import RiskLimits
from ports.backtest_runs import Omission
from ports.columns import Ints

_MARKS = ("cash", "held", "held_row", "mark", "problem")
_OPENINGS = ("opened_at", "opened_row", "chain", "amount", "entry", "entry_fee", "margin")
_ENDS = ("closed_at", "closed_row", "reason", "exit", "exit_fee", "best", "worst")
_INSTANTS = frozenset({"opened_at", "closed_at"})
_ROWS = frozenset({"opened_row", "closed_row", "held_row"})


@frozen(kw_only=True, eq=False, repr=False)
class StreamedCoin:
    """
    A past of *underlying* that was run over part by part: what came of it, by exit style.

    It is whole unless somebody stopped it: then it ends with the last part that was read.
    """

    underlying: str
    instants: tuple[datetime, ...]
    runs: Mapping[str, CallRun]
    omissions: tuple[Omission, ...]
    sha256: str  # of every quote, mark and index
    is_whole: bool


class CallStream:
    """
    One rule over parts of a past, fed oldest first.

    Of a part nothing stays but the rows that were traded or held, and its last snapshots, on
    which the next part decides. `run` is what one run over all parts together would be, bit for
    bit, but for the rows that nobody looks at again.
    """

    def __init__(self, rule: CallRule, account: CallAccount, limits: RiskLimits) -> None:
        """
        Begin with an account that has only been paid into.

        Raises:
            ValueError: *limits* hold something that only the tick works out.
        """
        require_reach(limits)
        self._terms = rule, account, limits
        self._overlap = max(1, account.latency)
        self._state = fresh_state(account)
        self._kept: list[CallColumns] = []
        self._tail: CallColumns | None = None
        self._marks: dict[str, list[np.ndarray]] = {name: [] for name in _MARKS}
        self._trades: dict[str, list[float]] = {name: [] for name in (*_OPENINGS, *_ENDS)}
        self._instants = self._rows = 0  # kept so far

    def feed(self, part: CallColumns) -> None:
        """
        Run over *part*, whose instants follow those fed before.

        Its deliveries must tell those of all expiries that passed in it, listed in it or before.

        Raises:
            ValueError: Its instants do not rise from those before.
        """
        columns = part if self._tail is None else joined([self._tail, part])
        start = len(columns.at_ms) - len(part.at_ms)
        counts = self._state.counts
        carried = int(counts[EXPIRY] != 0)
        log = empty_log(len(columns.at_ms))
        if carried:
            log.chain[0] = int(self._trades["chain"][-1])
        counts[TRADES] = carried
        simulate(compiled(columns, *self._terms), self._state, log, start)
        self._keep(columns, log, start, carried)
        first = max(0, len(columns.at_ms) - self._overlap)
        rows = np.arange(columns.first[first], columns.first[-1])
        self._tail = columns.only(rows, slice(first, None))

    def run(self) -> CallRun:
        """
        What came of all parts.

        Raises:
            ValueError: There was none.
        """
        if not self._kept:
            raise ValueError("no part was fed")
        log, total = empty_log(self._instants), len(self._trades["chain"])
        for name, told in self._trades.items():
            getattr(log, name)[:total] = told
        for name, parts in self._marks.items():
            getattr(log, name)[:] = np.concatenate(parts)
        self._state.counts[TRADES] = total
        return CallRun(
            columns=joined(self._kept),
            log=log,
            state=self._state,
            deposit_coin=self._terms[1].deposit_coin,
        )

    def _keep(self, columns: CallColumns, log: Log, start: int, carried: int) -> None:
        """Take over what *log* tells of the snapshots from *start* on, renumbered."""
        made = int(self._state.counts[TRADES])
        rows = _rows_told(log, start, made)
        shift = self._instants - start

        def renumbered(name: str, values: Ints) -> Ints:
            if name in _INSTANTS:
                return np.where(values >= 0, values + shift, -1)
            if name in _ROWS:
                return np.where(values >= 0, self._rows + np.searchsorted(rows, values), -1)
            return values

        if carried:
            self._end_carried(log, renumbered)
        for name, kept in self._trades.items():
            kept.extend(renumbered(name, getattr(log, name)[carried:made]).tolist())
        for name, parts in self._marks.items():
            parts.append(renumbered(name, getattr(log, name)[start:]))
        self._kept.append(columns.only(rows, slice(start, None)))
        self._instants += len(columns.at_ms) - start
        self._rows += len(rows)

    def _end_carried(self, log: Log, renumbered: Callable[[str, Ints], Ints]) -> None:
        """Write down how the call that was held at the start of a part ended, if it did."""
        if log.closed_at[0] >= 0:
            for name in _ENDS:
                self._trades[name][-1] = renumbered(name, getattr(log, name)[:1]).item()


def _rows_told(log: Log, start: int, made: int) -> Ints:
    """The rows that trades and marks refer to, rising."""
    told = np.concatenate([log.opened_row[:made], log.closed_row[:made], log.held_row[start:]])
    return np.unique(told[told >= 0])
