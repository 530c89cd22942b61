"""What sensors read off a chain: expiries near a maturity, at-the-money volatility, skew."""

from datetime import datetime

import numpy as np
from attrs import frozen

from core.pricing.black76 import delta, tenor_years
from core.surface.fit import FitParams
from core.surface.forwards import with_forwards
from core.surface.prepare import PrepareParams, prepare
from core.surface.readings import smile_at
from core.surface.surface import fit_surface
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.columns import Bools, Floats
from ports.market_data import MarketSnapshot

_DAY_MS = 86_400_000
_TARGET = 0.25  # of delta
_PROXY_PUT, _PROXY_CALL = 0.95, 1.05  # strikes over spot where deltas cannot be had


@frozen
class Slot:
    """A maturity, and the days to expiry that may stand for it, ends included."""

    target: int
    low: int
    high: int


FRONT, MONTH = Slot(7, 2, 20), Slot(30, 14, 60)


@frozen(kw_only=True)
class Skew:
    """The volatility of the put less that of the call, points; a proxy where deltas failed."""

    points: float
    put_iv: float
    call_iv: float
    is_proxy: bool


@frozen(kw_only=True)
class ConstantMaturity:
    """At-the-money volatility at seven and thirty days of a fitted surface, points."""

    front: float
    month: float


def expiry_in(chain: ChainTable, now: datetime, slot: Slot) -> int | None:
    """
    Return the expiry, in milliseconds, that stands for *slot*; None if none may.

    Days to expiry are whole ones; the nearest to the target wins, of two the earlier.
    """
    expiries = np.unique(chain.expiry_ms)
    days = (expiries - epoch_ms(now)) // _DAY_MS
    allowed = (days >= max(slot.low, 1)) & (days <= slot.high)
    if not allowed.any():
        return None
    return int(expiries[allowed][np.argmin(np.abs(days[allowed] - slot.target))])


def atm_iv(chain: ChainTable, expiry_ms: int, spot: float) -> float | None:
    """
    Return the mark volatility, in points, of the call whose strike is nearest to *spot*.

    Of two strikes the lower; None where that call has no volatility.
    """
    return _iv_at(chain, (chain.expiry_ms == expiry_ms) & chain.is_call, spot)


def skew_of(chain: ChainTable, expiry_ms: int, spot: float, now: datetime) -> Skew | None:
    """
    Return the skew at 25 delta, by interpolation between the deltas of marks.

    Where the deltas do not reach 25 on either side it is that of the strikes at 0.95 and 1.05 of
    *spot*, which says too little; None where not even those have a volatility.
    """
    of_expiry = chain.expiry_ms == expiry_ms
    put = _iv_at_delta(chain, of_expiry & ~chain.is_call, now)
    call = _iv_at_delta(chain, of_expiry & chain.is_call, now)
    is_proxy = put is None or call is None
    if is_proxy:
        put = _iv_at(chain, of_expiry & ~chain.is_call, _PROXY_PUT * spot)
        call = _iv_at(chain, of_expiry & chain.is_call, _PROXY_CALL * spot)
    if put is None or call is None:
        return None
    return Skew(points=put - call, put_iv=put, call_iv=call, is_proxy=is_proxy)


def constant_maturity(snapshot: MarketSnapshot) -> ConstantMaturity | None:
    """
    Return both maturities of the surface fitted to *snapshot*, total variance interpolated.

    None where there are not two distinct expiries, or no surface.
    """
    params = PrepareParams()
    fitted = fit_surface(
        prepare(snapshot, params), snapshot.taken_at, snapshot.index_usd, FitParams()
    )
    if fitted.surface is None or len(fitted.surface.smiles) < 2:
        return None
    front, month = (smile_at(fitted.surface, days).atm_iv for days in (7.0, 30.0))
    if not (np.isfinite(front) and np.isfinite(month)):
        return None
    return ConstantMaturity(front=100.0 * front, month=100.0 * month)


def _iv_at(chain: ChainTable, rows: Bools, strike: float) -> float | None:
    """The volatility of the row of *rows* nearest to *strike*, the lower of two."""
    found = np.flatnonzero(rows)
    if not len(found):
        return None
    row = found[np.argmin(np.abs(chain.strike[found] - strike))]
    return _points(chain.mark_iv[row])


def _iv_at_delta(chain: ChainTable, rows: Bools, now: datetime) -> float | None:
    """The volatility at 25 delta, linear in delta between the two marks about it."""
    found = np.flatnonzero(rows & (chain.mark_iv > 0.0))
    if len(found) < 2:
        return None
    years = tenor_years(chain.expiry_ms[found], epoch_ms(now))
    forward = with_forwards(chain)[found]
    of_row = delta(forward, chain.strike[found], years, chain.mark_iv[found], chain.is_call[found])
    reached = np.abs(of_row)
    known = np.isfinite(reached)
    reached, iv = reached[known], chain.mark_iv[found][known]
    order = np.argsort(reached, kind="stable")
    reached, iv = reached[order], iv[order]
    if not len(reached) or not reached[0] <= _TARGET <= reached[-1]:
        return None
    return _points(_between(reached, iv))


def _between(reached: Floats, iv: Floats) -> float:
    return float(np.interp(_TARGET, reached, iv))


def _points(iv: float) -> float | None:
    return 100.0 * float(iv) if iv > 0.0 else None
