"""Months made of days: the same snapshots, each once, whatever happens on the way."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from adapters.files.archive_files import ArchiveFiles
from adapters.files.archive_scans import scan, series
from adapters.files.compaction import compact, month_named, months_to_compact
from adapters.files.disk import Disk
from adapters.files.snapshots import ParquetSnapshots
from ports.errors import PortError, StoreDamaged
from ports.market_data import MarketSnapshot
from tests.support.breaking_calls import BreakingCalls
from tests.support.faulty_files import Fault, FaultKind, Stopped
from tests.support.harvests import keep_all, series_of, sound_harvest
from tests.support.markets import NOW

ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
NAME = "BTC-27MAR26-80000-C"


async def archive(root: Path, days: int = 3) -> ArchiveFiles:
    """A few snapshots a day."""
    await keep_all(ParquetSnapshots(root), series_of(4 * days, timedelta(hours=6)))
    return ArchiveFiles(root)


async def markets(root: Path) -> list[MarketSnapshot]:
    found = ParquetSnapshots(root)
    return [await found.load("BTC", at) for at in await found.instants("BTC")]


def single_files(root: Path) -> list[Path]:
    return list(root.rglob("*_??????.parquet"))


def scanned(files: ArchiveFiles) -> list[tuple[datetime, float]]:
    """All rows of a scan: instant and mark."""
    rows: list[tuple[datetime, float]] = []
    for table in scan(files, "BTC", ("harvest_time", "mark_price"), *ALWAYS):
        instants = table.table["harvest_time"].to_pylist()
        rows += zip(instants, table.floats("mark_price").tolist(), strict=True)
    return rows


async def test_a_month_holds_what_its_days_held(tmp_path: Path) -> None:
    """Every chain, index and rule, bit for bit; levels too; and the days are gone."""
    files = await archive(tmp_path)
    before = await markets(tmp_path)
    levels = await ParquetSnapshots(tmp_path).levels("BTC", NOW)
    done = compact(files, month_named(files, "BTC", "2026-03"))
    after = await markets(tmp_path)

    assert (done.snapshots, done.rows, done.files_before, done.removed) == (12, 240, 12, 12)
    assert [each.taken_at for each in after] == [each.taken_at for each in before]
    for one, other in zip(before, after, strict=True):
        assert (one.index_usd, one.rules) == (other.index_usd, other.rules)
        assert np.array_equal(one.chain.mark, other.chain.mark)
        assert np.array_equal(one.chain.mark_iv, other.chain.mark_iv)
    assert (await ParquetSnapshots(tmp_path).levels("BTC", NOW)).futures[0] == levels.futures[0]
    assert single_files(tmp_path) == []


async def test_nothing_is_counted_twice(tmp_path: Path) -> None:
    """Days and month side by side, or a later snapshot beside a month: each row comes once."""
    files = await archive(tmp_path)
    before = scanned(files)
    compact(files, month_named(files, "BTC", "2026-03"), keeps_originals=True)
    assert sorted(scanned(ArchiveFiles(tmp_path))) == sorted(before)

    compact(files, month_named(files, "BTC", "2026-03"))
    assert sorted(scanned(ArchiveFiles(tmp_path))) == sorted(before)
    later = sound_harvest(NOW + timedelta(days=9))
    await keep_all(ParquetSnapshots(tmp_path), [later])
    assert len(scanned(ArchiveFiles(tmp_path))) == len(before) + 20
    assert len(await ParquetSnapshots(tmp_path).instants("BTC")) == 13


async def test_a_snapshot_kept_again_comes_before_the_month(tmp_path: Path) -> None:
    """The newer of two of one instant is shown, and is what the next compaction takes."""
    files = await archive(tmp_path)
    month = month_named(files, "BTC", "2026-03")
    compact(files, month)
    newer = sound_harvest(NOW, 123_456.0)
    await keep_all(ParquetSnapshots(tmp_path), [newer])
    assert (await ParquetSnapshots(tmp_path).load("BTC", NOW)).index_usd == 123_356.0

    compact(ArchiveFiles(tmp_path), month)
    assert (await ParquetSnapshots(tmp_path).load("BTC", NOW)).index_usd == 123_356.0
    assert len(await ParquetSnapshots(tmp_path).instants("BTC")) == 12
    assert len(scanned(ArchiveFiles(tmp_path))) == 240


async def test_a_scan_reads_only_the_time_it_is_asked_for(tmp_path: Path) -> None:
    """From both ends inclusively, in a month as in files."""
    files = await archive(tmp_path)
    span = (NOW + timedelta(hours=6), NOW + timedelta(hours=18))
    in_files = [len(each.table) for each in scan(files, "BTC", ("strike",), *span)]
    compact(files, month_named(files, "BTC", "2026-03"))
    in_month = [len(each.table) for each in scan(files, "BTC", ("strike",), *span)]

    assert sum(in_files) == sum(in_month) == 60


async def test_one_option_is_a_series(tmp_path: Path) -> None:
    """Its marks by instant, the same from files as from the copy by instrument."""
    files = await archive(tmp_path)
    in_files = series(files, "BTC", NAME, ("mark_price",))
    compact(files, month_named(files, "BTC", "2026-03"))
    in_month = series(files, "BTC", NAME, ("mark_price",))

    assert len(in_files.table) == 12
    assert in_files.table["harvest_time"].to_pylist() == in_month.table["harvest_time"].to_pylist()
    assert in_files.floats("mark_price").tolist() == in_month.floats("mark_price").tolist()


async def test_the_copy_is_sorted_by_instrument(tmp_path: Path) -> None:
    """Each option's rows lie side by side, oldest first."""
    files = await archive(tmp_path)
    month = month_named(files, "BTC", "2026-03")
    compact(files, month)
    table = pq.read_table(month.by_instrument)
    names, times = table["instrument_name"].to_pylist(), table["harvest_time"].to_pylist()

    assert len(table) == 240
    assert sum(one != other for one, other in pairwise(names)) == 19
    for start in range(0, 240, 12):
        assert times[start : start + 12] == sorted(times[start : start + 12])


async def test_the_month_has_a_manifest(tmp_path: Path) -> None:
    """Rows, bytes and hashes of both files."""
    files = await archive(tmp_path)
    month = month_named(files, "BTC", "2026-03")
    compact(files, month)
    told = json.loads(month.manifest.read_text())

    assert told["snapshots"] == 12
    assert set(told["files"]) == {month.by_instant.name, month.by_instrument.name}
    assert {each["rows"] for each in told["files"].values()} == {240}


async def test_the_month_under_way_is_left_alone(tmp_path: Path) -> None:
    """Only months that are over are compacted unasked, and each once."""
    files = await archive(tmp_path)

    assert months_to_compact(files, "BTC", NOW) == ()
    (march,) = months_to_compact(files, "BTC", datetime(2026, 4, 1, tzinfo=UTC))
    compact(files, march)
    assert months_to_compact(files, "BTC", datetime(2026, 4, 1, tzinfo=UTC)) == ()


async def test_a_damaged_file_stays_where_it_is(tmp_path: Path) -> None:
    """The month is made of the others, and what cannot be read is not removed."""
    files = await archive(tmp_path)
    path = tmp_path / "BTC/2026/03/02/BTC_2026-03-02_100000.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    done = compact(files, month_named(files, "BTC", "2026-03"))

    assert done.snapshots == 11
    assert path.exists()
    assert len(await ParquetSnapshots(tmp_path).skipped("BTC")) == 1


async def test_a_damaged_month_is_named(tmp_path: Path) -> None:
    """It is passed over with its path; it is not overwritten by what is left."""
    files = await archive(tmp_path)
    month = month_named(files, "BTC", "2026-03")
    compact(files, month)
    month.by_instant.write_bytes(month.by_instant.read_bytes()[:-9])
    (skipped,) = await ParquetSnapshots(tmp_path).skipped("BTC")

    assert skipped.file == "BTC/2026/03/BTC_2026-03.parquet"
    with pytest.raises(StoreDamaged, match=r"BTC_2026-03\.parquet"):
        compact(ArchiveFiles(tmp_path), month)


@pytest.mark.parametrize("kind", FaultKind, ids=lambda kind: kind.name)
async def test_compaction_survives_every_crash(kind: FaultKind, tmp_path: Path) -> None:
    """Whatever goes wrong, all snapshots are there, each once, and the next run ends well."""
    await archive(tmp_path / "archive", 1)
    sound = BreakingCalls()
    whole = ArchiveFiles(shutil.copytree(tmp_path / "archive", tmp_path / "sound"), Disk(sound))
    compact(whole, month_named(whole, "BTC", "2026-03"))
    for number in range(0, sound.calls_made, 3):
        root = shutil.copytree(tmp_path / "archive", tmp_path / str(number))
        attempt = ArchiveFiles(root, Disk(BreakingCalls(Fault(number, kind))))
        survived(partial(compact, attempt, month_named(attempt, "BTC", "2026-03")))

        assert len(await ParquetSnapshots(root).instants("BTC")) == 4
        assert len(scanned(ArchiveFiles(root))) == 80
        again = ArchiveFiles(root)
        compact(again, month_named(again, "BTC", "2026-03"))
        assert len(await markets(root)) == 4
        assert single_files(root) == []


def survived(action: "partial[object]") -> None:
    """Let *action* end as it may."""
    try:
        action()
    except (PortError, Stopped):
        return
