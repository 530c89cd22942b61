"""The fit: its search, who computes it, and the shipped universe being what it leaves."""

from collections.abc import AsyncGenerator, Sequence
from datetime import date

import pytest
from attrs import evolve

from adapters.memory.sweeps import MemorySweeps
from adapters.system.sweeps import ProcessSweeps
from apps.wiring.universe import history_of
from apps.wiring.universe_file import universe_of
from core.analysis.universe_free import generic
from core.analysis.universe_series import MarketHistory
from core.analysis.universe_targets import targets_of
from core.simulation.universe.params import CoinUniverse
from core.usecases.fit_universe import FitParams, FitResult, figures_of, fitted
from ports.errors import Unavailable
from ports.sweeps import Cell, CellResult, SweepExecutor
from tests.support.recorded import recorded_data

SMALL = FitParams(paths=2, days=420, rounds=1)


class OneFails:
    """An executor that cannot compute its last cell."""

    async def results(self, cells: Sequence[Cell]) -> AsyncGenerator[CellResult, None]:
        for cell in cells[:-1]:
            yield cell.result()
        yield CellResult(key=cells[-1].key, error="ended its process 2 times")


def recorded(coin: str) -> MarketHistory:
    """Prices and DVOL to the end of 2025; the test is skipped where there are none."""
    data, name = recorded_data(), coin.lower()
    dvol = sorted((data / "dvol").glob(f"{name}_dvol_daily_close_*"))
    spot = data / "spot" / f"{name}usdt_1h_2022-01_2025-12.csv.gz"
    return history_of(coin, [spot], dvol, date(2025, 12, 31))


def started() -> CoinUniverse:
    """ETH's market with every free figure at its start."""
    return evolve(universe_of(None).coin("ETH"), dynamics=generic(0.6))


async def small_fit(params: FitParams, executor: SweepExecutor) -> FitResult:
    """A fit to ETH's history."""
    return await fitted(started(), targets_of(recorded("ETH")), params, executor, lambda *_: None)


async def test_a_round_comes_closer_and_can_be_repeated() -> None:
    """The miss falls, the same start and targets give the same bits, another seed others."""
    first, again, other = [
        await small_fit(evolve(SMALL, seed=seed), MemorySweeps()) for seed in (5, 5, 6)
    ]

    assert first.misses[-1] < first.misses[0]
    assert first.coin == again.coin
    assert first.misses == again.misses
    assert first.coin != other.coin


async def test_who_computes_has_no_part_in_what_is_found() -> None:
    """Two processes that answer in any order find what one finds, to the bit; 30 paths, 2 cells."""
    wanted, bank = targets_of(recorded("ETH")).bands, evolve(SMALL, paths=30).bank
    markets = [started(), universe_of(None).coin("ETH")]

    alone = await figures_of(markets, wanted, bank, MemorySweeps())
    together = await figures_of(markets, wanted, bank, ProcessSweeps(2))

    assert [each.tobytes() for each in alone] == [each.tobytes() for each in together]
    assert alone[0].tobytes() != alone[1].tobytes()


async def test_paths_that_cannot_be_computed_end_the_fit() -> None:
    """A bank that lacks paths would be another bank."""
    with pytest.raises(Unavailable, match="ended its process 2 times"):
        await small_fit(SMALL, OneFails())


async def test_a_round_that_gains_too_little_is_the_last() -> None:
    """Where all of the miss would have to go, the first is; no round was asked for, none is."""
    demanding = await small_fit(evolve(SMALL, rounds=3, least_gain=1.0), MemorySweeps())
    untouched = await small_fit(evolve(SMALL, rounds=0), MemorySweeps())

    assert len(demanding.misses) == 2
    assert len(untouched.misses) == 1


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
async def test_the_shipped_universe_has_the_miss_it_states(coin: str) -> None:
    """On the bank of its seed, against the targets of its history: it is where its fit ended."""
    shipped = universe_of(None).coin(coin)
    assert shipped.provenance is not None
    targets = targets_of(recorded(coin))

    bank = FitParams(seed=shipped.provenance.seed).bank
    (figures,) = await figures_of([shipped], targets.bands, bank, MemorySweeps())

    assert targets.misses.total(figures) == pytest.approx(shipped.provenance.miss, rel=1e-6)
