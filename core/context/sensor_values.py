"""What the sensors of one coin are made from, and what is told of each beside its value."""

from datetime import datetime, timedelta
from enum import StrEnum

from attrs import field, frozen

from core.context.sensors import Sensors
from ports.checks import utc
from ports.history import Candles
from ports.market_data import MarketSnapshot
from ports.volatility import VolIndexSeries


class DataSource(StrEnum):
    """Where prices come from; an invented market never leads to an order."""

    EXCHANGE = "exchange"
    RECORDED = "recorded"
    SYNTHETIC = "synthetic"


class SensorVariant(StrEnum):
    """A better way to measure, off unless it is named."""

    OWN_VOLATILITY = "own_volatility"  # rv_30d of our own hourly closes, nine tenths covered
    FORECAST_PREMIUM = "forecast_premium"  # premiums over what volatility is expected to be
    ATM_VOLATILITY = "atm_volatility"  # iv_30d at the money before that of the index
    RANK_PERCENTILE = "rank_percentile"  # the share of past closes below, not the range
    CONSTANT_MATURITY = "constant_maturity"  # the term spread of a fitted surface


@frozen(kw_only=True)
class SensorParams:
    """How sensors are measured; *proxy_rank* is low and high of the index by coin, points."""

    variants: frozenset[SensorVariant] = frozenset()
    history: timedelta = timedelta(days=250)
    proxy_rank: dict[str, tuple[float, float]] = field(
        factory=lambda: {"BTC": (35.0, 100.0), "ETH": (45.0, 120.0)}
    )

    def has(self, variant: SensorVariant) -> bool:
        """Whether *variant* is in use."""
        return variant in self.variants


@frozen(kw_only=True, eq=False)
class SensorInputs:
    """
    All that was known of one coin at *now*; None is not known.

    *candles* hourly or finer, of the days that SensorParams looks back on. Volatilities and the
    index in points, *funding* a fraction of eight hours. *iv_state* and *iv_7d* are given by a
    caller that knows better. *faults* say why something could not be had.
    """

    underlying: str
    now: datetime = field(validator=utc)
    data_source: DataSource
    candles: Candles | None
    snapshot: MarketSnapshot | None = None
    vol_index: VolIndexSeries | None = None  # daily closes
    vol_index_now: VolIndexSeries | None = None  # hourly closes of the last day
    published_vol: float | None = None
    funding: float | None = None
    iv_state: float | None = None
    iv_7d: float | None = None
    faults: tuple[str, ...] = ()


@frozen(kw_only=True)
class Figure:
    """A figure with the name of its source; a proxy stands in for what could not be had."""

    value: float | None = None
    source: str = ""
    note: str = ""
    is_proxy: bool = False


@frozen
class Operand:
    """A raw input of a sensor, or a step on the way to it."""

    name: str
    value: float | None


@frozen(kw_only=True)
class SensorReading:
    """One sensor as it was worked out; None is unknown."""

    name: str
    value: float | None
    formula: str
    source: str
    inputs: tuple[Operand, ...] = ()
    is_proxy: bool = False
    note: str = ""


@frozen(kw_only=True)
class MarketFacts:
    """
    What variants of rules ask of a market beside its sensors; None is unknown.

    Volatilities in points, changes in percent, *spread_share* of the mark, *open_interest*
    contracts; *earlier_price* is the newest print at least a quarter of an hour old, USD.
    """

    jump_sigmas: float | None = None  # the largest daily move of a week, in usual daily moves
    spread_share: float | None = None  # of the options about the money, thirty days out
    open_interest: float | None = None  # of all options of that expiry
    month_iv: float | None = None
    forward_iv: float | None = None  # between the front expiry and that one
    front_expires_at: datetime | None = None
    earlier_price: float | None = None
    index_hour_pct: float | None = None
    index_day_pct: float | None = None
    vol_index_day_points: float | None = None


@frozen(kw_only=True)
class SensorBundle:
    """
    The eleven sensors of one coin at one instant, the volatilities they rest on, and how each
    was worked out. *faults* say what could not be had.
    """

    underlying: str
    at: datetime = field(validator=utc)
    data_source: DataSource
    sensors: Sensors
    spot: Figure = Figure()
    iv_30d: Figure = Figure()
    iv_7d: Figure = Figure()
    rv_30d: Figure = Figure()
    rv_7d: Figure = Figure()
    market: MarketFacts = MarketFacts()
    readings: tuple[SensorReading, ...] = ()
    more: tuple[SensorReading, ...] = ()  # published beside them; no rule reads these
    faults: tuple[str, ...] = ()

    @property
    def missing_sensors(self) -> tuple[str, ...]:
        """The names of the sensors that are unknown."""
        return self.sensors.missing

    @property
    def is_synthetic(self) -> bool:
        """Whether the market was invented: nothing may be executed by it."""
        return self.data_source is DataSource.SYNTHETIC
