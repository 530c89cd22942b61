"""The volatility surface of an invented market: term structure, skew and convexity to eSSVI."""

import numpy as np
from attrs import field, frozen

from core.simulation.universe import path_kernel as kernel
from core.simulation.universe.params import Dynamics
from ports.columns import Floats, Ints

_INDEX_DAYS = 30.0
_NORMAL_OF_25_DELTA = 0.6744897501960817
_STEEPEST_RHO = 0.85
_SHORTEST_SKEW_DAYS = 1.0  # below it the skew of a day holds
_STEPS_TO_A_DELTA = 15


@frozen(kw_only=True, eq=False)
class EssviColumns:
    """
    Total variance of each expiry in log-moneyness k = ln(K / F), columns (..., m) by expiry.

        w(k) = θ/2 (1 + ρφk + √((φk + ρ)² + 1 - ρ²)),  ψ = θφ

    *clipped* counts the slices that had to be brought back inside what keeps prices free of
    arbitrage. Source: S. Hendriks, C. Martini (2019), The extended SSVI volatility surface, J.
        of Computational Finance 22(5).
    """

    theta: Floats = field(repr=False)
    rho: Floats = field(repr=False)
    psi: Floats = field(repr=False)
    clipped: int = 0

    def total_variance(self, k: Floats) -> Floats:
        """Return w at *k*, which broadcasts with the columns."""
        phi_k = self.psi / self.theta * k
        root = np.sqrt((phi_k + self.rho) ** 2 + 1.0 - self.rho**2)
        variance: Floats = 0.5 * self.theta * (1.0 + self.rho * phi_k + root)
        return variance


@frozen(eq=False)
class InstantSmiles:
    """The smiles of one instant as the invented market asks for them: see its Smiles."""

    columns: EssviColumns  # (1, m)

    @property
    def theta(self) -> Floats:
        """Total variance at the money of each expiry, (m,)."""
        theta: Floats = self.columns.theta[0]
        return theta

    def total_variance(self, row: Ints, log_moneyness: Floats) -> Floats:
        """Return total variance of the expiries *row* at *log_moneyness*; both (n,)."""
        theta, rho, psi = (
            each[0, row] for each in (self.columns.theta, self.columns.rho, self.columns.psi)
        )
        return EssviColumns(theta=theta, rho=rho, psi=psi).total_variance(log_moneyness)


def mean_variance(dynamics: Dynamics, fast: Floats, slow: Floats, days: Floats) -> Floats:
    """
    Return the mean variance at the money over *days* > 0, per year; the arguments broadcast.

        ξ(u) = ξ∞ (1 - e₂ + V₂ (e₂ - e₁) + V₂ V₁ e₁),  eᵢ = exp(-u/τᵢ),  τ₁ < τ₂
        V₂ = exp(2 slow),  V₁ = exp(2 fast)

    Every weight is positive, so total variance grows with time whatever the state.
    """
    near = -dynamics.fast_days / days * np.expm1(-days / dynamics.fast_days)
    far = -dynamics.slow_days / days * np.expm1(-days / dynamics.slow_days)
    curve = 1.0 - far + np.exp(2.0 * slow) * (far - near + np.exp(2.0 * fast) * near)
    mean: Floats = dynamics.long_run_iv**2 * curve
    return mean


def surfaces(dynamics: Dynamics, states: Floats, days: Floats, tau_days: Floats) -> EssviColumns:
    """
    Return a surface for each column of *states*, (8, n), at expiries *days*, (m,): columns (n, m).

    *tau_days*, (n, m), is the variance time to each expiry, which is what the forward curve is
    read in; equal to *days* for calendar time. At thirty days the smile has the skew and
    convexity of the state, RR / ATM and BF / ATM; both hold at other expiries but for the decay
    of the skew.

    To second order in k the smile of ρ and c = ψ/√θ has RR / ATM = ρy and
    BF / ATM = (1 - 2ρ²) y²/8 with y = cz, z the normal quantile of 25 delta.
    """
    fast, slow = states[kernel.FAST_STATE][:, None], states[kernel.SLOW_STATE][:, None]
    theta = mean_variance(dynamics, fast, slow, tau_days) * tau_days / 365.0
    skew = states[kernel.SKEW_STATE] + dynamics.skew_per_trend * states[kernel.TREND_STATE]
    noise = states[kernel.BEND_STATE] - 0.5 * dynamics.bend_sd**2
    bend = dynamics.bend_mean * np.exp(noise)
    y = np.sqrt(8.0 * bend + 2.0 * skew**2)
    rho = np.clip(skew / y, -_STEEPEST_RHO, _STEEPEST_RHO)
    convexity = y / _NORMAL_OF_25_DELTA
    wanted_clip = int(np.sum(np.abs(skew / y) > _STEEPEST_RHO))
    fade = np.minimum((np.maximum(days, _INDEX_DAYS) / _INDEX_DAYS) ** -dynamics.skew_decay, 1.0)
    allowed = _held(theta, rho[:, None] * fade, convexity[:, None] * np.sqrt(theta))
    return EssviColumns(
        theta=allowed.theta,
        rho=allowed.rho,
        psi=allowed.psi,
        clipped=allowed.clipped + wanted_clip,
    )


def deviation_at_delta(surface: EssviColumns, is_call: bool, normal: float) -> Floats:
    """
    Return √w where the option's delta has the normal quantile -*normal*, of the surface's shape.

    k = -d₁√w + w/2, iterated: the map contracts as long as the smile is flatter than a price.
    """
    d1 = -normal if is_call else normal
    w = surface.theta
    for _ in range(_STEPS_TO_A_DELTA):
        w = surface.total_variance(-d1 * np.sqrt(w) + 0.5 * w)
    root: Floats = np.sqrt(w)
    return root


def _held(theta: Floats, rho: Floats, psi: Floats) -> EssviColumns:
    """
    The slices nearest to the wanted ones that break no condition, expiry by expiry.

    Butterfly: ψ(1 + |ρ|) <= 4, ψ²(1 + |ρ|) <= 4θ. Calendar: ψ >= p ψ before, ψ/θ not above that
    before; where no ψ does both, ρ stays what it was before, and then one does.
    Source: A. Mingone (2022), arXiv 2204.00312.
    """
    rho, psi = rho.copy(), psi.copy()
    clipped = 0
    for at in range(theta.shape[1]):
        low = np.zeros(len(theta))
        high = _steepest(theta[:, at], rho[:, at])
        if at:
            low, calendar = _between(theta, rho, psi, at)
            crossed = low > np.minimum(high, calendar)
            rho[crossed, at] = rho[crossed, at - 1]
            low, calendar = _between(theta, rho, psi, at)
            high = np.minimum(_steepest(theta[:, at], rho[:, at]), calendar)
            clipped += int(crossed.sum())
        held = np.clip(psi[:, at], low, high)
        clipped += int(np.sum(np.abs(held - psi[:, at]) > 1e-12 * psi[:, at]))
        psi[:, at] = held
    return EssviColumns(theta=theta, rho=rho, psi=psi, clipped=clipped)


def _steepest(theta: Floats, rho: Floats) -> Floats:
    steep = 1.0 + np.abs(rho)
    return np.minimum(4.0 / steep, np.sqrt(4.0 * theta / steep))


def _between(theta: Floats, rho: Floats, psi: Floats, at: int) -> tuple[Floats, Floats]:
    """What ψ of expiry *at* must reach and must not exceed for the expiry before it."""
    now, before = rho[:, at], rho[:, at - 1]
    turn = np.maximum((1.0 + before) / (1.0 + now), (1.0 - before) / (1.0 - now))
    return psi[:, at - 1] * turn, psi[:, at - 1] * theta[:, at] / theta[:, at - 1]
