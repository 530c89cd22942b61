"""MarketContext: where the price is in its trend, and how much it moved."""

from datetime import datetime, timedelta

import numpy as np

from core.stats.volatility import realised_vol
from ports.checks import epoch_ms
from ports.columns import Floats
from ports.decision_log import MarketContext
from ports.history import Candles

HISTORY = timedelta(days=260)  # what context_of looks back on: the 200-day mean and some slack
_DAY_MS = 86_400_000
_MIN_RETURNS_PER_DAY = 1.5  # fewer prices than this make no daily volatility
_COVERAGE = 0.7  # share of a window that must be covered
_BULL_MA_PCT, _BULL_RETURN_PCT = 5.0, 10.0


def context_of(candles: Candles, index_usd: float, now: datetime) -> MarketContext:
    """
    The context at *now*, from the closed *candles* and the index of this moment.

    Nothing stands in for what is missing: a window the history does not cover is None.
    """
    now_ms = epoch_ms(now)
    return_30d = _return_pct(candles, index_usd, now_ms, days=30)
    from_200d = _from_mean_pct(candles, index_usd, now_ms, days=200)
    return MarketContext(
        regime=_regime(from_200d, return_30d),
        return_1d_pct=_return_pct(candles, index_usd, now_ms, days=1),
        return_7d_pct=_return_pct(candles, index_usd, now_ms, days=7),
        return_30d_pct=return_30d,
        realized_vol_7d=_vol(candles, now_ms, days=7),
        realized_vol_30d=_vol(candles, now_ms, days=30),
        pct_from_50d_ma=_from_mean_pct(candles, index_usd, now_ms, days=50),
        pct_from_200d_ma=from_200d,
    )


def _regime(from_200d_pct: float | None, return_30d_pct: float | None) -> str:
    if from_200d_pct is None or return_30d_pct is None:
        return "unknown"
    if from_200d_pct > _BULL_MA_PCT and return_30d_pct > _BULL_RETURN_PCT:
        return "bull"
    if from_200d_pct < -_BULL_MA_PCT and return_30d_pct < -_BULL_RETURN_PCT:
        return "bear"
    return "sideways"


def _return_pct(candles: Candles, index_usd: float, now_ms: int, *, days: int) -> float | None:
    """Percent since the last close *days* ago, if one is at most a day older than that."""
    then_ms = now_ms - days * _DAY_MS
    row = int(np.searchsorted(candles.closed_at_ms, then_ms, side="right")) - 1
    if row < 0 or candles.closed_at_ms[row] < then_ms - _DAY_MS:
        return None
    return 100.0 * (index_usd / float(candles.close[row]) - 1.0)


def _vol(candles: Candles, now_ms: int, *, days: int) -> float | None:
    rows = (candles.closed_at_ms > now_ms - days * _DAY_MS) & (candles.closed_at_ms <= now_ms)
    seen_at, close = candles.closed_at_ms[rows], candles.close[rows]
    if len(close) < days * _COVERAGE * _MIN_RETURNS_PER_DAY:
        return None
    if seen_at[-1] - seen_at[0] < days * _COVERAGE * _DAY_MS:
        return None
    return realised_vol(seen_at, close)


def _from_mean_pct(candles: Candles, index_usd: float, now_ms: int, *, days: int) -> float | None:
    closes = _daily_closes(candles, now_ms, days)
    if len(closes) < days * _COVERAGE:
        return None
    return 100.0 * (index_usd / float(closes.mean()) - 1.0)


def _daily_closes(candles: Candles, now_ms: int, days: int) -> Floats:
    """The last close of each finished UTC day of the window."""
    day = (candles.closed_at_ms - 1) // _DAY_MS  # a bar that closes at 00:00 ends the day before
    today = now_ms // _DAY_MS
    rows = (day < today) & (day >= today - days)
    last_of_day = np.append(day[rows][1:] != day[rows][:-1], True)[: rows.sum()]
    closes: Floats = candles.close[rows][last_of_day]
    return closes
