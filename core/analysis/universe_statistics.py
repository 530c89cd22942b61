"""What a market's history, recorded or invented, is judged by: figures of one path."""

from collections.abc import Mapping
from math import log, sqrt

import numpy as np
from attrs import field, frozen

from ports.columns import Floats

TENORS = (7.0, 14.0, 30.0, 60.0, 90.0, 180.0)  # days, of the columns of atm
_DAYS_A_YEAR = 365.0
_VRP_DAYS = 30
_WINDOW = 90
_TAIL = 0.05


@frozen(kw_only=True, eq=False)
class MarketSeries:
    """
    One coin from one midnight to another; NaN is not known.

    *log_price* by the hour, (24 d + 1,); the rest at each midnight, (d + 1,): *vol_index* and
    the smile in points, *atm* (d + 1, tenors), *rr_30* and *bf_30* of 25 delta. *first_weekday*
    is that of the first hour, Monday 0.
    """

    first_weekday: int
    log_price: Floats = field(repr=False)
    vol_index: Floats = field(repr=False)
    atm: Floats = field(repr=False)
    rr_30: Floats = field(repr=False)
    bf_30: Floats = field(repr=False)


@frozen(kw_only=True, eq=False)
class SmileSeries:
    """The smile of one coin at each midnight, (d,), as in MarketSeries; *log_price* with it."""

    log_price: Floats = field(repr=False)
    atm: Floats = field(repr=False)
    rr_30: Floats = field(repr=False)
    bf_30: Floats = field(repr=False)


def statistics(series: MarketSeries) -> Mapping[str, float]:
    """Return every figure of *series* by its name; NaN where too little is known, or moves."""
    smiles = SmileSeries(
        log_price=series.log_price[::24], atm=series.atm, rr_30=series.rr_30, bf_30=series.bf_30
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # of what never moves
        return {
            **_of_returns(series),
            **_of_vol_index(series),
            **_of_premium(series),
            **smile_statistics(smiles),
        }


def smile_statistics(series: SmileSeries) -> Mapping[str, float]:
    """Return the figures of rows 15 to 18; NaN where too little is known."""
    week, month, quarter = (series.atm[:, TENORS.index(days)] for days in (7.0, 30.0, 90.0))
    moves = np.diff(np.log(series.atm), axis=0)
    moves = moves[np.isfinite(moves).all(axis=1)]
    returns = np.diff(series.log_price)
    return {
        "inverted_7_30": _share_above(week, month),
        "inverted_30_90": _share_above(month, quarter),
        "damping": _damping(moves),
        "first_component": _first_component(moves),
        "rr_mean": _mean(series.rr_30),
        "rr_sd": _deviation(series.rr_30),
        "rr_acf": autocorrelation(series.rr_30, 1),
        "rr_spot": correlation(returns, np.diff(series.rr_30)),
        "bf_mean": _mean(series.bf_30),
        "bf_sd": _deviation(series.bf_30),
    }


def _of_returns(series: MarketSeries) -> Mapping[str, float]:
    hourly = np.diff(series.log_price)
    daily = np.diff(series.log_price[::24])
    size = np.abs(daily)
    squares = (hourly**2).reshape(-1, 24)
    realised = squares.sum(axis=1)
    log_realised = np.log(np.where(realised > 0.0, realised, np.nan))
    weekday = (series.first_weekday + np.arange(len(daily))) % 7
    return {
        "vol": float(np.std(daily)) * sqrt(_DAYS_A_YEAR),
        "kurtosis_daily": kurtosis(daily),
        "kurtosis_hourly": kurtosis(hourly),
        "kurtosis_20d": kurtosis(series.log_price[480::24] - series.log_price[:-480:24]),
        "hill": _hill(size),
        "acf_return": autocorrelation(daily, 1),
        "acf_abs_1": autocorrelation(size, 1),
        "acf_abs_20": float(np.mean([autocorrelation(size, lag) for lag in range(1, 21)])),
        "acf_abs_60": autocorrelation(size, 60),
        "acf_rv_1": autocorrelation(log_realised, 1),
        "acf_rv_5": autocorrelation(log_realised, 5),
        "acf_rv_20": autocorrelation(log_realised, 20),
        "leverage": sum((correlation(daily[:-lag], daily[lag:] ** 2) for lag in range(1, 11)), 0.0),
        "weekend": _mean(squares[weekday >= 5]) / _mean(squares[weekday < 5]),
    }


def _of_vol_index(series: MarketSeries) -> Mapping[str, float]:
    level = np.log(series.vol_index)
    moves = np.diff(level)
    returns = np.diff(series.log_price[::24])
    windows = _rolling_correlation(returns, moves)
    known = moves[np.isfinite(moves)]
    return {
        "iv_move_sd": float(np.std(known)) if len(known) else np.nan,
        "iv_move_kurtosis": kurtosis(moves),
        "iv_move_skew": _skewness(moves),
        "iv_half_life_1": _half_life(level, 1),
        "iv_half_life_20": _half_life(level, 20),
        "iv_q05": _quantile(series.vol_index, 0.05),
        "iv_q95": _quantile(series.vol_index, 0.95),
        "spot_vol": correlation(returns, moves),
        "spot_vol_q05": _quantile(windows, 0.05),
        "spot_vol_q95": _quantile(windows, 0.95),
    }


def _of_premium(series: MarketSeries) -> Mapping[str, float]:
    """The index less what the thirty days after it realised, by daily closes; points."""
    summed = np.concatenate([[0.0], np.cumsum(np.diff(series.log_price[::24]) ** 2)])
    coming = (summed[_VRP_DAYS:] - summed[:-_VRP_DAYS]) * _DAYS_A_YEAR / _VRP_DAYS
    premium = series.vol_index[: len(coming)] - 100.0 * np.sqrt(coming)
    premium = premium[np.isfinite(premium)]
    if not len(premium):
        return dict.fromkeys(("vrp_mean", "vrp_sd", "vrp_positive", "vrp_q05"), np.nan)
    return {
        "vrp_mean": float(np.mean(premium)),
        "vrp_sd": float(np.std(premium)),
        "vrp_positive": float(np.mean(premium > 0.0)),
        "vrp_q05": _quantile(premium, 0.05),
    }


def kurtosis(values: Floats) -> float:
    """Return the excess kurtosis of the known *values*, by moments of the sample."""
    apart = values[np.isfinite(values)]
    if len(apart) < 4:
        return np.nan
    squares = (apart - np.mean(apart)) ** 2
    return float(np.mean(squares**2) / np.mean(squares) ** 2) - 3.0


def autocorrelation(values: Floats, lag: int) -> float:
    """Return the correlation of *values* with themselves *lag* rows later, about one mean."""
    known = np.isfinite(values)
    pairs = int(np.sum(known[:-lag] & known[lag:]))
    if pairs < 3:
        return np.nan
    apart = np.where(known, values - np.mean(values[known]), 0.0)
    scale = apart @ apart / known.sum() * len(apart)
    return float(apart[:-lag] @ apart[lag:] / pairs * (len(apart) - lag) / scale)


def correlation(one: Floats, other: Floats) -> float:
    """Return the correlation of the rows known in both columns."""
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 3:
        return np.nan
    a, b = one[known] - np.mean(one[known]), other[known] - np.mean(other[known])
    return float(np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b)))


def _rolling_correlation(one: Floats, other: Floats) -> Floats:
    """The correlation over every ninety rows; NaN where a row in them is not known."""
    if len(one) < _WINDOW:
        return np.empty(0)
    a, b = (np.lib.stride_tricks.sliding_window_view(each, _WINDOW) for each in (one, other))
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (a, b))
    found: Floats = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return found


def _hill(size: Floats) -> float:
    """The tail index of the largest five per cent. Source: Hill (1975), Annals of Statistics 3."""
    largest = np.sort(size)[::-1]
    count = int(_TAIL * len(largest))
    if not count:
        return np.nan
    return float(1.0 / np.mean(np.log(largest[:count] / largest[count])))


def _skewness(values: Floats) -> float:
    apart = values[np.isfinite(values)]
    if len(apart) < 3:
        return np.nan
    apart = apart - np.mean(apart)
    return float(np.mean(apart**3) / np.mean(apart**2) ** 1.5)


def _half_life(level: Floats, lag: int) -> float:
    """Days in which an AR(1) of the same autocorrelation forgets half; NaN if that is not one."""
    share = autocorrelation(level, lag)
    return -lag * log(2.0) / log(share) if 0.0 < share < 1.0 else np.nan


def _damping(moves: Floats) -> float:
    """The power of maturity by which a day's move of volatility falls."""
    if len(moves) < 3 or not (np.std(moves, axis=0) > 0.0).all():
        return np.nan
    return float(np.polyfit(np.log(TENORS), np.log(np.std(moves, axis=0)), 1)[0])


def _first_component(moves: Floats) -> float:
    """The share of all variance of moves that one common factor has."""
    if len(moves) < 3:
        return np.nan
    shares = np.linalg.eigvalsh(np.cov(moves.T))
    return float(shares[-1] / shares.sum())


def _share_above(one: Floats, other: Floats) -> float:
    known = np.isfinite(one) & np.isfinite(other)
    return float(np.mean(one[known] > other[known])) if known.any() else np.nan


def _quantile(values: Floats, share: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.quantile(known, share)) if len(known) else np.nan


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.mean(known)) if len(known) else np.nan


def _deviation(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.std(known)) if len(known) else np.nan
