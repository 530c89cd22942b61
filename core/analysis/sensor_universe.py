"""Sensors of an invented market, a step a day, as the live sensors would read them."""

import numpy as np

from core.analysis.sensor_series import SensorSeries
from core.analysis.universe_series import invented_series
from core.analysis.universe_statistics import TENORS, MarketSeries
from core.simulation.universe.params import UniverseParams
from core.simulation.universe.paths import coin_path
from core.stats.indicators import adx, mean_of_last, rsi
from ports.columns import Floats

SOURCE = "universe"
LEAD_DAYS = 250  # before the first step, as far as the live sensors look back

_WEEK, _MONTH = TENORS.index(7.0), TENORS.index(30.0)
_HOURS_A_YEAR = 8760.0
_RANKED_DAYS, _MEAN_DAYS = 180, 200


def universe_series(
    universe: UniverseParams, underlying: str, *, paths: int, steps: int, seed: int
) -> SensorSeries:
    """
    Return *paths* of *steps* days of *underlying*; a path depends on the seed and its number.

    Raises:
        ValueError: *universe* has no such coin.
    """
    coin = universe.coin(underlying)
    drawn = [
        sensor_columns(
            invented_series(coin, coin_path(universe, underlying, seed, path, LEAD_DAYS + steps))
        )
        for path in range(paths)
    ]
    columns = {name: np.stack([path[name] for path in drawn]) for name in drawn[0]}
    return SensorSeries(underlying=underlying, source=SOURCE, columns=columns)


def sensor_columns(series: MarketSeries) -> dict[str, Floats]:
    """
    The sensors at the end of each day of *series* behind the first LEAD_DAYS, by name.

    The index stands for iv_30d, the smile's constant maturities for the chain; realised
    volatility is of hourly closes. There is no funding.
    """
    first = LEAD_DAYS + 1
    iv_30d, iv_7d = series.vol_index[first:], series.atm[first:, _WEEK]
    rv_30d, rv_7d = _realised(series, 720)[first:], _realised(series, 168)[first:]
    return {
        "vrp_30d": iv_30d - rv_30d,
        "vrp_7d": iv_7d - rv_7d,
        "front_rv_iv_ratio": rv_7d / iv_7d,
        "chop_factor_7d": rv_7d / iv_30d,
        "iv_rank_6m": _rank(series.vol_index)[first:],
        "term_structure_spread": iv_7d - series.atm[first:, _MONTH],
        "skew_25d": -series.rr_30[first:],
        **{name: column[first - 1 :] for name, column in _of_bars(series.log_price).items()},
    }


def _realised(series: MarketSeries, hours: int) -> Floats:
    """Volatility of the last *hours* closes at each midnight, points; NaN at first."""
    returns = np.diff(series.log_price)
    found = np.full(len(series.vol_index), np.nan)
    count = hours - 1  # so many returns lie between so many closes
    windows = np.lib.stride_tricks.sliding_window_view(returns, count)
    ends = np.arange(hours // 24, len(found))
    deviation = windows[24 * ends - count].std(axis=1, ddof=1)
    found[ends] = 100.0 * np.sqrt(_HOURS_A_YEAR) * deviation
    return found


def _rank(index: Floats) -> Floats:
    """Where each close of the index lies between low and high of the last half year, 0..1."""
    found = np.full(len(index), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(index, _RANKED_DAYS)
    low, high = windows.min(axis=1), windows.max(axis=1)
    width = np.where(high > low, high - low, np.nan)
    found[_RANKED_DAYS - 1 :] = (index[_RANKED_DAYS - 1 :] - low) / width
    return found


def _of_bars(log_price: Floats) -> dict[str, Floats]:
    """The sensors of daily bars, at the end of each day, (d,)."""
    hourly = np.exp(log_price)
    days = (len(hourly) - 1) // 24
    inside = np.lib.stride_tricks.sliding_window_view(hourly, 25)[: 24 * days : 24]
    high, low, close = inside.max(axis=1), inside.min(axis=1), inside[:, -1]
    return {
        "adx_14d": adx(high, low, close),
        "rsi_14d": rsi(close),
        "price_vs_ma200": 100.0 * (close / mean_of_last(close, _MEAN_DAYS) - 1.0),
    }
