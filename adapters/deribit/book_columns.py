"""The venue's list of option quotes as columns, family by family, without a model per row."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from math import nan
from operator import itemgetter
from types import NoneType
from typing import Any

import numpy as np
from attrs import frozen

from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.columns import Bools, Floats, Ints
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
_told = itemgetter(*_NUMBERS)
_PLAIN = {float, int, NoneType}  # numpy reads None as NaN


@frozen(eq=False)
class BookColumns:
    """
    The quotes of one family as told, sorted as a ChainTable is, with the venue's *names*.

    *index_usd* is the median of the rows' estimated delivery prices, which are the index but
    for an expiry in its last half hour; NaN where no row has one.
    """

    chain: ChainTable
    names: tuple[str, ...]
    interest_rate: Floats
    index_usd: float


@frozen(eq=False)
class BookRead:
    """All families of one answer, and the rows that are none of an option's."""

    families: Mapping[str, BookColumns]
    notes: tuple[str, ...]


_Key = tuple[float, float, float]  # expiry in ms, strike, 1 for a put: what rows are sorted by


@frozen(eq=False)
class _Family:
    """Where the options of one family stand among the rows told, and their terms, sorted."""

    family: str
    rows: Ints
    names: tuple[str, ...]
    expiry_ms: Ints
    strike: Floats
    is_call: Bools
    repeated: int  # rows that name an option for the second time


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
    numbers = _numbers(rows)
    is_dated = np.isfinite(numbers["creation_timestamp"]).tolist()
    named = [_text(row.get("instrument_name")) for row in rows]
    layout = _layout(
        tuple(name if dated else None for name, dated in zip(named, is_dated, strict=True))
    )
    if not layout:
        raise Malformed(f"{method}: no option among {len(rows)} rows")
    families = {each.family: _columns_of(each, numbers) for each in layout}
    is_whole = sum(len(each.rows) for each in layout) == len(rows)
    return BookRead(families, () if is_whole else tuple(_left_out(named, is_dated, layout)))


def _left_out(
    named: list[str | None], is_dated: list[bool], layout: tuple[_Family, ...]
) -> Iterator[str]:
    is_option = [name is not None and _key(name) is not None for name in named]
    if unread := is_option.count(False):
        yield f"{unread} of {len(named)} rows name no option"
    undated = sum(known and not dated for known, dated in zip(is_option, is_dated, strict=True))
    if undated:
        yield f"{undated} of {len(named)} rows do not say when they were made"
    for each in layout:
        if each.repeated:
            yield f"{each.repeated} rows of {each.family} name an option for the second time"


def _columns_of(family: _Family, told: Mapping[str, Floats]) -> BookColumns:
    numbers = {name: column[family.rows] for name, column in told.items()}
    unknown = np.full(len(family.rows), nan)
    estimated = _above_zero(numbers["estimated_delivery_price"])
    known = estimated[np.isfinite(estimated)]
    mark = numbers["mark_price"]
    table = ChainTable(
        underlying=coin_of(family.family),
        settlement=settlement_of(family.family),
        expiry_ms=family.expiry_ms,
        strike=family.strike,
        is_call=family.is_call,
        forward=_above_zero(numbers["underlying_price"]),
        bid=_above_zero(numbers["bid_price"]),
        ask=_above_zero(numbers["ask_price"]),
        bid_amount=unknown,
        ask_amount=unknown,
        mark=np.where(mark >= 0, mark, nan),
        mark_iv=_above_zero(numbers["mark_iv"]) / 100.0,
        open_interest=numbers["open_interest"],
        volume=numbers["volume"],
        quoted_at_ms=numbers["creation_timestamp"].astype(np.int64),
    )
    return BookColumns(
        chain=table,
        names=family.names,
        interest_rate=numbers["interest_rate"],
        index_usd=float(np.median(known)) if len(known) else nan,
    )


@lru_cache(maxsize=16)  # the venue keeps its order from one answer to the next
def _layout(names: tuple[str | None, ...]) -> tuple[_Family, ...]:
    """The families that *names*, row by row, are of; None is a row to be left out."""
    families: dict[str, list[tuple[_Key, int]]] = defaultdict(list)
    for row, name in enumerate(names):
        key = None if name is None else _key(name)
        if name is not None and key is not None:
            families[name.partition("-")[0]].append((key, row))
    return tuple(_family(family, picked, names) for family, picked in sorted(families.items()))


def _family(family: str, picked: list[tuple[_Key, int]], names: tuple[str | None, ...]) -> _Family:
    """The rows *picked*, sorted; of two of one option the first is kept."""
    first: dict[_Key, int] = {}
    for key, row in sorted(picked):
        first.setdefault(key, row)
    expiry_ms, strike, is_put = np.array(list(first), dtype=np.float64).T
    return _Family(
        family=family,
        rows=np.array(list(first.values()), dtype=np.int64),
        names=tuple(str(names[row]) for row in first.values()),
        expiry_ms=expiry_ms.astype(np.int64),
        strike=strike,
        is_call=is_put == 0.0,
        repeated=len(picked) - len(first),
    )


@lru_cache(maxsize=16_384)  # a few thousand names come again with every chain
def _key(name: str) -> _Key | None:
    """The terms of the option *name*, in the order of chains; None if it is no option's."""
    try:
        contract = OptionContract.from_symbol(name)
    except ValueError:
        return None
    return float(epoch_ms(contract.expiry)), contract.strike, float(not contract.is_call)


def _numbers(rows: list[dict[str, Any]]) -> dict[str, Floats]:
    """A column for each name; NaN for what is no number that can be meant."""
    try:
        told = list(chain.from_iterable(map(_told, rows)))
    except KeyError:  # a row does not tell all of them
        told = [row.get(name) for row in rows for name in _NUMBERS]
    columns = _floats(told).reshape(len(rows), len(_NUMBERS)).T
    return dict(zip(_NUMBERS, columns, strict=True))


def _floats(told: list[Any]) -> Floats:
    is_plain = set(map(type, told)) <= _PLAIN
    try:
        column = np.array(told if is_plain else [*map(_meant, told)], dtype=np.float64)
    except OverflowError:  # an integer of hundreds of digits
        column = np.array([*map(_meant, told)], dtype=np.float64)
    return np.where(np.abs(column) < _LARGEST, column, nan)


def _meant(told: Any) -> float:
    return float(told) if type(told) in (float, int) and abs(told) < _LARGEST else nan


def _text(name: object) -> str | None:
    return name if isinstance(name, str) else None


def _above_zero(column: Floats) -> Floats:
    return np.where(column > 0, column, nan)
