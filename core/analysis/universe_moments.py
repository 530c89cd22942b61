"""An invented market from history by closed formulas: regimes, hours, level and drift."""

from math import exp, gamma, log

import numpy as np
from attrs import evolve, frozen

from core.analysis.universe_free import generic
from core.analysis.universe_series import MarketHistory, recorded_series
from core.simulation.universe.params import CoinUniverse
from core.simulation.universe.regimes import RegimeModel, RegimeParams, Scaler
from core.stats.regimes import (
    HiddenRegimes,
    StatesTried,
    begins_of,
    chosen,
    fitted,
    tried_states,
)
from core.stats.volatility import trailing_variance
from ports.columns import Floats, Ints

SENSORS = ("ln_iv_30d", "ln_rv7_rv30", "vrp_ratio", "spot_vol_60d")
_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_CORRELATION_DAYS = 60
_FEWEST_DAYS = 400
_INDEX_RATIO = 1.05  # DVOL over ATM30: 2.3 to 2.5 points more, on volatilities of 45 to 60
_FAST_DAYS, _SKEW_DAYS = 5.0, 4.0
_POWER = 1.5  # of absolute returns, between their mean and their mean square
_SHRINKAGE = 0.5  # of the drift, towards none
_REPEATS = 20  # of EM and its starts for the number of states that is used: its maxima are many
_SHAPES = (0.7, 2.0)  # of a dwell's Weibull law: a handful of stays says no more


@frozen(kw_only=True, eq=False)
class RegimesFound:
    """The regimes of a history, and every number of states that was tried."""

    model: RegimeModel
    tried: tuple[StatesTried, ...]


def started(
    history: MarketHistory, states: int | None, rng: np.random.Generator
) -> tuple[CoinUniverse, RegimesFound]:
    """
    Return the market that closed formulas make of *history*, from which simulation goes on.

    What they do not tell starts from the same figures whatever the coin.

    *states* None leaves their number to BIC and stability.

    Raises:
        ValueError: There are fewer than 400 days with price and volatility index.
    """
    found = regimes_found(history, states, rng)
    weekday, hour = hourly_shares(history)
    level = float(np.mean(np.log(history.vol_index / 100.0)))
    years = float(history.closed_at_ms[-1] - history.closed_at_ms[0]) / (365.0 * _DAY_MS)
    growth = log(float(history.close[-1] / history.close[0])) / years
    variance = float(np.var(np.diff(recorded_series(history).log_price[::24]))) * 365.0
    drift = 0.5 * variance + _SHRINKAGE * growth
    model = evolve(
        found.model, regimes=tuple(evolve(each, drift=drift) for each in found.model.regimes)
    )
    coin = CoinUniverse(
        underlying=history.underlying,
        start_usd=float(history.close[-1]),
        regimes=model,
        dynamics=generic(exp(level) / _INDEX_RATIO),
        weekday=weekday,
        hour=hour,
    )
    return coin, found


def regimes_found(
    history: MarketHistory, states: int | None, rng: np.random.Generator
) -> RegimesFound:
    """
    Return the regimes behind the daily sensors of *history*: a hidden Markov model.

    Term structure and skew are left out, being recorded for a few months only; the correlation
    of spot and volatility stands in, since regimes differ in its sign.

    Raises:
        ValueError: There are fewer than 400 days of sensors.
    """
    days = _sensor_days(history)
    if len(days.rows) < _FEWEST_DAYS:
        raise ValueError(f"{len(days.rows)} days of sensors are too few, {_FEWEST_DAYS} are needed")
    begins = begins_of(days.at_ms)
    tried = tried_states(days.rows, begins, rng)
    count = chosen(tried).model.states if states is None else states
    repeats = [fitted(days.rows, begins, count, rng) for _ in range(_REPEATS)]
    best = max(repeats, key=lambda model: model.log_likelihood)
    labels = np.argmax(best.filtered(days.rows, begins), axis=1)
    return RegimesFound(model=_regime_model(history.underlying, best, days, labels), tried=tried)


def hourly_shares(history: MarketHistory) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """
    Return the shares of variance by weekday, Monday first, and by hour UTC, each of mean 1.

    By the mean of absolute returns to the power of 1.5, brought back to that of a variance: a few
    large moves decide less than in a mean of squares.
    """
    size = np.abs(np.diff(np.log(history.close)))
    is_hourly = np.diff(history.closed_at_ms) == _HOUR_MS
    began, size = history.closed_at_ms[:-1][is_hourly], size[is_hourly]
    return (
        _shares(size, (began // _DAY_MS + 3) % 7, 7),
        _shares(size, began // _HOUR_MS % 24, 24),
    )


@frozen(eq=False)
class _SensorDays:
    """Days on which every sensor is known, rows (n, 4), with volatilities as fractions."""

    at_ms: Ints
    rows: Floats
    implied: Floats
    realised: Floats
    returned: Floats  # log return, and change of ln IV, of the day that ends
    moved: Floats


def _sensor_days(history: MarketHistory) -> _SensorDays:
    known = (history.index_at_ms >= history.closed_at_ms[0]) & (
        history.index_at_ms <= history.closed_at_ms[-1]
    )
    at_ms, implied = history.index_at_ms[known], history.vol_index[known] / 100.0
    week, month = (
        trailing_variance(history.closed_at_ms, history.close, at_ms, days) for days in (7.0, 30.0)
    )
    rows = np.searchsorted(history.closed_at_ms, at_ms, side="right") - 1
    returned = np.diff(np.log(history.close[rows]), prepend=np.nan)
    moved = np.diff(np.log(implied), prepend=np.nan)
    sensors = np.column_stack(
        [
            np.log(implied),
            0.5 * np.log(week / month),
            np.log(implied**2 / month),
            _trailing_correlation(returned, moved),
        ]
    )
    whole = np.isfinite(sensors).all(axis=1)
    return _SensorDays(
        at_ms[whole],
        sensors[whole],
        implied[whole],
        np.sqrt(month[whole]),
        returned[whole],
        moved[whole],
    )


def _trailing_correlation(one: Floats, other: Floats) -> Floats:
    found = np.full(len(one), np.nan)
    for row in range(_CORRELATION_DAYS, len(one)):
        window = slice(row - _CORRELATION_DAYS + 1, row + 1)
        found[row] = np.corrcoef(one[window], other[window])[0, 1]
    return found


def _regime_model(
    underlying: str, model: HiddenRegimes, days: _SensorDays, labels: Ints
) -> RegimeModel:
    stays = _stays(labels)
    regimes = tuple(
        _regime(f"regime {state + 1}", days, labels == state, stays[state])
        for state in range(model.states)
    )
    transitions = model.transitions / model.transitions.sum(axis=1, keepdims=True)
    return RegimeModel(
        underlying=underlying,
        regimes=regimes,
        transitions=tuple(tuple(row) for row in transitions.tolist()),
        scaler=Scaler(
            sensors=SENSORS,
            mean=tuple(model.mean.tolist()),
            deviation=tuple(model.deviation.tolist()),
        ),
        centroids=tuple(tuple(row) for row in model.means.tolist()),
    )


def _regime(name: str, days: _SensorDays, inside: Floats, stays: Floats) -> RegimeParams:
    implied, realised = days.implied[inside], days.realised[inside]
    mean, spread = float(np.mean(stays)), float(np.std(stays))
    shape = float(np.clip((spread / mean) ** -1.086 if spread > 0.0 else 2.0, *_SHAPES))
    rho = float(np.corrcoef(days.returned[inside], days.moved[inside])[0, 1])
    realised_level = float(np.sqrt(np.mean(realised**2)))
    return RegimeParams(
        name=name,
        mu_rv_30d=100.0 * realised_level,
        mu_vrp_30d=float(np.mean(implied)) / realised_level - 1.0,
        iv_level_sigma=100.0 * float(np.std(implied)),
        phi_iv=exp(-1.0 / _FAST_DAYS),
        phi_skew=exp(-1.0 / _SKEW_DAYS),
        spot_vol_correlation=rho,
        dwell_days=mean / gamma(1.0 + 1.0 / shape),
        dwell_shape=shape,
        weight=float(np.mean(inside)),
    )


def _stays(labels: Ints) -> dict[int, Floats]:
    """The lengths in days of the stays in each state."""
    turns = np.flatnonzero(np.diff(labels)) + 1
    starts = np.concatenate([[0], turns])
    lengths = np.diff(np.concatenate([starts, [len(labels)]])).astype(np.float64)
    return {int(state): lengths[labels[starts] == state] for state in np.unique(labels)}


def _shares(size: Floats, group: Ints, count: int) -> tuple[float, ...]:
    summed = np.bincount(group, weights=size**_POWER, minlength=count)
    means = (summed / np.bincount(group, minlength=count)) ** (2.0 / _POWER)
    shares: Floats = means / np.mean(means)
    return tuple(shares.tolist())
