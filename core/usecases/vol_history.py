"""Volatility history: implied beside realised, hour by hour, appended to what is kept."""

from datetime import datetime, timedelta

import numpy as np
from attrs import frozen

from core.stats.volatility import trailing_variance
from ports.checks import epoch_ms
from ports.columns import Floats, Ints
from ports.history import Candles, History
from ports.vol_history import PublishedSeries, PublishedVol, VolHistory, VolHistoryStore
from ports.volatility import Volatility

_HOUR = timedelta(hours=1)
_WINDOW_DAYS = 30.0
_OFFICIAL_LASTS_MS = 2 * 3_600_000


@frozen(eq=False, kw_only=True)
class VolSources:
    """Where the figures come from."""

    volatility: Volatility
    history: History
    published: PublishedVol


@frozen(kw_only=True)
class VolUpdate:
    """
    What became of the history of one coin.

    *official_gap* is the mean difference of our realised volatility from the published one,
    percentage points, NaN where no hour has both.
    """

    coin: str
    added: int
    rows: int
    first: int | None  # milliseconds from 1970
    last: int | None
    without_realised: int
    official_gap: float


async def update_vol_history(
    sources: VolSources, store: VolHistoryStore, coin: str, days: int, now: datetime
) -> VolUpdate:
    """
    Add the hours of the last *days* that the history of *coin* lacks.

    Realised volatility is worked out from hourly closes over the whole window, for the venue
    publishes sixteen days only; its figure stands beside ours as a check. All joins look back.

    Raises:
        Unavailable: The venue did not answer; nothing was added.

        StoreDamaged, StoreUnwritable: As VolHistoryStore.append.
    """
    start = await _start(store, coin, now - timedelta(days=days))
    index = await sources.volatility.vol_index(coin, _HOUR, start, now)
    candles = await sources.history.candles(
        coin, _HOUR, start - timedelta(days=_WINDOW_DAYS) - _HOUR, now
    )
    published = await sources.published.published_series(coin)
    at_ms = index.closed_at_ms
    more = VolHistory(
        coin=coin,
        at_ms=at_ms,
        iv_30d=index.close,
        rv_30d=_realised(candles, at_ms),
        rv_official=_as_of(published, at_ms),
        harvested_at_ms=np.full(len(at_ms), epoch_ms(now)),
    )
    added = await store.append(more)
    return _update(await store.read(coin), added)


async def _start(store: VolHistoryStore, coin: str, wanted: datetime) -> datetime:
    """From when on to ask: behind what is kept, unless that begins too late."""
    kept = await store.read(coin)
    if len(kept) == 0 or int(kept.at_ms[0]) > epoch_ms(wanted + _HOUR):
        return wanted
    return max(wanted, wanted + timedelta(milliseconds=int(kept.at_ms[-1]) - epoch_ms(wanted)))


def _realised(candles: Candles, at_ms: Ints) -> Floats:
    variance = trailing_variance(candles.closed_at_ms, candles.close, at_ms, _WINDOW_DAYS)
    return 100.0 * np.sqrt(variance)


def _as_of(published: PublishedSeries, at_ms: Ints) -> Floats:
    """The newest figure published at or before each instant, NaN if older than two hours."""
    if len(published.at_ms) == 0:
        return np.full(len(at_ms), np.nan)
    row = np.searchsorted(published.at_ms, at_ms, side="right") - 1
    found = np.maximum(row, 0)
    is_fresh = (row >= 0) & (at_ms - published.at_ms[found] <= _OFFICIAL_LASTS_MS)
    return np.where(is_fresh, published.percent[found], np.nan)


def _update(kept: VolHistory, added: int) -> VolUpdate:
    gap = kept.rv_30d - kept.rv_official
    known = gap[np.isfinite(gap)]
    return VolUpdate(
        coin=kept.coin,
        added=added,
        rows=len(kept),
        first=int(kept.at_ms[0]) if len(kept) else None,
        last=int(kept.at_ms[-1]) if len(kept) else None,
        without_realised=int(np.isnan(kept.rv_30d).sum()),
        official_gap=float(known.mean()) if len(known) else float("nan"),
    )
