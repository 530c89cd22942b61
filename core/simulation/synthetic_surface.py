"""The volatility surface of an invented market: eSSVI, free of arbitrage by construction."""

from math import sqrt

import numpy as np
from attrs import field, frozen

from core.pricing.averaging import averaging_years
from core.simulation.synthetic_params import CoinParams
from core.simulation.synthetic_path import CoinState
from ports.columns import Floats, Ints, float_column

_YEARS_PER_DAY = 1.0 / 365.0


@frozen(kw_only=True, eq=False)
class EssviSlices:
    """
    Total variance of each expiry in log-moneyness k = ln(K / F), columns (m,) by expiry.

        w(k) = θ/2 (1 + ρφk + √((φk + ρ)² + 1 - ρ²)),  ψ = θφ

    No butterfly arbitrage: ψ(1 + |ρ|) <= 4 and ψ²(1 + |ρ|) <= 4θ. No calendar arbitrage with
    one ρ: θ and ψ do not fall and ψ/θ does not rise with expiry.
    Source: S. Hendriks, C. Martini (2019), The extended SSVI volatility surface, J. of
        Computational Finance 22(5).
    """

    theta: Floats = field(converter=float_column)
    rho: float
    psi: Floats = field(converter=float_column)

    def total_variance(self, row: Ints, log_moneyness: Floats) -> Floats:
        """Return w of the slices *row* at *log_moneyness*; both (n,)."""
        theta, phi_k = self.theta[row], (self.psi / self.theta)[row] * log_moneyness
        root = np.sqrt((phi_k + self.rho) ** 2 + 1.0 - self.rho**2)
        variance: Floats = 0.5 * theta * (1.0 + self.rho * phi_k + root)
        return variance


def slices(coin: CoinParams, state: CoinState, years: Floats) -> EssviSlices:
    """
    Return the surface of *coin* in *state* for expiries in *years* > 0, ascending, (m,).

    ψ = c √θ, held below 4 / (1 + |ρ|): both conditions follow for c² (1 + |ρ|) <= 4.
    """
    rho = float(np.clip(coin.skew_mean + coin.skew_sd * state.skew, -0.7, 0.5))
    theta = at_the_money_variance(coin, state.fast, state.slow, averaging_years(years))
    convexity = min(coin.convexity, 2.0 / sqrt(1.0 + abs(rho)))
    psi = np.minimum(convexity * np.sqrt(theta), 4.0 / (1.0 + abs(rho)))
    return EssviSlices(theta=theta, rho=rho, psi=psi)


def at_the_money_variance(
    coin: CoinParams, fast: Floats | float, slow: Floats | float, years: Floats | float
) -> Floats:
    """
    Return the integral of the forward variance over *years*; the arguments broadcast.

        ξ(u) = ξ∞ (1 - e₂) + V₂ (e₂ - e₁) + V₁ e₁,  eᵢ = exp(-u / τᵢ),  τ₁ < τ₂
        V₂ = ξ∞ exp(2 slow),  V₁ = V₂ exp(2 fast)

    Every weight is positive, so variance grows with expiry whatever the state.
    """
    years = np.asarray(years, dtype=np.float64)
    long_run = coin.long_run_iv**2
    medium = long_run * np.exp(2.0 * np.asarray(slow))
    short = medium * np.exp(2.0 * np.asarray(fast))
    until_fast = _decayed(years, coin.fast_days * _YEARS_PER_DAY)
    until_slow = _decayed(years, coin.slow_days * _YEARS_PER_DAY)
    variance: Floats = (
        long_run * (years - until_slow) + medium * (until_slow - until_fast) + short * until_fast
    )
    return variance


def forwards(coin: CoinParams, index_usd: float, years: Floats) -> Floats:
    """Return the forward of each expiry in *years*, (m,): a carry that runs to its far value."""
    nearness = np.exp(-years / (60.0 * _YEARS_PER_DAY))
    carry = coin.carry_long + (coin.carry_short - coin.carry_long) * nearness
    forward: Floats = index_usd * np.exp(carry * years)
    return forward


def _decayed(years: Floats, relaxation: float) -> Floats:
    decayed: Floats = -relaxation * np.expm1(-years / relaxation)
    return decayed
