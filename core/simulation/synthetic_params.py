"""What an invented market is like: figures per coin, each with its reason."""

from attrs import field, frozen

from ports.checks import not_negative, positive


@frozen(kw_only=True)
class CoinParams:
    """
    One coin of the invented market.

    Volatility: log-volatility has a fast and a slow mean-reverting part; *..._sd* are their
    standard deviations in the long run. Forward variance relaxes from the one to the other
    and to *long_run_iv* squared, so that volatilities of all tenors agree with each other.
    """

    underlying: str
    start_usd: float = field(validator=positive)  # the index at the epoch
    long_run_iv: float = field(validator=positive)
    fast_sd: float = field(default=0.25, validator=not_negative)
    fast_days: float = field(default=5.0, validator=positive)
    slow_sd: float = field(default=0.26, validator=not_negative)  # with fast: IV30 moves 4 % a day
    slow_days: float = field(default=90.0, validator=positive)
    # ln(implied / realised variance): realised volatility some 6 points below implied
    variance_premium: float = 0.40
    noise_sd: float = field(default=0.35, validator=not_negative)  # realised about its own mean
    noise_days: float = field(default=3.0, validator=positive)
    drift_per_year: float = 0.10  # about half the variance: the median price stays
    # towards the start, per unit of log distance: years later the coin is still one that the
    # listed strikes were made for
    pull_per_year: float = field(default=1.5, validator=not_negative)
    jumps_per_year: float = field(default=20.0, validator=not_negative)
    jump_size: float = field(default=0.02, validator=positive)  # mean absolute log return
    jump_in_log_iv: float = field(default=3.0, validator=not_negative)  # per unit of absolute jump
    spot_vol_correlation: float = -0.35  # the middle of what three years of DVOL show
    skew_mean: float = -0.20  # the slope rho of eSSVI: puts dearer than calls
    skew_sd: float = field(default=0.10, validator=not_negative)
    skew_days: float = field(default=4.0, validator=positive)
    spot_skew_correlation: float = 0.7
    convexity: float = field(default=0.65, validator=positive)  # psi / sqrt(theta) of eSSVI
    carry_short: float = 0.02  # annualised basis at expiry, and far away
    carry_long: float = 0.05
    typical_open_interest: float = field(validator=positive)  # contracts, at the money
    typical_amount: float = field(validator=positive)  # contracts displayed on each side


BTC = CoinParams(
    underlying="BTC",
    start_usd=94_000.0,
    long_run_iv=0.50,
    typical_open_interest=400.0,
    typical_amount=12.0,
)
ETH = CoinParams(
    underlying="ETH",
    start_usd=3_350.0,
    long_run_iv=0.68,
    variance_premium=0.30,  # the premium of ETH is the smaller one
    convexity=0.68,
    typical_open_interest=4_000.0,
    typical_amount=120.0,
)


@frozen(kw_only=True)
class SyntheticParams:
    """The invented market: its coins, and how they move together (as in 2022-25, by the hour)."""

    coins: tuple[CoinParams, ...] = (BTC, ETH)
    return_correlation: float = 0.88  # of the shocks; 0.84 of the returns, whose size varies apart
    vol_correlation: float = 0.69  # of what spot does not explain; 0.71 of implied volatility

    def coin(self, underlying: str) -> CoinParams:
        """
        Return the figures of *underlying*.

        Raises:
            ValueError: It is not among the coins.
        """
        for coin in self.coins:
            if coin.underlying == underlying:
                return coin
        raise ValueError(f"no synthetic market for {underlying!r}")
