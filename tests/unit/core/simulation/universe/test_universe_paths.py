"""Paths of an invented universe: the laws they follow, and the same again from the seed."""

import subprocess
import sys
from datetime import timedelta
from hashlib import sha256

import numpy as np
import pytest
from attrs import evolve

from apps.wiring.universe_file import universe_of
from core.analysis.universe_series import invented_series
from core.simulation.universe import path_kernel as kernel
from core.simulation.universe.params import UniverseParams
from core.simulation.universe.paths import CoinPath, coin_path, extended
from core.simulation.universe.regimes import RegimeModel
from ports.columns import Floats
from tests.support.universes import CALM, STILL, one_regime, universe

DAYS = 1460
HOURS_A_YEAR = 8760.0


def walked(made: UniverseParams, days: int = DAYS, path: int = 0) -> CoinPath:
    return coin_path(made, "BTC", 11, path, days)


def hourly(path: CoinPath) -> Floats:
    return np.diff(path.states[kernel.LOG_PRICE])


def test_still_volatility_is_realised() -> None:
    """With every factor still, an hour's variance is that of long_run_iv, within 3 %."""
    made = walked(universe(evolve(STILL, spot_dof=30.0)))

    variance = np.mean(hourly(made) ** 2) * HOURS_A_YEAR

    assert variance == pytest.approx(0.36, rel=0.03)


def test_the_premium_is_the_log_ratio_of_variances() -> None:
    """Implied over realised variance is exp(premium), index ratio squared included."""
    made = walked(universe(evolve(STILL, spot_dof=30.0, premium=0.5, index_ratio=1.1)))

    variance = np.mean(hourly(made) ** 2) * HOURS_A_YEAR

    assert np.log((1.1 * 0.6) ** 2 / variance) == pytest.approx(0.5, abs=0.03)


def test_returns_have_the_tails_of_students_law() -> None:
    """Beyond the 1 and 0.1 % points of five degrees, 3.365 and 5.893, brought to variance 1."""
    made = universe(evolve(STILL, spot_dof=5.0))
    shocks = np.concatenate([hourly(walked(made, path=path)) for path in range(4)])
    size = np.abs(shocks) / (0.6 / np.sqrt(HOURS_A_YEAR)) / np.sqrt(3.0 / 5.0)

    assert np.mean(size > 3.365) == pytest.approx(0.02, abs=0.0015)
    assert np.mean(size > 5.893) == pytest.approx(0.002, abs=0.0005)


def test_a_little_less_tail_is_the_same_path_a_little_changed() -> None:
    """Degrees of freedom move every return a little and hardly one much: trials compare."""
    here, there = (
        np.abs(hourly(walked(universe(evolve(STILL, spot_dof=dof))))) for dof in (5.0, 5.05)
    )

    assert (here != there).any()
    assert np.mean(np.abs(there / here - 1.0) > 0.05) < 0.01


def test_the_slow_factor_has_its_deviation_and_its_memory() -> None:
    """Its deviation, and its autocorrelation at 20 days, are those of slow_sd and slow_days."""
    still = evolve(STILL, slow_sd=0.3, slow_days=60.0, vol_dof=30.0)
    slow = np.array(
        [walked(universe(still), 700, path).midnights()[kernel.SLOW_STATE] for path in range(60)]
    )

    assert np.std(slow) == pytest.approx(0.3, rel=0.06)
    share = np.mean(slow[:, 20:] * slow[:, :-20]) / np.mean(slow**2)
    assert share == pytest.approx(np.exp(-20.0 / 60.0), abs=0.04)


def test_jumps_have_their_rate_and_their_sizes() -> None:
    """As many a year as asked, downward in the given share, with the given mean sizes."""
    jumpy = evolve(STILL, jumps_per_year=200.0, jump_down_share=0.6, jump_down=0.03, jump_up=0.01)
    jumps = walked(universe(jumpy), 3650).inside[kernel.JUMPED]
    down, up = jumps[jumps < 0.0], jumps[jumps > 0.0]

    assert len(down) + len(up) == pytest.approx(2000, rel=0.07)
    assert len(down) / (len(down) + len(up)) == pytest.approx(0.6, abs=0.04)
    assert np.mean(down) == pytest.approx(-0.03, rel=0.1)
    assert np.mean(up) == pytest.approx(0.01, rel=0.1)


def test_a_jump_kicks_both_factors() -> None:
    """A fall lifts fast and slow by its size times the kicks; a rise by its share of that."""
    kicked = evolve(
        STILL, jumps_per_year=50.0, kick_fast=4.0, kick_slow=0.5, kick_up_share=0.25, slow_days=90.0
    )
    path = walked(universe(kicked), 365)
    fast, jump = path.states[kernel.FAST_STATE], path.inside[kernel.JUMPED]
    keep = np.exp(-1.0 / 24.0 * -np.log(CALM.phi_iv))

    kick = np.where(jump < 0.0, 1.0, 0.25) * np.abs(jump)

    assert fast[1:] - keep * fast[:-1] == pytest.approx(4.0 * kick, abs=1e-12)
    slow, slow_keep = path.states[kernel.SLOW_STATE], np.exp(-1.0 / (24.0 * 90.0))
    assert slow[1:] - slow_keep * slow[:-1] == pytest.approx(0.5 * kick, abs=1e-12)


def test_quiet_weekends_have_their_share_of_variance() -> None:
    """Saturday and Sunday at 0.4 of the weekdays' weight realise 0.4 of their variance."""
    weights = np.array([1.0] * 5 + [0.4] * 2)
    made = universe(
        evolve(STILL, spot_dof=30.0), weekday=tuple((weights / weights.mean()).tolist())
    )
    path = walked(made)
    squares = (hourly(path) ** 2).reshape(-1, 24).sum(axis=1)
    weekday = (path.begin.weekday() + np.arange(path.days)) % 7

    ratio = np.mean(squares[weekday >= 5]) / np.mean(squares[weekday < 5])

    assert ratio == pytest.approx(0.4, rel=0.06)


@pytest.mark.parametrize("rho", [-0.6, 0.5])
def test_spot_and_volatility_move_together_as_the_regime_says(rho: float) -> None:
    """Hourly shocks of spot and of the slow factor have the correlation of the regime."""
    made = universe(
        evolve(STILL, slow_sd=0.3, spot_dof=60.0, vol_dof=60.0),
        one_regime(spot_vol_correlation=rho),
    )
    path = walked(made)
    moves = np.diff(path.states[kernel.SLOW_STATE])

    assert np.corrcoef(hourly(path), moves)[0, 1] == pytest.approx(rho, abs=0.04)


def test_stays_last_as_long_as_the_regime_says() -> None:
    """The mean stay of a Weibull law of shape 1 is its scale, of whole days one half more."""
    two = RegimeModel(
        underlying="BTC",
        regimes=(evolve(CALM, dwell_days=20.0), evolve(CALM, dwell_days=20.0)),
        transitions=((0.95, 0.05), (0.05, 0.95)),
    )
    labels = walked(universe(STILL, two), 36_500).regime
    stays = np.diff(np.flatnonzero(np.diff(labels)))

    assert np.mean(stays) == pytest.approx(20.5, rel=0.06)


def test_coins_move_together() -> None:
    """As recorded, nearly: hourly returns of the shipped coins at 0.84, moves of the index 0.71."""
    made = universe_of(None)
    coins = ("BTC", "ETH")
    returns, moves = [], []
    for path in range(6):
        both = [coin_path(made, coin, 3, path, 1095) for coin in coins]
        returns.append([hourly(each) for each in both])
        series = [invented_series(made.coin(each.underlying), each) for each in both]
        moves.append([np.diff(np.log(each.vol_index)) for each in series])

    of_returns = [np.corrcoef(*pair)[0, 1] for pair in returns]
    of_moves = [np.corrcoef(*pair)[0, 1] for pair in moves]
    assert np.mean(of_returns) == pytest.approx(0.84, abs=0.03)
    assert np.mean(of_moves) == pytest.approx(0.71, abs=0.05)


def test_a_block_goes_on_where_the_one_before_ended() -> None:
    """The first state of a continuation is the last one before it, to the bit."""
    made = universe_of(None)
    first = coin_path(made, "ETH", 5, 2, 100)

    then = extended(made, 5, 2, first, 30)

    assert np.array_equal(then.states[:, 0], first.states[:, -1])
    assert then.begin == first.begin + timedelta(days=100)


def digest(seed: int) -> str:
    path = coin_path(universe_of(None), "BTC", seed, 4, 60)
    return sha256(path.states.tobytes() + path.regime.tobytes()).hexdigest()


def test_another_process_draws_the_same_bits() -> None:
    """Seed, path and parameters say all."""
    program = "from tests.unit.core.simulation.universe.test_universe_paths import digest; "
    done = subprocess.run(
        [sys.executable, "-c", program + "print(digest(8))"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == digest(8)


def test_another_seed_draws_another_path() -> None:
    """And so does another number."""
    made = universe_of(None)
    paths = [coin_path(made, "BTC", *which, 30) for which in ((1, 0), (2, 0), (1, 1))]

    ends = {float(path.states[kernel.LOG_PRICE, -1]) for path in paths}
    assert len(ends) == 3


def test_an_unknown_coin_is_refused() -> None:
    """There are no figures for it."""
    with pytest.raises(ValueError, match="no invented market for 'SOL'"):
        coin_path(universe_of(None), "SOL", 1, 0, 10)
