"""Exam datasets: stitched days, sorted, with a summary that says what is in them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adapters.files.archive_files import ArchiveFiles
from adapters.files.compaction import compact, month_named
from adapters.files.exams import Exam, build_exam
from adapters.files.snapshots import ParquetSnapshots
from ports.errors import StoreDamaged, Unavailable
from ports.harvest_columns import CANONICAL
from tests.support.harvests import keep_all, series_of
from tests.support.markets import NOW

SINCE, UNTIL = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, 23, 59, tzinfo=UTC)

MAY = datetime(2026, 5, 1, tzinfo=UTC)


async def archive(root: Path) -> ArchiveFiles:
    """Twelve snapshots of three days, seven of them on the first two."""
    await keep_all(ParquetSnapshots(root), series_of(12, timedelta(hours=6)))
    return ArchiveFiles(root)


def built(root: Path, out: Path) -> Exam:
    return build_exam(ArchiveFiles(root), "BTC", SINCE, UNTIL, out)


async def test_days_are_stitched_by_time_and_name(tmp_path: Path) -> None:
    """Both ends in it, and the days left of each option beside it."""
    await archive(tmp_path / "a")
    exam = built(tmp_path / "a", tmp_path / "exams")
    table = pq.read_table(exam.path)
    keys = list(
        zip(table["harvest_time"].to_pylist(), table["instrument_name"].to_pylist(), strict=True)
    )

    assert exam.path.name == "BTC_2026-03-02_2026-03-03_live_deribit.parquet"
    assert tuple(table.column_names[:20]) == CANONICAL
    assert keys == sorted(keys)
    left = (datetime(2026, 6, 26, 8, tzinfo=UTC) - NOW) / timedelta(days=1)
    assert table["dte_days"].to_pylist()[0] == pytest.approx(left, abs=1e-9)


async def test_the_summary_counts(tmp_path: Path) -> None:
    """Files, rows, snapshots, options, first, last, days left, columns that are empty."""
    await archive(tmp_path / "a")
    exam = built(tmp_path / "a", tmp_path / "exams")
    path = tmp_path / "exams" / "BTC_2026-03-02_2026-03-03_live_deribit_summary.json"
    told = json.loads(path.read_text())

    assert (told["files"], told["rows"], told["snapshots"]) == (7, 140, 7)
    assert (told["instruments"], told["first"]) == (20, NOW.isoformat())
    assert told["missing_columns"] == []
    assert told["iv_unit"] == "vol points"
    assert exam.summary.dte_max == pytest.approx(115.9167, abs=1e-3)


async def test_a_month_gives_the_same_dataset(tmp_path: Path) -> None:
    """Whether days were compacted makes no difference to its rows."""
    files = await archive(tmp_path / "a")
    before = pq.read_table(built(tmp_path / "a", tmp_path / "one").path)
    compact(files, month_named(files, "BTC", "2026-03"))
    after = pq.read_table(built(tmp_path / "a", tmp_path / "two").path)

    assert before.equals(after)


async def test_columns_without_figures_are_named(tmp_path: Path) -> None:
    """Snapshots that were saved without greeks lack them in every row."""
    plain = ParquetSnapshots(tmp_path / "a")
    await plain.save(series_of(1)[0].market)

    assert built(tmp_path / "a", tmp_path / "exams").summary.missing_columns == ("greek_delta",)


async def test_nothing_to_stitch_is_unavailable(tmp_path: Path) -> None:
    """Another family, or days without a snapshot: nothing is written."""
    files = await archive(tmp_path / "a")

    with pytest.raises(Unavailable, match="ETH"):
        build_exam(files, "ETH", SINCE, UNTIL, tmp_path / "exams")
    with pytest.raises(Unavailable, match="2026-05-01"):
        build_exam(files, "BTC", MAY, MAY, tmp_path / "exams")
    assert not (tmp_path / "exams").exists()


async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The others are stitched, and the summary says which is missing."""
    await archive(tmp_path / "a")
    path = tmp_path / "a/BTC/2026/03/02/BTC_2026-03-02_100000.parquet"
    path.write_bytes(b"nothing of ours")
    exam = built(tmp_path / "a", tmp_path / "exams")

    assert exam.summary.snapshots == 6
    assert "BTC_2026-03-02_100000.parquet" in exam.summary.skipped_files[0]


async def test_rows_that_cannot_be_read_write_nothing(tmp_path: Path) -> None:
    """Damage inside a file is found on the way: the dataset is not begun."""
    await archive(tmp_path / "a")
    path = tmp_path / "a/BTC/2026/03/02/BTC_2026-03-02_160000.parquet"
    data = bytearray(path.read_bytes())
    data[10:400] = bytes(390)
    path.write_bytes(bytes(data))

    with pytest.raises(StoreDamaged, match="BTC_2026-03-02_160000"):
        built(tmp_path / "a", tmp_path / "exams")
    assert not (tmp_path / "exams").exists()
