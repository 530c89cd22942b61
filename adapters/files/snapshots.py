"""SnapshotArchive in Parquet, a file per coin and UTC day: chains/<coin>/YYYY-MM-DD.parquet."""

import json
import re
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from attrs import field, frozen
from attrs.validators import ge

from adapters.files.disk import Disk
from adapters.files.parquet import ParquetTable, read_metadata
from ports.chain import ChainTable
from ports.checks import positive, utc
from ports.codec import Codec
from ports.errors import StoreDamaged, Unavailable
from ports.instruments import ContractRules, Settlement
from ports.market_data import MarketSnapshot


class ParquetSnapshots:
    """
    Snapshots on disk; saving one rewrites its day, which is the old or the new file, never half.

    The day last read is kept in memory. Columns are those of ChainTable behind `taken_at`, with
    expiry and quoted_at as instants; NaN is written as empty.
    """

    def __init__(self, directory: Path, disk: Disk | None = None) -> None:
        self._chains = directory / "chains"
        self._disk = disk or Disk()
        self._last: _Day | None = None

    async def instants(self, underlying: str) -> tuple[datetime, ...]:
        """
        Return when snapshots were taken, oldest first.

        Raises:
            StoreDamaged: A file cannot be read.
        """
        return tuple(head.taken_at for head in self._heads(underlying))

    async def index_prices(self, underlying: str) -> tuple[tuple[datetime, float], ...]:
        """
        Return every snapshot's instant with its index in USD, oldest first.

        Raises:
            StoreDamaged: A file cannot be read.
        """
        return tuple((head.taken_at, head.index_usd) for head in self._heads(underlying))

    async def load(self, underlying: str, taken_at: datetime) -> MarketSnapshot:
        """
        Return the snapshot taken at exactly *taken_at*.

        Raises:
            Unavailable: There is none.

            StoreDamaged: Its file cannot be read.
        """
        day = self._day(self._path(underlying, taken_at))
        instants = [head.taken_at for head in day.heads]
        if taken_at not in instants:
            raise Unavailable(f"no snapshot of {underlying} taken at {taken_at}")
        return day.snapshot(underlying, instants.index(taken_at))

    async def save(self, snapshot: MarketSnapshot) -> None:
        """
        Keep *snapshot*, safe on the disk on return.

        Raises:
            StoreDamaged: The file of its day cannot be read; it is left as it is.

            StoreUnwritable: It could not be written; nothing was changed.
        """
        path = self._path(snapshot.underlying, snapshot.taken_at)
        day = self._day(path).with_snapshot(snapshot)
        self._disk.make_directory(path.parent)
        self._disk.replace(path, day.as_bytes())
        previous = path.with_name(f"{path.name}.previous")
        if self._disk.exists(previous):
            self._disk.remove(previous)
        self._last = day

    def _path(self, underlying: str, taken_at: datetime) -> Path:
        return self._chains / underlying / f"{taken_at:%Y-%m-%d}.parquet"

    def _heads(self, underlying: str) -> "list[_Head]":
        names = self._disk.names(self._chains / underlying)
        days = [self._chains / underlying / name for name in names if _DAY.fullmatch(name)]
        return [head for path in days for head in _read_heads(path)]

    def _day(self, path: Path) -> "_Day":
        if self._last is None or self._last.path != path:
            self._last = _Day.read(path) if self._disk.exists(path) else _Day.empty(path)
        return self._last


_DAY = re.compile(r"\d{4}-\d\d-\d\d\.parquet")
_VERSION = "1"
_SCHEMA = pa.schema(
    [
        ("taken_at", pa.timestamp("us", tz="UTC")),
        ("expiry_ms", pa.timestamp("ms", tz="UTC")),
        ("strike", pa.float64()),
        ("is_call", pa.bool_()),
        ("forward", pa.float64()),
        ("bid", pa.float64()),
        ("ask", pa.float64()),
        ("bid_amount", pa.float64()),
        ("ask_amount", pa.float64()),
        ("mark", pa.float64()),
        ("mark_iv", pa.float64()),
        ("open_interest", pa.float64()),
        ("volume", pa.float64()),
        ("quoted_at_ms", pa.timestamp("ms", tz="UTC")),
    ]
)


@frozen(kw_only=True)
class _Head:
    """What a snapshot has beside its rows, of which there are *rows*."""

    taken_at: datetime = field(validator=utc)
    index_usd: float = field(validator=positive)
    settlement: Settlement
    rules: ContractRules
    rows: int = field(validator=ge(0))


_HEADS = Codec.of([_Head])


@frozen(eq=False)
class _Day:
    """The snapshots of one file, oldest first, their rows one behind the other in *table*."""

    path: Path
    heads: tuple[_Head, ...]
    table: Any  # pyarrow.Table of _SCHEMA

    @classmethod
    def empty(cls, path: Path) -> "_Day":
        return cls(path, (), _SCHEMA.empty_table())

    @classmethod
    def read(cls, path: Path) -> "_Day":
        heads = _read_heads(path)
        table = ParquetTable.read(path, _SCHEMA.names).table
        if sum(head.rows for head in heads) != len(table):
            raise StoreDamaged(f"{path} does not have the rows that its metadata counts")
        return cls(path, heads, table)

    def snapshot(self, underlying: str, number: int) -> MarketSnapshot:
        head = self.heads[number]
        rows = ParquetTable(self.path, self.table.slice(self._starts()[number], head.rows))
        floats = [column.name for column in _SCHEMA if column.type == pa.float64()]
        try:
            chain = ChainTable(
                underlying=underlying,
                settlement=head.settlement,
                expiry_ms=rows.ints("expiry_ms"),
                is_call=rows.bools("is_call"),
                quoted_at_ms=rows.ints("quoted_at_ms"),
                **{name: rows.floats(name) for name in floats},
            )
        except ValueError as error:
            raise StoreDamaged(f"{self.path}: {error}") from error
        return MarketSnapshot(underlying, head.taken_at, head.index_usd, chain, head.rules)

    def with_snapshot(self, snapshot: MarketSnapshot) -> "_Day":
        """The day with *snapshot* in its place, instead of one of the same instant."""
        taken_at, starts = snapshot.taken_at, self._starts()
        before = sum(head.taken_at < taken_at for head in self.heads)
        after = sum(head.taken_at <= taken_at for head in self.heads)
        rows = _rows(snapshot)
        table = pa.concat_tables(
            [self.table.slice(0, starts[before]), rows, self.table.slice(starts[after])]
        )
        head = _Head(
            taken_at=taken_at,
            index_usd=snapshot.index_usd,
            settlement=snapshot.chain.settlement,
            rules=snapshot.rules,
            rows=len(rows),
        )
        return attrs.evolve(
            self, heads=(*self.heads[:before], head, *self.heads[after:]), table=table
        )

    def as_bytes(self) -> bytes:
        metadata = {
            "schema_version": _VERSION,
            "snapshots": json.dumps([_HEADS.encode(head) for head in self.heads]),
        }
        sink = pa.BufferOutputStream()
        pq.write_table(
            self.table.replace_schema_metadata(metadata),
            sink,
            compression="zstd",
            compression_level=3,
            use_dictionary=True,
        )
        return bytes(sink.getvalue())

    def _starts(self) -> list[int]:
        """The first row of each snapshot, and the end."""
        return list(accumulate((head.rows for head in self.heads), initial=0))


def _read_heads(path: Path) -> tuple[_Head, ...]:
    metadata = read_metadata(path)
    if metadata.get("schema_version") != _VERSION:
        found = metadata.get("schema_version", "none")
        raise StoreDamaged(f"{path} has schema version {found}, this program knows {_VERSION}")
    try:
        heads = json.loads(metadata["snapshots"])
        return tuple(_HEADS.decode(dict(fields)) for fields in heads)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreDamaged(f"{path}: cannot read its list of snapshots: {error!r}") from error


def _rows(snapshot: MarketSnapshot) -> Any:
    chain = snapshot.chain
    taken_at = pa.array([snapshot.taken_at] * len(chain), _SCHEMA.field("taken_at").type)
    columns = [
        pa.array(np.asarray(getattr(chain, column.name)), from_pandas=True).cast(column.type)
        for column in _SCHEMA
        if column.name != "taken_at"
    ]
    return pa.Table.from_arrays([taken_at, *columns], schema=_SCHEMA)
