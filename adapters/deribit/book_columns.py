"""The venue's list of option quotes as columns, family by family, without a model per row."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import nan
from types import NoneType
from typing import Any

import numpy as np
from attrs import field, frozen

from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.columns import Floats
from ports.errors import Malformed
from ports.instruments import OptionContract
from ports.snapshots import coin_of, settlement_of

_LARGEST = 1e15  # no price, amount or instant of the venue comes near
_NUMBERS = (
    "bid_price",
    "ask_price",
    "mark_price",
    "mark_iv",
    "underlying_price",
    "open_interest",
    "volume",
    "interest_rate",
    "estimated_delivery_price",
    "creation_timestamp",
)
_PLAIN = {float, NoneType}  # numpy reads None as NaN; an int may be too large for it


@frozen(eq=False)
class BookColumns:
    """
    The quotes of one family as told, sorted as a ChainTable is.

    *index_usd* is the median of the rows' estimated delivery prices, which are the index but
    for an expiry in its last half hour; NaN where no row has one.
    """

    chain: ChainTable
    interest_rate: Floats
    index_usd: float


@frozen(eq=False)
class BookRead:
    """All families of one answer, and the rows that are none of an option's."""

    families: Mapping[str, BookColumns]
    notes: tuple[str, ...]


_Key = tuple[float, float, float]  # expiry in ms, strike, 1 for a call: what rows are sorted by


@frozen
class _Terms:
    family: str
    key: _Key


@frozen(eq=False)
class _Picked:
    """The rows of one family, and the terms of each."""

    rows: list[int] = field(factory=list)
    keys: list[_Key] = field(factory=list)


def read_books(rows: object, method: str) -> BookRead:
    """
    Return *rows*, the result of public/get_book_summary_by_currency, as columns.

    A price that is not above zero is not quoted. A row that names no option, has no instant, or
    names one for the second time is left out and noted.

    Raises:
        Malformed: It is no list of objects, or holds no option.
    """
    if not isinstance(rows, list) or not set(map(type, rows)) <= {dict}:
        raise Malformed(f"{method}: the result is not a list of objects")
    terms = [_terms(row.get("instrument_name")) for row in rows]
    numbers = _numbers(rows)
    is_dated = np.isfinite(numbers["creation_timestamp"]).tolist()
    families: dict[str, _Picked] = defaultdict(_Picked)
    for number, each in enumerate(terms):
        if each is not None and is_dated[number]:
            picked = families[each.family]
            picked.rows.append(number)
            picked.keys.append(each.key)
    if not families:
        raise Malformed(f"{method}: no option among {len(rows)} rows")
    notes: list[str] = []
    if sum(len(picked.rows) for picked in families.values()) < len(rows):
        notes += _left_out(terms, is_dated)
    read: dict[str, BookColumns] = {}
    for family in sorted(families):
        columns = read[family] = _columns_of(family, families[family], numbers)
        if repeated := len(families[family].rows) - len(columns.chain):
            notes.append(f"{repeated} rows of {family} name an option for the second time")
    return BookRead(read, tuple(notes))


def _columns_of(family: str, picked: _Picked, told: Mapping[str, Floats]) -> BookColumns:
    """The columns; of two rows of one option the first is kept."""
    rows, keys = np.array(picked.rows, dtype=np.int64), np.array(picked.keys, dtype=np.float64)
    numbers = {name: column[rows] for name, column in told.items()}
    order = np.lexsort((-keys[:, 2], keys[:, 1], keys[:, 0]))  # stable: the first told comes first
    is_first = np.append(True, np.any(keys[order[1:]] != keys[order[:-1]], axis=1))
    order = order[is_first]
    expiry_ms, strike, is_call = keys[order].T
    unknown = np.full(len(order), nan)
    estimated = _above_zero(numbers["estimated_delivery_price"])
    known = estimated[np.isfinite(estimated)]
    mark = numbers["mark_price"][order]
    table = ChainTable(
        underlying=coin_of(family),
        settlement=settlement_of(family),
        expiry_ms=expiry_ms.astype(np.int64),
        strike=strike,
        is_call=is_call > 0.0,
        forward=_above_zero(numbers["underlying_price"])[order],
        bid=_above_zero(numbers["bid_price"])[order],
        ask=_above_zero(numbers["ask_price"])[order],
        bid_amount=unknown,
        ask_amount=unknown,
        mark=np.where(mark >= 0, mark, nan),
        mark_iv=_above_zero(numbers["mark_iv"])[order] / 100.0,
        open_interest=numbers["open_interest"][order],
        volume=numbers["volume"][order],
        quoted_at_ms=numbers["creation_timestamp"][order].astype(np.int64),
    )
    index_usd = float(np.median(known)) if len(known) else nan
    return BookColumns(table, numbers["interest_rate"][order], index_usd)


def _numbers(rows: list[dict[str, Any]]) -> dict[str, Floats]:
    """A column for each name; NaN for what is no number that can be meant."""
    return {name: _floats([row.get(name) for row in rows]) for name in _NUMBERS}


def _floats(told: list[Any]) -> Floats:
    if not set(map(type, told)) <= _PLAIN:
        told = [
            each if type(each) in (float, int) and abs(each) < _LARGEST else nan for each in told
        ]
    column = np.array(told, dtype=np.float64)
    return np.where(np.abs(column) < _LARGEST, column, nan)


@lru_cache(maxsize=16_384)  # a few thousand names come again with every chain
def _terms(name: object) -> _Terms | None:
    """What *name* says; None if it is no option's."""
    if not isinstance(name, str):
        return None
    try:
        contract = OptionContract.from_symbol(name)
    except ValueError:
        return None
    family = name.partition("-")[0]
    key = float(epoch_ms(contract.expiry)), contract.strike, float(contract.is_call)
    return _Terms(family, key)


def _left_out(terms: list[_Terms | None], is_dated: list[bool]) -> Iterator[str]:
    if unread := sum(each is None for each in terms):
        yield f"{unread} of {len(terms)} rows name no option"
    named = zip(terms, is_dated, strict=True)
    if undated := sum(each is not None and not dated for each, dated in named):
        yield f"{undated} of {len(terms)} rows do not say when they were made"


def _above_zero(column: Floats) -> Floats:
    return np.where(column > 0, column, nan)
