"""The figures of an invented market that a fit may move, how far, and where it begins."""

from math import exp

import numpy as np
from attrs import evolve, frozen

from core.simulation.universe.params import CoinUniverse, Dynamics
from ports.columns import Floats


@frozen
class _Free:
    """A figure of Dynamics from *start* on, by *step*, in logarithms where it is positive."""

    name: str
    start: float
    step: float
    is_log: bool
    low: float
    high: float


# The same for every coin. Times and degrees of freedom range as the model's sources have them.
# Times start near the middle (of logarithms). The tails of an hour's return are left to bursts and
# jumps: its degrees of freedom start high. Levels and correlations of regimes start as measured,
# their premiums, of which a regime's few weeks tell less, half way to one for all. The rest starts
# at a round figure between all but nothing and more than any market has shown. From low degrees of
# freedom and premiums wide apart BTC's fit ends in a valley of its own, almost without bursts.
_FREE = (
    _Free("long_run_iv", 0.6, 0.05, True, 0.2, 1.5),
    _Free("slow_mean", -0.06, 0.05, False, -0.6, 0.2),
    _Free("fast_sd", 0.2, 0.1, True, 0.05, 0.5),
    _Free("slow_sd", 0.25, 0.1, True, 0.05, 0.6),
    _Free("slow_days", 95.0, 0.15, True, 60.0, 150.0),
    _Free("fast_days", 4.9, 0.15, True, 3.0, 8.0),
    _Free("factor_correlation", 0.3, 0.1, False, 0.0, 0.9),
    _Free("level_spread", 1.0, 0.2, False, 0.0, 1.5),
    _Free("rho_shift", 0.0, 0.05, False, -0.4, 0.4),
    _Free("rho_spread", 1.0, 0.15, True, 0.5, 4.0),
    _Free("premium", 0.0, 0.05, False, -0.5, 0.5),
    _Free("premium_spread", 0.5, 0.2, False, 0.0, 1.5),
    _Free("noise_sd", 0.5, 0.1, True, 0.2, 1.2),
    _Free("noise_days", 4.0, 0.2, True, 1.0, 8.0),
    _Free("noise_leverage", -0.2, 0.08, False, -0.7, 0.0),
    _Free("burst_sd", 0.7, 0.1, True, 0.1, 1.5),
    _Free("burst_days", 0.17, 0.2, True, 0.04, 0.6),
    _Free("vol_link", 0.5, 0.1, False, 0.0, 1.5),
    _Free("spot_dof", 9.0, 0.15, True, 3.2, 12.0),
    _Free("vol_dof", 5.0, 0.15, True, 3.5, 20.0),
    _Free("jumps_per_year", 12.0, 0.3, True, 3.0, 60.0),
    _Free("jump_down", 0.02, 0.15, True, 0.005, 0.06),
    _Free("jump_up", 0.02, 0.15, True, 0.005, 0.06),
    _Free("kick_fast", 3.0, 0.2, True, 0.5, 15.0),
    _Free("kick_slow", 0.5, 0.2, True, 0.1, 6.0),
    _Free("kick_up_share", 0.5, 0.15, False, -0.3, 1.2),
    _Free("reversal", 0.02, 0.015, False, 0.0, 0.15),
    _Free("bounce", 0.01, 0.01, False, -0.02, 0.08),
    _Free("skew_shift", 0.0, 0.015, False, -0.2, 0.3),
    _Free("skew_sd", 0.03, 0.1, True, 0.005, 0.1),
    _Free("skew_per_trend", 0.7, 0.1, True, 0.1, 3.0),
    _Free("bend_mean", 0.02, 0.1, True, 0.005, 0.08),
    _Free("bend_sd", 0.3, 0.1, True, 0.05, 1.0),
)
_IS_LOG = np.array([free.is_log for free in _FREE])
_STEPS = np.array([free.step for free in _FREE])


def _in_steps(values: list[float]) -> Floats:
    figures = np.array(values)
    apart = np.where(_IS_LOG, np.log(np.where(_IS_LOG, figures, 1.0)), figures)
    steps: Floats = apart / _STEPS
    return steps


# The ends of the ranges, in steps.
LOWEST = _in_steps([free.low for free in _FREE])
HIGHEST = _in_steps([free.high for free in _FREE])


def generic(long_run_iv: float) -> Dynamics:
    """Return the market of that level in which every other free figure is at its start."""
    return Dynamics(**{free.name: free.start for free in _FREE} | {"long_run_iv": long_run_iv})


def position(dynamics: Dynamics) -> Floats:
    """Return where *dynamics* is, (n,), in steps of each free figure."""
    return _in_steps([float(getattr(dynamics, free.name)) for free in _FREE])


def moved(coin: CoinUniverse, at: Floats) -> CoinUniverse:
    """
    Return *coin* with its free figures at the position *at*.

    The regimes keep their own figures but for phi_iv, which follows the fast factor.
    """
    apart = at * _STEPS
    figures = np.where(_IS_LOG, np.exp(apart), apart).tolist()
    values = {free.name: value for free, value in zip(_FREE, figures, strict=True)}
    keep = exp(-1.0 / values["fast_days"])
    regimes = tuple(evolve(each, phi_iv=keep) for each in coin.regimes.regimes)
    return evolve(
        coin,
        dynamics=evolve(coin.dynamics, **values),
        regimes=evolve(coin.regimes, regimes=regimes),
    )
