"""Our own archive of snapshots: where it lies, and what a damaged file becomes."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adapters.files.snapshots import ParquetSnapshots
from ports.errors import StoreDamaged, StoreUnwritable
from ports.market_data import MarketSnapshot
from tests.support.markets import Listed, call, snapshot

AT = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)


def taken(at: datetime = AT) -> MarketSnapshot:
    return snapshot(Listed(contract=call(90_000.0), mark=0.1), taken_at=at)


def day_file(directory: Path) -> Path:
    return directory / "chains" / "BTC" / "2026-03-02.parquet"


async def test_a_day_is_a_file(tmp_path: Path) -> None:
    """Every coin and UTC day has one; nothing else is left beside it."""
    archive = ParquetSnapshots(tmp_path)
    for hours in (0, 1, 3):
        await archive.save(taken(AT + timedelta(hours=hours)))

    assert sorted(os.listdir(tmp_path)) == ["chains"]
    assert sorted(os.listdir(day_file(tmp_path).parent)) == [
        "2026-03-02.parquet",
        "2026-03-03.parquet",
    ]


async def test_columns_are_compressed_for_others_to_read(tmp_path: Path) -> None:
    """Any Parquet reader finds zstd columns, instants as such, and a gap where NaN was."""
    await ParquetSnapshots(tmp_path).save(taken())
    file = pq.ParquetFile(day_file(tmp_path))
    row = file.read().to_pylist()[0]

    assert file.metadata.row_group(0).column(2).compression == "ZSTD"
    assert (row["taken_at"], row["strike"], row["bid"]) == (AT, 90_000.0, None)


async def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """Neither reading nor saving goes past it, and saving leaves it as it is."""
    await ParquetSnapshots(tmp_path).save(taken())
    path = day_file(tmp_path)
    path.write_bytes(path.read_bytes()[:-9])
    damaged = path.read_bytes()

    for attempt in (
        lambda archive: archive.instants("BTC"),
        lambda archive: archive.index_prices("BTC"),
        lambda archive: archive.load("BTC", AT),
        lambda archive: archive.save(taken(AT + timedelta(minutes=1))),
    ):
        with pytest.raises(StoreDamaged, match=r"2026-03-02\.parquet"):
            await attempt(ParquetSnapshots(tmp_path))
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"schema_version": "2"}, "schema version 2"),
        ({"schema_version": None}, "schema version none"),
        ({"snapshots": "[1]"}, "list of snapshots"),
        ({"snapshots": "[]"}, "rows"),
        ({"snapshots": None}, "list of snapshots"),
    ],
)
async def test_foreign_metadata_is_damage(
    tmp_path: Path, metadata: dict[str, str | None], reason: str
) -> None:
    """A newer file, or one whose list of snapshots is not ours, is not guessed at."""
    await ParquetSnapshots(tmp_path).save(taken())
    table = pq.read_table(day_file(tmp_path))
    ours = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    changed = {key: value for key, value in (ours | metadata).items() if value is not None}
    pq.write_table(table.replace_schema_metadata(changed), day_file(tmp_path))

    with pytest.raises(StoreDamaged, match=reason):
        await ParquetSnapshots(tmp_path).load("BTC", AT)


async def test_rows_out_of_order_are_damage(tmp_path: Path) -> None:
    """A file whose rows were shuffled is no chain."""
    rows = [Listed(contract=call(strike), mark=0.1) for strike in (80_000.0, 90_000.0)]
    await ParquetSnapshots(tmp_path).save(snapshot(*rows, taken_at=AT))
    table = pq.read_table(day_file(tmp_path))
    pq.write_table(table.take([1, 0]), day_file(tmp_path))

    with pytest.raises(StoreDamaged, match="sorted"):
        await ParquetSnapshots(tmp_path).load("BTC", AT)


async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Where a folder should be there is a file: the save fails as such."""
    (tmp_path / "chains").write_text("in the way")

    with pytest.raises(StoreUnwritable, match="chains"):
        await ParquetSnapshots(tmp_path).save(taken())
