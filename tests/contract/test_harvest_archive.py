"""What every HarvestArchive promises beyond a SnapshotArchive."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from adapters.files.snapshots import ParquetSnapshots
from adapters.memory.snapshots import MemorySnapshots
from core.usecases.harvest import derive
from ports.errors import Unavailable
from ports.harvest_columns import CANONICAL, OURS
from ports.instruments import Settlement
from ports.snapshots import ColumnKind, HarvestArchive, RawColumn
from tests.support.harvests import LEVELS, keep_all, series_of, sound_harvest, with_chain
from tests.support.markets import NOW

Reopen = Callable[[], HarvestArchive]


def memory(_: Path) -> Reopen:
    archive = MemorySnapshots()
    return lambda: archive


def parquet(directory: Path) -> Reopen:
    return lambda: ParquetSnapshots(directory)


@pytest.fixture(params=[memory, parquet], ids=lambda make: make.__name__)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Reopen:
    make: Callable[[Path], Reopen] = request.param
    return make(tmp_path)


async def column(archive: HarvestArchive, name: str) -> RawColumn:
    return (await archive.table("BTC", NOW)).columns[name]


async def test_what_was_kept_is_loaded_as_a_market(reopen: Reopen) -> None:
    """The chain, the index and the rules of a harvest are those of its snapshot."""
    harvest = sound_harvest()
    await keep_all(reopen(), [harvest])
    loaded = await reopen().load("BTC", NOW)

    assert (loaded.index_usd, loaded.rules) == (harvest.market.index_usd, harvest.market.rules)
    for name in ("strike", "forward", "bid", "ask", "mark", "mark_iv", "open_interest", "volume"):
        assert np.array_equal(getattr(loaded.chain, name), getattr(harvest.market.chain, name))


async def test_the_twenty_known_columns_come_first(reopen: Reopen) -> None:
    """In their order, then ours, and every row is there."""
    await keep_all(reopen(), [sound_harvest()])
    table = await reopen().table("BTC", NOW)

    assert tuple(table.columns) == CANONICAL + OURS
    assert CANONICAL[:3] == ("harvest_time", "instrument_name", "underlying")
    assert len(CANONICAL) == 20
    assert table.rows == 20


async def test_columns_are_in_the_units_of_others(reopen: Reopen) -> None:
    """Volatility in points, expiry in seconds at 08:00, kinds as C and P, names as the venue's."""
    await keep_all(reopen(), [sound_harvest()])

    assert (await column(reopen(), "mark_iv")).values[0] == 55.0
    assert (await column(reopen(), "expiry_timestamp")).values[0] == 1_774_598_400.0
    assert (await column(reopen(), "expiry")).values[0] == "2026-03-27"
    assert list((await column(reopen(), "option_type")).values[:2]) == ["C", "P"]
    assert (await column(reopen(), "instrument_name")).values[0] == "BTC-27MAR26-80000-C"
    taken = await column(reopen(), "harvest_time")
    assert (taken.kind, taken.values[0]) == (ColumnKind.INSTANT, NOW.timestamp() * 1000)


async def test_derived_columns_are_kept_and_marked(reopen: Reopen) -> None:
    """Greeks and quote volatilities to fifteen bits, beside the word that they were computed."""
    harvest = sound_harvest()
    derived = derive(harvest.market)
    await reopen().keep(harvest, derived)

    kept = (await column(reopen(), "greek_delta")).values
    assert np.allclose(np.asarray(kept, dtype=np.float64), derived.delta, rtol=2.0**-15, atol=0.0)
    assert set((await column(reopen(), "greeks_source")).values) == {"computed"}
    assert set((await column(reopen(), "iv_source")).values) == {"computed"}


async def test_a_volatility_between_points_comes_back_exactly(reopen: Reopen) -> None:
    """A fraction that no number of points leads back to is kept beside them."""
    harvest = sound_harvest()
    odd = np.full(len(harvest.market.chain), np.nextafter(1.5, 2.0) / 3.0)
    changed = with_chain(harvest, evolve(harvest.market.chain, mark_iv=odd))
    await keep_all(reopen(), [changed])

    assert np.array_equal((await reopen().load("BTC", NOW)).chain.mark_iv, odd)


async def test_levels_stand_beside_the_chain(reopen: Reopen) -> None:
    """DVOL, futures, funding and delivery prices come back as they were told."""
    await keep_all(reopen(), [sound_harvest()])
    levels = await reopen().levels("BTC", NOW)

    assert levels.dvol == 52.25
    assert levels.futures[0] == LEVELS.futures[0]
    assert levels.futures[1].symbol == "BTC-27MAR26"
    assert np.isnan(levels.futures[1].funding_8h)
    assert levels.delivered == LEVELS.delivered


async def test_a_row_without_a_mark_is_kept_and_not_shown(reopen: Reopen) -> None:
    """The table has it, the market does not."""
    harvest = sound_harvest()
    mark = harvest.market.chain.mark.copy()
    mark[3] = np.nan
    await keep_all(reopen(), [with_chain(harvest, evolve(harvest.market.chain, mark=mark))])

    assert (await reopen().table("BTC", NOW)).rows == 20
    assert len((await reopen().load("BTC", NOW)).chain) == 19


async def test_families_are_told_apart(reopen: Reopen) -> None:
    """BTC_USDC is not BTC: each has its own snapshots, of its own settlement."""
    linear = sound_harvest(settlement=Settlement.LINEAR)
    await keep_all(reopen(), [sound_harvest(), linear])

    assert await reopen().families() == ("BTC", "BTC_USDC")
    assert (await reopen().load("BTC", NOW)).chain.settlement is Settlement.INVERSE
    assert (await reopen().load("BTC_USDC", NOW)).chain.settlement is Settlement.LINEAR


async def test_kept_counts_every_snapshot_once(reopen: Reopen) -> None:
    """Oldest first, with rows and index; one that is replaced is one."""
    harvests = series_of(4)
    await keep_all(reopen(), [harvests[2], harvests[0], harvests[3], harvests[1], harvests[0]])
    kept = await reopen().kept("BTC")

    assert [each.taken_at for each in kept] == [each.market.taken_at for each in harvests]
    assert [each.rows for each in kept] == [20] * 4
    assert [each.index_usd for each in kept] == [each.market.index_usd for each in harvests]


async def test_quarantine_takes_a_snapshot_out(reopen: Reopen) -> None:
    """It is no longer among those kept, the others are, and where it lies is told."""
    harvests = series_of(3)
    await keep_all(reopen(), harvests)
    middle = (await reopen().kept("BTC"))[1]
    moved_to = await reopen().quarantine("BTC", middle.file, "marks of another day")

    assert moved_to.startswith("quarantine/BTC/")
    assert await reopen().instants("BTC") == (NOW, NOW + timedelta(minutes=30))
    with pytest.raises(Unavailable):
        await reopen().load("BTC", middle.taken_at)


async def test_what_is_not_there_is_unavailable(reopen: Reopen) -> None:
    """No table and no levels of an instant that was not harvested."""
    for ask in (reopen().table, reopen().levels):
        with pytest.raises(Unavailable, match="BTC"):
            await ask("BTC", NOW)
