"""The volatilities that sensors rest on, each from the best source there is."""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
from attrs import frozen

from core.context.sensor_bars import DailyBars, daily_vol, forecast_vol, hourly_vol
from core.context.sensor_chain import FRONT, MONTH, Skew, atm_iv, expiry_in, skew_of
from core.context.sensor_values import Figure, SensorInputs, SensorParams, SensorVariant
from ports.checks import epoch_ms, from_epoch_ms
from ports.market_data import MarketSnapshot
from ports.volatility import VolIndexSeries

INDEX, ATM, STATE, GIVEN = "volatility index", "at-the-money mark", "agent state", "given"
PUBLISHED, HOURLY, DAILY, FORECAST = "published", "hourly closes", "daily closes", "forecast"
_MONTH_HOURS, _WEEK_HOURS = 720, 168
_FRESH = timedelta(hours=24)  # what the index and a chain may be old
_LATER = timedelta(minutes=1)  # a chain is read after the instant it is asked for
_LEAST_COVERED = 0.9
FORECAST_DECAY = 0.94  # a day, RiskMetrics


@frozen(kw_only=True, eq=False)
class ChainReading:
    """What the chain says, points; None where it does not."""

    front_iv: float | None = None
    month_iv: float | None = None
    skew: Skew | None = None
    front_expiry: str = ""
    month_expiry: str = ""


def chain_reading(inputs: SensorInputs) -> ChainReading:
    """Return what the chain of *inputs* says; nothing where it is older than a day."""
    seen = fresh_chain(inputs)
    if seen is None:
        return ChainReading()
    front = expiry_in(seen.chain, seen.taken_at, FRONT)
    month = expiry_in(seen.chain, seen.taken_at, MONTH)
    spot = seen.index_usd
    return ChainReading(
        front_iv=None if front is None else atm_iv(seen.chain, front, spot),
        month_iv=None if month is None else atm_iv(seen.chain, month, spot),
        skew=None if month is None else skew_of(seen.chain, month, spot, seen.taken_at),
        front_expiry=_name(front),
        month_expiry=_name(month),
    )


def fresh_chain(inputs: SensorInputs) -> MarketSnapshot | None:
    """The snapshot of *inputs* unless it is older than a day."""
    seen = inputs.snapshot
    is_fresh = seen is not None and -_LATER <= inputs.now - seen.taken_at <= _FRESH
    return seen if is_fresh else None


def iv_30d(inputs: SensorInputs, chain: ChainReading, params: SensorParams) -> Figure:
    """The agent's own state, else the volatility index of the last day, else at the money."""
    at_the_money = Figure(value=chain.month_iv, source=ATM, note=chain.month_expiry)
    ways = [
        Figure(value=_positive(inputs.iv_state), source=STATE),
        _index_now(inputs),
        at_the_money,
    ]
    if params.has(SensorVariant.ATM_VOLATILITY):
        ways.insert(0, at_the_money)
    return _first(ways)


def iv_7d(inputs: SensorInputs, chain: ChainReading) -> Figure:
    """What a caller gave, else at the money."""
    return _first(
        (
            Figure(value=_positive(inputs.iv_7d), source=GIVEN),
            Figure(value=chain.front_iv, source=ATM, note=chain.front_expiry),
        )
    )


def rv_30d(inputs: SensorInputs, bars: DailyBars, params: SensorParams) -> Figure:
    """What the venue publishes, else our own hourly closes, else daily ones."""
    if params.has(SensorVariant.FORECAST_PREMIUM):
        return _expected(bars, 30)
    published = Figure(
        value=_positive(inputs.published_vol), source=PUBLISHED, note="the venue's fifteen days"
    )
    is_own = params.has(SensorVariant.OWN_VOLATILITY)
    hourly = _hourly(inputs, _MONTH_HOURS, _LEAST_COVERED if is_own else 0.0)
    daily = Figure(value=daily_vol(bars, 30), source=DAILY, note="30 returns")
    return _first((hourly, published, daily) if is_own else (published, hourly, daily))


def rv_7d(inputs: SensorInputs, bars: DailyBars, params: SensorParams) -> Figure:
    """Of hourly closes, else of daily ones."""
    if params.has(SensorVariant.FORECAST_PREMIUM):
        return _expected(bars, 7)
    daily = Figure(value=daily_vol(bars, 7), source=DAILY, note="7 returns")
    return _first((_hourly(inputs, _WEEK_HOURS, 0.0), daily))


def _expected(bars: DailyBars, days: int) -> Figure:
    value = forecast_vol(bars, days, FORECAST_DECAY)
    return Figure(value=value, source=FORECAST, note="EWMA 0.94 a day")


def _hourly(inputs: SensorInputs, hours: int, least_covered: float) -> Figure:
    if inputs.candles is None:
        return Figure()
    value = hourly_vol(inputs.candles, inputs.now, hours, least_covered)
    return Figure(value=value, source=HOURLY, note=f"{hours} h")


def _index_now(inputs: SensorInputs) -> Figure:
    """The newest close of the index, hourly or daily, if it is of the last day."""
    newest: tuple[int, float] | None = None
    for series in (inputs.vol_index, inputs.vol_index_now):
        found = _last(series, epoch_ms(inputs.now))
        if found is not None and (newest is None or found[0] >= newest[0]):
            newest = found
    if newest is None or inputs.now - from_epoch_ms(newest[0]) > _FRESH:
        return Figure()
    closed = from_epoch_ms(newest[0])
    return Figure(value=newest[1], source=INDEX, note=f"close of {closed:%Y-%m-%d %H:%M}")


def _last(series: VolIndexSeries | None, now_ms: int) -> tuple[int, float] | None:
    if series is None:
        return None
    known = np.flatnonzero((series.closed_at_ms <= now_ms) & (series.close > 0.0))
    if not len(known):
        return None
    return int(series.closed_at_ms[known[-1]]), float(series.close[known[-1]])


def _first(ways: Iterable[Figure]) -> Figure:
    return next((way for way in ways if way.value is not None), Figure())


def _positive(value: float | None) -> float | None:
    return value if value is not None and 0.0 < value < float("inf") else None


def _name(expiry_ms: int | None) -> str:
    return "" if expiry_ms is None else f"expiry {from_epoch_ms(expiry_ms):%Y-%m-%d}"
