"""Sensors of the invented market are what the live sensors read off the same prices."""

from datetime import timedelta

import numpy as np
import pytest

from apps.wiring.universe_file import universe_of
from core.analysis.sensor_universe import LEAD_DAYS, sensor_columns, universe_series
from core.analysis.universe_series import invented_series
from core.analysis.universe_statistics import TENORS, MarketSeries
from core.context.sensor_readings import sensor_bundle
from core.context.sensor_values import DataSource, SensorInputs
from core.simulation.synthetic_path import EPOCH
from core.simulation.universe.params import UniverseParams
from core.simulation.universe.paths import coin_path
from ports.checks import epoch_ms
from ports.history import Candles
from ports.volatility import VolIndexSeries

_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
STEPS = 12
# The chain is the live sensors' own: it is fitted, and has ticks and spreads.
OF_PRICES = (
    *("vrp_30d", "vrp_7d", "front_rv_iv_ratio", "chop_factor_7d", "iv_rank_6m"),
    *("adx_14d", "rsi_14d", "price_vs_ma200"),
)


@pytest.fixture(scope="module")
def market() -> MarketSeries:
    params: UniverseParams = universe_of(None)
    path = coin_path(params, "BTC", 3, 0, LEAD_DAYS + STEPS)
    return invented_series(params.coin("BTC"), path)


def live_inputs(market: MarketSeries, step: int) -> SensorInputs:
    """What the ports of a live agent would say at the end of *step*."""
    price, start_ms = np.exp(market.log_price), epoch_ms(EPOCH)
    days = LEAD_DAYS + step + 1
    closed = start_ms + _HOUR_MS * np.arange(1, len(price))
    candles = Candles(
        underlying="BTC",
        closed_at_ms=closed,
        open=price[:-1],
        high=np.maximum(price[:-1], price[1:]),
        low=np.minimum(price[:-1], price[1:]),
        close=price[1:],
    )
    midnights = start_ms + _DAY_MS * np.arange(len(market.vol_index))
    return SensorInputs(
        underlying="BTC",
        now=EPOCH + timedelta(days=days),
        data_source=DataSource.SYNTHETIC,
        candles=candles,
        vol_index=VolIndexSeries("BTC", midnights, market.vol_index),
        iv_7d=float(market.atm[days, TENORS.index(7.0)]),
    )


@pytest.mark.parametrize("step", [0, 1, STEPS - 1])
def test_the_live_sensors_say_the_same(market: MarketSeries, step: int) -> None:
    """From hourly candles and the index, at the same midnight, to a millionth."""
    live = sensor_bundle(live_inputs(market, step)).sensors
    found = sensor_columns(market)

    for name in OF_PRICES:
        assert found[name][step] == pytest.approx(getattr(live, name), rel=1e-6, abs=1e-6), name


def test_term_and_skew_are_those_of_the_smile(market: MarketSeries) -> None:
    """Front above back is positive, and so are dear puts: a call that is dearer is negative."""
    found = sensor_columns(market)
    week, month = market.atm[-1, TENORS.index(7.0)], market.atm[-1, TENORS.index(30.0)]

    assert found["term_structure_spread"][-1] == week - month
    assert found["skew_25d"][-1] == -market.rr_30[-1]


def test_nothing_later_is_known(market: MarketSeries) -> None:
    """A sensor does not change when the days behind it are others."""
    cut = 24 * (LEAD_DAYS + 5)
    changed = MarketSeries(
        first_weekday=market.first_weekday,
        log_price=np.where(np.arange(len(market.log_price)) > cut, 9.0, market.log_price),
        vol_index=np.where(np.arange(len(market.vol_index)) > cut // 24, 1.0, market.vol_index),
        atm=market.atm,
        rr_30=market.rr_30,
        bf_30=market.bf_30,
    )
    before, after = sensor_columns(market), sensor_columns(changed)

    for name in OF_PRICES:
        assert (before[name][:5] == after[name][:5]).all(), name


def test_a_path_does_not_depend_on_the_others() -> None:
    """More paths change none; another seed does; every sensor but funding is known."""
    few = universe_series(universe_of(None), "ETH", paths=1, steps=5, seed=3)
    many = universe_series(universe_of(None), "ETH", paths=2, steps=5, seed=3)
    other = universe_series(universe_of(None), "ETH", paths=1, steps=5, seed=4)

    assert few.missing == ("predicted_funding_rate",)
    for name, column in few.columns.items():
        assert np.isfinite(column).all()
        assert (column == many.columns[name][:1]).all()
        assert not (column == other.columns[name]).all()
