"""Our archive of harvested chains on the disk: names, manifests, damage, quarantine."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adapters.files.snapshots import ParquetSnapshots
from ports.errors import StoreDamaged, StoreUnwritable, Unavailable
from ports.harvest_columns import CANONICAL, OURS
from tests.support.harvests import keep_all, series_of, sound_harvest, with_chain
from tests.support.markets import NOW

DAY = "BTC/2026/03/02"
FIRST = f"{DAY}/BTC_2026-03-02_100000.parquet"


async def kept(root: Path, count: int = 3) -> ParquetSnapshots:
    archive = ParquetSnapshots(root)
    await keep_all(archive, series_of(count))
    return archive


def files_below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.*"))


async def test_a_snapshot_is_a_file_of_its_second(tmp_path: Path) -> None:
    """Below family, year, month and day, with a manifest beside it and nothing else."""
    await kept(tmp_path)

    assert files_below(tmp_path) == [
        FIRST,
        f"{DAY}/BTC_2026-03-02_101500.parquet",
        f"{DAY}/BTC_2026-03-02_103000.parquet",
        f"{DAY}/manifest.json",
    ]


async def test_any_reader_finds_the_columns(tmp_path: Path) -> None:
    """Parquet with zstd, a schema version, instants as such, and a gap where nothing is known."""
    harvest = sound_harvest()
    await keep_all(ParquetSnapshots(tmp_path), [harvest])
    file = pq.ParquetFile(tmp_path / FIRST)
    row = file.read().to_pylist()[0]

    assert tuple(file.schema_arrow.names) == CANONICAL + OURS
    assert file.schema_arrow.metadata[b"schema_version"] == b"1"
    assert file.metadata.row_group(0).column(2).compression == "ZSTD"
    assert row["harvest_time"] == NOW
    assert row["best_bid_amount"] is None


async def test_the_manifest_counts_rows_and_hashes(tmp_path: Path) -> None:
    """Each file of the day with the SHA-256 of what lies there, and the sum of rows."""
    await kept(tmp_path)
    manifest = json.loads((tmp_path / DAY / "manifest.json").read_bytes())

    assert manifest["rows"] == 60
    for told in manifest["snapshots"]:
        data = (tmp_path / told["file"]).read_bytes()
        assert told["sha256"] == hashlib.sha256(data).hexdigest()
        assert told["size_bytes"] == len(data)


async def test_two_snapshots_of_one_second_are_both_kept(tmp_path: Path) -> None:
    """The second one's file is named by the microsecond."""
    instants = [NOW, NOW + timedelta(microseconds=250)]
    await keep_all(ParquetSnapshots(tmp_path), [sound_harvest(each) for each in instants])

    assert await ParquetSnapshots(tmp_path).instants("BTC") == tuple(instants)
    assert (await ParquetSnapshots(tmp_path).load("BTC", instants[1])).taken_at == instants[1]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"snapshots": [{"type": "Kept"}]}'])
async def test_a_manifest_is_only_a_repetition(tmp_path: Path, text: str) -> None:
    """Without it, or with a damaged one, the files say the same; the next save mends it."""
    archive = await kept(tmp_path)
    before = await archive.kept("BTC")
    (tmp_path / DAY / "manifest.json").write_text(text)

    assert await ParquetSnapshots(tmp_path).kept("BTC") == before
    await keep_all(ParquetSnapshots(tmp_path), series_of(4)[3:])
    assert len(json.loads((tmp_path / DAY / "manifest.json").read_text())["snapshots"]) == 4


async def test_a_file_cut_short_is_named_and_passed_over(tmp_path: Path) -> None:
    """The others can be read; the damaged one is told with its path, and asking for it fails."""
    await kept(tmp_path)
    path = tmp_path / FIRST
    path.write_bytes(path.read_bytes()[:-9])
    archive = ParquetSnapshots(tmp_path)
    skipped = await archive.skipped("BTC")

    assert len(await archive.instants("BTC")) == 2
    assert [each.file for each in skipped] == [FIRST]
    assert "BTC_2026-03-02_100000.parquet" in skipped[0].reason
    with pytest.raises(StoreDamaged, match=r"BTC_2026-03-02_100000\.parquet"):
        await archive.load("BTC", NOW)


async def test_a_bit_flipped_inside_is_damage(tmp_path: Path) -> None:
    """One bit of one price, in a file of the same size with a sound footer, is no other price."""
    await kept(tmp_path)
    path = tmp_path / FIRST
    data = bytearray(path.read_bytes())
    marks = pq.read_metadata(path).row_group(0).column(CANONICAL.index("mark_price"))
    data[marks.data_page_offset + marks.total_compressed_size - 4] ^= 0x01
    path.write_bytes(bytes(data))

    with pytest.raises(StoreDamaged, match=r"BTC_2026-03-02_100000\.parquet"):
        await ParquetSnapshots(tmp_path).load("BTC", NOW)
    assert (await ParquetSnapshots(tmp_path).load("BTC", NOW + timedelta(minutes=15))).taken_at


@pytest.mark.parametrize("name", ["BTC_2026-03-02_1045.parquet", "notes.parquet"])
async def test_a_foreign_file_among_ours_is_named(tmp_path: Path, name: str) -> None:
    """A file of the older layout, or of anybody, is passed over with what can be done."""
    await kept(tmp_path)
    (tmp_path / DAY / name).write_bytes((tmp_path / FIRST).read_bytes())
    archive = ParquetSnapshots(tmp_path)

    assert len(await archive.kept("BTC")) == 3
    (skipped,) = await archive.skipped("BTC")
    assert skipped.file.endswith(name)
    assert "data import" in skipped.reason


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
    await kept(tmp_path, 1)
    table = pq.read_table(tmp_path / FIRST)
    ours = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    changed = {key: value for key, value in (ours | metadata).items() if value is not None}
    pq.write_table(table.replace_schema_metadata(changed), tmp_path / FIRST)

    with pytest.raises(StoreDamaged, match=reason):
        await ParquetSnapshots(tmp_path).load("BTC", NOW)


async def test_rows_out_of_order_are_damage(tmp_path: Path) -> None:
    """A file whose rows were shuffled is no chain."""
    await kept(tmp_path, 1)
    table = pq.read_table(tmp_path / FIRST)
    pq.write_table(table.take([1, 0, *range(2, len(table))]), tmp_path / FIRST)

    with pytest.raises(StoreDamaged, match="sorted"):
        await ParquetSnapshots(tmp_path).load("BTC", NOW)


async def test_quarantine_moves_and_never_deletes(tmp_path: Path) -> None:
    """The same bytes lie in the quarantine, the reason beside them; twice the same name is two."""
    archive = await kept(tmp_path)
    data = (tmp_path / FIRST).read_bytes()
    moved_to = await archive.quarantine("BTC", FIRST, "marks of another day")
    await keep_all(archive, [sound_harvest()])
    again = await archive.quarantine("BTC", FIRST, "once more")

    assert (tmp_path / moved_to).read_bytes() == data
    assert (tmp_path / f"{moved_to}.reason.txt").read_text() == "marks of another day\n"
    assert again != moved_to
    assert (tmp_path / again).exists()
    assert len(json.loads((tmp_path / DAY / "manifest.json").read_text())["snapshots"]) == 2


async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Where a folder should be there is a file: the save fails as such."""
    (tmp_path / "BTC").write_text("in the way")

    with pytest.raises(StoreUnwritable, match="BTC"):
        await keep_all(ParquetSnapshots(tmp_path), [sound_harvest()])


async def test_an_archive_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """Nothing was ever harvested: no family, no instant, nothing to load."""
    archive = ParquetSnapshots(tmp_path / "none")

    assert await archive.families() == ()
    assert await archive.instants("BTC") == ()
    with pytest.raises(Unavailable):
        await archive.load("BTC", datetime(2026, 3, 2, tzinfo=UTC))


async def test_an_empty_chain_is_a_snapshot(tmp_path: Path) -> None:
    """No rows, but an instant and an index: it can be loaded, and is counted."""
    harvest = sound_harvest()
    nothing = harvest.market.chain.where(harvest.market.chain.strike < 0)
    await keep_all(ParquetSnapshots(tmp_path), [with_chain(harvest, nothing)])

    assert len((await ParquetSnapshots(tmp_path).load("BTC", NOW)).chain) == 0
