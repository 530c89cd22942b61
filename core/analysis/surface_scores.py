"""How well surfaces fit what is quoted, expiry by expiry and from one snapshot to the next."""

import numpy as np
from attrs import evolve, field, frozen

from core.pricing.implied import implied_vol
from core.surface.fit import FitParams, SliceFit, fit_slices
from core.surface.prepare import ExpiryQuotes, Prepared, PrepareParams, RowStatus, prepare
from core.surface.surface import SurfaceFit, VolSurface, fit_surface
from core.surface.violations import butterfly_shortfall, calendar_shortfall
from core.surface.vol_index import VolIndex, vol_index
from ports.columns import Bools, Floats, Ints, float_column
from ports.market_data import MarketSnapshot

_DAYS_A_YEAR = 365.0
_ROUNDING = 1e-9  # of volatility: a smile on the bid is inside
_MARK_DELTAS = (0.15, 0.85)


@frozen(eq=False)
class Seen:
    """A snapshot with its preparation, fit and index."""

    snapshot: MarketSnapshot
    prepared: Prepared
    fit: SurfaceFit
    index: VolIndex


@frozen(kw_only=True)
class SliceScore:
    """
    One fitted expiry against its quotes; volatilities are fractions.

    rmse is over the quotes that were fitted. The shortfalls are those of the check grids, in g
    and in total variance: zero is free of arbitrage.
    """

    month: str
    days: float
    status: str
    quotes: int
    rmse: float
    vega: float  # sum of USD vegas, up to a factor
    vega_miss: float  # vega times absolute miss
    inside: int  # of out, how many have the smile between bid and ask
    out: int  # two-sided quotes out of the money with a delta of 0.01 and more
    butterfly: float
    calendar: float


@frozen(eq=False)
class CarryScore:
    """What a forecast of the next snapshot misses, vega-weighted, over quotes both have."""

    surface_miss: float  # the surface in moneyness, its level sliding along the smile
    moneyness_miss: float  # the surface in moneyness and nothing else
    strike_miss: float  # each strike's own volatility
    quotes: int


@frozen(eq=False)
class MarkMisses:
    """How far mark volatility lies from that of the mark price, columns (n,)."""

    days: Floats = field(converter=float_column)
    miss: Floats = field(converter=float_column)


def see(snapshot: MarketSnapshot, params: FitParams) -> Seen:
    """Return *snapshot* prepared and fitted, with its index."""
    prepared = prepare(snapshot, PrepareParams())
    fit = fit_surface(prepared, snapshot.taken_at, snapshot.index_usd, params)
    return Seen(snapshot, prepared, fit, vol_index(snapshot, prepared, fit.surface))


def slice_scores(seen: Seen, params: FitParams) -> tuple[SliceScore, ...]:
    """Return the score of every expiry of *seen* that has a smile."""
    scores = []
    below: SliceFit | None = None
    for fit in seen.fit.slices:
        if fit.smile is not None:
            scores.append(_slice_score(seen, fit, below, params))
            below = fit
    return tuple(scores)


def mark_misses(seen: Seen) -> MarkMisses:
    """Return the misses of the marks between 0.15 and 0.85 delta."""
    chain, prepared = seen.snapshot.chain, seen.prepared
    iv, _ = implied_vol(chain.mark, prepared.forward, chain.strike, prepared.tenor, chain.is_call)
    low, high = _MARK_DELTAS
    rows = (prepared.delta >= low) & (prepared.delta <= high) & np.isfinite(iv - chain.mark_iv)
    miss = np.abs(iv - chain.mark_iv)[rows]
    return MarkMisses(prepared.tenor[rows] * _DAYS_A_YEAR, miss)


def left_out_misses(seen: Seen, params: FitParams) -> Floats:
    """
    Return the miss of each quote by a fit without it, in half-spreads.

    Inner strikes only, of expiries that keep enough quotes; each expiry is fitted alone.
    """
    misses = []
    for quotes in seen.prepared.expiries:
        count = len(quotes.k)
        if count <= params.fewest_quotes:
            continue
        for left_out in range(1, count - 1):
            (fit,) = fit_slices([_without(quotes, left_out)], params)
            if fit.smile is not None:
                variance = float(fit.smile.total_variance(quotes.k[left_out]))
                miss = abs(np.sqrt(variance / quotes.tenor) - quotes.iv[left_out])
                misses.append(miss / quotes.half_spread[left_out])
    return np.array(misses, dtype=np.float64)


def carry_score(before: Seen, after: Seen) -> CarryScore:
    """Return what *before* says of the quotes of *after*, by its surface and strike by strike."""
    if before.fit.surface is None:
        return CarryScore(np.nan, np.nan, np.nan, 0)
    pairs = [
        _carried(before, before.fit.surface, after, int(expiry_ms))
        for expiry_ms in before.fit.surface.expiry_ms
    ]
    vega, by_surface, in_moneyness, by_strike = np.concatenate(pairs, axis=1)
    if not len(vega):
        return CarryScore(np.nan, np.nan, np.nan, 0)
    total = float(vega.sum())
    return CarryScore(
        float(vega @ by_surface) / total,
        float(vega @ in_moneyness) / total,
        float(vega @ by_strike) / total,
        len(vega),
    )


def _carried(before: Seen, surface: VolSurface, after: Seen, expiry_ms: int) -> Floats:
    """Vega and the three absolute misses of the quotes of one expiry that both snapshots have."""
    old = np.flatnonzero(_contracts(before, expiry_ms) & np.isfinite(before.prepared.iv))
    new = np.flatnonzero(_contracts(after, expiry_ms) & (after.prepared.status == RowStatus.USED))
    _, of_old, of_new = np.intersect1d(_key(before, old), _key(after, new), return_indices=True)
    old, new = old[of_old], new[of_new]
    iv, k, tenor = after.prepared.iv[new], after.prepared.k[new], after.prepared.tenor[new]
    section = surface.section(expiry_ms)
    move = np.log(after.prepared.forward[new[:1]] / section.forward).sum()  # 0 if none is shared
    told = (section.carried_iv(k, float(move)), section.iv(k), before.prepared.iv[old])
    return np.vstack((_vega(iv, k, tenor), *(np.abs(each - iv) for each in told)))


def _contracts(seen: Seen, expiry_ms: int) -> Bools:
    rows: Bools = seen.snapshot.chain.expiry_ms == expiry_ms
    return rows


def _key(seen: Seen, rows: Ints) -> Floats:
    """One number a contract of an expiry."""
    chain = seen.snapshot.chain
    return np.where(chain.is_call[rows], chain.strike[rows], -chain.strike[rows])


def _slice_score(
    seen: Seen, fit: SliceFit, below: SliceFit | None, params: FitParams
) -> SliceScore:
    quotes, smile, prepared = fit.quotes, fit.smile, seen.prepared
    if smile is None:
        raise ValueError(f"expiry {quotes.expiry_ms} has no smile to score")
    miss = np.sqrt(smile.total_variance(quotes.k) / quotes.tenor) - quotes.iv
    vega = quotes.vega * np.sqrt(quotes.tenor)
    out = _contracts(seen, quotes.expiry_ms) & prepared.is_out
    out &= prepared.delta >= PrepareParams().least_delta
    model = np.sqrt(smile.total_variance(prepared.k[out]) / quotes.tenor)
    is_inside = (model >= prepared.bid_iv[out] - _ROUNDING) & (
        model <= prepared.ask_iv[out] + _ROUNDING
    )
    calendar = 0.0
    if below is not None and below.smile is not None:
        shared = params.grid.shared(below.quotes, quotes)
        calendar = calendar_shortfall(below.smile, smile, shared)
    return SliceScore(
        month=f"{seen.snapshot.taken_at:%Y-%m}",
        days=quotes.tenor * _DAYS_A_YEAR,
        status=fit.status.name,
        quotes=len(quotes.k),
        rmse=float(np.sqrt(np.mean(miss**2))),
        vega=float(vega.sum()),
        vega_miss=float(vega @ np.abs(miss)),
        inside=int(np.count_nonzero(is_inside)),
        out=int(np.count_nonzero(out)),
        butterfly=butterfly_shortfall(smile, params.grid.wide(quotes)),
        calendar=calendar,
    )


def _without(quotes: ExpiryQuotes, row: int) -> ExpiryQuotes:
    return evolve(
        quotes,
        k=np.delete(quotes.k, row),
        iv=np.delete(quotes.iv, row),
        half_spread=np.delete(quotes.half_spread, row),
        vega=np.delete(quotes.vega, row),
    )


def _vega(iv: Floats, k: Floats, tenor: Floats) -> Floats:
    """USD vega on a forward of 1, up to a factor."""
    deviation = iv * np.sqrt(tenor)
    d1 = 0.5 * deviation - k / deviation
    vega: Floats = np.sqrt(tenor) * np.exp(-0.5 * d1 * d1)
    return vega
