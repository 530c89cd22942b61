"""What an invented market moves by: figures per coin, and what coins share."""

import numpy as np
from attrs import field, frozen

from core.simulation.universe import path_kernel as kernel
from core.simulation.universe.regimes import RegimeModel
from core.surface.variance_time import VarianceClock
from ports.checks import finite, not_negative, positive
from ports.columns import Floats

_PRICED_SHARE = 0.5  # of quiet hours and weekends: how far option prices follow them


def _share(_: object, attribute: object, value: float) -> None:
    if not -1.0 < value < 1.0:
        raise ValueError(f"{attribute} must lie between -1 and 1, was {value}")


@frozen(kw_only=True)
class Dynamics:
    """
    How one coin moves, whatever the regime.

    Log volatility has a fast and a slow factor; *..._sd* are stationary standard deviations.
    Implied volatility of the index (DVOL) is *index_ratio* times that at the money. *noise* is
    what realised variance does beside implied. Jumps: exponential on either side, mean absolute
    log returns *jump_down* and *jump_up*; their absolute size times *kick_...* is what the
    factors jump by, upward jumps only by *kick_up_share* of that.
    """

    long_run_iv: float = field(validator=positive)  # at the money, far away
    index_ratio: float = field(default=1.05, validator=positive)
    fast_sd: float = field(default=0.22, validator=not_negative)
    fast_days: float = field(default=4.5, validator=positive)  # of the forward curve
    slow_sd: float = field(default=0.28, validator=not_negative)
    slow_days: float = field(default=100.0, validator=positive)
    slow_mean: float = -0.21  # of the slow factor: negative is contango
    level_spread: float = field(default=1.0, validator=not_negative)  # of the regimes' levels
    rho_shift: float = 0.0  # added to the regimes' correlation of spot and volatility
    rho_spread: float = field(default=1.7, validator=not_negative)
    factor_correlation: float = field(default=0.4, validator=_share)
    vol_dof: float = field(default=6.0, validator=positive)  # of a day's volatility moves
    premium_spread: float = 1.0  # of the regimes' premiums
    premium: float = 0.05  # ln of implied over realised variance, added to the regimes'
    noise_sd: float = field(default=0.54, validator=not_negative)
    noise_days: float = field(default=4.0, validator=positive)
    noise_leverage: float = field(default=-0.28, validator=_share)  # with spot
    noise_fast: float = field(default=0.3, validator=_share)  # with the fast factor
    burst_sd: float = field(default=0.7, validator=not_negative)  # noise that lasts for hours
    burst_days: float = field(default=0.17, validator=positive)
    vol_link: float = field(default=0.35, validator=not_negative)  # of volatility's moves to noise
    spot_dof: float = field(default=8.0, validator=positive)  # of an hour's return
    jumps_per_year: float = field(default=16.0, validator=not_negative)
    jump_down_share: float = field(default=0.55, validator=positive)
    jump_down: float = field(default=0.022, validator=positive)
    jump_up: float = field(default=0.02, validator=positive)
    kick_fast: float = field(default=4.2, validator=finite)
    kick_slow: float = field(default=0.68, validator=finite)
    kick_up_share: float = field(default=0.5, validator=finite)
    trend_days: float = field(default=3.0, validator=positive)  # of the mean of past returns
    reversal: float = 0.02  # of the trend that a day takes back
    bounce: float = 0.015  # of an hour's shock that the next takes back
    # the smile at 30 days, fractions of volatility at the money
    skew_shift: float = 0.035  # added to the regimes' (RR30 / ATM30)
    skew_sd: float = field(default=0.03, validator=not_negative)
    skew_per_trend: float = 0.85  # per unit of the exponential mean of returns
    bend_mean: float = field(default=0.022, validator=positive)  # BF30 / ATM30
    bend_sd: float = field(default=0.33, validator=not_negative)  # of its logarithm
    bend_days: float = field(default=10.0, validator=positive)
    skew_decay: float = 0.1  # the power of time by which RR / ATM falls beyond 30 days


@frozen(kw_only=True)
class Provenance:
    """What figures were fitted to, how, and the miss that was left after so many *rounds*."""

    first_day: str  # of prices
    last_day: str
    hours: int
    vol_index_first_day: str
    vol_index_last_day: str
    vol_index_days: int
    smile_days: int  # zero: the smile is fitted to figures of January to May 2026
    inputs_sha256: str  # of the files, one after the other
    seed: int
    rounds: int
    miss: float


@frozen(kw_only=True)
class CoinUniverse:
    """
    The invented market of one coin.

    *weekday* (Monday first) and *hour* UTC are shares of variance with mean 1.
    """

    underlying: str
    start_usd: float = field(validator=positive)
    regimes: RegimeModel
    dynamics: Dynamics
    weekday: tuple[float, ...] = (1.2, 1.2, 1.2, 1.2, 1.2, 0.5, 0.5)
    hour: tuple[float, ...] = (1.0,) * 24
    provenance: Provenance | None = None

    def __attrs_post_init__(self) -> None:
        for name, count in (("weekday", 7), ("hour", 24)):
            shares = np.array(getattr(self, name))
            if shares.shape != (count,) or not (shares > 0.0).all():
                raise ValueError(f"{name} must be {count} positive shares, was {shares}")
            if abs(shares.mean() - 1.0) > 1e-6:
                raise ValueError(f"{name} must have mean 1, was {shares.mean()}")

    def weights(self) -> Floats:
        """The share of variance of each hour of a week from Monday, (168,), of mean 1."""
        return np.outer(self.weekday, self.hour).reshape(-1)


@frozen(kw_only=True)
class UniverseParams:
    """
    Coins that move together.

    The correlations are those of shocks: they make 0.81 of hourly returns, 0.84 as recorded, and
    0.75 of daily moves of implied volatility, 0.71 as recorded.
    """

    coins: tuple[CoinUniverse, ...]
    return_correlation: float = field(default=0.87, validator=_share)
    vol_correlation: float = field(default=0.99, validator=_share)

    def coin(self, underlying: str) -> CoinUniverse:
        """
        Return the figures of *underlying*.

        Raises:
            ValueError: It is not among the coins.
        """
        for coin in self.coins:
            if coin.underlying == underlying:
                return coin
        raise ValueError(f"no invented market for {underlying!r}")


def priced_clock(coin: CoinUniverse) -> VarianceClock:
    """Return the variance time that the options of *coin* are priced in."""
    weekday, hour = (
        1.0 + _PRICED_SHARE * (np.array(shares) - 1.0) for shares in (coin.weekday, coin.hour)
    )
    return VarianceClock(weekday, hour)


def regime_rows(coin: CoinUniverse) -> Floats:
    """Return the regimes of *coin* as the kernel takes them, (k, 11)."""
    dynamics = coin.dynamics
    levels = np.log([each.mu_iv_30d for each in coin.regimes.regimes])
    spreads = np.array([each.iv_level_sigma / each.mu_iv_30d for each in coin.regimes.regimes])
    rhos = np.array([each.spot_vol_correlation for each in coin.regimes.regimes])
    shares = coin.regimes.occupancy()
    levels = dynamics.level_spread * (levels - shares @ levels)
    premiums = np.array(
        [
            2.0 * np.log(1.0 + each.mu_vrp_30d) if each.vrp is None else each.vrp
            for each in coin.regimes.regimes
        ]
    )
    premiums = shares @ premiums + dynamics.premium_spread * (premiums - shares @ premiums)
    scales = spreads / (shares @ spreads)
    rows = np.empty((len(levels), 11))
    for at, each in enumerate(coin.regimes.regimes):
        rows[at, kernel.FAST_KEEP_DAYS] = -1.0 / np.log(each.phi_iv)
        rows[at, kernel.SKEW_MEAN] = each.relative_skew() + dynamics.skew_shift
        rows[at, kernel.SKEW_DAYS] = -1.0 / np.log(each.phi_skew)
        rows[at, kernel.PREMIUM] = premiums[at] + dynamics.premium
        rows[at, kernel.DRIFT] = 0.0 if each.drift is None else each.drift
        rows[at, kernel.DWELL_DAYS] = each.dwell_days
        rows[at, kernel.DWELL_SHAPE] = each.dwell_shape
    rows[:, kernel.FAST_SD] = dynamics.fast_sd * np.sqrt(scales)
    rows[:, kernel.SLOW_SD] = dynamics.slow_sd * np.sqrt(scales)
    rows[:, kernel.SLOW_MEAN] = dynamics.slow_mean + levels
    spread = dynamics.rho_spread * (rhos - shares @ rhos)
    rows[:, kernel.RHO] = np.clip(shares @ rhos + dynamics.rho_shift + spread, -0.9, 0.9)
    return rows


def coin_row(dynamics: Dynamics) -> Floats:
    """Return *dynamics* as the kernel takes them, (25,)."""
    row = np.empty(25)
    row[kernel.LONG_VARIANCE] = dynamics.long_run_iv**2
    row[kernel.FAST_DAYS] = dynamics.fast_days
    row[kernel.SLOW_DAYS] = dynamics.slow_days
    row[kernel.INDEX_RATIO] = dynamics.index_ratio
    row[kernel.NOISE_SD] = dynamics.noise_sd
    row[kernel.NOISE_DAYS] = dynamics.noise_days
    row[kernel.NOISE_LEVERAGE] = dynamics.noise_leverage
    row[kernel.NOISE_FAST] = dynamics.noise_fast
    row[kernel.BURST_SD] = dynamics.burst_sd
    row[kernel.BURST_DAYS] = dynamics.burst_days
    row[kernel.VOL_LINK] = dynamics.vol_link
    row[kernel.FACTOR_CORRELATION] = dynamics.factor_correlation
    row[kernel.JUMPS_PER_YEAR] = dynamics.jumps_per_year
    row[kernel.JUMP_DOWN_SHARE] = dynamics.jump_down_share
    row[kernel.JUMP_DOWN] = dynamics.jump_down
    row[kernel.JUMP_UP] = dynamics.jump_up
    row[kernel.KICK_FAST] = dynamics.kick_fast
    row[kernel.KICK_SLOW] = dynamics.kick_slow
    row[kernel.KICK_UP_SHARE] = dynamics.kick_up_share
    row[kernel.TREND_DAYS] = dynamics.trend_days
    row[kernel.REVERSAL] = dynamics.reversal
    row[kernel.BOUNCE] = dynamics.bounce
    row[kernel.SKEW_SD] = dynamics.skew_sd
    row[kernel.BEND_SD] = dynamics.bend_sd
    row[kernel.BEND_DAYS] = dynamics.bend_days
    return row
