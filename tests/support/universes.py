"""Small invented markets for tests: one regime, every motion off unless a test turns it on."""

from attrs import evolve

from core.simulation.universe.params import CoinUniverse, Dynamics, UniverseParams
from core.simulation.universe.regimes import RegimeModel, RegimeParams

STILL = Dynamics(
    long_run_iv=0.6,
    index_ratio=1.0,
    fast_sd=0.0,
    slow_sd=0.0,
    slow_mean=0.0,
    premium=0.0,
    noise_sd=0.0,
    burst_sd=0.0,
    vol_link=0.0,
    jumps_per_year=0.0,
    reversal=0.0,
    bounce=0.0,
    skew_shift=0.0,
    skew_sd=0.0,
    bend_sd=0.0,
)
CALM = RegimeParams(
    name="calm", mu_rv_30d=50.0, mu_vrp_30d=0.0, iv_level_sigma=5.0, spot_vol_correlation=0.0
)


def one_regime(**changes: object) -> RegimeModel:
    """A market that never changes its regime, CALM with *changes*."""
    return RegimeModel(underlying="BTC", regimes=(evolve(CALM, **changes),), transitions=((1.0,),))


def universe(
    dynamics: Dynamics = STILL, regimes: RegimeModel | None = None, **changes: object
) -> UniverseParams:
    """BTC alone, by *dynamics*; every hour of the week alike unless *changes* say otherwise."""
    coin = CoinUniverse(
        underlying="BTC",
        start_usd=90_000.0,
        regimes=regimes or one_regime(),
        dynamics=dynamics,
        weekday=(1.0,) * 7,
    )
    return UniverseParams(coins=(evolve(coin, **changes),))
