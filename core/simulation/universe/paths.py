"""Paths of an invented market: hourly states of its coins, drawn by seed, path and block."""

from datetime import UTC, datetime, timedelta
from math import log, sqrt

import numpy as np
from attrs import evolve, field, frozen

from core.rng import rng_at
from core.simulation.synthetic_path import EPOCH
from core.simulation.universe import path_kernel as kernel
from core.simulation.universe.params import CoinUniverse, UniverseParams, coin_row, regime_rows
from ports.columns import Floats, Ints

WARM_UP_DAYS = 126  # before the epoch, so that factors and regime have lost their start
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


@frozen(eq=False)
class CoinPath:
    """
    One coin by the hour from *begin* on, in the rows of the kernel: *states*, (8, n + 1), what
    happens in each hour, (2, n), and the *regime* of each day, (d,), the last of which still has
    *days_left*.
    """

    underlying: str
    begin: datetime
    states: Floats = field(repr=False)
    inside: Floats = field(repr=False)
    regime: Ints = field(repr=False)
    days_left: float

    @property
    def days(self) -> int:
        """Whole days."""
        return int(self.states.shape[1] - 1) // 24

    @property
    def end(self) -> datetime:
        """The last instant."""
        return self.begin + self.days * _DAY

    def midnights(self) -> Floats:
        """The states at the start of each day and at the end of the last, (8, d + 1)."""
        return self.states[:, ::24]


def coin_path(
    universe: UniverseParams, underlying: str, seed: int, path: int, days: int
) -> CoinPath:
    """
    Return path number *path* of *underlying* over *days* from the epoch.

    Coins asked for with the same seed and number share part of their shocks, the instants of
    their jumps and the chances by which regimes turn. The same arguments give the same bits.

    Raises:
        ValueError: *universe* has no such coin.
    """
    return extended(universe, seed, path, first_state(universe, underlying, seed, path), days)


def first_state(universe: UniverseParams, underlying: str, seed: int, path: int) -> CoinPath:
    """Return a path that ends at the epoch where it begins, with states that time has mixed."""
    coin = universe.coin(underlying)
    begin = EPOCH - WARM_UP_DAYS * _DAY
    uniform = float(_Block(seed, path, begin, WARM_UP_DAYS).rng("regime").random())
    shares = np.cumsum(coin.regimes.occupancy())
    regime = min(int(np.searchsorted(shares, uniform)), len(shares) - 1)
    states = np.zeros((8, 1))
    states[kernel.SLOW_STATE] = regime_rows(coin)[regime, kernel.SLOW_MEAN]
    states[kernel.SKEW_STATE] = regime_rows(coin)[regime, kernel.SKEW_MEAN]
    before = CoinPath(underlying, begin, states, np.zeros((2, 0)), np.array([regime]), 0.0)
    warm = extended(universe, seed, path, before, WARM_UP_DAYS)
    states = warm.states[:, -1:].copy()
    states[kernel.LOG_PRICE] = log(coin.start_usd)
    return evolve(
        warm, begin=EPOCH, states=states, inside=np.zeros((2, 0)), regime=warm.regime[-1:]
    )


def extended(
    universe: UniverseParams, seed: int, path: int, before: CoinPath, days: int
) -> CoinPath:
    """Return the *days* that follow the end of *before*; all else as coin_path."""
    coin = universe.coin(before.underlying)
    begin = before.end
    block = _Block(seed, path, begin, days)
    regime = [float(before.regime[-1]), before.days_left]
    states, inside, labels, left = kernel.walk(
        regime_rows(coin),
        np.array(coin.regimes.transitions),
        coin_row(coin.dynamics),
        coin.weights(),
        (begin - _MONDAY) // _HOUR % 168,
        _shocks(universe, coin, block),
        _draws(coin, block),
        np.concatenate([before.states[:, -1], regime]),
    )
    return CoinPath(before.underlying, begin, states, inside, labels, left)


@frozen
class _Block:
    """A stretch of one path, which draws from generators of its own."""

    seed: int
    path: int
    begin: datetime
    days: int

    def rng(self, name: str) -> np.random.Generator:
        return rng_at(self.seed, f"universe/{self.path}/{name}", self.begin)


def _shocks(universe: UniverseParams, coin: CoinUniverse, block: "_Block") -> Floats:
    """The hourly shocks of a coin, (10, n): part its own, part shared; jumps come together."""
    hours = 24 * block.days
    common = block.rng("shocks")
    own = block.rng(f"shocks/{coin.underlying}")
    shared, alone = common.standard_normal((6, hours)), own.standard_normal((7, hours))
    shocks = np.empty((10, hours))
    shocks[kernel.SPOT] = _mixed(shared[0], alone[0], universe.return_correlation)
    shocks[kernel.FAST] = _mixed(shared[1], alone[1], universe.vol_correlation)
    shocks[kernel.SLOW] = _mixed(shared[2], alone[2], universe.vol_correlation)
    shocks[kernel.NOISE] = _mixed(shared[3], alone[3], universe.vol_correlation)
    shocks[kernel.SKEW] = _mixed(shared[4], alone[4], universe.vol_correlation)
    shocks[kernel.BURST] = _mixed(shared[5], alone[5], universe.return_correlation)
    shocks[kernel.BEND] = alone[6]
    shocks[kernel.JUMP] = common.random(hours)
    shocks[kernel.JUMP_SIZE] = common.random(hours)
    shocks[kernel.MIX] = _student_scale(common, coin.dynamics.spot_dof, hours)
    return shocks


def _draws(coin: CoinUniverse, block: "_Block") -> Floats:
    """What is drawn once a day, (3, d): the same for all coins."""
    days, rng = block.days, block.rng("days")
    draws = np.empty((3, days))
    draws[kernel.NEXT_REGIME] = rng.random(days)
    draws[kernel.DWELL] = rng.random(days)
    draws[kernel.DAY_MIX] = _student_scale(rng, coin.dynamics.vol_dof, days)
    return draws


def _student_scale(rng: np.random.Generator, dof: float, count: int) -> Floats:
    """What makes a standard normal a Student variable of variance 1, *dof* above 2."""
    scale: Floats = np.sqrt((0.5 * dof - 1.0) / _gamma(rng, 0.5 * dof, count))
    return scale


def _gamma(rng: np.random.Generator, shape: float, count: int) -> Floats:
    """
    Gamma variables of *shape* above 1, (count,), that hardly move when the shape does.

    Every pass draws for all of them, so that what is refused here shifts nothing elsewhere: a
    fit sees the shape and not another draw. Source: G. Marsaglia, W. Tsang (2000), A simple
    method for generating gamma variables, ACM Trans. on Mathematical Software 26, 363-372.
    """
    d = shape - 1.0 / 3.0
    made = np.full(count, np.nan)
    while np.isnan(made).any():
        normal, uniform = rng.standard_normal(count), rng.random(count)
        cube = np.maximum(1.0 + normal / np.sqrt(9.0 * d), 0.0) ** 3
        with np.errstate(divide="ignore"):  # of a cube at zero, which is refused
            most = 0.5 * normal**2 + d * (1.0 - cube + np.log(cube))
        made = np.where(np.isnan(made) & (np.log1p(-uniform) < most), d * cube, made)
    return made


def _mixed(shared: Floats, alone: Floats, correlation: float) -> Floats:
    mixed: Floats = sqrt(correlation) * shared + sqrt(1.0 - correlation) * alone
    return mixed
