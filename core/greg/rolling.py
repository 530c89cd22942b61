"""Thresholds out of a coin's own past: each a percentile of the sensor that it bounds."""

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from core.context.sensors import Sensors
from core.greg.thresholds import EntryThresholds

LEAST_SAMPLE = 60  # days of a sensor


@frozen
class Rolling:
    """Where a threshold comes from: the *percentile* of a sensor, or of its size."""

    sensor: str
    percentile: float
    is_size: bool = False
    least: float | None = None  # no past takes a threshold below it


ROLLING = {
    "straddle_vrp_min": Rolling("vrp_30d", 75.0, least=0.0),
    "strangle_vrp_min": Rolling("vrp_30d", 50.0, least=0.0),
    "iron_fly_vrp_min": Rolling("vrp_30d", 50.0, least=0.0),
    "calendar_vrp_7d_min": Rolling("vrp_7d", 75.0, least=0.0),
    "calendar_term_spread_min": Rolling("term_structure_spread", 90.0, least=0.0),
    "iron_fly_iv_rank_min": Rolling("iv_rank_6m", 80.0),
    "straddle_chop_max": Rolling("chop_factor_7d", 25.0),
    "strangle_chop_max": Rolling("chop_factor_7d", 50.0),
    "safety_chop_high": Rolling("chop_factor_7d", 90.0),
    "straddle_adx_max": Rolling("adx_14d", 25.0),
    "strangle_adx_max": Rolling("adx_14d", 50.0),
    "safety_adx_high": Rolling("adx_14d", 80.0),
    "skew_neutral_threshold": Rolling("skew_25d", 50.0, is_size=True),
}


@frozen(kw_only=True)
class ThresholdProposal:
    """One threshold as the past would have it; *sample_size* days were known."""

    key: str
    value: float
    previous: float
    sensor: str
    percentile: float
    sample_size: int


def proposals(past: Sequence[Sensors], previous: EntryThresholds) -> tuple[ThresholdProposal, ...]:
    """
    Return the thresholds that *past*, a day each, proposes in place of *previous*.

    A sensor that is known on fewer than LEAST_SAMPLE days proposes nothing. No floor of a premium
    falls below zero: volatility is not sold for less than it costs.
    """
    before, found = previous.by_key(), []
    for key, how in ROLLING.items():
        told = [value for each in past if (value := getattr(each, how.sensor)) is not None]
        if len(told) < LEAST_SAMPLE:
            continue
        sample = np.abs(told) if how.is_size else np.array(told)
        value = float(np.percentile(sample, how.percentile))
        found.append(
            ThresholdProposal(
                key=key,
                value=value if how.least is None else max(value, how.least),
                previous=before[key],
                sensor=how.sensor,
                percentile=how.percentile,
                sample_size=len(told),
            )
        )
    return tuple(found)
