"""Figures beside the sensors: each by its definition, and when it is unknown."""

from datetime import UTC, datetime
from math import exp, log, sqrt

import pytest
from attrs import evolve

from core.context.sensor_bars import DailyBars
from core.context.sensor_chain import Skew
from core.context.sensor_more import more_readings
from core.context.sensor_readings import sensor_bundle
from core.context.sensor_values import Figure, MarketFacts, SensorInputs
from core.context.sensors import SENSORS
from tests.support.sensing import daily_index, known_inputs

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARKET = MarketFacts(month_iv=40.0, forward_iv=38.0)
NAMES = (
    *("vrp_fcst_30d", "vrp_var_30d", "vrp_ratio_30d", "iv_percentile_6m"),
    *("choppiness_14d", "atr_14d", "skew_25d_per_atm", "forward_iv_7_30"),
)


def days(count: int, move: float = 0.02) -> DailyBars:
    """Days in a row that go up and down by *move*, with highs and lows ten USD away."""
    close = [100.0 * exp(move * (number % 2)) for number in range(count)]
    high, low = [each + 10.0 for each in close], [each - 10.0 for each in close]
    return DailyBars(list(range(count)), high, low, close)


def figures(
    inputs: SensorInputs, bars: DailyBars, iv: float | None = 50.0, skew: float | None = 5.0
) -> dict[str, float | None]:
    """The figures by name."""
    points = None if skew is None else Skew(points=skew, put_iv=0, call_iv=0, is_proxy=False)
    found = more_readings(inputs, bars, Figure(value=iv), points, MARKET)
    return {each.name: each.value for each in found}


def test_premiums_over_a_forecast() -> None:
    """Equal daily moves of 2 % are 2 % times the root of 365, whatever their weights."""
    found = figures(known_inputs(NOW), days(40))
    forecast = 2.0 * sqrt(365.0)

    assert found["vrp_fcst_30d"] == pytest.approx(50.0 - forecast)
    assert found["vrp_var_30d"] == pytest.approx(0.25 - (forecast / 100.0) ** 2)
    assert found["vrp_ratio_30d"] == pytest.approx(log(0.25 / (forecast / 100.0) ** 2))


def test_the_percentile_counts_what_lies_below() -> None:
    """Strictly; it is unknown with fewer than six tenths of half a year."""
    levels = [49.0] * 60 + [50.0] * 40 + [51.0] * 20
    inputs = known_inputs(NOW, vol_index=daily_index(NOW, levels))
    short = known_inputs(NOW, vol_index=daily_index(NOW, [49.0] * 107))

    assert figures(inputs, days(40))["iv_percentile_6m"] == 0.5
    assert figures(short, days(40))["iv_percentile_6m"] is None
    assert figures(inputs, days(40), iv=None)["iv_percentile_6m"] is None


def test_ranges_of_days() -> None:
    """A market that goes nowhere is choppy, and its mean range is that of its bars."""
    found = figures(known_inputs(NOW), days(40, move=0.0))

    assert found["choppiness_14d"] == pytest.approx(100.0)  # each day's range is the whole
    assert found["atr_14d"] == pytest.approx(20.0)
    assert figures(known_inputs(NOW), days(14))["choppiness_14d"] is None


def test_skew_and_forward_beside_the_money() -> None:
    """A share of the volatility at the money; unknown without it."""
    found = figures(known_inputs(NOW), days(40))
    assert (found["skew_25d_per_atm"], found["forward_iv_7_30"]) == (0.125, 38.0)
    assert figures(known_inputs(NOW), days(40), skew=None)["skew_25d_per_atm"] is None


def test_they_stand_beside_the_eleven() -> None:
    """In every bundle, in their order, and none of them is a sensor."""
    bundle = sensor_bundle(known_inputs(NOW))

    assert tuple(each.name for each in bundle.more) == NAMES
    assert not set(NAMES) & set(SENSORS)
    assert all(each.value is not None for each in bundle.more)
    blind = sensor_bundle(evolve(known_inputs(NOW), snapshot=None, vol_index=None))
    unknown = {each.name for each in blind.more if each.value is None}
    assert unknown == set(NAMES) - {"choppiness_14d", "atr_14d"}
