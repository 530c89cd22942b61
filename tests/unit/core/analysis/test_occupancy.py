"""Where the market was: every step is in one cell, outside, or unknown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.occupancy import (
    METRICS,
    PAIRS,
    Bins,
    SpotParams,
    bins_over,
    occupancy,
    smoothed,
    strategy_map,
    sweet_spots,
)
from core.analysis.sensor_series import SensorSeries
from core.greg.catalogue import StrategyCode
from tests.support.sensor_series import random_series, series

X = Bins("vrp_30d", np.array([0.0, 10.0, 20.0]))
Y = Bins("adx_14d", np.array([0.0, 25.0, 50.0, 75.0]))


def visits(*steps: tuple[float, float]) -> SensorSeries:
    """One path through (vrp, adx)."""
    vrp, adx = zip(*steps, strict=True)
    return series(vrp_30d=vrp, adx_14d=adx)


def test_steps_are_counted_in_their_cells() -> None:
    """A lower edge is in the cell, an upper one in the next; beyond the last it is outside."""
    found = occupancy(
        visits(
            *((0.0, 0.0), (9.9, 24.9), (10.0, 25.0), (19.9, 74.9)),
            *((20.0, 10.0), (-0.1, 10.0), (5.0, 75.0), (np.nan, 10.0), (5.0, np.nan)),
        ),
        X,
        Y,
    )

    assert found.counts.tolist() == [[2, 0], [0, 1], [0, 1]]
    assert (found.steps, found.inside, found.outside, found.unknown) == (9, 4, 3, 2)
    assert found.shares.tolist() == [[0.5, 0.0], [0.0, 0.25], [0.0, 0.25]]


@given(seed=st.integers(0, 500), bins=st.integers(2, 20))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_every_step_is_somewhere(seed: int, bins: int) -> None:
    """Inside, outside and unknown are all steps; over all the data nothing is outside."""
    wandering = random_series(seed)
    whole = occupancy(
        wandering, bins_over(wandering, "rsi_14d", bins), bins_over(wandering, "skew_25d", bins)
    )
    part = occupancy(wandering, X, Y)

    for found in (whole, part):
        assert found.counts.sum() == found.inside
        assert found.inside + found.outside + found.unknown == found.steps
    assert whole.outside == 0
    assert whole.shares.sum() == pytest.approx(1.0)


def test_shares_of_nothing_are_unknown() -> None:
    """Where no step was inside, no cell has a share."""
    found = occupancy(visits((99.0, 99.0)), X, Y)

    assert np.isnan(found.shares).all()


def test_smoothing_spreads_a_cell_by_the_binomial_weights() -> None:
    """Half along either axis stays, a quarter goes to each side; twice is the row 1 4 6 4 1."""
    edges = np.arange(10.0)
    middle = visits((4.5, 4.5))
    found = occupancy(middle, Bins("vrp_30d", edges), Bins("adx_14d", edges))

    once, twice = np.array([1.0, 2.0, 1.0]) / 4.0, np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0
    assert smoothed(found, 0).tolist() == found.shares.tolist()
    assert smoothed(found, 1)[3:6, 3:6] == pytest.approx(np.outer(once, once), abs=1e-15)
    assert smoothed(found, 2)[2:7, 2:7] == pytest.approx(np.outer(twice, twice), abs=1e-15)


@given(seed=st.integers(0, 500), bins=st.integers(2, 20), passes=st.integers(1, 8))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_smoothing_loses_no_share(seed: int, bins: int, passes: int) -> None:
    """The shares still sum to one, and none is beyond the lowest and highest there were."""
    wandering = random_series(seed)
    found = occupancy(
        wandering, bins_over(wandering, "rsi_14d", bins), bins_over(wandering, "skew_25d", bins)
    )

    shares = smoothed(found, passes)

    assert shares.sum() == pytest.approx(1.0, abs=1e-12)
    assert found.shares.min() - 1e-15 <= shares.min()
    assert shares.max() <= found.shares.max() + 1e-15


def test_an_even_map_stays_even() -> None:
    """At the edges too."""
    steps = [(x, y) for x in (5.0, 15.0) for y in (10.0, 30.0, 60.0)]

    assert smoothed(occupancy(visits(*steps), X, Y), 3) == pytest.approx(1.0 / 6.0, abs=1e-15)


def test_a_sensor_that_never_moves_has_a_cell() -> None:
    """All its steps are in one column."""
    still = visits((5.0, 1.0), (5.0, 2.0))
    found = occupancy(still, bins_over(still, "vrp_30d", 4), bins_over(still, "adx_14d", 4))

    assert found.inside == 2
    assert (found.counts.sum(axis=0) > 0).sum() == 1


def test_a_sensor_that_is_never_known_has_no_cells() -> None:
    """It is named."""
    with pytest.raises(ValueError, match="rsi_14d of BTC is never known"):
        bins_over(visits((1.0, 1.0)), "rsi_14d")


def test_there_are_twenty_eight_pairs() -> None:
    """Of eight sensors, each with each once."""
    assert len(METRICS) == 8
    assert len({frozenset(pair) for pair in PAIRS}) == len(PAIRS) == 28


def test_passes_are_counted_where_they_were() -> None:
    """Shares by cell, and the P&L of what was opened where it passed."""
    path = visits((1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (11.0, 30.0), (99.0, 1.0))
    held = np.array([[True, True, False, True, True]])
    pnl = np.array([[0.2, np.nan, 9.0, -0.1, 5.0]])
    found = strategy_map(occupancy(path, X, Y), StrategyCode.STRADDLE, held, pnl)

    assert found.passes.tolist() == [[2, 0], [0, 1], [0, 0]]
    assert found.shares[0, 0] == pytest.approx(2.0 / 3.0)
    assert np.isnan(found.shares[0, 1])
    assert found.pnl[0, 0] == 0.2
    assert found.pnl[1, 1] == -0.1
    assert np.isnan(found.pnl[2, 0])
    assert found.bounds.low[0, 0] < 2.0 / 3.0 < found.bounds.high[0, 0]


def spots_of(counts: dict[tuple[float, float], tuple[int, int]], **params: object) -> list[object]:
    """The sweet spots of cells visited and passed so often, by their (vrp, adx)."""
    steps, held = [], []
    for place, (visited, passed) in counts.items():
        steps += [place] * visited
        held += [True] * passed + [False] * (visited - passed)
    where = occupancy(visits(*steps), X, Y)
    found = strategy_map(where, StrategyCode.STRADDLE, np.array([held]))
    return [
        (spot.x_low, spot.y_low, spot.count) for spot in sweet_spots(found, SpotParams(**params))
    ]


def test_a_spot_is_visited_passed_and_counted_often_enough() -> None:
    """Each condition alone keeps a cell out; at its limit it is in."""
    counts = {
        (1.0, 1.0): (100, 40),  # just often enough
        (1.0, 30.0): (100, 39),  # passed too seldom
        (11.0, 1.0): (19, 19),  # counted too seldom
        (11.0, 30.0): (20, 20),
    }

    assert spots_of(counts) == [(0.0, 0.0, 100), (10.0, 25.0, 20)]
    assert spots_of(counts, least_occupancy=0.1) == [(0.0, 0.0, 100)]
    assert spots_of(counts, least_count=19)[2:] == [(10.0, 0.0, 19)]


def test_the_best_spots_come_first() -> None:
    """By occupancy times pass share, at most so many."""
    counts = {(1.0, 1.0): (50, 30), (1.0, 30.0): (100, 50), (11.0, 1.0): (60, 60)}

    assert spots_of(counts, most=2) == [(10.0, 0.0, 60), (0.0, 25.0, 100)]


def test_a_spot_says_how_sure_it_is() -> None:
    """Score, share and bounds belong together; without P&L none is told."""
    path = visits(*[(1.0, 1.0)] * 30)
    held = np.array([[True] * 24 + [False] * 6])
    spot = sweet_spots(strategy_map(occupancy(path, X, Y), StrategyCode.STRADDLE, held))[0]

    assert (spot.occupancy, spot.pass_share, spot.score) == (1.0, 0.8, 0.8)
    assert spot.pass_low < 0.8 < spot.pass_high
    assert spot.pnl is None
