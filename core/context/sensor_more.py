"""Figures published beside the eleven sensors; no rule reads them."""

from math import log

import numpy as np

from core.context.sensor_bars import DailyBars, forecast_vol
from core.context.sensor_chain import Skew
from core.context.sensor_figures import FORECAST_DECAY
from core.context.sensor_values import (
    Figure,
    MarketFacts,
    Operand,
    SensorInputs,
    SensorReading,
)
from core.context.sensor_ways import RANK_DAYS, recent_closes
from core.stats.indicators import PERIOD, atr, choppiness

_MONTH_DAYS = 30
_LEAST_COVERED = 0.6  # of the window of a percentile


def more_readings(
    inputs: SensorInputs,
    bars: DailyBars,
    iv: Figure,
    skew: Skew | None,
    market: MarketFacts,
) -> tuple[SensorReading, ...]:
    """Return the figures of the coin of *inputs*; *iv* is that of thirty days, points."""
    forecast = forecast_vol(bars, _MONTH_DAYS, FORECAST_DECAY)
    points = None if skew is None else skew.points
    return (
        *_premiums(iv.value, forecast),
        _percentile(inputs, iv.value),
        *_of_bars(bars),
        _read(
            "skew_25d_per_atm",
            None if points is None or not market.month_iv else points / market.month_iv,
            "skew_25d / ATM IV at 30 d",
            Operand("skew_25d", points),
            Operand("atm_30d", market.month_iv),
        ),
        _read("forward_iv_7_30", market.forward_iv, "ATM IV between the front and the month"),
    )


def _premiums(iv: float | None, forecast: float | None) -> tuple[SensorReading, ...]:
    """The premium over what volatility is expected to be: in points, in variance, as a ratio."""
    points = variance = ratio = None
    if iv is not None and forecast is not None:
        points, variance = iv - forecast, (iv / 100.0) ** 2 - (forecast / 100.0) ** 2
        ratio = 2.0 * log(iv / forecast) if iv > 0.0 and forecast > 0.0 else None
    inputs = (Operand("iv_30d", iv), Operand("rv_forecast", forecast))
    return (
        _read("vrp_fcst_30d", points, "iv_30d - forecast, EWMA 0.94 a day", *inputs),
        _read("vrp_var_30d", variance, "iv_30d^2 - forecast^2, as fractions", *inputs),
        _read("vrp_ratio_30d", ratio, "ln(iv_30d^2 / forecast^2)", *inputs),
    )


def _percentile(inputs: SensorInputs, iv: float | None) -> SensorReading:
    """The share of half a year's closes strictly below; unknown where most days are missing."""
    past = recent_closes(inputs)
    share = None
    if iv is not None and len(past) >= _LEAST_COVERED * RANK_DAYS:
        share = float(np.mean(past < iv))
    return _read(
        "iv_percentile_6m",
        share,
        "share of daily closes below iv_30d",
        Operand("iv_30d", iv),
        Operand("closes", float(len(past))),
    )


def _of_bars(bars: DailyBars) -> tuple[SensorReading, ...]:
    run = bars.unbroken()
    is_known = len(run) > PERIOD
    chop = float(choppiness(run.high, run.low, run.close)[-1]) if is_known else None
    mean_range = float(atr(run.high, run.low, run.close)[-1]) if is_known else None
    count = Operand("bars", float(len(run)))
    return (
        _read("choppiness_14d", chop, "Choppiness Index, 14 daily bars", count),
        _read("atr_14d", mean_range, "Wilder's ATR, 14 daily bars, USD", count),
    )


def _read(name: str, value: float | None, formula: str, *inputs: Operand) -> SensorReading:
    is_known = value is not None and np.isfinite(value)
    return SensorReading(
        name=name,
        value=value if is_known else None,
        formula=formula,
        source="beside the sensors",
        inputs=inputs,
    )
