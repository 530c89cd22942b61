"""Sensors as independent waves and noise: the generators that scans used to be run on."""

from math import pi

import numpy as np
from attrs import frozen

from core.analysis.sensor_series import SensorSeries
from core.rng import rng_at
from ports.checks import EPOCH
from ports.columns import Floats

SOURCE = "baseline"


@frozen(kw_only=True)
class _Level:
    """What differs from coin to coin, in vol points."""

    iv: float
    rv: float
    rank_low: float
    rank_width: float


_LEVELS = {
    "BTC": _Level(iv=55.0, rv=45.0, rank_low=35.0, rank_width=65.0),
    "ETH": _Level(iv=65.0, rv=55.0, rank_low=45.0, rank_width=75.0),
}


def baseline_series(underlying: str, *, paths: int, steps: int, seed: int) -> SensorSeries:
    """
    Return *paths* of *steps* days; a path depends on the seed, its number and the coin alone.

    Sensors are drawn without regard to each other, which no market does: what is found on them
    says how a rule works, not how often it will. Front volatility follows from the definition of
    the term spread: iv_7d = iv_30d + spread. There is no funding.

    Raises:
        ValueError: No waves are known for this coin.
    """
    if underlying not in _LEVELS:
        raise ValueError(f"no baseline of {underlying}; there are {', '.join(_LEVELS)}")
    drawn = [
        _path(_LEVELS[underlying], steps, rng_at(seed, f"baseline {underlying} {path}", EPOCH))
        for path in range(paths)
    ]
    columns = {name: np.stack([path[name] for path in drawn]) for name in drawn[0]}
    return SensorSeries(underlying=underlying, source=SOURCE, columns=columns)


def _path(level: _Level, steps: int, rng: np.random.Generator) -> dict[str, Floats]:
    day = np.arange(steps, dtype=np.float64)

    def noise(sd: float) -> Floats:
        return rng.normal(0.0, sd, steps)

    iv = np.clip(level.iv + _wave(day, 10.0, 60.0) + noise(5.0), 20.0, 150.0)
    rv = np.clip(level.rv + _wave(day, 8.0, 45.0, 0.5) + noise(4.0), 15.0, 120.0)
    rv_7d = rv * rng.uniform(0.8, 1.2, steps)
    term = noise(3.0) + _wave(day, 2.0, 30.0)
    iv_7d = iv + term
    return {
        "vrp_30d": iv - rv,
        "vrp_7d": iv_7d - rv_7d,
        "front_rv_iv_ratio": np.where(iv_7d > 0.0, rv_7d / iv_7d, np.nan),
        "chop_factor_7d": rv_7d / iv,
        "iv_rank_6m": np.clip((iv - level.rank_low) / level.rank_width, 0.0, 1.0),
        "term_structure_spread": term,
        "skew_25d": 2.0 + noise(4.0) + _wave(day, 3.0, 90.0),
        "adx_14d": np.clip(25.0 + rng.normal(0.0, 8.0, steps) + _wave(day, 10.0, 45.0), 10.0, 60.0),
        "rsi_14d": np.clip(
            50.0 + rng.normal(0.0, 15.0, steps) + _wave(day, 20.0, 20.0), 10.0, 90.0
        ),
        "price_vs_ma200": 5.0 + noise(15.0),
    }


def _wave(day: Floats, height: float, period: float, phase: float = 0.0) -> Floats:
    return height * np.sin(2.0 * pi * day / period + phase)
