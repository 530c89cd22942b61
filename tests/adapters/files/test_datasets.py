"""Data sets on disk: what is read is what was written, and damage is named."""

import json
from pathlib import Path

import numpy as np
import pytest

from adapters.files.datasets import (
    Dtypes,
    read_lines,
    read_table,
    write_card,
    write_lines,
    write_table,
)
from ports.errors import StoreDamaged

DTYPES: Dtypes = {"name": np.str_, "at_ms": np.int64, "figure": np.float64}
COLUMNS = {
    "name": np.array(["a", "", 'b,"c"']),
    "at_ms": np.array([1, 2**53 + 1, 0]),
    "figure": np.array([0.1, np.nan, 1e-300]),
}


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_table_is_read_as_it_was_written(tmp_path: Path, suffix: str) -> None:
    """Texts, whole numbers and figures to the last bit, NaN among them."""
    path = tmp_path / "deep" / f"rows{suffix}"
    written = write_table(path, COLUMNS, 1)
    read = read_table(path, DTYPES, 1)

    assert list(read.columns) == list(COLUMNS)
    assert read.malformed == ()
    for name, cells in COLUMNS.items():
        assert read.columns[name].tolist() == pytest.approx(cells.tolist(), abs=0.0, nan_ok=True)
    assert (written.name, written.size_bytes) == (path.name, path.stat().st_size)


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    """And so is a Parquet file of somebody else, which tells none."""
    path = tmp_path / "rows.parquet"
    write_table(path, COLUMNS, 2)

    with pytest.raises(StoreDamaged, match="schema version 2, this program reads 1"):
        read_table(path, DTYPES, 1)


def test_a_line_that_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    """A text for a number, and a line too short; the others are there."""
    path = tmp_path / "rows.csv"
    path.write_text("name,at_ms,figure\na,1,0.5\nb,soon,0.5\nc,3\nd,4,\n")
    read = read_table(path, DTYPES, 1)

    assert read.columns["name"].tolist() == ["a"]
    assert [line.split(":")[0] for line in read.malformed] == [
        f"{path}, line {number}" for number in (3, 4, 5)
    ]
    assert "2 cells under 3 names" in read.malformed[1]


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv", "x.jsonl"])
def test_what_is_not_there_or_no_data_is_named(tmp_path: Path, name: str) -> None:
    """Whatever its kind: StoreDamaged with the path."""
    path = tmp_path / name

    def read() -> object:
        return read_lines(path) if path.suffix == ".jsonl" else read_table(path, DTYPES, 1)

    with pytest.raises(StoreDamaged, match=name):
        read()
    path.write_bytes(b"\xff\x00 no data")
    with pytest.raises(StoreDamaged, match=name):
        read()


def test_lines_and_cards_are_json(tmp_path: Path) -> None:
    """A record a line; the card is one object."""
    records = [{"messages": ["ä", "b"]}, {"messages": []}]
    write_lines(tmp_path / "x.jsonl", records)
    write_card(tmp_path / "x.card.json", {"rows": 2})

    assert read_lines(tmp_path / "x.jsonl") == records
    assert json.loads((tmp_path / "x.card.json").read_text()) == {"rows": 2}
