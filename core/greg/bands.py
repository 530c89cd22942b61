"""How wide a hedging band should be: from gamma, volatility and what a trade costs."""

from enum import StrEnum
from math import sqrt

from attrs import evolve, field, frozen

from ports.checks import finite, not_negative, positive


class BandRule(StrEnum):
    """Where the width of a band comes from."""

    FIXED = "fixed"  # of the rule document
    WHALLEY_WILMOTT = "whalley_wilmott"
    ZAKAMOULINE = "zakamouline"


@frozen(kw_only=True)
class BandInputs:
    """
    What a position and its market say to a band.

    Units: forward USD per coin; gamma delta per USD of the whole position, signed; iv a
    fraction; tenor years; cost a fraction of what is traded; aversion to risk per USD.
    """

    forward: float = field(validator=positive)
    gamma: float = field(validator=finite)
    iv: float = field(validator=positive)
    tenor: float = field(validator=positive)
    cost: float = field(validator=not_negative)
    aversion: float = field(validator=positive)


@frozen(kw_only=True)
class Band:
    """A half-width in coin, and the volatility that the target is worked out with."""

    half_width: float
    target_iv: float


_LAST_DAY = 1.0 / 365.0  # years


def band_of(rule: BandRule, inputs: BandInputs, fixed: float) -> Band:
    """
    Return the band of *rule*; *fixed* is the half-width where the document rules, coin.

    None is narrower than that on the last day, when gamma leaps.
    """
    if rule == BandRule.FIXED:
        return Band(half_width=fixed, target_iv=inputs.iv)
    found = (
        zakamouline(inputs)
        if rule == BandRule.ZAKAMOULINE
        else Band(half_width=whalley_wilmott(inputs), target_iv=inputs.iv)
    )
    if inputs.tenor < _LAST_DAY:
        return evolve(found, half_width=max(found.half_width, fixed))
    return found


def whalley_wilmott(inputs: BandInputs) -> float:
    """
    Return the half-width (3/2 λ F Γ² / a)^(1/3), coin.

    Source: Whalley and Wilmott (1997), Mathematical Finance 7, 307-324, on a forward.
    """
    return float(
        (1.5 * inputs.cost * inputs.forward * inputs.gamma**2 / inputs.aversion) ** (1.0 / 3.0)
    )


def zakamouline(inputs: BandInputs) -> Band:
    """
    Return the half-width H0 + H1 and the modified volatility.

        H0 = λ / (a F σ² T)      H1 = 1.12 λ^0.31 T^0.05 σ^-0.25 (|Γ| / a)^0.5
        K = -4.76 λ^0.78 T^-0.02 σ^-0.25 (a F² |Γ|)^0.15
        σm² = σ² (1 + K) with long gamma, σ² (1 - K) with short, never below zero

    Source: Zakamouline (2006), Journal of Futures Markets 26.
    """
    cost, aversion, forward = inputs.cost, inputs.aversion, inputs.forward
    iv, tenor, gamma = inputs.iv, inputs.tenor, abs(inputs.gamma)
    least = cost / (aversion * forward * iv**2 * tenor)
    more = 1.12 * cost**0.31 * tenor**0.05 * iv**-0.25 * sqrt(gamma / aversion)
    shift = -4.76 * cost**0.78 * tenor**-0.02 * iv**-0.25 * (aversion * forward**2 * gamma) ** 0.15
    signed = shift if inputs.gamma > 0.0 else -shift
    return Band(half_width=least + more, target_iv=iv * sqrt(max(0.0, 1.0 + signed)))
