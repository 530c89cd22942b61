"""The eleven sensors of a coin, from prices, volatility index and chain, each with its way."""

from datetime import datetime

import numpy as np
from attrs import frozen

from core.context.sensor_bars import DAY_MS, DailyBars, daily_bars
from core.context.sensor_figures import chain_reading, iv_7d, iv_30d, rv_7d, rv_30d
from core.context.sensor_market import market_facts
from core.context.sensor_more import more_readings
from core.context.sensor_values import (
    Figure,
    SensorBundle,
    SensorInputs,
    SensorParams,
    SensorReading,
)
from core.context.sensor_ways import (
    adx_14d,
    difference,
    predicted_funding,
    price_vs_ma200,
    rank_in_index,
    ratio,
    rsi_14d,
    skew_25d,
    term_spread,
)
from core.context.sensors import SENSORS, Sensors
from ports.checks import epoch_ms

_LEAST_BARS = 30


def sensor_bundle(inputs: SensorInputs, params: SensorParams | None = None) -> SensorBundle:
    """
    Return the sensors that *inputs* give at their instant, and what they were made from.

    Without thirty finished days up to yesterday nothing is known. Any other missing input only
    voids the sensors that need it.
    """
    params = params or SensorParams()
    days = _days(inputs, params)
    bars, fault = days.bars, days.fault
    if fault:
        return _nothing_known(inputs, fault)
    chain = chain_reading(inputs)
    month, front = iv_30d(inputs, chain, params), iv_7d(inputs, chain)
    moved_month, moved_week = rv_30d(inputs, bars, params), rv_7d(inputs, bars, params)
    readings = (
        difference("vrp_30d", "iv_30d", month, "rv_30d", moved_month),
        difference("vrp_7d", "iv_7d", front, "rv_7d", moved_week),
        ratio("front_rv_iv_ratio", "rv_7d", moved_week, "iv_7d", front),
        ratio("chop_factor_7d", "rv_7d", moved_week, "iv_30d", month),
        rank_in_index(inputs, month, params),
        term_spread(inputs, chain, (front, month), params),
        skew_25d(chain),
        adx_14d(bars),
        rsi_14d(bars),
        price_vs_ma200(bars),
        predicted_funding(inputs),
    )
    market = market_facts(inputs, bars)
    return SensorBundle(
        underlying=inputs.underlying,
        at=inputs.now,
        data_source=inputs.data_source,
        sensors=Sensors(**{each.name: each.value for each in readings}),
        spot=Figure(value=float(bars.close[-1]), source="daily closes"),
        iv_30d=month,
        iv_7d=front,
        rv_30d=moved_month,
        rv_7d=moved_week,
        market=market,
        readings=readings,
        more=more_readings(inputs, bars, month, chain.skew, market),
        faults=inputs.faults,
    )


@frozen(eq=False)
class _Days:
    """The finished days, and why they are not enough; empty if they are."""

    bars: DailyBars
    fault: str = ""


def _days(inputs: SensorInputs, params: SensorParams) -> _Days:
    none = DailyBars([], [], [], [])
    if inputs.candles is None:
        return _Days(none, "no daily series")
    bars = daily_bars(inputs.candles, inputs.now, params.history.days)
    if len(bars) < _LEAST_BARS:
        return _Days(none, f"daily series: {len(bars)} bars, {_LEAST_BARS} are needed")
    if int(bars.day[-1]) != _today(inputs.now) - 1:
        last = np.datetime64(int(bars.day[-1]), "D")
        return _Days(none, f"daily series: it ends on {last}")
    return _Days(bars)


def _today(now: datetime) -> int:
    return epoch_ms(now) // DAY_MS


def _nothing_known(inputs: SensorInputs, fault: str) -> SensorBundle:
    return SensorBundle(
        underlying=inputs.underlying,
        at=inputs.now,
        data_source=inputs.data_source,
        sensors=Sensors(),
        readings=tuple(_unknown(name, fault) for name in SENSORS),
        faults=(fault, *inputs.faults),
    )


def _unknown(name: str, why: str) -> SensorReading:
    return SensorReading(name=name, value=None, formula="", source="", note=why)
