"""Columns of a table that somebody else wrote, found by the many names people give them."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from attrs import field, frozen

from adapters.files.parquet import damage_of
from ports.checks import epoch_ms
from ports.columns import Floats, Ints
from ports.errors import StoreDamaged

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "time": (
        "harvest_time",
        "timestamp",
        "time",
        "datetime",
        "quote_datetime",
        "snapshot_time",
        "date",
        "quote_date",
        "creation_timestamp",
    ),
    "name": ("instrument_name", "instrument", "symbol", "option_symbol", "contract"),
    "family": ("base_currency", "currency", "asset", "coin", "underlying"),
    "expiry": (
        "expiry_timestamp",
        "expiration_timestamp",
        "expiry_datetime",
        "expiry_date",
        "expiration_date",
        "expiry",
        "expiration",
        "maturity",
    ),
    "strike": ("strike", "strike_price"),
    "type": ("option_type", "type", "call_put", "cp", "right"),
    "forward": ("underlying_price", "forward_price", "forward", "futures_price"),
    "index": ("index_price", "spot_price", "spot", "index"),
    "mark": ("mark_price", "mark"),
    "bid": ("best_bid_price", "bid_price", "bid"),
    "ask": ("best_ask_price", "ask_price", "ask"),
    "bid_amount": ("best_bid_amount", "bid_amount", "bid_size"),
    "ask_amount": ("best_ask_amount", "ask_amount", "ask_size"),
    "mark_iv": ("mark_iv", "implied_volatility", "iv", "mark_implied_volatility"),
    "open_interest": ("open_interest", "oi"),
    "volume": ("volume", "stats_volume", "volume_24h"),
    "interest_rate": ("interest_rate", "rate"),
}
_NOON, _DELIVERY = time(12), time(8)
_MS_PER_UNIT = ((1e17, 1e-6), (1e14, 1e-3), (1e11, 1.0), (0.0, 1e3))  # ns, us, ms, s from 1970


@frozen(eq=False)
class ForeignColumns:
    """
    The columns of *path* by what they mean; *notes* say what was passed over in reading.

    *sha256* is that of the file.
    """

    path: Path
    sha256: str
    roles: Mapping[str, Any]  # role to pyarrow column
    rows: int
    notes: tuple[str, ...] = field(default=())

    def floats(self, role: str) -> Floats:
        """
        The numbers of *role*, (n,); NaN where empty, or everywhere if there is no such column.

        Raises:
            StoreDamaged: It holds what is no number.
        """
        if role not in self.roles:
            return np.full(self.rows, np.nan)
        try:
            column = self.roles[role].cast(pa.float64(), safe=False)
        except pa.ArrowException as error:
            raise StoreDamaged(f"{self.path}: the column of {role}: {error}") from error
        return np.asarray(column.to_numpy(), dtype=np.float64)

    def texts(self, role: str) -> "list[str | None]":
        """The texts of *role*; None where empty, or everywhere if there is no such column."""
        if role not in self.roles:
            return [None] * self.rows
        with damage_of(self.path):
            return list(self.roles[role].cast(pa.string()).to_pylist())

    def instants_ms(self, role: str) -> Ints:
        """
        The instants of *role* in milliseconds from 1970, (n,); -1 where empty.

        Numbers are seconds, or the smaller unit that makes them of our time. A day without an
        hour is its noon, that of an expiry 08:00; a time without a zone is in UTC.

        Raises:
            StoreDamaged: It holds what is no instant.
        """
        column = self.roles[role]
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
            return np.asarray(column.fill_null(-1).to_numpy(), dtype=np.int64)
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return _from_numbers(self.floats(role))
        hour = _DELIVERY if role == "expiry" else _NOON
        texts = self.texts(role)
        known = {text: self._instant_ms(role, text, hour) for text in set(texts)}
        return np.array([known[text] for text in texts], dtype=np.int64)

    def _instant_ms(self, role: str, text: str | None, hour: time) -> int:
        if text is None or not text.strip():
            return -1
        try:
            if len(text.strip()) <= len("2026-03-27"):
                return epoch_ms(datetime.combine(date.fromisoformat(text.strip()), hour, UTC))
            instant = datetime.fromisoformat(text.strip())
        except ValueError as error:
            raise StoreDamaged(f"{self.path}: the column of {role} holds {text!r}") from error
        return epoch_ms(instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant)


def read_columns(path: Path) -> ForeignColumns:
    """
    Return the columns of *path*: Parquet by its ending, otherwise CSV, gzipped or not.

    A line of another number of cells than the first is left out and counted.

    Raises:
        StoreDamaged: It cannot be read.
    """
    bad_lines: list[int] = []
    with damage_of(path):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        table = pq.read_table(path) if path.suffix == ".parquet" else _csv(path, bad_lines)
        normal = {_normal(name): name for name in table.column_names}
    notes = (f"{len(bad_lines)} lines of {path.name} are malformed",) if bad_lines else ()
    roles = {
        role: table[normal[found]]
        for role, names in _ALIASES.items()
        if (found := next((name for name in names if name in normal), None)) is not None
    }
    return ForeignColumns(path, digest, roles, len(table), notes)


def _csv(path: Path, bad_lines: list[int]) -> Any:
    def pass_over(row: Any) -> str:
        bad_lines.append(row.number or 0)
        return "skip"

    parse = pacsv.ParseOptions(invalid_row_handler=pass_over, newlines_in_values=True)
    convert = pacsv.ConvertOptions(strings_can_be_null=True)
    return pacsv.read_csv(path, parse_options=parse, convert_options=convert)


def _normal(name: str) -> str:
    """Column names as they are compared: mark-price, Mark Price and mark.price are one."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _from_numbers(numbers: Floats) -> Ints:
    known = numbers[np.isfinite(numbers)]
    size = float(np.median(np.abs(known))) if len(known) else 0.0
    factor = next(factor for least, factor in _MS_PER_UNIT if size >= least)
    return np.where(np.isfinite(numbers), np.round(numbers * factor), -1).astype(np.int64)
