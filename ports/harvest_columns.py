"""The table that a harvested snapshot is to others: twenty known columns, then ours."""

from functools import lru_cache
from math import nan

import numpy as np
from numpy.typing import NDArray

from ports.chain import ChainTable
from ports.checks import EPOCH, from_epoch_ms
from ports.columns import Floats
from ports.instruments import OptionContract, OptionKind
from ports.snapshots import (
    ColumnKind,
    DerivedColumns,
    Harvest,
    RawColumn,
    RawTable,
    coin_of,
    settlement_of,
)

CANONICAL = (
    "harvest_time",
    "instrument_name",
    "underlying",
    "expiry",
    "expiry_timestamp",
    "option_type",
    "strike",
    "underlying_price",
    "mark_price",
    "best_bid_price",
    "best_ask_price",
    "bid_iv",
    "ask_iv",
    "mark_iv",
    "open_interest",
    "volume",
    "greek_delta",
    "greek_gamma",
    "greek_theta",
    "greek_vega",
)
OURS = (
    "iv_source",
    "greeks_source",
    "index_price",
    "interest_rate",
    "best_bid_amount",
    "best_ask_amount",
    "quoted_at",
    "mark_iv_fraction",
)
TEXTS = ("instrument_name", "underlying", "expiry", "option_type", "iv_source", "greeks_source")
INSTANTS = ("harvest_time", "quoted_at")
_BITS = 15


def kind_of(name: str) -> ColumnKind:
    """What the cells of the column *name* are."""
    if name in INSTANTS:
        return ColumnKind.INSTANT
    return ColumnKind.TEXT if name in TEXTS else ColumnKind.NUMBER


def table_of(harvest: Harvest, derived: DerivedColumns, file: str) -> RawTable:
    """
    Return *harvest* as a table, its columns CANONICAL and then OURS.

    Derived figures are shortened to fifteen significant bits, 3e-5 of their size: the venue tells
    its own no finer, quotes and terms give them exactly, and the rest would not compress.
    Units: harvest_time, quoted_at milliseconds, expiry_timestamp seconds from 1970; prices coin
    (inverse) or USDC (linear); volatilities vol points; greeks as in DerivedColumns.
    mark_iv_fraction is there only where the points do not lead back to the very same fraction.
    """
    chain, family = harvest.market.chain, harvest.family
    points = np.round(100.0 * chain.mark_iv, 10)  # what the venue told, before it was divided
    taken_ms = (harvest.market.taken_at - EPOCH).total_seconds() * 1000.0
    values: dict[str, Floats | NDArray[np.str_]] = {
        "harvest_time": _same(taken_ms, chain),
        "instrument_name": _texts(_names(harvest)),
        "underlying": _texts([family] * len(chain)),
        "expiry": _texts([_day(each) for each in chain.expiry_ms.tolist()]),
        "expiry_timestamp": chain.expiry_ms / 1000.0,
        "option_type": np.where(chain.is_call, "C", "P").astype(np.str_),
        "strike": chain.strike,
        "underlying_price": chain.forward,
        "mark_price": chain.mark,
        "best_bid_price": chain.bid,
        "best_ask_price": chain.ask,
        "bid_iv": _shortened(100.0 * derived.bid_iv),
        "ask_iv": _shortened(100.0 * derived.ask_iv),
        "mark_iv": points,
        "open_interest": chain.open_interest,
        "volume": chain.volume,
        "greek_delta": _shortened(derived.delta),
        "greek_gamma": _shortened(derived.gamma),
        "greek_theta": _shortened(derived.theta),
        "greek_vega": _shortened(derived.vega),
        "iv_source": _texts([derived.source.value] * len(chain)),
        "greeks_source": _texts([derived.source.value] * len(chain)),
        "index_price": _same(harvest.market.index_usd, chain),
        "interest_rate": harvest.interest_rate,
        "best_bid_amount": chain.bid_amount,
        "best_ask_amount": chain.ask_amount,
        "quoted_at": chain.quoted_at_ms.astype(np.float64),
        "mark_iv_fraction": np.where(points / 100.0 == chain.mark_iv, nan, chain.mark_iv),
    }
    columns = {name: RawColumn(kind_of(name), column) for name, column in values.items()}
    return RawTable(file, len(chain), columns)


def _names(harvest: Harvest) -> list[str]:
    chain, family = harvest.market.chain, harvest.family
    rows = zip(chain.expiry_ms.tolist(), chain.strike.tolist(), chain.is_call.tolist(), strict=True)
    return [_symbol(family, *terms) for terms in rows]


@lru_cache(maxsize=65_536)  # the same few thousand names come with every snapshot
def _symbol(family: str, expiry_ms: int, strike: float, is_call: bool) -> str:
    kind = OptionKind.CALL if is_call else OptionKind.PUT
    expiry = from_epoch_ms(expiry_ms)
    return OptionContract(coin_of(family), expiry, strike, kind, settlement_of(family)).symbol


@lru_cache(maxsize=1024)
def _day(expiry_ms: int) -> str:
    return from_epoch_ms(expiry_ms).date().isoformat()


def _same(number: float, chain: ChainTable) -> Floats:
    return np.full(len(chain), number)


def _shortened(column: Floats) -> Floats:
    """*column* with as many bits as are written of a figure that was worked out."""
    mantissa, exponent = np.frexp(column)
    return np.ldexp(np.round(mantissa * 2.0**_BITS) / 2.0**_BITS, exponent)


def _texts(texts: list[str]) -> NDArray[np.str_]:
    return np.array(texts, dtype=np.str_)
