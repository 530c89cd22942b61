"""An invented market brought to the figures of history: simulated moments on fixed seeds."""

from collections.abc import Callable, Iterator, Mapping
from math import exp

import numpy as np
from attrs import evolve, field, frozen

from core.analysis.universe_bands import Band, bands
from core.analysis.universe_series import (
    MarketHistory,
    invented_series,
    recorded_series,
    recorded_statistics,
)
from core.analysis.universe_statistics import statistics
from core.analysis.universe_windows import Windows, windows_of
from core.simulation.universe.params import CoinUniverse, Dynamics, UniverseParams
from core.simulation.universe.paths import coin_path
from ports.columns import Floats

# Figures of the surface, measured on the chains of January to May 2026: what an invented market
# is held to where a history has no chains of its own.
SMILE_TARGETS: Mapping[str, Mapping[str, float]] = {
    "BTC": {
        "inverted_7_30": 0.46,
        "inverted_30_90": 0.28,
        "damping": -0.48,
        "first_component": 0.96,
        "rr_mean": -5.7,
        "rr_sd": 2.4,
        "rr_acf": 0.78,
        "rr_spot": 0.74,
        "bf_mean": 0.94,
        "bf_sd": 0.37,
    },
    "ETH": {
        "inverted_7_30": 0.27,
        "inverted_30_90": 0.24,
        "damping": -0.63,
        "first_component": 0.96,
        "rr_mean": -4.3,
        "rr_sd": 2.2,
        "rr_acf": 0.86,
        "rr_spot": 0.70,
        "bf_mean": 1.42,
        "bf_sd": 0.35,
    },
}
_FEWEST_SMILES = 60  # days
_DAMPINGS = (0.05, 0.5, 4.0, 30.0)  # of a step, tried one after the other
_LONGEST_STEP = 5.0  # in steps of a figure
_TAILS = (0.06, 0.94)  # that keep to the outer band: stricter than the battery's four in five
_RIDGE = 0.01  # towards the start, a figure's step at a time


@frozen(kw_only=True)
class FitParams:
    """
    How long and how closely to fit.

    *seed* fixes the bank of paths: the same for every trial, so that trials differ by the
    figures and not by chance. Slopes are taken on the first *slope_paths* of it.
    """

    seed: int = 20_251_231
    paths: int = 160
    slope_paths: int = 80
    days: int = 1095
    rounds: int = 8


@frozen(kw_only=True, eq=False)
class FitTargets:
    """What to reach: a value for the median of each band's figure, and real windows."""

    bands: tuple[Band, ...]
    values: Floats
    windows: Windows = field(repr=False)


@frozen(kw_only=True, eq=False)
class FitResult:
    """The market found, and the miss after each round, the start first."""

    coin: CoinUniverse
    misses: tuple[float, ...]


@frozen
class _Free:
    """A figure of Dynamics that may move: by *step* in itself or, positive, in its logarithm."""

    name: str
    step: float
    is_log: bool
    low: float
    high: float


_FREE = (
    _Free("long_run_iv", 0.05, True, 0.2, 1.5),
    _Free("slow_mean", 0.05, False, -0.6, 0.2),
    _Free("fast_sd", 0.1, True, 0.05, 0.5),
    _Free("slow_sd", 0.1, True, 0.05, 0.6),
    _Free("slow_days", 0.15, True, 60.0, 150.0),
    _Free("fast_days", 0.15, True, 3.0, 8.0),
    _Free("factor_correlation", 0.1, False, 0.0, 0.9),
    _Free("level_spread", 0.2, False, 0.0, 1.5),
    _Free("rho_shift", 0.05, False, -0.4, 0.4),
    _Free("rho_spread", 0.15, True, 0.5, 4.0),
    _Free("premium", 0.05, False, -0.5, 0.5),
    _Free("premium_spread", 0.2, False, 0.0, 1.5),
    _Free("noise_sd", 0.1, True, 0.2, 1.2),
    _Free("noise_days", 0.2, True, 1.0, 8.0),
    _Free("noise_leverage", 0.08, False, -0.7, 0.0),
    _Free("burst_sd", 0.1, True, 0.1, 1.5),
    _Free("burst_days", 0.2, True, 0.04, 0.6),
    _Free("vol_link", 0.1, False, 0.0, 1.5),
    _Free("spot_dof", 0.15, True, 3.2, 12.0),
    _Free("vol_dof", 0.15, True, 3.5, 20.0),
    _Free("jumps_per_year", 0.3, True, 3.0, 60.0),
    _Free("jump_down", 0.15, True, 0.005, 0.06),
    _Free("jump_up", 0.15, True, 0.005, 0.06),
    _Free("kick_fast", 0.2, True, 0.5, 15.0),
    _Free("kick_slow", 0.2, True, 0.1, 6.0),
    _Free("kick_up_share", 0.15, False, -0.3, 1.2),
    _Free("reversal", 0.015, False, 0.0, 0.15),
    _Free("bounce", 0.01, False, -0.02, 0.08),
    _Free("skew_shift", 0.015, False, -0.2, 0.3),
    _Free("skew_sd", 0.1, True, 0.005, 0.1),
    _Free("skew_per_trend", 0.1, True, 0.1, 3.0),
    _Free("bend_mean", 0.1, True, 0.005, 0.08),
    _Free("bend_sd", 0.1, True, 0.05, 1.0),
)
_STEPS = np.array([free.step for free in _FREE])


def targets_of(history: MarketHistory) -> FitTargets:
    """
    Return what an invented market of the coin should show.

    The figure of *history*, brought to the inner half of its band: one history is one draw, and
    the bands know of others. The smile comes from history where sixty days of it are known.

    Raises:
        ValueError: There are no bands for the coin.
    """
    own = dict(recorded_statistics(history))
    smiles = history.smiles
    if smiles is None or len(smiles.at_ms) < _FEWEST_SMILES:
        own.update(SMILE_TARGETS[history.underlying])
    wanted = bands(history.underlying)
    values = [
        float(
            np.clip(own[band.name], band.centre - 0.5 * band.reach, band.centre + 0.5 * band.reach)
        )
        for band in wanted
    ]
    return FitTargets(
        bands=wanted, values=np.array(values), windows=windows_of(recorded_series(history), 5)
    )


def fitted(
    start: CoinUniverse, targets: FitTargets, params: FitParams, told: Callable[[int, float], None]
) -> FitResult:
    """
    Return *start* with the figures of its dynamics moved to the *targets*.

    Gauss-Newton with damping on misses of medians, of the tails that may not leave the outer
    bands, and of thirty-day windows; *told* hears of every round and its sum of squares. The
    regimes keep their own figures but for phi_iv, which follows the fast factor.
    """
    origin = at = _position(start.dynamics)
    miss = _misses(start, at, targets, params, params.paths)
    sums = [float(miss @ miss)]
    for round_ in range(params.rounds):
        told(round_, sums[-1])
        slopes = _slopes(start, at, targets, params)
        for there in _proposals(at, origin, miss, slopes):
            tried = _misses(start, there, targets, params, params.paths)
            if tried @ tried < sums[-1]:
                at, miss = there, tried
                break
        else:
            break
        sums.append(float(miss @ miss))
    return FitResult(coin=_moved(start, at), misses=tuple(sums))


def _proposals(at: Floats, origin: Floats, miss: Floats, slopes: Floats) -> Iterator[Floats]:
    """Where to go from *at*, the boldest first, inside the bounds of every figure."""
    square, pull = slopes.T @ slopes, slopes.T @ miss + _RIDGE * (at - origin) / _STEPS
    for damping in _DAMPINGS:
        curved = square + (_RIDGE + damping) * np.eye(len(at))
        step = np.clip(-np.linalg.solve(curved, pull), -_LONGEST_STEP, _LONGEST_STEP)
        yield _bounded(at + step * _STEPS)


def _slopes(start: CoinUniverse, at: Floats, targets: FitTargets, params: FitParams) -> Floats:
    """How the misses change by a step of each figure, (misses, figures)."""
    here = _misses(start, at, targets, params, params.slope_paths)
    columns = []
    for free in range(len(_FREE)):
        there = at.copy()
        there[free] += _STEPS[free]
        columns.append(_misses(start, there, targets, params, params.slope_paths) - here)
    return np.column_stack(columns)


def _misses(
    start: CoinUniverse, at: Floats, targets: FitTargets, params: FitParams, paths: int
) -> Floats:
    coin = _moved(start, at)
    universe = UniverseParams(coins=(coin,))
    figures: dict[str, list[float]] = {band.name: [] for band in targets.bands}
    windows = []
    for path in range(paths):
        series = invented_series(
            coin, coin_path(universe, coin.underlying, params.seed, path, params.days)
        )
        found = statistics(series)
        for name, values in figures.items():
            values.append(found[name])
        windows.append(windows_of(series, 30).features)
    of_bands = [
        _miss(band, np.array(figures[band.name]), value)
        for band, value in zip(targets.bands, targets.values.tolist(), strict=True)
    ]
    of_windows = _window_misses(np.concatenate(windows), targets.windows.features)
    return np.concatenate([*of_bands, of_windows])


def _miss(band: Band, values: Floats, target: float) -> Floats:
    """From the target a little; much beyond 0.7 of the inner band, or of tails past the outer."""
    known = np.sort(values[np.isfinite(values)])
    quarter = len(known) // 4
    middle = float(np.mean(known[quarter : len(known) - quarter]))
    low, high = np.quantile(known, _TAILS)
    width = 0.5 * (band.outer[1] - band.outer[0])
    return np.array(
        [
            0.4 * (middle - target) / band.reach,
            5.0 * max(0.0, abs(middle - band.centre) / band.reach - 0.7),
            2.0 * max(0.0, band.outer[0] - low) / width,
            2.0 * max(0.0, high - band.outer[1]) / width,
        ]
    )


def _window_misses(invented: Floats, real: Floats) -> Floats:
    """Of medians, and less of either tail, in quartile ranges of the real windows."""
    shares, weights = [0.15, 0.5, 0.85], np.array([[0.7], [1.5], [0.7]])
    low, high = np.quantile(real, [0.25, 0.75], axis=0)
    apart = np.quantile(invented, shares, axis=0) - np.quantile(real, shares, axis=0)
    misses: Floats = (weights * apart / (high - low)).ravel()
    return misses


def _position(dynamics: Dynamics) -> Floats:
    values = [float(getattr(dynamics, free.name)) for free in _FREE]
    return np.array(
        [np.log(value) if free.is_log else value for free, value in zip(_FREE, values, strict=True)]
    )


def _moved(start: CoinUniverse, at: Floats) -> CoinUniverse:
    values = {
        free.name: exp(value) if free.is_log else value
        for free, value in zip(_FREE, _bounded(at).tolist(), strict=True)
    }
    keep = exp(-1.0 / values["fast_days"])
    regimes = tuple(evolve(each, phi_iv=keep) for each in start.regimes.regimes)
    return evolve(
        start,
        dynamics=evolve(start.dynamics, **values),
        regimes=evolve(start.regimes, regimes=regimes),
    )


def _bounded(at: Floats) -> Floats:
    low = [np.log(free.low) if free.is_log else free.low for free in _FREE]
    high = [np.log(free.high) if free.is_log else free.high for free in _FREE]
    bounded: Floats = np.clip(at, low, high)
    return bounded
