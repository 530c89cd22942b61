"""Recorded closes of the volatility index, well and badly written."""

from datetime import date
from pathlib import Path

import pytest

from adapters.files.vol_index_closes import read_closes
from ports.errors import StoreDamaged, Unavailable


def write(folder: Path, rows: str, name: str = "btc_dvol_daily_close_2026.csv") -> None:
    """A file of closes with its heading."""
    (folder / name).write_text("date,dvol_close\n" + rows, encoding="utf-8")


def test_closes_come_oldest_first(tmp_path: Path) -> None:
    """Files are joined by day, the later file having the last word."""
    write(tmp_path, "2026-01-02,41.5\n2026-01-01,40\n", "btc_dvol_daily_close_a.csv")
    write(tmp_path, "2026-01-02,42.5\n", "btc_dvol_daily_close_b.csv")

    assert [(each.day, each.close) for each in read_closes(tmp_path, "BTC")] == [
        (date(2026, 1, 1), 40.0),
        (date(2026, 1, 2), 42.5),
    ]


def test_no_file(tmp_path: Path) -> None:
    """Another coin's file is not taken for one's own."""
    write(tmp_path, "2026-01-01,40\n")

    with pytest.raises(Unavailable, match="ETH"):
        read_closes(tmp_path, "ETH")


@pytest.mark.parametrize("row", ["yesterday,40", "2026-01-01,much", "2026-01-01", "2026-01-01,-1",
                                 "2026-01-01,nan"])  # fmt: skip
def test_a_damaged_row(tmp_path: Path, row: str) -> None:
    """A row that is no date and positive number is named with its file."""
    write(tmp_path, row + "\n")

    with pytest.raises(StoreDamaged, match="btc_dvol_daily_close_2026"):
        read_closes(tmp_path, "BTC")
