"""Series of sensors that were never measured."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.analysis.sensor_series import SensorSeries
from core.context.sensors import SENSORS
from ports.columns import Floats

# Values around the limits of the rules, and at them, so that every comparison is met.
_RANGES = {
    "vrp_30d": (-5.0, 25.0),
    "vrp_7d": (-5.0, 15.0),
    "front_rv_iv_ratio": (0.4, 1.2),
    "chop_factor_7d": (0.3, 1.0),
    "iv_rank_6m": (0.0, 1.0),
    "term_structure_spread": (-8.0, 10.0),
    "skew_25d": (-8.0, 10.0),
    "adx_14d": (10.0, 45.0),
    "rsi_14d": (10.0, 90.0),
    "price_vs_ma200": (-20.0, 20.0),
    "predicted_funding_rate": (-0.001, 0.001),
}
_AT_LIMITS = (0.0, 2.0, 4.0, -4.0, 5.0, 10.0, 15.0, 20.0, 30.0, 35.0, 70.0, 0.6, 0.8, 0.85)


def series(**columns: object) -> SensorSeries:
    """A series of BTC with these columns, one path where they are flat."""
    return SensorSeries(underlying="BTC", source="test", columns=columns)


def random_series(seed: int, paths: int = 3, steps: int = 60, gaps: float = 0.1) -> SensorSeries:
    """Sensors around the limits of the rules, a tenth of them unknown."""
    chance = np.random.default_rng(seed)
    shape = paths, steps

    def drawn(name: str) -> Floats:
        column = chance.uniform(*_RANGES[name], shape)
        at_limit = chance.random(shape) < 0.1
        column[at_limit] = chance.choice(_AT_LIMITS, shape)[at_limit]
        column[chance.random(shape) < gaps] = np.nan
        return column

    return series(**{name: drawn(name) for name in SENSORS})


def held(paths: int, steps: int) -> st.SearchStrategy[np.ndarray]:
    """Where something holds, (paths, steps)."""
    return arrays(np.bool_, (paths, steps))
