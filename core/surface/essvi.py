"""The eSSVI surface under the smiles: a prior for their wings, and all that few quotes carry."""

from collections.abc import Sequence
from math import log, sqrt

import numpy as np
from attrs import field, frozen

from core.surface import kernels
from core.surface.prepare import ExpiryQuotes
from core.surface.svi import SviSlice
from ports.checks import finite, positive
from ports.columns import Floats

_NONE_BEFORE = np.zeros(3)
_NO_POINTS = np.zeros(0)
_NO_FENCE = np.zeros((3, 0))
_START_RHO = -0.1
_LARGEST_PSI_SHARE = 0.25  # of √θ, where a fit starts


@frozen(kw_only=True)
class EssviSlice:
    """
    One expiry of an eSSVI surface, of total variance θ at the money.

        w(k) = θ/2 (1 + ρφk + √((φk + ρ)² + 1 - ρ²)),  ψ = θφ

    Source: S. Hendriks, C. Martini (2019), The extended SSVI volatility surface, J. of
        Computational Finance 22(5).
    """

    theta: float = field(validator=positive)
    rho: float = field(validator=finite)
    psi: float = field(validator=positive)

    def as_svi(self) -> SviSlice:
        """The same smile as raw SVI."""
        spare = 1.0 - self.rho**2
        width = self.theta / self.psi
        return SviSlice(
            a=0.5 * self.theta * spare,
            b=0.5 * self.psi,
            rho=self.rho,
            m=-self.rho * width,
            q=sqrt(spare) * width,
        )

    def allows_butterfly(self) -> bool:
        """Whether it breaks ψ(1 + |ρ|) <= 4 or ψ²(1 + |ρ|) <= 4θ, which suffice."""
        steep = 1.0 + abs(self.rho)
        return self.psi * steep > 4.0 or self.psi**2 * steep > 4.0 * self.theta

    def crosses(self, before: "EssviSlice") -> bool:
        """
        Whether it breaks what suffices to stay above the slice *before*.

        Source: J. Corbetta, P. Cohort, I. Laachir, C. Martini (2019), arXiv 1804.04924.
        """
        turn = max((1.0 + before.rho) / (1.0 + self.rho), (1.0 - before.rho) / (1.0 - self.rho))
        flattens = self.psi * before.theta <= before.psi * self.theta * (1.0 + 1e-12)
        rises = self.theta >= before.theta * (1.0 - 1e-12)
        return not (rises and self.psi >= before.psi * turn * (1.0 - 1e-12) and flattens)


def march(
    expiries: Sequence[ExpiryQuotes], rows: Sequence[Floats], fewest: int
) -> list[EssviSlice]:
    """
    Return an eSSVI slice for each expiry, fitted from the nearest to the furthest.

    Each is held above the one before in the coordinates of A. Mingone (2022), arXiv
    2204.00312. One with less than *fewest* quotes starts from ρ and ψ/√θ of the expiry nearest
    to it that has as many; at least one must. *rows* are the quotes as the kernels take them.
    """
    rich = [at for at, quotes in enumerate(expiries) if len(quotes.k) >= fewest]
    own = {at: _fitted(_start(expiries[at]), _NONE_BEFORE, rows[at]) for at in rich}
    before = _NONE_BEFORE
    slices = []
    for at, quotes in enumerate(expiries):
        lender = own[min(rich, key=lambda other: _distance(quotes, expiries[other]))]
        theta = own[at][0] if at in own else _at_money_variance(quotes)
        start = np.array([theta, lender[1], lender[2] * sqrt(theta / lender[0])])
        before = _fitted(start, before, rows[at])
        theta, rho, psi = before.tolist()
        slices.append(EssviSlice(theta=theta, rho=rho, psi=psi))
    return slices


def _fitted(terms: Floats, before: Floats, rows: Floats) -> Floats:
    start = kernels.essvi_coordinates(terms, before)
    reached, _ = kernels.fit(start, before, rows, _NO_POINTS, _NO_FENCE, 0.0)
    return kernels.essvi_terms(reached, before)


def _start(quotes: ExpiryQuotes) -> Floats:
    theta = _at_money_variance(quotes)
    return np.array([theta, _START_RHO, _LARGEST_PSI_SHARE * 4.0 * sqrt(theta)])


def _at_money_variance(quotes: ExpiryQuotes) -> float:
    return float(np.interp(0.0, quotes.k, quotes.iv)) ** 2 * quotes.tenor


def _distance(quotes: ExpiryQuotes, other: ExpiryQuotes) -> float:
    return abs(log(quotes.tenor / other.tenor))
