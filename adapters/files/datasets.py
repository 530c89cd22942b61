"""Data sets for learning: tables with their schema's version, conversations, and the card."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from attrs import frozen

from adapters.files.column_files import Column, write_columns
from adapters.files.disk import Disk
from adapters.files.manifests import put
from adapters.files.parquet import damage_of
from ports.errors import StoreDamaged

_VERSION = b"options_agent.training.schema_version"
Dtypes: TypeAlias = Mapping[str, "type[np.generic]"]  # of known columns: str_, int64 or float64


@frozen
class Written:
    """A file that was written, as it is on disk."""

    name: str
    size_bytes: int
    sha256: str


@frozen(eq=False)
class ReadTable:
    """Columns (n,) as a file has them, and the lines of it that could not be read."""

    columns: Mapping[str, Column]
    malformed: tuple[str, ...] = ()


def write_table(path: Path, columns: Mapping[str, Column], version: int) -> Written:
    """
    Write *columns*, all (n,), to *path*: Parquet that tells *version* if it ends in .parquet,
    else CSV.

    Raises:
        StoreUnwritable: It could not be written; what was there before is as it was.
    """
    disk = Disk()
    disk.make_directory(path.parent)
    if path.suffix != ".parquet":
        write_columns(path, columns, disk)
        return _written(disk, path)
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    table = table.replace_schema_metadata({_VERSION: str(version).encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", compression_level=3)
    put(disk, path, buffer.getvalue())
    return _written(disk, path)


def read_table(path: Path, dtypes: Dtypes, version: int) -> ReadTable:
    """
    Return the table in *path*, Parquet or CSV; columns that *dtypes* lacks are read as they are.

    A line of a CSV file with a cell that its column cannot have is left out and named.

    Raises:
        StoreDamaged: There is no such file, it cannot be read, or it is of another version.
    """
    data = Disk().read(path)
    if data is None:
        raise StoreDamaged(f"there is no {path}")
    if path.suffix != ".parquet":
        return _read_csv(path, data, dtypes)
    with damage_of(path):
        table = pq.read_table(io.BytesIO(data))
    told = (table.schema.metadata or {}).get(_VERSION, b"none").decode()
    if told != str(version):
        raise StoreDamaged(f"{path} is of schema version {told}, this program reads {version}")
    columns = {name: table[name].to_numpy() for name in table.column_names}
    try:
        return ReadTable(
            {name: cells.astype(dtypes.get(name, cells.dtype)) for name, cells in columns.items()}
        )
    except (TypeError, ValueError) as error:
        raise StoreDamaged(f"{path}: a column is not of its kind: {error}") from error


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> Written:
    """
    Write *records* to *path*, a line of JSON each.

    Raises:
        StoreUnwritable: It could not be written; what was there before is as it was.
    """
    disk = Disk()
    disk.make_directory(path.parent)
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    put(disk, path, "".join(lines).encode())
    return _written(disk, path)


def read_lines(path: Path) -> list[Any]:
    """
    Return the records in *path*, one a line.

    Raises:
        StoreDamaged: There is no such file, or a line is no JSON.
    """
    data = Disk().read(path)
    if data is None:
        raise StoreDamaged(f"there is no {path}")
    records = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise StoreDamaged(f"{path}, line {number}: {error}") from error
    return records


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """
    Write *card* to *path* as indented JSON.

    Raises:
        StoreUnwritable: It could not be written; what was there before is as it was.
    """
    put(Disk(), path, (json.dumps(card, indent=1) + "\n").encode())


def _written(disk: Disk, path: Path) -> Written:
    data = disk.read(path) or b""
    return Written(path.name, len(data), sha256(data).hexdigest())


def _read_csv(path: Path, data: bytes, dtypes: Dtypes) -> ReadTable:
    with damage_of(path):
        lines = list(csv.reader(io.StringIO(data.decode())))
    if not lines:
        raise StoreDamaged(f"{path} is empty")
    header, malformed = lines[0], []
    kept: list[list[Any]] = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            malformed.append(f"{path}, line {number}: {len(line)} cells under {len(header)} names")
            continue
        try:
            pairs = zip(header, line, strict=True)
            kept.append([_cell(text, dtypes.get(name, np.str_)) for name, text in pairs])
        except ValueError as error:
            malformed.append(f"{path}, line {number}: {error}")
    cells = zip(*kept, strict=True) if kept else ([] for _ in header)
    columns = {
        name: np.array(list(column), dtype=dtypes.get(name, np.str_))
        for name, column in zip(header, cells, strict=True)
    }
    return ReadTable(columns, tuple(malformed))


def _cell(text: str, dtype: "type[np.generic]") -> str | int | float:
    if dtype is np.str_:
        return text
    return int(text) if dtype is np.int64 else float(text)
