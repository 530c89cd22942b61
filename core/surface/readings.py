"""What is read off a surface: volatility at a maturity, at a delta, skew and butterflies."""

from math import isfinite, nan, sqrt
from statistics import NormalDist

from attrs import frozen

from core.surface.surface import Section, VolSurface

_DAY_MS = 86_400_000
_NORMAL = NormalDist()
_PRECISION = 1e-12  # of d1, far below the 1e-10 of delta that is promised
_MOST_STEPS = 60


@frozen(kw_only=True)
class WingReading:
    """
    Volatilities, fractions, at the call and the put of one absolute delta; NaN if not reached.

    The risk reversal is call less put, the butterfly their mean less the money.
    """

    delta: float
    call_iv: float
    put_iv: float
    risk_reversal: float
    butterfly: float


@frozen(kw_only=True)
class SmileReading:
    """One maturity of a surface: at the money, and the wings at 25 and 10 delta."""

    days: float
    atm_iv: float
    wing_25: WingReading
    wing_10: WingReading


def smile_at(surface: VolSurface, days: float) -> SmileReading:
    """Return the constant-maturity reading *days* after the snapshot of *surface*."""
    section = surface.section(surface.taken_ms + round(days * _DAY_MS))
    atm_iv = float(section.iv(0.0))
    return SmileReading(
        days=days,
        atm_iv=atm_iv,
        wing_25=_wing(section, 0.25, atm_iv),
        wing_10=_wing(section, 0.10, atm_iv),
    )


def log_moneyness_at_delta(section: Section, delta: float, is_call: bool) -> float:
    """
    Return k = ln(K / F) where the Black-Scholes delta is *delta*, 0 < |delta| < 1; NaN if nowhere.

    Newton on d1 = -k/√w + √w/2, halved where a step leaves the bracket; delta to 1e-10.
    """
    target = _NORMAL.inv_cdf(abs(delta)) * (1.0 if is_call else -1.0)
    low, high = -_reach(section), _reach(section)
    k = -target * sqrt(float(section.total_variance(0.0)))
    for _ in range(_MOST_STEPS):
        w = float(section.total_variance(k))
        if not (isfinite(w) and w > 0.0):
            return nan
        root = sqrt(w)
        miss = -k / root + 0.5 * root - target
        if abs(miss) <= _PRECISION:
            return k
        low, high = (k, high) if miss > 0.0 else (low, k)
        slope = float(section.slope(k))
        rate = -1.0 / root + slope * (0.5 * k / w + 0.25) / root
        step = k - miss / rate if rate else nan
        k = step if low < step < high else 0.5 * (low + high)
    return nan


def _wing(section: Section, delta: float, atm_iv: float) -> WingReading:
    call_iv, put_iv = (
        float(section.iv(log_moneyness_at_delta(section, delta, is_call)))
        for is_call in (True, False)
    )
    return WingReading(
        delta=delta,
        call_iv=call_iv,
        put_iv=put_iv,
        risk_reversal=call_iv - put_iv,
        butterfly=0.5 * (call_iv + put_iv) - atm_iv,
    )


def _reach(section: Section) -> float:
    """A log-moneyness beyond any delta that is asked for."""
    return 50.0 * max(1.0, sqrt(float(section.total_variance(0.0))))
