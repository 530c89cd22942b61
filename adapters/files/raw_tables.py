"""Tables of a Parquet file as raw columns: what is there, before anybody believes it."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from adapters.files.parquet import damage_of
from ports.snapshots import ColumnKind, RawColumn, RawTable


def raw_table(path: Path, file: str, table: Any) -> RawTable:
    """
    Return the rows *table* of *path*, which is told as *file*.

    Raises:
        StoreDamaged: A column cannot be read.
    """
    with damage_of(path):
        columns = {name: _column(table[name]) for name in table.column_names}
    return RawTable(file, len(table), columns)


def _column(column: Any) -> RawColumn:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = _kind_of(column.type)
    if kind is ColumnKind.TEXT:
        texts = column.cast(pa.string()).fill_null("").to_pylist()
        return RawColumn(kind, np.array(texts, dtype=np.str_))
    if kind is ColumnKind.INSTANT:
        column = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
        return RawColumn(kind, _floats(column) / 1000.0)
    if kind is ColumnKind.OTHER:
        return RawColumn(kind, np.full(len(column), np.nan))
    return RawColumn(kind, _floats(column))


def _kind_of(kind: Any) -> ColumnKind:
    if pa.types.is_timestamp(kind):
        return ColumnKind.INSTANT
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return ColumnKind.TEXT
    if pa.types.is_integer(kind):
        return ColumnKind.INTEGER
    return ColumnKind.NUMBER if pa.types.is_floating(kind) else ColumnKind.OTHER


def _floats(column: Any) -> Any:
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
