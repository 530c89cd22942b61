"""Recorded closes of the index and hourly bars of spot: read as told, refused when damaged."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.files.spot_bars import read_spot_bars
from adapters.files.vol_index_history import RecordedVolatility
from ports.checks import epoch_ms
from ports.errors import StoreDamaged, Unavailable
from tests.support.recorded import recorded_data

DAY = timedelta(days=1)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def write_spot(folder: Path, *rows: str, heading: str = "timestamp,open,high,low,close") -> None:
    """A file of hourly bars."""
    with gzip.open(folder / "btcusdt_1h_2026.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join((heading, *rows)) + "\n")


async def test_a_close_is_known_when_its_day_ends(tmp_path: Path) -> None:
    """Not at its beginning; nothing outside the span is told."""
    text = "date,dvol_close\n2026-02-27,40\n2026-02-28,41\n2026-03-01,42\n"
    (tmp_path / "btc_dvol_daily_close_a.csv").write_text(text, encoding="utf-8")
    recorded = RecordedVolatility(tmp_path)
    found = await recorded.vol_index("BTC", DAY, MARCH - DAY, MARCH)

    assert found.closed_at_ms.tolist() == [epoch_ms(MARCH)]
    assert found.close.tolist() == [41.0]
    assert await recorded.published_vol("BTC") is None
    assert await recorded.predicted_funding("BTC") is None
    with pytest.raises(Unavailable):
        await recorded.vol_index("ETH", DAY, MARCH - DAY, MARCH)


async def test_no_folder_knows_nothing() -> None:
    """And is no failure."""
    found = await RecordedVolatility(None).vol_index("BTC", DAY, MARCH - DAY, MARCH)
    assert len(found.close) == 0


def test_a_bar_is_dated_by_its_end(tmp_path: Path) -> None:
    """The file dates it by its beginning; oldest first, whatever the file's order."""
    write_spot(tmp_path, "2026-03-01 01:00:00,2,4,1,3", "2026-03-01 00:00:00,1,3,1,2")
    found = read_spot_bars(tmp_path, "BTC")

    assert found.closed_at_ms.tolist() == [
        epoch_ms(MARCH + timedelta(hours=hour)) for hour in (1, 2)
    ]
    assert (found.open.tolist(), found.high.tolist()) == ([1.0, 2.0], [3.0, 4.0])
    assert (found.low.tolist(), found.close.tolist()) == ([1.0, 1.0], [2.0, 3.0])


@pytest.mark.parametrize(
    "row",
    [
        "yesterday,1,3,1,2",
        "2026-03-01 00:00:00,1,3,1",
        "2026-03-01 00:00:00,1,3,1,much",
        "2026-03-01 00:00:00,1,3,1,4",
        "2026-03-01 00:00:00,1,3,0,2",
        "2026-03-01 00:00:00,1,nan,1,2",
        "2026-03-01 00:00:00,1,inf,1,2",
    ],
)
def test_a_damaged_bar_is_named(tmp_path: Path, row: str) -> None:
    """With its file."""
    write_spot(tmp_path, row)
    with pytest.raises(StoreDamaged, match="btcusdt_1h_2026"):
        read_spot_bars(tmp_path, "BTC")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """A missing column, a file that is cut off, no file at all."""
    write_spot(tmp_path, heading="timestamp,open,high,low,price")
    with pytest.raises(StoreDamaged, match="no column 'close'"):
        read_spot_bars(tmp_path, "BTC")
    write_spot(tmp_path, *["2026-03-01 00:00:00,1,3,1,2"] * 2000)
    path = tmp_path / "btcusdt_1h_2026.csv.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StoreDamaged, match="btcusdt_1h_2026"):
        read_spot_bars(tmp_path, "BTC")
    with pytest.raises(Unavailable):
        read_spot_bars(tmp_path, "ETH")


def test_four_recorded_years_of_both_coins() -> None:
    """Every hour but one; none later than the recording."""
    for coin in ("BTC", "ETH"):
        found = read_spot_bars(recorded_data() / "spot", coin)
        assert len(found.close) == 34_349
        assert found.closed_at_ms[-1] == epoch_ms(datetime(2025, 12, 2, 6, tzinfo=UTC))
