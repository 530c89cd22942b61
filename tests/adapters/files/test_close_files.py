"""Closes recorded by others: what is read, and what is refused with its place."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from adapters.files.close_files import read_hourly_closes, read_index_closes
from adapters.files.column_files import write_columns
from ports.errors import StoreDamaged, Unavailable

HOUR, DAY = 3_600_000, 86_400_000
HOURS = "timestamp,open,close\n1970-01-01 00:00:00,1,2\n1970-01-01 01:00:00,2,3.5\n"


@pytest.mark.parametrize("name", ["spot.csv", "spot.csv.gz"])
def test_an_hour_is_known_when_it_ends(tmp_path: Path, name: str) -> None:
    """The close of the hour from 00:00 has the instant 01:00; gzip makes no difference."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(HOURS.encode()) if name.endswith("gz") else HOURS.encode())

    assert read_hourly_closes(path) == {HOUR: 2.0, 2 * HOUR: 3.5}


def test_a_day_is_known_when_it_ends(tmp_path: Path) -> None:
    """In CSV and in JSON alike."""
    (tmp_path / "a.csv").write_text("date,dvol_close\n1970-01-01,40\n")
    (tmp_path / "a.json").write_text("[[0, 40], [86400000, 41.5]]")

    assert read_index_closes(tmp_path / "a.csv") == {DAY: 40.0}
    assert read_index_closes(tmp_path / "a.json") == {DAY: 40.0, 2 * DAY: 41.5}


@pytest.mark.parametrize(
    "text",
    [
        "when,close\n1970-01-01,1\n",
        "timestamp,close\nsoon,1\n",
        "timestamp,close\n1970-01-01,-1\n",
        "timestamp,close\n1970-01-01,nan\n",
        "timestamp,close\n1970-01-01\n",
    ],
)
def test_damaged_hours_are_refused(tmp_path: Path, text: str) -> None:
    """A missing column, no instant, no positive number, a row cut short."""
    path = tmp_path / "spot.csv"
    path.write_text(text)

    with pytest.raises(StoreDamaged, match=r"spot\.csv"):
        read_hourly_closes(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "date,close\n1970-01-01\n"),
        ("a.csv", "date,close\n1970-01-01,0\n"),
        ("a.json", "{"),
        ("a.json", "{}"),
        ("a.json", '[["x", 1]]'),
        ("a.json", "[[0, -1]]"),
    ],
)
def test_damaged_days_are_refused(tmp_path: Path, name: str, text: str) -> None:
    """As damaged hours are."""
    (tmp_path / name).write_text(text)

    with pytest.raises(StoreDamaged, match=name):
        read_index_closes(tmp_path / name)


def test_a_missing_file_is_unavailable(tmp_path: Path) -> None:
    """It is not damaged: it is not there."""
    with pytest.raises(Unavailable, match="absent"):
        read_hourly_closes(tmp_path / "absent.csv")


def test_a_truncated_archive_is_damaged(tmp_path: Path) -> None:
    """Gzip that ends too early."""
    path = tmp_path / "spot.csv.gz"
    path.write_bytes(gzip.compress(HOURS.encode())[:-12])

    with pytest.raises(StoreDamaged, match="cannot be read"):
        read_hourly_closes(path)


def test_columns_come_back_from_both_forms(tmp_path: Path) -> None:
    """Numbers to the last bit, texts as they are."""
    columns = {"at": np.array(["a", "b"]), "value": np.array([0.1, 1.0 / 3.0])}

    write_columns(tmp_path / "t.csv", columns)
    write_columns(tmp_path / "t.parquet", columns)

    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines == ["at,value", "a,0.1", f"b,{1.0 / 3.0!r}"]
    assert pq.read_table(tmp_path / "t.parquet")["value"].to_pylist() == [0.1, 1.0 / 3.0]
