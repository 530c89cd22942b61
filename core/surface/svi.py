"""One expiry's smile: raw SVI, what it gives, and its jump-wings."""

from math import sqrt
from typing import Self

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike

from core.kernel import flat_floats
from core.surface import kernels
from ports.checks import finite, not_negative, positive
from ports.columns import Floats


@frozen(kw_only=True)
class SviSlice:
    """
    Total variance of one expiry in log-moneyness k = ln(K / F), raw SVI.

        w(k) = a + b (ρ(k - m) + √((k - m)² + q²))

    Source: J. Gatheral, A. Jacquier (2014), Arbitrage-free SVI volatility surfaces,
        Quantitative Finance 14(1).
    """

    a: float = field(validator=finite)
    b: float = field(validator=not_negative)
    rho: float = field(validator=finite)
    m: float = field(validator=finite)
    q: float = field(validator=positive)

    def __attrs_post_init__(self) -> None:
        if not abs(self.rho) <= 1.0:
            raise ValueError(f"rho must be within -1 and 1, was {self.rho}")
        if self.lowest < 0.0:
            raise ValueError(f"total variance must not be negative, falls to {self.lowest}")

    @classmethod
    def of(cls, raw: Floats) -> Self:
        """The slice of *raw*, (5,): a, b, rho, m, q."""
        a, b, rho, m, q = raw.tolist()
        return cls(a=a, b=b, rho=rho, m=m, q=q)

    @property
    def raw(self) -> Floats:
        """a, b, rho, m, q, (5,)."""
        return np.array([self.a, self.b, self.rho, self.m, self.q])

    @property
    def lowest(self) -> float:
        """The least total variance of the smile."""
        return self.a + self.b * self.q * sqrt(max(1.0 - self.rho**2, 0.0))

    def total_variance(self, k: ArrayLike) -> Floats:
        """Return w at *k*, of the shape of k."""
        shape = np.shape(k)
        return kernels.total_variance(self.raw, flat_floats(k, shape)).reshape(shape)

    def slope(self, k: ArrayLike) -> Floats:
        """Return dw/dk at *k*, of the shape of k."""
        distance = np.asarray(k, dtype=np.float64) - self.m
        slope: Floats = self.b * (self.rho + distance / np.hypot(distance, self.q))
        return slope

    def butterfly(self, k: ArrayLike) -> Floats:
        """
        Return g at *k*, of the shape of k; the density of the price is g times something positive.

            g = (1 - k w'/(2w))² - (w'²/4)(1/w + 1/4) + w''/2
        """
        shape = np.shape(k)
        return kernels.butterfly(self.raw, flat_floats(k, shape)).reshape(shape)

    def steepest(self) -> float:
        """The slope of the steeper wing: from 2 on a wing is no price of an option."""
        return self.b * (1.0 + abs(self.rho))

    def lifted(self, variance: float) -> "SviSlice":
        """The same smile with *variance* more everywhere."""
        return SviSlice(a=self.a + variance, b=self.b, rho=self.rho, m=self.m, q=self.q)

    def scaled(self, share: float) -> "SviSlice":
        """
        The smile of *share* times the total variance everywhere.

        With a share up to 1 it allows no butterfly that the smile itself does not: of g the
        first term stays, and the others shrink with the share and its square.
        """
        return SviSlice(a=share * self.a, b=share * self.b, rho=self.rho, m=self.m, q=self.q)


@frozen(kw_only=True)
class JumpWings:
    """
    A smile by what is seen of it, for *tenor* years.

    variance and lowest_variance are annualised, at the money and at the minimum; skew is the
    slope of volatility at the money times √tenor; the wings are slopes of w over √w(0).
    """

    variance: float
    skew: float
    put_wing: float
    call_wing: float
    lowest_variance: float
    tenor: float


def jump_wings(smile: SviSlice, tenor: float) -> JumpWings:
    """Return what is seen of *smile*. Source: Gatheral and Jacquier (2014), equation 3.5."""
    middle = float(smile.total_variance(0.0))
    root = sqrt(middle)
    return JumpWings(
        variance=middle / tenor,
        skew=smile.b / (2.0 * root) * (smile.rho - smile.m / sqrt(smile.m**2 + smile.q**2)),
        put_wing=smile.b * (1.0 - smile.rho) / root,
        call_wing=smile.b * (1.0 + smile.rho) / root,
        lowest_variance=smile.lowest / tenor,
        tenor=tenor,
    )


def from_jump_wings(wings: JumpWings) -> SviSlice:
    """
    Return the smile of *wings*: Gatheral and Jacquier (2014), lemma 3.2.

    Raises:
        ValueError: No smile looks so, the skew being beyond a wing, or more than one does, the
            minimum being at the money.
    """
    root = sqrt(wings.variance * wings.tenor)
    b = 0.5 * root * (wings.put_wing + wings.call_wing)
    rho = 1.0 - wings.put_wing * root / b
    beta = rho - 2.0 * wings.skew * root / b  # m / √(m² + q²)
    if not abs(beta) < 1.0:
        raise ValueError(f"no smile has the skew {wings.skew} between its wings, beta is {beta}")
    spare = sqrt((1.0 - rho) * (1.0 + rho))
    width = sqrt((1.0 - beta) * (1.0 + beta))  # q / √(m² + q²)
    bowl = (1.0 - rho * beta) - spare * width
    gap = (wings.variance - wings.lowest_variance) * wings.tenor  # b √(m² + q²) times bowl
    if not (bowl > 0.0 and gap > 0.0):
        raise ValueError("jump-wings do not determine a smile that is lowest at the money")
    radius = gap / (b * bowl)
    a = wings.lowest_variance * wings.tenor - b * width * radius * spare
    return SviSlice(a=a, b=b, rho=rho, m=beta * radius, q=width * radius)
