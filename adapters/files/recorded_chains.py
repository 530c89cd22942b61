"""SnapshotArchive over other people's recordings: {btc,eth}_chain_YYYY-MM.parquet, read only."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
from attrs import evolve, frozen

from adapters.files.disk import Disk
from adapters.files.recorded_month import RecordedMonth
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.columns import Bools, Floats
from ports.errors import StoreDamaged, StoreUnwritable, Unavailable
from ports.instruments import ContractRules
from ports.market_data import MarketSnapshot
from ports.snapshots import Skipped

_FILE = re.compile(r"([a-z]+)_chain_\d{4}-\d\d\.parquet")
_SHOWN_OF_DAY_VOLUME = 0.1  # amounts are not recorded: what a day trades stands in for them
_GRID_SLACK = 1e-6  # of an amount step
_NEAR_MONEY = 0.15  # log moneyness within which parity says the forward well
_FEWEST_PAIRS = 3


class RecordedChains:
    """
    Whole chains of 2026, about four a day, in files of a month.

    The index is the median over a snapshot's rows. The forward is the one its marks were made
    with, by parity; the recorded underlying, taken up to a minute apart from the mark beside it,
    stands in where an expiry has too few pairs. Amounts on both sides are a tenth of the day's
    volume in whole steps, NaN where that is none. A quote of zero, and both sides of a crossed
    or locked pair, are NaN. Files and rows that cannot be used are passed over, and told by
    skipped; of two rows of one contract the first stands. One month of each coin is kept in
    memory.
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
        self._contents: dict[str, _Contents] = {}
        self._last: dict[str, MarketSnapshot] = {}  # a tick looks at one snapshot many times
        self._months: dict[str, RecordedMonth] = {}

    async def instants(self, underlying: str) -> tuple[datetime, ...]:
        """Return when snapshots were taken, oldest first; empty without files of *underlying*."""
        return tuple(self._content(underlying).taken)

    async def index_prices(self, underlying: str) -> tuple[tuple[datetime, float], ...]:
        """Return every snapshot's instant with its index in USD, oldest first."""
        taken = self._content(underlying).taken
        return tuple((at, each.index_usd) for at, each in taken.items())

    async def load(self, underlying: str, taken_at: datetime) -> MarketSnapshot:
        """
        Return the snapshot taken at exactly *taken_at*.

        Raises:
            Unavailable: There is none, or no contract rules of *underlying* were given.

            StoreDamaged: Its file was changed since, and cannot be read any more.
        """
        last = self._last.get(underlying)
        if last is not None and last.taken_at == taken_at:
            return last
        taken = self._content(underlying).taken.get(taken_at)
        if taken is None:
            raise Unavailable(f"no snapshot of {underlying} taken at {taken_at}")
        if underlying not in self._rules:
            raise Unavailable(f"the recording has no contract rules, none given of {underlying}")
        rules = self._rules[underlying]
        chain = _chain_of(self._month(underlying, taken.path), underlying, taken_at, rules)
        snapshot = MarketSnapshot(underlying, taken_at, taken.index_usd, chain, rules)
        self._last[underlying] = snapshot
        return snapshot

    async def skipped(self, underlying: str) -> tuple[Skipped, ...]:
        """Return the files, and in words the rows, that cannot be used."""
        return self._content(underlying).skipped

    async def save(self, snapshot: MarketSnapshot) -> None:
        """
        Refuse.

        Raises:
            StoreUnwritable: Always: the recording is not ours.
        """
        raise StoreUnwritable(f"{self._directory} is read only: {snapshot.taken_at} is not kept")

    def _content(self, underlying: str) -> "_Contents":
        if underlying not in self._contents:
            found = _Contents({}, ())
            for name in self._disk.names(self._directory):
                match = _FILE.fullmatch(name)
                is_wanted = self._only in (None, name)
                if is_wanted and match is not None and match[1].upper() == underlying:
                    found = found.with_file(self._directory / name, underlying)
            self._contents[underlying] = evolve(found, taken=dict(sorted(found.taken.items())))
        return self._contents[underlying]

    def _month(self, underlying: str, path: Path) -> RecordedMonth:
        month = self._months.get(underlying)
        if month is None or month.path != path:
            month = self._months[underlying] = RecordedMonth.read(path, underlying)
        return month


def recorded_folder(directory: Path) -> Path:
    """
    The folder in which the recordings of *directory* lie: itself, or the one below it.

    Raises:
        Unavailable: Several folders below it hold recordings.
    """
    if any(is_recorded_chain(path.name) for path in directory.iterdir()):
        return directory
    files = directory.rglob("*_chain_*.parquet")
    folders = sorted({path.parent for path in files if is_recorded_chain(path.name)})
    if len(folders) > 1:
        raise Unavailable(
            f"name one of the folders of recorded chains: {', '.join(map(str, folders))}"
        )
    return folders[0] if folders else directory


def is_recorded_chain(name: str) -> bool:
    """Whether a file is called as those of such a recording are."""
    return _FILE.fullmatch(name) is not None


@frozen
class _Taken:
    """Which file has a snapshot, and the index in it."""

    path: Path
    index_usd: float


@frozen
class _Contents:
    """The snapshots of one coin by instant, and what is passed over."""

    taken: Mapping[datetime, _Taken]
    skipped: tuple[Skipped, ...]

    def with_file(self, path: Path, underlying: str) -> "_Contents":
        """The same with the file *path*; of a snapshot that is there already, the first stands."""
        try:
            month = RecordedMonth.read(path, underlying)
        except StoreDamaged as error:
            return evolve(self, skipped=(*self.skipped, Skipped(path.name, str(error))))
        reasons = list(month.left_out)
        repeated = month.index_usd.keys() & self.taken.keys()
        if repeated:
            reasons.append(f"{len(repeated)} snapshots of instants that an earlier file has")
        taken = {at: _Taken(path, price) for at, price in month.index_usd.items()}
        return _Contents(
            taken={**taken, **self.taken},
            skipped=(*self.skipped, *(Skipped(path.name, reason) for reason in reasons)),
        )


def _chain_of(
    month: RecordedMonth, underlying: str, taken_at: datetime, rules: ContractRules
) -> ChainTable:
    """The snapshot of *month* that was taken at *taken_at*."""
    first, last = np.searchsorted(month.taken_ms, [epoch_ms(taken_at), epoch_ms(taken_at) + 1])
    rows = slice(first, last)
    steps = np.floor(_SHOWN_OF_DAY_VOLUME * month.volume[rows] / rules.amount_step + _GRID_SLACK)
    shown = np.where(steps > 0, np.round(steps * rules.amount_step, 12), np.nan)
    bid, ask = month.bid[rows], month.ask[rows]
    return ChainTable(
        underlying=underlying,
        expiry_ms=month.expiry_ms[rows],
        strike=month.strike[rows],
        is_call=month.is_call[rows],
        forward=_forwards(month, rows),
        bid=bid,
        ask=ask,
        bid_amount=np.where(np.isnan(bid), np.nan, shown),
        ask_amount=np.where(np.isnan(ask), np.nan, shown),
        mark=month.mark[rows],
        mark_iv=month.mark_iv[rows],
        open_interest=month.open_interest[rows],
        volume=month.volume[rows],
        quoted_at_ms=month.taken_ms[rows],
    )


def _forwards(month: RecordedMonth, rows: slice) -> Floats:
    """The forward of each of *rows*, those of one snapshot, by the marks of its expiry."""
    forward = month.forward[rows].copy()
    for expiry_ms in np.unique(month.expiry_ms[rows]):
        inside = month.expiry_ms[rows] == expiry_ms
        forward[inside] = _forward_of_marks(
            month.strike[rows][inside],
            month.is_call[rows][inside],
            month.mark[rows][inside],
            forward[inside],
        )
    return forward


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
