"""The thirty-day volatility index of a snapshot: full, with its wings cut, and at the money."""

from math import nan, sqrt

import numpy as np
from attrs import frozen

from core.surface.model_free import strip_of, strip_variance
from core.surface.prepare import Prepared
from core.surface.surface import VolSurface
from ports.columns import Floats
from ports.instruments import Settlement
from ports.market_data import MarketSnapshot

_TARGET_DAYS = 30.0
_DAYS_A_YEAR = 365.0
_DAY_MS = 86_400_000
_WING_CUT = 0.045  # of delta: what lies beyond is not in the venue's index, by comparison with it
_LEAST_DAYS = 1.0


@frozen(kw_only=True)
class VolIndex:
    """
    Volatility expected over thirty days, in percent; NaN where the snapshot cannot say.

    Their gaps are signals: full less dvol_like is what far wings cost, dvol_like less atm skew
    and curvature.
    """

    full: float
    dvol_like: float
    atm: float


def vol_index(snapshot: MarketSnapshot, prepared: Prepared, surface: VolSurface | None) -> VolIndex:
    """
    Return the index of *snapshot* on the middles of its two-sided quotes.

    Of each expiry the variance of its strip, then linear in total variance between the two
    beside thirty days; dvol_like leaves out what is quoted at less than 0.045 delta.
    Source: the construction of Deribit's DVOL note (2021).
    """
    atm = nan
    if surface is not None:
        section = surface.section(surface.taken_ms + round(_TARGET_DAYS * _DAY_MS))
        atm = 100.0 * float(section.iv(0.0))
    return VolIndex(
        full=_index(snapshot, prepared, 0.0),
        dvol_like=_index(snapshot, prepared, _WING_CUT),
        atm=atm,
    )


def _index(snapshot: MarketSnapshot, prepared: Prepared, wing_cut: float) -> float:
    chain = snapshot.chain
    middle = 0.5 * (chain.bid + chain.ask)
    if chain.settlement is Settlement.INVERSE:
        middle = middle * prepared.forward
    is_cut = prepared.is_out & ~(prepared.delta >= wing_cut)
    value_usd = np.where(is_cut | ~(chain.bid < chain.ask), np.nan, middle)
    days, variance = [], []
    for expiry_ms in np.unique(chain.expiry_ms).tolist():
        rows = chain.expiry_ms == expiry_ms
        forward = float(np.median(prepared.forward[rows]))
        strip = strip_of(chain.strike[rows], chain.is_call[rows], value_usd[rows], forward)
        left = float(prepared.tenor[rows][0]) * _DAYS_A_YEAR
        if strip is not None and left >= _LEAST_DAYS:
            days.append(left)
            variance.append(strip_variance(strip))
    return _at_target(np.array(days), np.array(variance))


def _at_target(days: Floats, variance: Floats) -> float:
    """The index from total *variance* at *days*, (m,); NaN if thirty is not between two of them."""
    far = int(np.searchsorted(days, _TARGET_DAYS))
    if len(days) == 0 or far == len(days) or (far == 0 and days[0] > _TARGET_DAYS):
        return nan
    total = float(np.interp(_TARGET_DAYS, days, variance))
    return 100.0 * sqrt(max(total, 0.0) * _DAYS_A_YEAR / _TARGET_DAYS)
