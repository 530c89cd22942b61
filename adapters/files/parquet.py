"""Columns out of Parquet files that somebody else may have written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from attrs import frozen

from ports.columns import Bools, Floats, Ints
from ports.errors import StoreDamaged

# pa.scalar, too, would load pandas.
_UNKNOWN = pa.Array.from_buffers(pa.float64(), 1, [None, pa.py_buffer(np.array([np.nan]))])[0]


@frozen(eq=False)
class TextColumn:
    """Few different texts in many rows: the row's text is values[codes[row]]."""

    codes: Ints  # (n,)
    values: tuple[str, ...]


class ParquetTable:
    """The columns of one file; whatever is wrong with one is StoreDamaged with both names."""

    def __init__(self, path: Path, table: Any) -> None:
        self.path = path
        self.table = table

    @classmethod
    def read(cls, path: Path, columns: Sequence[str]) -> "ParquetTable":
        """
        Return *columns* of the file *path*.

        Raises:
            StoreDamaged: It is not Parquet, or lacks a column.
        """
        with damage_of(path), pq.ParquetFile(path) as file:
            missing = [name for name in columns if name not in file.schema_arrow.names]
            if missing:
                raise StoreDamaged(f"{path} has no column {missing[0]!r}")
            return cls(path, file.read(list(columns)))

    def floats(self, name: str) -> Floats:
        """Return the numbers of column *name*, (n,); NaN where it is empty."""
        column = self._typed(name, "numbers", pa.types.is_floating, pa.types.is_integer)
        return np.asarray(_plain(column.cast(pa.float64()).fill_null(_UNKNOWN)))

    def ints(self, name: str) -> Ints:
        """Return the whole numbers of column *name*, (n,), none empty; of instants, from 1970."""
        kinds = (pa.types.is_integer, pa.types.is_timestamp)
        column = self._full(name, self._typed(name, "whole numbers", *kinds))
        return np.asarray(_plain(column.cast(pa.int64())))

    def bools(self, name: str) -> Bools:
        """Return the truths of column *name*, (n,), none empty."""
        column = self._full(name, self._typed(name, "true or false", pa.types.is_boolean))
        return np.asarray(_plain(column.cast(pa.uint8())), dtype=np.bool_)

    def texts(self, name: str, *, empty: str | None = None) -> TextColumn:
        """Return the texts of column *name*; empty cells are *empty*, or damage if that is None."""
        column = self.table[name]
        if empty is not None and column.null_count and _is_dictionary_of_text(column.type):
            column = column.cast(pa.string())
        if not pa.types.is_dictionary(column.type):
            column = self._typed(name, "text", pa.types.is_string, pa.types.is_large_string)
            column = column if empty is None else column.cast(pa.string()).fill_null(empty)
            column = column.dictionary_encode()
        if not pa.types.is_string(column.type.value_type):
            raise StoreDamaged(f"{self.path}: column {name!r} holds {column.type}, not text")
        merged = self._full(name, column.unify_dictionaries()).combine_chunks()
        if len(merged) == 0:
            return TextColumn(np.empty(0, dtype=np.int64), ())
        codes = np.asarray(np.from_dlpack(merged.indices), dtype=np.int64)
        return TextColumn(codes, tuple(merged.dictionary.to_pylist()))

    def _typed(self, name: str, meaning: str, *kinds: Any) -> Any:
        column = self.table[name]
        if not any(kind(column.type) for kind in kinds):
            raise StoreDamaged(f"{self.path}: column {name!r} holds {column.type}, not {meaning}")
        return column

    def _full(self, name: str, column: Any) -> Any:
        if column.null_count:
            raise StoreDamaged(f"{self.path}: column {name!r} has {column.null_count} empty cells")
        return column


def _is_dictionary_of_text(kind: Any) -> bool:
    return bool(pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type))


def _plain(column: Any) -> Any:
    """Numbers, none empty, where they lie; pyarrow's own to_numpy would load all of pandas."""
    return np.from_dlpack(column.combine_chunks())


@contextmanager
def damage_of(path: Path) -> Iterator[None]:
    """Let what goes wrong inside, while *path* is read, be StoreDamaged that names it."""
    try:
        yield
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise StoreDamaged(f"cannot read {path} as a table: {error}") from error
