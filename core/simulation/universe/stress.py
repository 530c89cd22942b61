"""A fitted market made harder, to see what a strategy does then."""

from enum import StrEnum

from attrs import evolve

from core.simulation.universe.params import CoinUniverse, UniverseParams, regime_rows
from core.simulation.universe.path_kernel import PREMIUM

_INVERTED_MEAN = 0.5  # of the slow factor: the front far above the far end


class Stress(StrEnum):
    """What is changed."""

    JUMPS = "jumps"  # twice as many
    NO_PREMIUM = "no_premium"  # implied variance no dearer than realised, on average
    INVERSION = "inversion"  # volatility falls with maturity


def stressed(universe: UniverseParams, stress: Stress) -> UniverseParams:
    """Return *universe* with every coin under *stress*."""
    return evolve(universe, coins=tuple(_stressed(coin, stress) for coin in universe.coins))


def _stressed(coin: CoinUniverse, stress: Stress) -> CoinUniverse:
    dynamics = coin.dynamics
    match stress:
        case Stress.JUMPS:
            changed = evolve(dynamics, jumps_per_year=2.0 * dynamics.jumps_per_year)
        case Stress.NO_PREMIUM:
            usual = float(coin.regimes.occupancy() @ regime_rows(coin)[:, PREMIUM])
            changed = evolve(dynamics, premium=dynamics.premium - usual)
        case Stress.INVERSION:
            changed = evolve(dynamics, slow_mean=_INVERTED_MEAN)
    return evolve(coin, dynamics=changed)
