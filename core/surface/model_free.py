"""Variance without a model: what a strip of options, or a fitted smile, says it will be."""

from math import log, sqrt

import numpy as np
from attrs import frozen

from core.pricing.black76 import premium_usd
from core.surface.svi import SviSlice
from ports.columns import Bools, Floats

_FEWEST_STRIKES = 3
_TAIL_DEVIATIONS = 10.0  # where the integral over a smile ends; what lies beyond is below 1e-20
_PANELS = 200
# Gauss-Legendre with five points, on (-1, 1).
_NODES = np.array(
    [-0.9061798459386640, -0.5384693101056831, 0.0, 0.5384693101056831, 0.906179845938664]
)
_WEIGHTS = np.array(
    [
        0.2369268850561891,
        0.4786286704993665,
        0.5688888888888889,
        0.4786286704993665,
        0.2369268850561891,
    ]
)


@frozen(eq=False)
class Strip:
    """The out-of-the-money options of one expiry, columns (n,) by rising strike, undiscounted."""

    strike: Floats
    value_usd: Floats  # at the highest strike not above the forward the mean of call and put
    forward: float


def strip_of(strike: Floats, is_call: Bools, value_usd: Floats, forward: float) -> Strip | None:
    """
    Return the strip of one expiry from its quoted options, (n,); NaN is not quoted.

    None with fewer than three strikes, or none on either side of *forward*.
    """
    quoted = np.isfinite(value_usd) & (strike > 0.0)
    below = strike[quoted & (strike <= forward)]
    if not len(below):
        return None
    pivot = float(below.max())
    is_put_side, is_call_side = ~is_call & (strike <= pivot), is_call & (strike >= pivot)
    rows = np.flatnonzero(quoted & (is_put_side | is_call_side))
    strikes, at = np.unique(strike[rows], return_inverse=True)
    if len(strikes) < _FEWEST_STRIKES or not strikes[-1] > forward:
        return None
    value = np.bincount(at, weights=value_usd[rows]) / np.bincount(at)
    return Strip(strikes, value, forward)


def strip_variance(strip: Strip) -> float:
    """
    Return the total variance that *strip* is worth.

        w = 2 Σ ΔK/K² Q(K) - (F/K0 - 1)²      K0 the highest strike not above F

    ΔK is half the distance of the neighbours, at the ends the distance to the only one.
    Source: Cboe, VIX white paper (2019), undiscounted.
    """
    pivot = strip.strike[strip.strike <= strip.forward].max()
    weights = np.gradient(strip.strike) / strip.strike**2
    total = 2.0 * float(np.sum(weights * strip.value_usd))
    return total - (strip.forward / float(pivot) - 1.0) ** 2


def smile_variance(smile: SviSlice) -> float:
    """
    Return the total variance that all strikes of *smile* together are worth.

        w = 2 ∫ Q(k) / K dk,   Q the out-of-the-money value, K = F exp(k)

    Over ten deviations of the wings on either side, in 200 panels with five points each.
    """
    low, high = _tail(smile, -1.0), _tail(smile, 1.0)
    total = 0.0
    for start, end in ((low, 0.0), (0.0, high)):
        edges = np.linspace(start, end, _PANELS // 2 + 1)
        half = 0.5 * (edges[1] - edges[0])
        k = (0.5 * (edges[1:] + edges[:-1]))[:, None] + half * _NODES
        strike = np.exp(k)
        iv = np.sqrt(smile.total_variance(k))
        value = premium_usd(1.0, strike, 1.0, iv, np.full(k.shape, end > 0.0))
        total += 2.0 * half * float(np.sum(_WEIGHTS * value / strike))
    return total


def log_contract_weights(strike: Floats, pivot: float, tenor: float, is_call: bool) -> Floats:
    """
    Return how many options of each strike replicate a log contract, (n - 1,); the last strike
    only ends the last piece.

    The pay-off 2/T ((S - S*)/S* - ln(S/S*)) is matched at every strike and lies below the
    pieces between. *strike* starts at *pivot*, S*, and goes up for calls, down for puts.
    Source: K. Demeterfi, E. Derman, M. Kamal, J. Zou (1999), More than you ever wanted to know
        about volatility swaps, Goldman Sachs, appendix A.
    """
    payoff = 2.0 / tenor * ((strike - pivot) / pivot - np.log(strike / pivot))
    sign = 1.0 if is_call else -1.0
    slope = sign * np.diff(payoff) / np.diff(strike)
    return np.diff(slope, prepend=0.0)


def replicated_variance(cost: float, forward: float, pivot: float, tenor: float) -> float:
    """
    Return the annualised variance of options that replicate a log contract for *cost*.

        K = 2/T (ln(F/S*) - (F/S* - 1)) + cost      cost undiscounted

    Source: Demeterfi et al. (1999), equation 27 with the forward.
    """
    return 2.0 / tenor * (log(forward / pivot) - (forward / pivot - 1.0)) + cost


def _tail(smile: SviSlice, side: float) -> float:
    """The log-moneyness ten deviations out on one *side*, by the smile's own volatility there."""
    k = side * _TAIL_DEVIATIONS * sqrt(float(smile.total_variance(0.0)))
    for _ in range(50):
        wider = side * _TAIL_DEVIATIONS * sqrt(float(smile.total_variance(k)))
        if abs(wider) <= abs(k) * (1.0 + 1e-3):
            break
        k = wider
    return k
