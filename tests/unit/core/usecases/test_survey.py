"""Surveys of an archive: lists, judgements, and what is put into quarantine."""

from datetime import timedelta
from pathlib import Path

import numpy as np
from attrs import evolve

from adapters.files.snapshots import ParquetSnapshots
from adapters.memory.snapshots import MemorySnapshots
from core.health.quality import Quality, QualityParams
from core.health.quote_checks import Flaw
from core.usecases.survey import Span, judge_archive, list_archive, quarantine_failed
from tests.support.harvests import keep_all, series_of, sound_harvest, with_chain
from tests.support.markets import NOW

STEP = timedelta(minutes=15)
HOUR = Span(since=None, until=NOW + timedelta(hours=1), interval=STEP)


async def test_a_list_says_what_is_there() -> None:
    """Snapshots, rows, gaps and age of each family."""
    archive = MemorySnapshots()
    harvests = series_of(5)
    await keep_all(archive, [*harvests[:2], *harvests[3:]])
    (told,) = await list_archive(archive, STEP, NOW + timedelta(hours=2))

    assert (told.family, told.rows, told.coverage.snapshots) == ("BTC", 80, 4)
    assert (told.coverage.missing, told.coverage.age) == (1, timedelta(hours=1))


async def test_sound_snapshots_are_ok() -> None:
    """Nothing is among the worst."""
    archive = MemorySnapshots()
    await keep_all(archive, series_of(5))
    told = await judge_archive(archive, "BTC", HOUR, QualityParams())

    assert (told.summary.status, told.summary.num_snapshots, told.worst) == (Quality.OK, 5, ())


async def test_a_family_without_data_is_no_data() -> None:
    """It is never ok."""
    told = await judge_archive(MemorySnapshots(), "ETH", HOUR, QualityParams())

    assert told.summary.status is Quality.NO_DATA


async def test_only_the_span_is_judged() -> None:
    """Both ends in it."""
    archive = MemorySnapshots()
    await keep_all(archive, series_of(9))
    span = Span(since=NOW + STEP, until=NOW + 3 * STEP, interval=STEP)
    told = await judge_archive(archive, "BTC", span, QualityParams())

    assert told.summary.num_snapshots == told.coverage.snapshots == 3


async def test_crossed_quotes_are_found() -> None:
    """They are counted, and the snapshot is among the worst."""
    archive, harvest = MemorySnapshots(), sound_harvest()
    chain = harvest.market.chain
    crossed = evolve(chain, bid=chain.ask + 0.001, ask=chain.bid)
    await keep_all(archive, [with_chain(harvest, crossed)])
    told = await judge_archive(archive, "BTC", HOUR, QualityParams())

    assert dict(told.summary.flawed_rows)[Flaw.CROSSED] == 20
    assert told.worst[0].status is Quality.DEGRADED


async def test_stale_repeats_are_counted() -> None:
    """A feed that stands still tells the same quotes at later instants."""
    archive, chain = MemorySnapshots(), sound_harvest().market.chain
    standing = [with_chain(sound_harvest(NOW + number * STEP), chain) for number in range(3)]
    await keep_all(archive, standing)
    told = await judge_archive(archive, "BTC", HOUR, QualityParams())

    assert told.summary.num_stale_repeats == 2


async def test_failed_files_go_into_quarantine(tmp_path: Path) -> None:
    """With their reasons, and what is left is judged ok."""
    archive = ParquetSnapshots(tmp_path)
    await keep_all(archive, series_of(4))
    kept = await archive.kept("BTC")
    cut = tmp_path / kept[1].file
    cut.write_bytes(cut.read_bytes()[:100])
    told = await judge_archive(archive, "BTC", HOUR, QualityParams())
    moved = await quarantine_failed(archive, told, await archive.kept("BTC"))
    after = await judge_archive(archive, "BTC", HOUR, QualityParams())

    assert told.summary.status is Quality.FAILED
    assert [each.file for each in moved] == [kept[1].file]
    assert (tmp_path / f"{moved[0].moved_to}.reason.txt").read_text().strip() == moved[0].reason
    assert (after.summary.status, after.summary.num_snapshots) == (Quality.OK, 3)


async def test_degraded_snapshots_stay(tmp_path: Path) -> None:
    """Only what failed is moved: rows without volatility are still a market's."""
    archive, harvest = ParquetSnapshots(tmp_path), sound_harvest()
    bare = evolve(harvest.market.chain, mark_iv=np.full(20, np.nan))
    await keep_all(archive, [with_chain(harvest, bare)])
    told = await judge_archive(archive, "BTC", HOUR, QualityParams())

    assert told.worst[0].status is Quality.DEGRADED
    assert await quarantine_failed(archive, told, await archive.kept("BTC")) == ()
