"""SnapshotArchive over other people's recordings: {btc,eth}_chain_YYYY-MM.parquet, read only."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
from attrs import frozen

from adapters.files.disk import Disk
from adapters.files.parquet import ParquetTable
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.columns import Bools, Floats, Ints
from ports.errors import StoreDamaged, StoreUnwritable, Unavailable
from ports.instruments import ContractRules
from ports.market_data import MarketSnapshot

_FILE = re.compile(r"([a-z]+)_chain_\d{4}-\d\d\.parquet")
_COLUMNS = (
    "timestamp",
    "expiry_datetime",
    "strike",
    "option_type",
    "underlying",
    "bid_price",
    "ask_price",
    "mark_price",
    "implied_volatility",
    "open_interest",
    "volume",
)
_SHOWN_OF_DAY_VOLUME = 0.1  # amounts are not recorded: what a day trades stands in for them
_GRID_SLACK = 1e-6  # of an amount step
_NEAR_MONEY = 0.15  # log moneyness within which parity says the forward well
_FEWEST_PAIRS = 3


class RecordedChains:
    """
    Whole chains of 2026, about four a day, in files of a month.

    The index is the median over a snapshot's rows. The forward is the one its marks were made
    with, by parity; the recorded underlying, taken up to a minute apart from the mark beside it,
    stands in where an expiry has too few pairs. Amounts
    on both sides are a tenth of the day's volume in whole steps, NaN where that is none. A
    quote of zero, and both sides of a crossed or locked pair, are NaN. Rows without a mark
    are left out. One month of each coin is kept in memory.
    """

    def __init__(
        self,
        directory: Path,
        rules: Mapping[str, ContractRules],
        disk: Disk | None = None,
        *,
        only: str | None = None,
    ) -> None:
        """
        Read from *directory*, or *only* the file of that name in it.

        The recording lacks the contracts' *rules*, which are given by underlying.
        """
        self._directory = directory
        self._only = only
        self._rules = dict(rules)
        self._disk = disk or Disk()
        self._taken: dict[str, dict[datetime, _Taken]] = {}
        self._last: dict[str, MarketSnapshot] = {}  # a tick looks at one snapshot many times
        self._months: dict[str, _Month] = {}

    async def instants(self, underlying: str) -> tuple[datetime, ...]:
        """
        Return when snapshots were taken, oldest first; empty without files of *underlying*.

        Raises:
            StoreDamaged: A file cannot be read, lacks a column or has a foreign type in one.
        """
        return tuple(self._index(underlying))

    async def index_prices(self, underlying: str) -> tuple[tuple[datetime, float], ...]:
        """
        Return every snapshot's instant with its index in USD, oldest first.

        Raises:
            StoreDamaged: As from instants.
        """
        return tuple((at, taken.index_usd) for at, taken in self._index(underlying).items())

    async def load(self, underlying: str, taken_at: datetime) -> MarketSnapshot:
        """
        Return the snapshot taken at exactly *taken_at*.

        Raises:
            Unavailable: There is none, or no contract rules of *underlying* were given.

            StoreDamaged: As from instants.
        """
        last = self._last.get(underlying)
        if last is not None and last.taken_at == taken_at:
            return last
        taken = self._index(underlying).get(taken_at)
        if taken is None:
            raise Unavailable(f"no snapshot of {underlying} taken at {taken_at}")
        if underlying not in self._rules:
            raise Unavailable(f"the recording has no contract rules, none given of {underlying}")
        rules = self._rules[underlying]
        chain = self._month(underlying, taken.path).chain(underlying, taken_at, rules)
        snapshot = MarketSnapshot(underlying, taken_at, taken.index_usd, chain, rules)
        self._last[underlying] = snapshot
        return snapshot

    async def save(self, snapshot: MarketSnapshot) -> None:
        """
        Refuse.

        Raises:
            StoreUnwritable: Always: the recording is not ours.
        """
        raise StoreUnwritable(f"{self._directory} is read only: {snapshot.taken_at} is not kept")

    def _index(self, underlying: str) -> "dict[datetime, _Taken]":
        if underlying not in self._taken:
            taken: dict[datetime, _Taken] = {}
            for name in self._disk.names(self._directory):
                match = _FILE.fullmatch(name)
                is_wanted = self._only in (None, name)
                if is_wanted and match is not None and match[1].upper() == underlying:
                    taken |= _taken_in(self._directory / name)
            self._taken[underlying] = dict(sorted(taken.items()))
        return self._taken[underlying]

    def _month(self, underlying: str, path: Path) -> "_Month":
        month = self._months.get(underlying)
        if month is None or month.path != path:
            month = self._months[underlying] = _Month.read(path)
        return month


def is_recorded_chain(name: str) -> bool:
    """Whether a file is called as those of such a recording are."""
    return _FILE.fullmatch(name) is not None


@frozen
class _Taken:
    """Which file has a snapshot, and the index in it."""

    path: Path
    index_usd: float


@frozen(eq=False)
class _Month:
    """One file as columns, (n,), sorted by instant and then as a ChainTable is."""

    path: Path
    taken_ms: Ints
    expiry_ms: Ints
    strike: Floats
    is_call: Bools
    forward: Floats
    bid: Floats
    ask: Floats
    mark: Floats
    mark_iv: Floats
    open_interest: Floats
    volume: Floats

    @classmethod
    def read(cls, path: Path) -> "_Month":
        table = ParquetTable.read(path, _COLUMNS)
        taken_ms = _instants_ms(table, "timestamp")
        expiry_ms = _instants_ms(table, "expiry_datetime")
        strike = _positive(table, "strike")
        forward = _positive(table, "underlying")
        is_call = _calls(table)
        mark = table.floats("mark_price")
        bid, ask = _sides(table.floats("bid_price"), table.floats("ask_price"))
        order = np.lexsort((~is_call, strike, expiry_ms, taken_ms))
        order = order[np.isfinite(mark[order])]
        return cls(
            path,
            taken_ms[order],
            expiry_ms[order],
            strike[order],
            is_call[order],
            forward[order],
            bid[order],
            ask[order],
            mark[order],
            table.floats("implied_volatility")[order],
            table.floats("open_interest")[order],
            table.floats("volume")[order],
        )

    def chain(self, underlying: str, taken_at: datetime, rules: ContractRules) -> ChainTable:
        first, last = np.searchsorted(self.taken_ms, [epoch_ms(taken_at), epoch_ms(taken_at) + 1])
        rows = slice(first, last)
        steps = np.floor(_SHOWN_OF_DAY_VOLUME * self.volume[rows] / rules.amount_step + _GRID_SLACK)
        shown = np.where(steps > 0, np.round(steps * rules.amount_step, 12), np.nan)
        bid, ask = self.bid[rows], self.ask[rows]
        forward = self.forward[rows].copy()
        for expiry_ms in np.unique(self.expiry_ms[rows]):
            inside = self.expiry_ms[rows] == expiry_ms
            forward[inside] = _forward_of_marks(
                self.strike[rows][inside],
                self.is_call[rows][inside],
                self.mark[rows][inside],
                forward[inside],
            )
        return ChainTable(
            underlying=underlying,
            expiry_ms=self.expiry_ms[rows],
            strike=self.strike[rows],
            is_call=self.is_call[rows],
            forward=forward,
            bid=bid,
            ask=ask,
            bid_amount=np.where(np.isnan(bid), np.nan, shown),
            ask_amount=np.where(np.isnan(ask), np.nan, shown),
            mark=self.mark[rows],
            mark_iv=self.mark_iv[rows],
            open_interest=self.open_interest[rows],
            volume=self.volume[rows],
            quoted_at_ms=self.taken_ms[rows],
        )


def _forward_of_marks(strike: Floats, is_call: Bools, mark: Floats, recorded: Floats) -> Floats:
    """
    The forward of one expiry, a row a contract: the median of K / (1 - (C - P)) over strikes
    near the money, parity of call and put marks in coin; *recorded* with fewer than three.
    """
    both, calls, puts = np.intersect1d(strike[is_call], strike[~is_call], return_indices=True)
    near = np.abs(np.log(both / np.median(recorded))) < _NEAR_MONEY
    if near.sum() < _FEWEST_PAIRS:
        return recorded
    discount = 1.0 - (mark[is_call][calls] - mark[~is_call][puts])  # K / F
    return np.full(len(strike), np.median((both / discount)[near]))


def _taken_in(path: Path) -> dict[datetime, _Taken]:
    """Every snapshot of the file *path*, with the median of its index prices."""
    table = ParquetTable.read(path, ("timestamp", "index_price"))
    stamps = table.texts("timestamp")
    index_usd = _positive(table, "index_price")
    return {
        _instant(table, "timestamp", stamps.values[code]): _Taken(
            path, float(np.median(index_usd[stamps.codes == code]))
        )
        for code in np.unique(stamps.codes)
    }


def _instants_ms(table: ParquetTable, name: str) -> Ints:
    texts = table.texts(name)
    known = [epoch_ms(_instant(table, name, text)) for text in texts.values]
    return np.array(known, dtype=np.int64)[texts.codes]


def _instant(table: ParquetTable, name: str, text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise StoreDamaged(f"{table.path}: column {name!r} holds {text!r}, no instant") from error
    if instant.utcoffset() is None or instant.utcoffset():
        raise StoreDamaged(f"{table.path}: column {name!r} holds {text!r}, which is not in UTC")
    return instant


def _calls(table: ParquetTable) -> Bools:
    kinds = table.texts("option_type")
    unknown = sorted(set(kinds.values) - {"call", "put"})
    if unknown:
        raise StoreDamaged(f"{table.path}: column 'option_type' holds {unknown[0]!r}")
    return np.array([kind == "call" for kind in kinds.values], dtype=np.bool_)[kinds.codes]


def _positive(table: ParquetTable, name: str) -> Floats:
    values = table.floats(name)
    if not np.all(np.isfinite(values) & (values > 0)):
        raise StoreDamaged(f"{table.path}: column {name!r} holds what is not a positive number")
    return values


def _sides(bid: Floats, ask: Floats) -> tuple[Floats, Floats]:
    """Both quotes, NaN where there is none to rely on."""
    quoted_bid = np.where(np.isfinite(bid) & (bid > 0), bid, np.nan)
    quoted_ask = np.where(np.isfinite(ask) & (ask > 0), ask, np.nan)
    crossed = quoted_bid >= quoted_ask
    return np.where(crossed, np.nan, quoted_bid), np.where(crossed, np.nan, quoted_ask)
