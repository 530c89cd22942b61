"""Surfaces of recorded chains against the required figures, and against arbitrage by prices."""

import asyncio
from datetime import UTC, datetime
from functools import cache
from time import process_time

import numpy as np
import pytest

from adapters.files.vol_index_closes import read_closes
from core.analysis.surface_scores import Seen, left_out_misses, mark_misses, see, slice_scores
from core.analysis.surface_summary import compare_index, summarise
from core.surface.fit import FitParams
from core.surface.prepare import PrepareParams, RowStatus, prepare
from core.surface.vol_index import vol_index
from ports.snapshots import SnapshotArchive
from tests.support.recorded import recorded_chains, recorded_data, sample
from tests.support.smiles import density

PARAMS = FitParams()
MAY = datetime(2026, 5, 1, tzinfo=UTC)
COINS = pytest.mark.parametrize("coin", ["BTC", "ETH"])


@cache
def seen(coin: str) -> tuple[Seen, ...]:
    """A sample of the recorded snapshots, fitted once; all of them on demand."""

    async def fitted(archive: SnapshotArchive) -> tuple[Seen, ...]:
        instants = sample(await archive.instants(coin))
        return tuple([see(await archive.load(coin, instant), PARAMS) for instant in instants])

    return asyncio.run(fitted(recorded_chains()))


@pytest.mark.parametrize(("coin", "inside_pct"), [("BTC", 95.0), ("ETH", 98.5)])
def test_required_figures(coin: str, inside_pct: float) -> None:
    """RMSE, vega-weighted miss and share inside bid and ask are what is required."""
    summary = summarise([score for each in seen(coin) for score in slice_scores(each, PARAMS)])

    assert summary is not None
    assert summary.rmse <= 0.30
    assert summary.miss <= 0.15
    assert summary.inside_pct >= inside_pct


@COINS
def test_no_arbitrage(coin: str) -> None:
    """No smile has a negative density or falls below the one before, by its own formulas here."""
    for each in seen(coin):
        below = None
        for fit in each.fit.slices:
            if fit.smile is None:
                continue
            k = fit.quotes.k
            span = k[-1] - k[0]
            wide = np.linspace(k[0] - 1.5 * span, k[-1] + 1.5 * span, 121)
            steps = np.linspace(wide[0], wide[-1], 9)
            assert all(density(fit.smile, float(at)) > -1e-12 for at in steps)
            assert (fit.smile.butterfly(wide) >= -1e-4).all()
            if below is not None and below.smile is not None:
                low, high = min(k[0], below.quotes.k[0]), max(k[-1], below.quotes.k[-1])
                shared = np.linspace(low, high, 401)
                rise = fit.smile.total_variance(shared) - below.smile.total_variance(shared)
                assert (rise >= -1e-6).all()
            below = fit


@COINS
def test_every_expiry_with_six_quotes_is_svi(coin: str) -> None:
    """No recorded expiry with enough quotes falls back or goes without a smile."""
    for each in seen(coin):
        for fit in each.fit.slices:
            assert (len(fit.quotes.k) >= 6) == (fit.status.name == "SVI")


@COINS
def test_every_row_is_counted(coin: str) -> None:
    """The counts of all reasons add up to the rows of the chain."""
    for each in seen(coin):
        counts = [each.prepared.count(status) for status in RowStatus]

        assert sum(counts) == len(each.snapshot.chain)


@COINS
def test_marks_are_reproduced(coin: str) -> None:
    """Mark volatility follows from the mark price within the required points."""
    misses = [mark_misses(each) for each in seen(coin)]
    days = np.concatenate([each.days for each in misses])
    miss = 100.0 * np.concatenate([each.miss for each in misses])

    for low, high, median, tail in ((30.0, np.inf, 0.005, 0.12), (7.0, 30.0, 0.01, 0.35)):
        of_tenor = miss[(days >= low) & (days < high)]
        assert np.median(of_tenor) <= median
        assert np.quantile(of_tenor, 0.99) <= tail


@COINS
def test_a_strike_left_out(coin: str) -> None:
    """A quote is met by the fit without it within 0.6 half-spreads, at the median."""
    some = seen(coin)[::6]

    assert np.median(np.concatenate([left_out_misses(each, PARAMS) for each in some])) <= 0.6


@COINS
def test_time_of_a_chain(coin: str) -> None:
    """Preparing and fitting one chain takes no more than 150 ms of one core, at the median."""
    taken = []
    for each in seen(coin):
        started = process_time()
        see(each.snapshot, PARAMS)
        taken.append(process_time() - started)

    assert np.median(taken) <= 0.150


@pytest.mark.parametrize(("coin", "largest"), [("BTC", 0.45), ("ETH", 0.60)])
async def test_index_against_dvol(coin: str, largest: float) -> None:
    """The index with its wings cut follows the recorded closes of May."""
    archive = recorded_chains()
    instants = [instant for instant in await archive.instants(coin) if instant >= MAY]
    index = []
    for instant in instants:
        snapshot = await archive.load(coin, instant)
        index.append(vol_index(snapshot, prepare(snapshot, PrepareParams()), None).dvol_like)
    closes = [(each.day, each.close) for each in read_closes(recorded_data() / "dvol", coin)]
    compared = compare_index(instants, np.array(index), closes)

    assert compared is not None
    assert compared.days >= 28
    assert compared.mean_absolute <= largest
    assert compared.correlation > 0.95
