"""Columns written to a file for other programs: CSV or Parquet, by its name."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adapters.files.disk import Disk

Column: TypeAlias = NDArray[Any]  # of numbers or texts, (n,)


def write_columns(path: Path, columns: Mapping[str, Column], disk: Disk | None = None) -> None:
    """
    Write *columns*, all (n,), to *path*: Parquet if it ends in .parquet, CSV otherwise.

    Raises:
        StoreUnwritable: It could not be written; what was there before is as it was.
    """
    (disk or Disk()).replace(
        path, _parquet(columns) if path.suffix == ".parquet" else _csv(columns)
    )


def _parquet(columns: Mapping[str, Column]) -> bytes:
    buffer = io.BytesIO()
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    pq.write_table(table, buffer, compression="zstd", compression_level=3)
    return buffer.getvalue()


def _csv(columns: Mapping[str, Column]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    return buffer.getvalue().encode()
