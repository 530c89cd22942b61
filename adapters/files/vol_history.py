"""VolHistoryStore in Parquet: <coin>_volatility_history.parquet, a file a coin."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adapters.files.disk import Disk
from adapters.files.manifests import put
from adapters.files.parquet import ParquetTable
from ports.errors import StoreDamaged
from ports.vol_history import VolHistory

_VERSION = "1"
_INSTANT = pa.timestamp("ms", tz="UTC")
_SCHEMA = pa.schema(
    [
        ("timestamp", _INSTANT),
        ("iv_30d", pa.float64()),
        ("rv_30d", pa.float64()),
        ("vrp_30d", pa.float64()),
        ("currency", pa.string()),
        ("harvest_time", _INSTANT),
        ("rv_30d_official", pa.float64()),
    ],
    metadata={"schema_version": _VERSION, "unit": "percent a year"},
)


class ParquetVolHistory:
    """Histories in *folder*; appending writes the file anew, which is the old or the new one."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._folder = folder
        self._disk = disk or Disk()

    async def read(self, coin: str) -> VolHistory:
        """
        Return what is kept of *coin*; empty if nothing is.

        Raises:
            StoreDamaged: It cannot be read.
        """
        path = self._path(coin)
        if not self._disk.exists(path):
            return VolHistory.empty(coin)
        table = ParquetTable.read(path, _SCHEMA.names)
        if set(table.texts("currency").values) - {coin}:
            raise StoreDamaged(f"{path} holds other coins than {coin}")
        return VolHistory(
            coin=coin,
            at_ms=table.ints("timestamp"),
            iv_30d=table.floats("iv_30d"),
            rv_30d=table.floats("rv_30d"),
            rv_official=table.floats("rv_30d_official"),
            harvested_at_ms=table.ints("harvest_time"),
        )

    async def append(self, more: VolHistory) -> int:
        """
        Keep the rows of *more* whose hours are not there yet, and return how many.

        Raises:
            StoreDamaged: What is there cannot be read; it is left as it is.

            StoreUnwritable: It could not be written; nothing was changed.
        """
        before = await self.read(more.coin)
        after = before.with_rows(more)
        if len(after) > len(before):
            self._disk.make_directory(self._folder)
            put(self._disk, self._path(more.coin), _as_bytes(after))
        return len(after) - len(before)

    def _path(self, coin: str) -> Path:
        return self._folder / f"{coin.lower()}_volatility_history.parquet"


def _as_bytes(history: VolHistory) -> bytes:
    columns = [
        _instants(history.at_ms),
        _floats(history.iv_30d),
        _floats(history.rv_30d),
        _floats(history.vrp_30d),
        pa.array([history.coin] * len(history), pa.string()),
        _instants(history.harvested_at_ms),
        _floats(history.rv_official),
    ]
    sink = pa.BufferOutputStream()
    table = pa.Table.from_arrays(columns, schema=_SCHEMA)
    pq.write_table(table, sink, compression="zstd", compression_level=3)
    return bytes(sink.getvalue())


def _instants(column: Any) -> Any:
    return pa.array(np.asarray(column), pa.int64()).cast(_INSTANT)


def _floats(column: Any) -> Any:
    return pa.array(np.asarray(column), from_pandas=True)
