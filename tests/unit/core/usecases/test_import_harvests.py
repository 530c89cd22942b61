"""Imports: what is taken over, what is told of it, and what a broken recording leaves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import numpy as np
from attrs import evolve

from adapters.files.snapshots import ParquetSnapshots
from adapters.memory.snapshots import MemorySnapshots
from core.usecases.import_harvests import import_harvests
from ports.errors import StoreDamaged
from ports.snapshots import Harvest
from tests.support.harvests import series_of
from tests.support.markets import NOW
from tests.support.recorded import recorded_chains, sample


async def told(*harvests: Harvest, failure: StoreDamaged | None = None) -> AsyncIterator[Harvest]:
    for harvest in harvests:
        yield harvest
    if failure is not None:
        raise failure


async def test_an_import_counts_what_it_took() -> None:
    """Snapshots by family, rows, first and last, and how often each note was made."""
    harvests = [evolve(each, notes=("volatilities were in points",)) for each in series_of(3)]
    done = await import_harvests("quotes.csv", told(*harvests), MemorySnapshots())

    assert (done.snapshots, done.rows, done.failure) == ((("BTC", 3),), 60, None)
    assert (done.first, done.last) == (NOW, NOW + timedelta(minutes=30))
    assert done.notes == (("volatilities were in points", 3),)


async def test_a_recording_that_breaks_off_leaves_what_came_before() -> None:
    """And the reason is told."""
    archive = MemorySnapshots()
    broken = told(*series_of(2), failure=StoreDamaged("quotes.csv: line 7"))
    done = await import_harvests("quotes.csv", broken, archive)

    assert done.failure == "quotes.csv: line 7"
    assert len(await archive.instants("BTC")) == 2


async def test_an_import_can_be_done_again() -> None:
    """The same instants are replaced, not doubled."""
    archive = MemorySnapshots()
    for _ in range(2):
        await import_harvests("quotes.csv", told(*series_of(3)), archive)

    assert len(await archive.instants("BTC")) == 3


async def test_an_imported_market_is_the_recorded_one(tmp_path: Path) -> None:
    """Chain for chain, bit for bit: a replay of either sees the same."""
    recording, archive = recorded_chains(), ParquetSnapshots(tmp_path)
    instants = sample(await recording.instants("BTC"), 4)
    markets = [await recording.load("BTC", instant) for instant in instants]
    await import_harvests("chains", told(*map(Harvest.bare, markets)), archive)

    for market in markets:
        found = await archive.load("BTC", market.taken_at)
        assert (found.index_usd, found.rules) == (market.index_usd, market.rules)
        assert found.chain.contracts == market.chain.contracts
        for name in ("forward", "bid", "ask", "bid_amount", "ask_amount", "mark", "mark_iv"):
            one, other = getattr(found.chain, name), getattr(market.chain, name)
            assert np.array_equal(one, other, equal_nan=True), name
