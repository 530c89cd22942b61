"""Static arbitrage of fitted smiles: the grids it is looked for on, and what is found."""

from math import sqrt

import numpy as np
from attrs import frozen

from core.surface.prepare import ExpiryQuotes
from core.surface.svi import SviSlice
from ports.columns import Floats

BUTTERFLY_TOLERANCE = 1e-4  # of g
CALENDAR_TOLERANCE = 1e-6  # of total variance
_STEEPEST = 2.0  # of a wing in total variance
_BEND = np.sinh(np.linspace(-9.0, 9.0, 361))  # distances from the vertex, in its width


@frozen(kw_only=True)
class CheckGrid:
    """Where arbitrage is looked for, in quoted ranges of log-moneyness."""

    butterfly_points: int = 121
    reach: float = 1.5  # ranges beyond either end of the quotes
    calendar_points: int = 41

    def wide(self, quotes: ExpiryQuotes, finer: int = 1) -> Floats:
        """Return the points of the butterfly check of one expiry; *finer* times as many."""
        low, high = _quoted_range(quotes)
        beyond = self.reach * (high - low)
        return np.linspace(low - beyond, high + beyond, finer * (self.butterfly_points - 1) + 1)

    def shared(self, near: ExpiryQuotes, far: ExpiryQuotes, finer: int = 1) -> Floats:
        """Return the points of the calendar check of two expiries: where either is quoted."""
        (near_low, near_high), (far_low, far_high) = _quoted_range(near), _quoted_range(far)
        count = finer * (self.calendar_points - 1) + 1
        return np.linspace(min(near_low, far_low), max(near_high, far_high), count)


def butterfly_shortfall(smile: SviSlice, k: Floats) -> float:
    """
    Return by how much g falls below zero, at worst; infinite with too steep a wing.

    At the rising *k* and, between their ends, where the smile bends.
    """
    if smile.steepest() >= _STEEPEST:
        return np.inf
    return max(0.0, -float(np.min(smile.butterfly(_with_bends(k, smile)))))


def calendar_shortfall(near: SviSlice, far: SviSlice, k: Floats) -> float:
    """
    Return how far the total variance of *far* falls below that of *near*, at worst.

    At the rising *k* and, between their ends, where either smile bends.
    """
    k = _with_bends(k, near, far)
    return max(0.0, float(np.max(near.total_variance(k) - far.total_variance(k))))


def room_below(near: SviSlice, far: SviSlice, k: Floats) -> float:
    """Return the largest share of *near*, up to 1, that lies nowhere above *far*; as above."""
    k = _with_bends(k, near, far)
    return min(1.0, float(np.min(far.total_variance(k) / near.total_variance(k))))


def _with_bends(k: Floats, *smiles: SviSlice) -> Floats:
    """*k* with the points about the vertex of each smile that a regular grid may step over."""
    bends = [smile.m + smile.q * _BEND for smile in smiles]
    points: Floats = np.concatenate((k, *(bend[(bend > k[0]) & (bend < k[-1])] for bend in bends)))
    return points


def _quoted_range(quotes: ExpiryQuotes) -> tuple[float, float]:
    """The ends of the quotes; a deviation at least, since one strike spans nothing."""
    low, high = float(quotes.k[0]), float(quotes.k[-1])
    spare = 0.5 * max(0.0, float(np.mean(quotes.iv)) * sqrt(quotes.tenor) - (high - low))
    return low - spare, high + spare
