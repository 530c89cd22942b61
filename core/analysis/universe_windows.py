"""Thirty days of a market as figures, and a classifier that tries to tell invented from real."""

from itertools import pairwise

import numpy as np
from attrs import field, frozen

from core.analysis.universe_statistics import MarketSeries
from core.stats.boosting import area_under_curve, boosted
from ports.columns import Bools, Floats, Ints

WINDOW_DAYS = 30
_HOURS = 24 * WINDOW_DAYS
_FOLDS = 5

FEATURES = (
    "ln_iv",
    "iv_change",
    "iv_move_sd",
    "iv_move_largest",
    "iv_over_rv",
    "kurtosis_hourly",
    "kurtosis_daily",
    "spot_vol",
    "log_rv_sd",
    "log_rv_acf",
    "hour_acf_abs_1",
    "hour_acf_abs_24",
    "weekend",
    "trend",
    "day_acf",
    "iv_move_acf",
    "hour_largest",
    "hour_acf",
)


@frozen(eq=False)
class Windows:
    """Thirty-day windows of one series: the day each starts on, (n,), and its features, (n, 18)."""

    start: Ints
    features: Floats = field(repr=False)


@frozen(kw_only=True)
class Distinction:
    """How well the classifier does, 0.5 being not at all, and on how many windows."""

    auc: float
    real_windows: int
    invented_windows: int


def windows_of(series: MarketSeries, step: int) -> Windows:
    """Return the windows that start every *step* days and know the volatility index throughout."""
    days = len(series.vol_index) - 1
    known = np.isfinite(series.vol_index)
    starts = np.arange(0, days - WINDOW_DAYS + 1, step)
    starts = starts[[bool(known[at : at + WINDOW_DAYS + 1].all()) for at in starts.tolist()]]
    if not len(starts):
        return Windows(starts, np.empty((0, len(FEATURES))))
    hours = series.log_price[24 * starts[:, None] + np.arange(_HOURS + 1)]
    index = series.vol_index[starts[:, None] + np.arange(WINDOW_DAYS + 1)]
    weekday = (series.first_weekday + starts[:, None] + np.arange(WINDOW_DAYS)) % 7
    return Windows(starts, _features(hours, index, weekday))


def is_enough(real: Windows) -> bool:
    """Return whether every fold of distinction has *real* windows to train on and to test on."""
    return len(real.start) > 0 and all(
        trained.any() and tested.any() for trained, tested in _folds(real.start)
    )


def distinction(real: Windows, invented: tuple[Windows, ...]) -> Distinction:
    """
    Return how well boosted trees tell *real* windows from those of *invented* paths.

    Five folds by time: a fold's real windows are a stretch of time, those within thirty days of
    it are left out of its training, and its invented paths are not trained on either. Classes
    weigh the same. There must be enough *real* ones: see is_enough.
    """
    rows = np.concatenate([each.features for each in invented])
    fold = np.repeat(np.arange(len(invented)) % _FOLDS, [len(each.start) for each in invented])
    scores, classes = [], []
    for at, (trained, tested) in enumerate(_folds(real.start)):
        is_other = fold != at
        score, is_real = _judged(
            (real.features[trained], rows[is_other]), (real.features[tested], rows[~is_other])
        )
        scores.append(score)
        classes.append(is_real)
    return Distinction(
        auc=area_under_curve(np.concatenate(scores), np.concatenate(classes)),
        real_windows=len(real.start),
        invented_windows=len(rows),
    )


def _folds(start: Ints) -> list[tuple[Bools, Bools]]:
    """Which windows each fold is trained on and which it is tested on, thirty days apart."""
    edges = np.linspace(start.min(), start.max() + 1, _FOLDS + 1)
    return [
        (
            (start < low - WINDOW_DAYS) | (start >= high + WINDOW_DAYS),
            (start >= low) & (start < high),
        )
        for low, high in pairwise(edges.tolist())
    ]


def _judged(train: tuple[Floats, Floats], test: tuple[Floats, Floats]) -> tuple[Floats, Bools]:
    """Scores of the tested rows and whether each is real; both pairs are real, invented."""
    is_real = np.arange(len(train[0]) + len(train[1])) < len(train[0])
    weight = np.where(is_real, len(train[1]) / len(train[0]), 1.0)
    model = boosted(np.concatenate(train), is_real, weight / weight.mean())
    tested = np.concatenate(test)
    return model.score(tested), np.arange(len(tested)) < len(test[0])


def _features(hours: Floats, index: Floats, weekday: Ints) -> Floats:
    """Figures of windows in rows: log prices (n, 721), the index (n, 31), weekdays (n, 30)."""
    hourly, daily = np.diff(hours, axis=1), np.diff(hours[:, ::24], axis=1)
    moves = np.diff(np.log(index), axis=1)
    realised = (hourly.reshape(len(hours), WINDOW_DAYS, 24) ** 2).sum(axis=2)
    log_realised = np.log(np.maximum(realised, 1e-12))
    mean_iv = index.mean(axis=1)
    is_weekend = weekday >= 5
    rest = (realised * is_weekend).sum(axis=1) / is_weekend.sum(axis=1)
    week = (realised * ~is_weekend).sum(axis=1) / (~is_weekend).sum(axis=1)
    columns = (
        np.log(mean_iv),
        np.log(index[:, -1] / index[:, 0]),
        moves.std(axis=1),
        np.abs(moves).max(axis=1) / moves.std(axis=1),
        np.log(mean_iv / 100.0) - 0.5 * np.log(realised.sum(axis=1) * 365.0 / WINDOW_DAYS),
        _kurtosis(hourly),
        _kurtosis(daily),
        _correlation(daily, moves),
        log_realised.std(axis=1),
        _autocorrelation(log_realised, 1),
        _autocorrelation(np.abs(hourly), 1),
        _autocorrelation(np.abs(hourly), 24),
        np.log(rest / week),
        daily.sum(axis=1) / np.sqrt((daily**2).sum(axis=1)),
        _autocorrelation(daily, 1),
        _autocorrelation(moves, 1),
        np.abs(hourly).max(axis=1) / hourly.std(axis=1),
        _autocorrelation(hourly, 1),
    )
    return np.column_stack(columns)


def _kurtosis(rows: Floats) -> Floats:
    squares = (rows - rows.mean(axis=1, keepdims=True)) ** 2
    ratio: Floats = (squares**2).mean(axis=1) / squares.mean(axis=1) ** 2
    return np.log(ratio)


def _autocorrelation(rows: Floats, lag: int) -> Floats:
    apart = rows - rows.mean(axis=1, keepdims=True)
    share: Floats = (apart[:, :-lag] * apart[:, lag:]).sum(axis=1) / (apart**2).sum(axis=1)
    return share


def _correlation(one: Floats, other: Floats) -> Floats:
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (one, other))
    share: Floats = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return share
