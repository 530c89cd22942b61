"""One month of somebody else's chains as columns, and what of the file is left out."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from math import isfinite, nan
from pathlib import Path

import numpy as np
from attrs import frozen

from adapters.files.parquet import ParquetTable
from ports.checks import epoch_ms
from ports.columns import Bools, Floats, Ints

_COLUMNS = (
    "timestamp",
    "instrument_name",
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
    "index_price",
)
_KINDS = ("call", "put")
_NO_INSTANT = -1
_FAR = 2.0  # times its forward, or a part of it, where no index ever lay


@frozen(eq=False, kw_only=True)
class RecordedMonth:
    """
    One file, (n,), sorted by instant and then as a ChainTable is.

    *index_usd* is that of each snapshot, the median over its rows, oldest first. *left_out*
    says what of the file is in neither, and why. Quotes that cannot be are NaN.
    """

    path: Path
    index_usd: Mapping[datetime, float]
    left_out: tuple[str, ...]
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
    def read(cls, path: Path, underlying: str) -> "RecordedMonth":
        """
        Return the rows of the file *path* that are of *underlying* and can be used.

        Raises:
            StoreDamaged: It cannot be read, lacks a column or has a foreign type in one.
        """
        table = ParquetTable.read(path, _COLUMNS)
        cells = _Cells.of(table, underlying)
        flaws = dict(cells.flaws())
        rows = cells.sorted_rows(~np.logical_or.reduce(list(flaws.values())))
        is_repeated = cells.repeats(rows)
        rows = rows[~is_repeated]
        index_usd = cells.index_of_snapshots(rows)
        bid, ask = (_above_zero(table.floats(name)[rows]) for name in ("bid_price", "ask_price"))
        is_crossed = bid >= ask
        counts = {
            **{reason: found.sum() for reason, found in flaws.items()},
            "rows that repeat a contract of their snapshot": is_repeated.sum(),
            "rows whose 'index_price' is no price near the forward": np.isnan(
                cells.index[rows]
            ).sum(),
            "snapshots without an index price": sum(np.isnan(list(index_usd.values()))),
            "quotes that are crossed or locked": is_crossed.sum(),
        }
        left_out = [f"{count} {reason}" for reason, count in counts.items() if count]
        return cls(
            path=path,
            index_usd={at: price for at, price in index_usd.items() if isfinite(price)},
            left_out=tuple(left_out) if len(cells.strike) else ("no rows",),
            taken_ms=cells.taken.ms[rows],
            expiry_ms=cells.expiry.ms[rows],
            strike=cells.strike[rows],
            is_call=cells.is_call[rows],
            forward=cells.forward[rows],
            bid=np.where(is_crossed, np.nan, bid),
            ask=np.where(is_crossed, np.nan, ask),
            mark=cells.mark[rows],
            mark_iv=_above_zero(table.floats("implied_volatility")[rows]),
            open_interest=table.floats("open_interest")[rows],
            volume=table.floats("volume")[rows],
        )


@frozen(eq=False, kw_only=True)
class _Instants:
    """A column of texts, (n,), as milliseconds; _NO_INSTANT where a cell is none in UTC."""

    ms: Ints
    known: Mapping[int, datetime]  # by millisecond, to the microsecond
    strange: str  # one of the texts that are none

    @classmethod
    def of(cls, table: ParquetTable, name: str) -> "_Instants":
        texts = table.texts(name, empty="")
        found = [_instant(text) for text in texts.values]
        by_code = [_NO_INSTANT if each is None else epoch_ms(each) for each in found]
        strange = [text for text, each in zip(texts.values, found, strict=True) if each is None]
        return cls(
            ms=np.array(by_code, dtype=np.int64)[texts.codes],
            known={epoch_ms(each): each for each in found if each is not None},
            strange=strange[0] if strange else "",
        )


@frozen(eq=False, kw_only=True)
class _Names:
    """Which of the rows, (n,), name a contract that is not of *coin*."""

    coin: str
    is_strange: Bools
    strange: str  # one of those names

    @classmethod
    def of(cls, table: ParquetTable, coin: str) -> "_Names":
        names = table.texts("instrument_name", empty="")
        strange = [not name.startswith(f"{coin}-") for name in names.values]
        return cls(
            coin=coin,
            is_strange=np.array(strange, dtype=np.bool_)[names.codes],
            strange=next((name for name in names.values if not name.startswith(f"{coin}-")), ""),
        )


@frozen(eq=False, kw_only=True)
class _Cells:
    """What says which contract of which snapshot a row is of, and what it is worth; (n,)."""

    taken: _Instants
    name: _Names
    expiry: _Instants
    strike: Floats
    forward: Floats
    mark: Floats
    index: Floats
    is_call: Bools
    is_put: Bools

    @classmethod
    def of(cls, table: ParquetTable, underlying: str) -> "_Cells":
        kinds = table.texts("option_type", empty="")
        call, put = (
            np.array([value == kind for value in kinds.values], dtype=np.bool_)[kinds.codes]
            for kind in _KINDS
        )
        forward = _above_zero(table.floats("underlying"))
        index = _above_zero(table.floats("index_price"))
        is_near = (forward / _FAR < index) & (index < _FAR * forward)
        return cls(
            taken=_Instants.of(table, "timestamp"),
            name=_Names.of(table, underlying),
            expiry=_Instants.of(table, "expiry_datetime"),
            strike=_above_zero(table.floats("strike")),
            forward=forward,
            mark=table.floats("mark_price"),
            index=np.where(is_near, index, nan),
            is_call=call,
            is_put=put,
        )

    def flaws(self) -> Iterator[tuple[str, Bools]]:
        """Why a row is of no use, and which rows are so."""
        for name, column in (("timestamp", self.taken), ("expiry_datetime", self.expiry)):
            reason = f"rows whose {name!r} is no instant in UTC, such as {column.strange!r}"
            yield reason, column.ms == _NO_INSTANT
        reason = f"rows whose 'instrument_name' is not of {self.name.coin}"
        yield f"{reason}, such as {self.name.strange!r}", self.name.is_strange
        yield "rows whose 'option_type' is neither call nor put", ~(self.is_call | self.is_put)
        yield "rows whose 'strike' is no positive number", np.isnan(self.strike)
        yield "rows whose 'underlying' is no positive number", np.isnan(self.forward)
        yield "rows without a mark", ~(np.isfinite(self.mark) & (self.mark >= 0.0))

    def sorted_rows(self, wanted: Bools) -> Ints:
        """The rows *wanted*, by instant, expiry, strike and kind; of equals, the first first."""
        order = np.lexsort((self.is_put, self.strike, self.expiry.ms, self.taken.ms))
        return np.asarray(order[wanted[order]], dtype=np.int64)

    def repeats(self, rows: Ints) -> Bools:
        """Whether each of the sorted *rows* is of the contract of the one before."""
        is_same = np.ones(max(len(rows) - 1, 0), dtype=np.bool_)
        for column in (self.taken.ms, self.expiry.ms, self.strike, self.is_put):
            is_same &= column[rows][1:] == column[rows][:-1]
        return np.append(False, is_same)[: len(rows)]

    def index_of_snapshots(self, rows: Ints) -> dict[datetime, float]:
        """The index of each snapshot that the sorted *rows* are of; NaN where none is told."""
        stamps, first = np.unique(self.taken.ms[rows], return_index=True)
        parts = np.split(self.index[rows], first[1:])
        return {
            self.taken.known[stamp]: _median(prices)
            for stamp, prices in zip(stamps.tolist(), parts, strict=False)
        }


def _median(prices: Floats) -> float:
    told = prices[np.isfinite(prices)]
    return float(np.median(told)) if len(told) else nan


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    is_utc = instant.utcoffset() is not None and not instant.utcoffset()
    return instant if is_utc else None


def _above_zero(values: Floats) -> Floats:
    return np.where(np.isfinite(values) & (values > 0.0), values, np.nan)
