"""
What a file of harvested chains holds: its columns, and in its metadata the snapshots in it.

The first twenty columns are those that others know, in their order; ours follow. Volatilities
are in vol points, instants in UTC, an empty cell is not known.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from attrs import field, frozen
from attrs.validators import ge

from adapters.files.parquet import ParquetTable
from ports.chain import ChainTable
from ports.checks import positive, utc
from ports.codec import Codec
from ports.errors import StoreDamaged
from ports.harvest_columns import CANONICAL, OURS, TEXTS, table_of
from ports.instruments import ContractRules
from ports.snapshots import (
    DerivedColumns,
    Harvest,
    MarketLevels,
    Source,
    coin_of,
    settlement_of,
)

VERSION = "1"
_UNITS = {"harvest_time": "us", "quoted_at": "ms"}
_PER_MS = {"harvest_time": 1000.0, "quoted_at": 1.0}


def _type_of(name: str) -> Any:
    if name in _UNITS:
        return pa.timestamp(_UNITS[name], tz="UTC")
    return pa.string() if name in TEXTS else pa.float64()


SCHEMA = pa.schema([(name, _type_of(name)) for name in (*CANONICAL, *OURS)])
# Nearly every cell of these differs, so that a dictionary of them is longer than they are.
_WITHOUT_DICTIONARY = ("mark_price", "greek_delta", "greek_gamma", "greek_theta", "greek_vega")
WRITTEN = {
    "compression": "zstd",
    "compression_level": 3,
    "write_page_checksum": True,  # readers ask for it: a flipped bit is damage, not a price
    "use_dictionary": [name for name in SCHEMA.names if name not in _WITHOUT_DICTIONARY],
}
CHAIN_COLUMNS = (
    "expiry_timestamp",
    "option_type",
    "strike",
    "underlying_price",
    "mark_price",
    "best_bid_price",
    "best_ask_price",
    "mark_iv",
    "mark_iv_fraction",
    "open_interest",
    "volume",
    "best_bid_amount",
    "best_ask_amount",
    "quoted_at",
)


@frozen(kw_only=True)
class Head:
    """What a snapshot has beside its rows, of which there are *rows*."""

    taken_at: datetime = field(validator=utc)
    index_usd: float = field(validator=positive)
    index_source: Source = Source.VENUE
    rules: ContractRules
    levels: MarketLevels
    notes: tuple[str, ...] = ()
    rows: int = field(validator=ge(0))


_HEADS = Codec.of([Head])


def head_of(harvest: Harvest) -> Head:
    """What is written of *harvest* beside its rows."""
    return Head(
        taken_at=harvest.market.taken_at,
        index_usd=harvest.market.index_usd,
        index_source=harvest.index_source,
        rules=harvest.market.rules,
        levels=harvest.levels,
        notes=harvest.notes,
        rows=len(harvest.market.chain),
    )


def rows_of(harvest: Harvest, derived: DerivedColumns) -> Any:
    """The rows of *harvest*, a pyarrow.Table of SCHEMA."""
    columns = table_of(harvest, derived, "").columns
    arrays = [_array(each.name, columns[each.name].values).cast(each.type) for each in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def chain_in(path: Path, family: str, table: Any) -> ChainTable:
    """
    Return the rows *table*, of CHAIN_COLUMNS or more, as the chain of *family*.

    Raises:
        StoreDamaged: They are no chain; names the file *path*.
    """
    rows = ParquetTable(path, table)
    kinds = rows.texts("option_type")
    fraction = rows.floats("mark_iv_fraction")
    try:
        return ChainTable(
            underlying=coin_of(family),
            settlement=settlement_of(family),
            expiry_ms=np.round(1000.0 * rows.floats("expiry_timestamp")).astype(np.int64),
            strike=rows.floats("strike"),
            is_call=np.array([each == "C" for each in kinds.values], dtype=np.bool_)[kinds.codes],
            forward=rows.floats("underlying_price"),
            bid=rows.floats("best_bid_price"),
            ask=rows.floats("best_ask_price"),
            bid_amount=rows.floats("best_bid_amount"),
            ask_amount=rows.floats("best_ask_amount"),
            mark=rows.floats("mark_price"),
            mark_iv=np.where(np.isnan(fraction), rows.floats("mark_iv") / 100.0, fraction),
            open_interest=rows.floats("open_interest"),
            volume=rows.floats("volume"),
            quoted_at_ms=rows.ints("quoted_at"),
        )
    except ValueError as error:
        raise StoreDamaged(f"{path}: {error}") from error


def as_bytes(table: Any, heads: Sequence[Head]) -> bytes:
    """The file of *table* and *heads*."""
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata_of(heads)), sink, **WRITTEN)
    return bytes(sink.getvalue())


def metadata_of(heads: Sequence[Head]) -> dict[str, str]:
    """What a file of *heads* says beside its schema."""
    return {
        "schema_version": VERSION,
        "snapshots": json.dumps([_HEADS.encode(head) for head in heads]),
    }


def heads_in(path: Path, metadata: dict[str, str]) -> tuple[Head, ...]:
    """
    Return the snapshots that *metadata* of the file *path* counts.

    Raises:
        StoreDamaged: The file is of another version, or its list cannot be read.
    """
    if metadata.get("schema_version") != VERSION:
        found = metadata.get("schema_version", "none")
        raise StoreDamaged(f"{path} has schema version {found}, this program knows {VERSION}")
    try:
        return tuple(_HEADS.decode(dict(each)) for each in json.loads(metadata["snapshots"]))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreDamaged(f"{path}: cannot read its list of snapshots: {error!r}") from error


def _array(name: str, column: Any) -> Any:
    if name in TEXTS:
        return pa.array(column.tolist(), pa.string())
    if name in _PER_MS:
        return pa.array(np.round(_PER_MS[name] * column).astype(np.int64))
    return pa.array(np.asarray(column), from_pandas=True)
