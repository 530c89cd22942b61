"""The fit: its step, its search, and the shipped universe being what it leaves."""

from datetime import date
from math import log

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.wiring.universe import history_of
from apps.wiring.universe_file import universe_of
from core.analysis.universe_bands import Band
from core.analysis.universe_fit import FitParams, fitted
from core.analysis.universe_free import HIGHEST, LOWEST, generic, moved, position
from core.analysis.universe_series import MarketHistory
from core.analysis.universe_step import LocalMisses, planned
from core.analysis.universe_targets import figures_of, outside, targets_of
from tests.support.recorded import recorded_data
from tests.support.universes import universe

SMALL = FitParams(paths=2, days=420, rounds=1)


def recorded(coin: str) -> MarketHistory:
    """Prices and DVOL to the end of 2025; the test is skipped where there are none."""
    data, name = recorded_data(), coin.lower()
    dvol = sorted((data / "dvol").glob(f"{name}_dvol_daily_close_*"))
    spot = data / "spot" / f"{name}usdt_1h_2022-01_2025-12.csv.gz"
    return history_of(coin, [spot], dvol, date(2025, 12, 31))


def silent(*_: object) -> None:
    return None


def local(seed: int, misses: int = 12, figures: int = 5) -> LocalMisses:
    """Random misses, half of them with a floor at zero, and bounds that some steps meet."""
    rng = np.random.default_rng(seed)
    floor = np.where(np.arange(misses) % 2 == 0, -np.inf, 0.0)
    return LocalMisses(
        value=rng.normal(size=misses),
        floor=floor,
        slopes=rng.normal(size=(misses, figures)),
        low=-rng.random(figures),
        high=rng.random(figures),
        drift=rng.normal(size=figures),
        ridge=0.05,
    )


def cost(of: LocalMisses, step: np.ndarray, damping: float) -> float:
    """What a step is to make least."""
    misses = np.maximum(of.floor, of.value + of.slopes @ step)
    away = of.drift + step
    return float(misses @ misses + damping * step @ step + of.ridge * away @ away)


def test_a_step_without_floors_and_bounds_is_that_of_least_squares() -> None:
    """The normal equations have the same answer."""
    rough = local(1)
    free = evolve(rough, floor=np.full(12, -np.inf), low=np.full(5, -99.0), high=np.full(5, 99.0))
    square = free.slopes.T @ free.slopes + (0.3 + free.ridge) * np.eye(5)

    exact = np.linalg.solve(square, -(free.slopes.T @ free.value + free.ridge * free.drift))

    assert planned(free, 0.3) == pytest.approx(exact, abs=1e-7)


@given(seed=st.integers(0, 2000), damping=st.floats(0.05, 10.0))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_no_step_inside_the_bounds_is_better(seed: int, damping: float) -> None:
    """Not near, not far: the sum is convex and the step is its least."""
    of = local(seed)
    step = planned(of, damping)
    rng = np.random.default_rng(seed + 1)

    assert (of.low <= step).all()
    assert (step <= of.high).all()
    for share in (1e-3, 0.1, 1.0):
        other = step + share * (rng.uniform(of.low, of.high) - step)
        assert cost(of, step, damping) <= cost(of, other, damping) + 1e-9


BAND = Band(row=1, name="vol", label="", inner=(0.45, 0.55), outer=(0.0, 1.0))


def test_paths_far_from_the_edges_count_whole() -> None:
    """Four of ten outside, one of them without the figure: both edges, and nothing between."""
    values = np.array([0.45, 0.5, 0.55, 0.5, 0.48, 0.52, -3.0, 4.0, 5.0, np.nan])

    assert outside(BAND, values) == pytest.approx(0.4, abs=1e-12)


@given(at=st.floats(-0.5, 1.5), by=st.floats(0.0, 0.01))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_a_path_crosses_an_edge_by_and_by(at: float, by: float) -> None:
    """No path's small move changes the share by a whole path; on the edge it counts as half."""
    others = np.linspace(0.2, 0.8, 40)
    here, there, edge = (outside(BAND, np.append(others, each)) for each in (at, at + by, 1.0))

    assert abs(there - here) < 0.1 / 41
    assert edge == pytest.approx(0.5 / 41, abs=1e-12)


def test_a_fit_begins_alike_whatever_the_coin() -> None:
    """All but the level is the same, and inside the ranges; what regimes measured is as it was."""
    start = generic(0.5)
    at = position(start)

    assert generic(0.7) == evolve(start, long_run_iv=0.7)
    assert (at > LOWEST).all()
    assert (at < HIGHEST).all()
    assert (start.level_spread, start.rho_spread, start.premium_spread) == (1.0, 1.0, 1.0)
    assert (start.rho_shift, start.premium, start.skew_shift) == (0.0, 0.0, 0.0)


def test_a_position_and_its_market_belong_together() -> None:
    """Moving a market to a position gives figures that are there; a step of 0.05 in ln is one."""
    start = universe(generic(0.5)).coin("BTC")
    at = position(start.dynamics)
    up = at.copy()
    up[0] += 1.0

    assert position(moved(start, up).dynamics) == pytest.approx(up, abs=1e-9)
    assert log(moved(start, up).dynamics.long_run_iv / 0.5) == pytest.approx(0.05, abs=1e-12)


def test_a_round_comes_closer_and_can_be_repeated() -> None:
    """The miss falls, the same start and targets give the same bits, another seed others."""
    targets = targets_of(recorded("ETH"))
    start = evolve(universe_of(None).coin("ETH"), dynamics=generic(0.6))

    first, again, other = (
        fitted(start, targets, evolve(SMALL, seed=seed), silent) for seed in (5, 5, 6)
    )

    assert first.misses[-1] < first.misses[0]
    assert first.coin == again.coin
    assert first.misses == again.misses
    assert first.coin != other.coin


def test_a_round_that_gains_too_little_is_the_last() -> None:
    """Where all of the miss would have to go, the first is; no round was asked for, none is."""
    targets = targets_of(recorded("ETH"))
    start = evolve(universe_of(None).coin("ETH"), dynamics=generic(0.6))
    rounds: list[int] = []

    def told(number: int, _: float) -> None:
        rounds.append(number)

    fitted(start, targets, evolve(SMALL, rounds=3, least_gain=1.0), told)
    untouched = fitted(start, targets, evolve(SMALL, rounds=0), told)

    assert rounds == [0]
    assert len(untouched.misses) == 1


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_the_shipped_universe_has_the_miss_it_states(coin: str) -> None:
    """On the bank of its seed, against the targets of its history: it is where its fit ended."""
    shipped = universe_of(None).coin(coin)
    assert shipped.provenance is not None
    targets = targets_of(recorded(coin))

    bank = FitParams(seed=shipped.provenance.seed).bank
    miss = targets.misses.total(figures_of(shipped, targets.bands, bank))

    assert miss == pytest.approx(shipped.provenance.miss, rel=1e-6)
