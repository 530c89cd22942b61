"""The eleven sensors of the volatility desk, as values."""

from math import isfinite

from attrs import field, fields, frozen


def _finite_or_none(value: float | None) -> float | None:
    """A missing sensor is None: NaN and infinities are no numbers to decide by."""
    if value is None or not isfinite(value):
        return None
    return float(value)


def _sensor() -> float | None:
    made: float | None = field(default=None, converter=_finite_or_none)
    return made


@frozen(kw_only=True)
class Sensors:
    """
    What is known of one coin; None is unknown, zero is a value.

    Volatilities, premiums, spread and skew in points (45.0 is 45 % a year), ratios plain, rank
    0..1, indices 0..100, distance from the mean in percent, funding a fraction a period.
    """

    vrp_30d: float | None = _sensor()
    vrp_7d: float | None = _sensor()
    front_rv_iv_ratio: float | None = _sensor()
    chop_factor_7d: float | None = _sensor()
    iv_rank_6m: float | None = _sensor()
    term_structure_spread: float | None = _sensor()  # front above back is positive
    skew_25d: float | None = _sensor()  # dear puts are positive
    adx_14d: float | None = _sensor()
    rsi_14d: float | None = _sensor()
    price_vs_ma200: float | None = _sensor()
    predicted_funding_rate: float | None = _sensor()

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the sensors that are unknown, in their order."""
        return tuple(name for name in SENSORS if getattr(self, name) is None)


SENSORS = tuple(each.name for each in fields(Sensors))
