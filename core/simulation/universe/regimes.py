"""Regimes of a market as values: what each is like, and how one follows another."""

from datetime import datetime

import numpy as np
from attrs import field, frozen

from ports.checks import finite, positive
from ports.columns import Floats, Ints

SkewTemplate = tuple[tuple[float, float], ...]  # (delta of a put, relative shift of volatility)
DEFAULT_SKEW: SkewTemplate = (
    (0.10, 0.30),
    (0.25, 0.10),
    (0.50, 0.0),
    (0.75, -0.05),
    (0.90, -0.10),
)


@frozen(kw_only=True)
class RegimeParams:
    """
    What one regime is like.

    Volatilities in points a year (50.0 is 50 %). *mu_vrp_30d* is implied over realised
    volatility less 1; *iv_level_sigma* the standard deviation of implied volatility while the
    regime lasts; *phi_iv* and *phi_skew* the share of a deviation of the front volatility, and
    of the skew, that is left a day later. *skew_template*: deltas are those of puts, so 0.75 is
    a call of 0.25. *dwell_days* of shape *dwell_shape* (1 forgets how long it has lasted) follow
    a Weibull law. None in an optional field: not known, the market's own figure holds.
    """

    name: str
    mu_rv_30d: float = field(validator=positive)
    mu_vrp_30d: float = field(validator=finite)
    iv_level_sigma: float = field(validator=positive)
    skew_template: SkewTemplate = DEFAULT_SKEW
    phi_iv: float = 0.90
    phi_skew: float = 0.85
    spot_vol_correlation: float = -0.1
    dwell_days: float = field(default=9.4, validator=positive)  # a stay of 0.89 a day
    dwell_shape: float = field(default=1.0, validator=positive)
    iv_multiplier: float | None = None
    vrp: float | None = None
    skew_mode: str | None = None
    skew_scale: float | None = None
    sensor_means: tuple[tuple[str, float], ...] = ()
    drift: float | None = None
    vol: float | None = None
    weight: float | None = None
    calibrated_iv_multiplier: float | None = None
    calibrated_skew_scale: float | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("phi_iv", "phi_skew"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"{name} must lie between 0 and 1, was {getattr(self, name)}")
        if not -1.0 < self.spot_vol_correlation < 1.0:
            raise ValueError(f"a correlation of {self.spot_vol_correlation} is none")

    @property
    def mu_iv_30d(self) -> float:
        """The mean implied volatility, points."""
        return self.mu_rv_30d * (1.0 + self.mu_vrp_30d) * (self.iv_multiplier or 1.0)

    def relative_skew(self) -> float:
        """The call of 25 delta less the put of 25 delta, over the volatility at the money."""
        deltas, shifts = np.array(self.skew_template).T
        put, call = np.interp([0.25, 0.75], deltas, shifts)
        return float(call - put) * (self.skew_scale or 1.0)


@frozen(kw_only=True)
class Scaler:
    """What sensors were standardised by before they were clustered."""

    sensors: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def scaled(self, rows: Floats) -> Floats:
        """Return *rows*, (n, sensors), in standard deviations from the mean."""
        scaled: Floats = (rows - np.array(self.mean)) / np.array(self.deviation)
        return scaled


@frozen(kw_only=True)
class RegimeModel:
    """
    The regimes of one coin, ordered by implied volatility, and their transitions by the day.

    *transitions* are rows that sum to 1. *centroids* are the regimes' means in the units of the
    *scaler*; both are empty where the regimes were not learned from sensors.
    """

    underlying: str
    regimes: tuple[RegimeParams, ...]
    transitions: tuple[tuple[float, ...], ...]
    created_at: datetime | None = None
    scaler: Scaler | None = None
    centroids: tuple[tuple[float, ...], ...] = ()

    def __attrs_post_init__(self) -> None:
        rows = np.array(self.transitions)
        count = len(self.regimes)
        if rows.shape != (count, count) or (rows < 0.0).any():
            raise ValueError(f"{count} regimes need {count} rows of as many shares")
        if np.abs(rows.sum(axis=1) - 1.0).max() > 1e-9:
            raise ValueError("every row of the transitions must sum to 1")
        if len(self.centroids) not in (0, count):
            raise ValueError(f"{count} regimes cannot have {len(self.centroids)} centroids")

    @property
    def n_clusters(self) -> int:
        """How many regimes there are."""
        return len(self.regimes)

    def occupancy(self) -> Floats:
        """Return the share of days spent in each regime in the long run, (k,)."""
        rows = np.array(self.transitions)
        count = len(rows)
        system = np.vstack([rows.T - np.eye(count), np.ones(count)])
        shares, *_ = np.linalg.lstsq(system, np.append(np.zeros(count), 1.0), rcond=None)
        clipped: Floats = np.clip(shares, 0.0, 1.0)
        return clipped

    def nearest(self, rows: Floats) -> Ints:
        """
        Return the regime whose centroid is nearest to each of *rows* of sensors, (n,).

        Raises:
            ValueError: The model has no scaler and centroids.
        """
        if self.scaler is None or not self.centroids:
            raise ValueError("these regimes were not learned from sensors")
        apart = self.scaler.scaled(rows)[:, None, :] - np.array(self.centroids)
        nearest: Ints = np.argmin((apart**2).sum(axis=2), axis=1)
        return nearest


def default_regimes(underlying: str) -> RegimeModel:
    """Return the six regimes of a market that nothing is known of; a stay is 0.89 a day."""
    rows = np.full((6, 6), 0.02) + 0.78 * np.eye(6)
    rows /= rows.sum(axis=1, keepdims=True)
    return RegimeModel(
        underlying=underlying,
        regimes=_DEFAULTS,
        transitions=tuple(tuple(row) for row in rows.tolist()),
    )


_DEFAULT_ROWS = (  # name, realised volatility, premium, spread of implied, phi of IV and of skew
    ("low vol, fair VRP", 35.0, 0.10, 4.0, 0.90, 0.85),
    ("mid vol, rich VRP", 50.0, 0.18, 6.0, 0.88, 0.82),
    ("high vol, cheap VRP", 75.0, 0.05, 10.0, 0.92, 0.80),
    ("trending high vol", 65.0, 0.12, 8.0, 0.95, 0.88),
    ("ranging mid vol", 45.0, 0.08, 5.0, 0.85, 0.80),
    ("crisis spike", 100.0, 0.25, 15.0, 0.80, 0.75),
)
_DEFAULTS = tuple(
    RegimeParams(
        name=name,
        mu_rv_30d=volatility,
        mu_vrp_30d=premium,
        iv_level_sigma=spread,
        phi_iv=phi_iv,
        phi_skew=phi_skew,
    )
    for name, volatility, premium, spread, phi_iv, phi_skew in _DEFAULT_ROWS
)
