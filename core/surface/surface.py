"""A volatility surface: the smiles of one snapshot, and what lies between them."""

from datetime import datetime

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike

from core.pricing.black76 import tenor_years
from core.surface.fit import FitParams, SliceFit, fit_slices
from core.surface.prepare import Prepared
from core.surface.svi import SviSlice
from core.surface.variance_time import VarianceClock
from ports.checks import epoch_ms
from ports.columns import Floats, Ints, float_column, int_column


@frozen(eq=False)
class Section:
    """
    The smile at one instant, a mixture of the smiles of two expiries or a share of one.

    Units: tenor years; forward USD per coin; k = ln(K / forward).
    """

    tenor: float
    forward: float
    smiles: tuple[SviSlice, ...]
    weights: tuple[float, ...]

    def total_variance(self, k: ArrayLike) -> Floats:
        """Return w at *k*, of the shape of k; NaN where flat forward variance runs below zero."""
        w = np.zeros(np.shape(k))
        for smile, weight in zip(self.smiles, self.weights, strict=True):
            w = w + weight * smile.total_variance(k)
        return np.where(w >= 0.0, w, np.nan)

    def slope(self, k: ArrayLike) -> Floats:
        """Return dw/dk at *k*, of the shape of k."""
        slope = np.zeros(np.shape(k))
        for smile, weight in zip(self.smiles, self.weights, strict=True):
            slope = slope + weight * smile.slope(k)
        return slope

    def iv(self, k: ArrayLike) -> Floats:
        """Return the volatility at *k*, of the shape of k; a fraction."""
        return np.sqrt(self.total_variance(k) / self.tenor)

    def carried_iv(self, k: ArrayLike, move: float) -> Floats:
        """
        Return the volatility to expect at *k* once ln(forward) has moved by *move*.

        The smile keeps its shape in moneyness, and the money slides along it: a skew-stickiness
        ratio of one (Bergomi, Stochastic Volatility Modeling, ch. 9). Of the shape of k.
        """
        slope = float(self.slope(0.0)) / (2.0 * self.tenor * float(self.iv(0.0)))
        return self.iv(k) + slope * move


@frozen(kw_only=True, eq=False)
class VolSurface:
    """
    Smiles by expiry, nearest first, columns (m,) with m >= 1.

    Between expiries total variance is linear in variance time at fixed log-moneyness; before
    the first it runs in proportion to it, and after the last the forward variance of the last
    two stays. Forwards are log-linear in time, from the index at *taken_ms*.
    """

    taken_ms: int
    index_usd: float
    expiry_ms: Ints = field(converter=int_column)
    forward: Floats = field(converter=float_column)
    smiles: tuple[SviSlice, ...]
    clock: VarianceClock = field(factory=VarianceClock)

    def __attrs_post_init__(self) -> None:
        count = len(self.smiles)
        if count == 0 or self.expiry_ms.shape != (count,) or self.forward.shape != (count,):
            raise ValueError("a surface has as many expiries and forwards as smiles, one at least")
        if self.expiry_ms[0] <= self.taken_ms or not (np.diff(self.expiry_ms) > 0).all():
            raise ValueError("expiries must rise, and lie after the snapshot")

    def section(self, at_ms: int) -> Section:
        """
        Return the smile at *at_ms*.

        Raises:
            ValueError: *at_ms* is not after the snapshot.
        """
        if at_ms <= self.taken_ms:
            raise ValueError(f"a smile needs time, {at_ms} is not after {self.taken_ms}")
        tau = self.clock.years(self.taken_ms, np.append(self.expiry_ms, at_ms))
        here, tau = float(tau[-1]), tau[:-1]
        tenor = tenor_years(at_ms, self.taken_ms)
        forward = self._forward(at_ms)
        after = int(np.searchsorted(self.expiry_ms, at_ms))
        if after == 0 or len(self.smiles) == 1:
            return Section(tenor, forward, self.smiles[:1], (here / float(tau[0]),))
        far = min(after, len(self.smiles) - 1)
        share = (here - float(tau[far - 1])) / float(tau[far] - tau[far - 1])
        return Section(tenor, forward, self.smiles[far - 1 : far + 1], (1.0 - share, share))

    def iv(self, strike: ArrayLike, at_ms: int) -> Floats:
        """Return the volatility of *strike*, USD, at the expiry *at_ms*; of the shape of strike."""
        section = self.section(at_ms)
        return section.iv(np.log(np.asarray(strike, dtype=np.float64) / section.forward))

    def forward_variance(self, k: float = 0.0) -> Floats:
        """Return the annualised variance at *k* between neighbouring expiries, (m,); now first."""
        w = np.array([float(smile.total_variance(k)) for smile in self.smiles])
        tenor = tenor_years(self.expiry_ms, self.taken_ms)
        return np.diff(w, prepend=0.0) / np.diff(tenor, prepend=0.0)

    def _forward(self, at_ms: int) -> float:
        at = np.concatenate(([self.taken_ms], self.expiry_ms)) - self.taken_ms
        basis = np.concatenate(([0.0], np.log(self.forward / self.index_usd)))
        left = at_ms - self.taken_ms
        if left > at[-1]:
            return self.index_usd * float(np.exp(basis[-1] * left / at[-1]))
        return self.index_usd * float(np.exp(np.interp(left, at, basis)))


@frozen(eq=False)
class SurfaceFit:
    """Every expiry with what it got, and the surface; None where no expiry got a smile."""

    slices: tuple[SliceFit, ...]
    surface: VolSurface | None


def fit_surface(
    prepared: Prepared,
    taken_at: datetime,
    index_usd: float,
    params: FitParams,
    clock: VarianceClock | None = None,
) -> SurfaceFit:
    """Return the smiles of *prepared*, and the surface they make; see fit_slices."""
    slices = fit_slices(prepared.expiries, params)
    fitted = [fit for fit in slices if fit.smile is not None]
    if not fitted:
        return SurfaceFit(slices, None)
    surface = VolSurface(
        taken_ms=epoch_ms(taken_at),
        index_usd=index_usd,
        expiry_ms=[fit.quotes.expiry_ms for fit in fitted],
        forward=[fit.quotes.forward for fit in fitted],
        smiles=tuple(fit.smile for fit in fitted if fit.smile is not None),
        clock=clock or VarianceClock(),
    )
    return SurfaceFit(slices, surface)
