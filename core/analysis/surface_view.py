"""A fitted surface as a person looks at it: quotes and smile by expiry, and what is read off."""

import numpy as np
from attrs import frozen

from core.surface.fit import FitParams, SliceFit, SliceStatus
from core.surface.prepare import Prepared, PrepareParams, RowStatus, prepare
from core.surface.readings import SmileReading, smile_at
from core.surface.surface import VolSurface, fit_surface
from core.surface.svi import SviSlice
from core.surface.vol_index import VolIndex, vol_index
from ports.chain import ChainTable
from ports.columns import Floats
from ports.market_data import MarketSnapshot

_DAYS_A_YEAR = 365.0
_CURVE_POINTS = 81
_BEYOND = 0.15  # of the quoted range, drawn on either side
MATURITIES_DAYS = (7.0, 14.0, 30.0, 60.0, 90.0, 180.0)


@frozen(kw_only=True, eq=False)
class ExpiryView:
    """
    One expiry: its quotes that were fitted, columns (n,), its smile (p,), and its readings.

    Units: volatilities fractions; residual the quote less the smile in half-spreads, NaN without
    a smile; rmse a fraction, inside the share of the fitted quotes. None without a smile.
    """

    name: str
    days: float
    forward: float
    status: SliceStatus
    strike: Floats
    k: Floats
    bid_iv: Floats
    ask_iv: Floats
    iv: Floats
    residual: Floats
    curve_k: Floats
    curve_iv: Floats
    rmse: float | None
    inside: float | None
    reading: SmileReading | None


@frozen(kw_only=True, eq=False)
class SurfaceView:
    """A snapshot's surface; surface is None where no expiry could be fitted."""

    snapshot: MarketSnapshot
    prepared: Prepared
    expiries: tuple[ExpiryView, ...]
    surface: VolSurface | None
    maturities: tuple[SmileReading, ...]  # constant, MATURITIES_DAYS
    index: VolIndex


def surface_view(snapshot: MarketSnapshot) -> SurfaceView:
    """Return *snapshot* fitted with the default choices."""
    prepared = prepare(snapshot, PrepareParams())
    fit = fit_surface(prepared, snapshot.taken_at, snapshot.index_usd, FitParams())
    surface = fit.surface
    maturities = () if surface is None else tuple(smile_at(surface, d) for d in MATURITIES_DAYS)
    return SurfaceView(
        snapshot=snapshot,
        prepared=prepared,
        expiries=tuple(_expiry(snapshot.chain, prepared, each, surface) for each in fit.slices),
        surface=surface,
        maturities=maturities,
        index=vol_index(snapshot, prepared, surface),
    )


def _expiry(
    chain: ChainTable, prepared: Prepared, fit: SliceFit, surface: VolSurface | None
) -> ExpiryView:
    quotes, smile = fit.quotes, fit.smile
    of_expiry = chain.expiry_ms == quotes.expiry_ms
    rows = np.flatnonzero(of_expiry & (prepared.status == RowStatus.USED))
    rows = rows[np.argsort(prepared.k[rows])]
    iv, days = prepared.iv[rows], quotes.tenor * _DAYS_A_YEAR
    model = _iv(smile, prepared.k[rows], quotes.tenor)
    curve_k = _curve(prepared.k[rows])
    half_spread = prepared.half_spread[rows]
    has_smile = smile is not None and surface is not None
    return ExpiryView(
        name=chain.contract(int(np.flatnonzero(of_expiry)[0])).symbol.split("-")[1],
        days=days,
        forward=quotes.forward,
        status=fit.status,
        strike=chain.strike[rows],
        k=prepared.k[rows],
        bid_iv=prepared.bid_iv[rows],
        ask_iv=prepared.ask_iv[rows],
        iv=iv,
        residual=(iv - model) / half_spread,
        curve_k=curve_k,
        curve_iv=_iv(smile, curve_k, quotes.tenor),
        rmse=float(np.sqrt(np.mean((iv - model) ** 2))) if has_smile else None,
        inside=float(np.mean(np.abs(iv - model) <= half_spread)) if has_smile else None,
        reading=smile_at(surface, days) if smile is not None and surface is not None else None,
    )


def _iv(smile: SviSlice | None, k: Floats, tenor: float) -> Floats:
    if smile is None:
        return np.full(k.shape, np.nan)
    return np.sqrt(smile.total_variance(k) / tenor)


def _curve(k: Floats) -> Floats:
    """Where a smile is drawn: a little beyond its quotes."""
    if not len(k):
        return np.zeros(0)
    spare = _BEYOND * (k[-1] - k[0])
    return np.linspace(k[0] - spare, k[-1] + spare, _CURVE_POINTS)
