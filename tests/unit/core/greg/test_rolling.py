"""Thresholds out of a coin's past: percentiles with their sample, and never below zero premium."""

import pytest

from core.context.sensors import SENSORS, Sensors
from core.greg.rolling import LEAST_SAMPLE, ROLLING, proposals
from core.greg.thresholds import FIELD_OF, EntryThresholds

LIMITS = EntryThresholds()


def past(count: int, **told: float) -> list[Sensors]:
    """*count* days, sensors rising by one a day from what is *told*."""
    return [Sensors(**{name: begin + day for name, begin in told.items()}) for day in range(count)]


def test_a_threshold_is_a_percentile_of_its_sensor() -> None:
    """Of 101 days rising by one the 75th percentile is 75 above the first, beside the old one."""
    found = {each.key: each for each in proposals(past(101, vrp_30d=-10.0), LIMITS)}

    straddle, strangle = found["straddle_vrp_min"], found["strangle_vrp_min"]
    assert (straddle.value, straddle.previous, straddle.sample_size) == (65.0, 15.0, 101)
    assert (strangle.value, strangle.previous, strangle.percentile) == (40.0, 10.0, 50.0)
    assert found.keys() == {"straddle_vrp_min", "strangle_vrp_min", "iron_fly_vrp_min"}


def test_a_short_past_proposes_nothing() -> None:
    """Days on which a sensor is unknown do not count."""
    assert proposals(past(LEAST_SAMPLE - 1, adx_14d=1.0), LIMITS) == ()
    holes = past(LEAST_SAMPLE - 1, adx_14d=1.0) + [Sensors()] * 40
    assert proposals(holes, LIMITS) == ()
    assert len(proposals(past(LEAST_SAMPLE, adx_14d=1.0), LIMITS)) == 3


def test_no_premium_is_sold_below_zero() -> None:
    """A past of negative premiums leaves its floors at zero."""
    found = proposals(past(101, vrp_30d=-500.0), LIMITS)
    assert {each.value for each in found} == {0.0}


def test_skew_counts_by_its_size() -> None:
    """Dear puts and dear calls alike."""
    days = [Sensors(skew_25d=value) for value in (-6.0, 6.0) * 30]
    (found,) = proposals(days, LIMITS)
    assert (found.key, found.value) == ("skew_neutral_threshold", 6.0)


@pytest.mark.parametrize("key", ROLLING)
def test_every_rolling_threshold_is_one(key: str) -> None:
    """By the keys of the rule document, of a sensor that there is."""
    assert key in FIELD_OF
    assert ROLLING[key].sensor in SENSORS
