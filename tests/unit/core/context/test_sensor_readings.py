"""The eleven sensors against their definitions, their sources in order, and what voids them."""

from datetime import UTC, datetime, timedelta
from math import inf, log, nan

import numpy as np
import pytest
from attrs import evolve

from core.context.sensor_bars import daily_bars, daily_vol, hourly_vol
from core.context.sensor_chain import FRONT, MONTH, atm_iv, expiry_in, skew_of
from core.context.sensor_figures import ATM, DAILY, FORECAST, GIVEN, HOURLY, INDEX, PUBLISHED, STATE
from core.context.sensor_readings import sensor_bundle
from core.context.sensor_values import SensorBundle, SensorParams, SensorReading, SensorVariant
from core.context.sensors import SENSORS
from core.stats.indicators import adx, rsi
from ports.checks import epoch_ms
from ports.history import Candles
from tests.support.sensing import DAY, HOUR, chain_at, daily_index, hourly, known_inputs, smile

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
BARS = daily_bars(hourly(NOW, 260), NOW, 250)


def reading(bundle: SensorBundle, name: str) -> SensorReading:
    """How the sensor *name* was worked out."""
    return next(each for each in bundle.readings if each.name == name)


def variant(*names: SensorVariant) -> SensorParams:
    """Parameters with these variants in use."""
    return SensorParams(variants=frozenset(names))


def test_every_sensor_by_its_definition() -> None:
    """From the figures they rest on, which are told with their sources."""
    found = sensor_bundle(known_inputs(NOW))
    seen = found.sensors
    candles = hourly(NOW, 260)
    month, week = hourly_vol(candles, NOW, 720), hourly_vol(candles, NOW, 168)
    assert month is not None
    assert week is not None
    index = 40.0 + 199 % 21
    front, back = 100.0 * smile(7.0, 0.0), 100.0 * smile(30.0, 0.0)

    assert found.missing_sensors == ()
    assert seen.vrp_30d == pytest.approx(index - month)
    assert seen.vrp_7d == pytest.approx(front - week)
    assert seen.front_rv_iv_ratio == pytest.approx(week / front)
    assert seen.chop_factor_7d == pytest.approx(week / index)
    assert seen.term_structure_spread == pytest.approx(front - back)
    assert seen.iv_rank_6m == pytest.approx((index - 40.0) / 20.0)
    assert seen.adx_14d == pytest.approx(adx(BARS.high, BARS.low, BARS.close)[-1])
    assert seen.rsi_14d == pytest.approx(rsi(BARS.close)[-1])
    wanted = 100.0 * (BARS.close[-1] / np.mean(BARS.close[-200:]) - 1.0)
    assert seen.price_vs_ma200 == pytest.approx(wanted)
    assert seen.predicted_funding_rate == 0.0001
    assert (found.iv_30d.source, found.iv_7d.source) == (INDEX, ATM)
    assert (found.rv_30d.source, found.rv_7d.source) == (HOURLY, HOURLY)
    assert tuple(each.name for each in found.readings) == SENSORS
    assert not found.is_synthetic


def test_skew_is_of_the_true_deltas() -> None:
    """The volatilities at 25 delta by the smile itself, to what strikes apart allow."""
    found = sensor_bundle(known_inputs(NOW)).sensors.skew_25d
    assert found is not None

    def iv_at(sign: int) -> float:
        """The smile where |delta| is 0.25, by bisection on the normal law."""
        low, high = (-0.5, 0.0) if sign < 0 else (0.0, 0.6)
        for _ in range(80):
            k = 0.5 * (low + high)
            iv = smile(30.0, k)
            s = iv * (30.0 / 365.0) ** 0.5
            d1 = -k / s + 0.5 * s
            is_far = sign * d1 < -0.6744897501960817  # of a quarter
            if sign < 0:
                is_far = d1 > 0.6744897501960817
                low, high = (k, high) if is_far else (low, k)
            else:
                low, high = (low, k) if is_far else (k, high)
        return 100.0 * smile(30.0, 0.5 * (low + high))

    assert found == pytest.approx(iv_at(-1) - iv_at(1), abs=0.03)


def test_the_proxy_of_skew_is_flagged() -> None:
    """Where deltas do not reach 25 the strikes at 0.95 and 1.05 of spot stand in."""
    whole = chain_at(NOW, (30.0,))
    near = np.abs(np.log(whole.chain.strike / 1e5)) < 0.065
    found = sensor_bundle(known_inputs(NOW, snapshot=evolve(whole, chain=whole.chain.where(near))))
    told = reading(found, "skew_25d")

    assert told.is_proxy
    wanted = 100.0 * (smile(30.0, log(0.94)) - smile(30.0, log(1.04)))  # of two the lower
    assert told.value == pytest.approx(wanted)


@pytest.mark.parametrize("is_call", [True, False])
def test_the_proxy_of_skew_is_of_both_sides_or_of_none(is_call: bool) -> None:
    """One side that does not reach 25 is enough for both; without one side there is no skew."""
    whole = chain_at(NOW, (30.0,))
    chain = whole.chain
    near = np.abs(np.log(chain.strike / 1e5)) < 0.065
    short = evolve(whole, chain=chain.where((chain.is_call != is_call) | near))
    half = evolve(whole, chain=chain.where(chain.is_call != is_call))
    told = reading(sensor_bundle(known_inputs(NOW, snapshot=short)), "skew_25d")
    nothing = reading(sensor_bundle(known_inputs(NOW, snapshot=half)), "skew_25d")

    assert told.is_proxy
    assert told.value == pytest.approx(100.0 * (smile(30.0, log(0.94)) - smile(30.0, log(1.04))))
    assert nothing.value is None


def test_sources_in_their_order() -> None:
    """State before index before the money; published before hourly before daily."""
    whole = known_inputs(NOW)
    assert sensor_bundle(evolve(whole, iv_state=44.0)).iv_30d.source == STATE
    assert sensor_bundle(evolve(whole, iv_state=0.0)).iv_30d.source == INDEX
    assert sensor_bundle(evolve(whole, vol_index=None)).iv_30d.source == ATM
    assert sensor_bundle(evolve(whole, iv_7d=51.0)).iv_7d.source == GIVEN
    assert sensor_bundle(evolve(whole, published_vol=48.0)).rv_30d.source == PUBLISHED
    candles = hourly(NOW, 260)
    sparse = Candles(
        "BTC",
        *(getattr(candles, name)[::5] for name in ("closed_at_ms", "open", "high", "low", "close")),
    )
    found = sensor_bundle(evolve(whole, candles=sparse))
    bars = daily_bars(sparse, NOW, 250)
    assert (found.rv_30d.source, found.rv_7d.source) == (DAILY, DAILY)
    assert found.rv_30d.value == daily_vol(bars, 30)


def test_an_index_older_than_a_day_is_none() -> None:
    """At twenty-four hours it still counts, a moment later it does not."""
    closes = daily_index(NOW, [50.0] * 30)
    last = datetime(2026, 3, 10, tzinfo=UTC)
    for age, source in ((timedelta(hours=24), INDEX), (timedelta(hours=24, seconds=1), ATM)):
        now = last + age
        inputs = known_inputs(now.replace(minute=0, second=0), vol_index=closes)
        assert sensor_bundle(evolve(inputs, now=now)).iv_30d.source == source


def test_the_newest_hourly_close_of_the_index_wins() -> None:
    """Before the last daily one; one that closes after now is not known yet."""
    hours = evolve(
        daily_index(NOW, [70.0, 71.0, 99.0]),
        closed_at_ms=[epoch_ms(NOW - HOUR), epoch_ms(NOW), epoch_ms(NOW + HOUR)],
    )
    assert sensor_bundle(known_inputs(NOW, vol_index_now=hours)).iv_30d.value == 71.0


@pytest.mark.parametrize(
    ("count", "iv", "value", "is_proxy"),
    [
        (19, 67.5, 0.5, True),
        (20, 60.0, 1.0, False),
        (20, 30.0, 0.0, False),
        (20, 45.0, 0.5, False),
        (0, 35.0, 0.0, True),
        (0, 100.0, 1.0, True),
        (0, 87.0, 0.8, True),
        (0, 500.0, 1.0, True),
    ],
)
def test_the_rank_of_volatility(count: int, iv: float, value: float, is_proxy: bool) -> None:
    """Within true lows and highs from twenty closes on; within fixed bounds below, and flagged."""
    closes = ([40.0, 50.0] * 10)[:count]
    inputs = known_inputs(NOW, vol_index=daily_index(NOW, closes), iv_state=iv)
    told = reading(sensor_bundle(inputs), "iv_rank_6m")

    assert told.value == pytest.approx(value)
    assert told.is_proxy == is_proxy


def test_the_proxy_of_eth_has_bounds_of_its_own() -> None:
    """45 to 120, so that 0.80 needs 105."""
    inputs = known_inputs(NOW, underlying="ETH", vol_index=None, iv_state=105.0)
    assert sensor_bundle(inputs).sensors.iv_rank_6m == pytest.approx(0.8)


def test_only_half_a_year_of_the_index_counts() -> None:
    """A high of 181 days ago does not."""
    closes = [200.0] + [50.0] * 90 + [60.0] * 89
    assert sensor_bundle(
        known_inputs(NOW, vol_index=daily_index(NOW, closes), iv_state=60.0)
    ).sensors.iv_rank_6m == pytest.approx(10.0 / 150.0)
    older = [200.0, *[50.0] * 91, *[60.0] * 89]
    assert sensor_bundle(
        known_inputs(NOW, vol_index=daily_index(NOW, older), iv_state=60.0)
    ).sensors.iv_rank_6m == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("told", "voided"),
    [
        ({"funding": None}, {"predicted_funding_rate"}),
        (
            {"snapshot": None},
            {"vrp_7d", "front_rv_iv_ratio", "term_structure_spread", "skew_25d"},
        ),
        (
            {"snapshot": None, "vol_index": None},
            {
                *("vrp_30d", "vrp_7d", "front_rv_iv_ratio", "chop_factor_7d", "iv_rank_6m"),
                *("term_structure_spread", "skew_25d"),
            },
        ),
        (
            {"snapshot": None, "iv_7d": 55.0},
            {"skew_25d"},
        ),
    ],
)
def test_a_missing_input_voids_what_needs_it(told: dict[str, object], voided: set[str]) -> None:
    """And nothing else; NaN, infinity and what is not positive are missing."""
    funding = {"funding": 0.0001, **told}
    assert set(sensor_bundle(known_inputs(NOW, **funding)).missing_sensors) == voided


@pytest.mark.parametrize("value", [nan, inf, -inf, 0.0, -5.0])
def test_what_is_no_volatility_is_passed_over(value: float) -> None:
    """The next source is asked."""
    found = sensor_bundle(known_inputs(NOW, iv_state=value, published_vol=value, iv_7d=value))
    assert (found.iv_30d.source, found.rv_30d.source, found.iv_7d.source) == (INDEX, HOURLY, ATM)


@pytest.mark.parametrize("days", [0, 29])
def test_too_few_days_void_everything(days: int) -> None:
    """Below thirty bars the whole bundle is unknown, and says why."""
    candles = hourly(NOW.replace(hour=0), days) if days else None
    found = sensor_bundle(known_inputs(NOW, candles=candles))

    assert found.missing_sensors == SENSORS
    assert "daily series" in found.faults[0]
    enough = known_inputs(NOW, candles=hourly(NOW.replace(hour=0), 30))
    assert len(sensor_bundle(enough).missing_sensors) < 11


def test_a_series_that_ended_is_none() -> None:
    """Prices up to the day before yesterday say nothing of today."""
    found = sensor_bundle(known_inputs(NOW, candles=hourly(NOW - 2 * DAY, 260)))

    assert found.missing_sensors == SENSORS
    assert "it ends on 2026-03-08" in found.faults[0]


@pytest.mark.parametrize(
    ("name", "needed"), [("adx_14d", 28), ("rsi_14d", 15), ("price_vs_ma200", 200)]
)
def test_indicators_need_their_bars(name: str, needed: int) -> None:
    """Just enough, and one too few; after a gap only what comes later counts for Wilder's."""
    midnight = NOW.replace(hour=0)
    whole = hourly(midnight, 240)

    def with_days(count: int) -> Candles:
        """Forty older days, a gap of five, and *count* days up to midnight."""
        age = (epoch_ms(midnight) - whole.closed_at_ms) // 86_400_000
        rows = age < count
        if name != "price_vs_ma200":
            rows |= (age >= count + 5) & (age < count + 45)
        columns = ("closed_at_ms", "open", "high", "low", "close")
        return Candles("BTC", *(getattr(whole, column)[rows] for column in columns))

    for count, is_known in ((needed, True), (needed - 1, False)):
        found = sensor_bundle(known_inputs(NOW, candles=with_days(count)))
        assert (getattr(found.sensors, name) is not None) == is_known


def test_a_rising_price_has_the_highest_index() -> None:
    """100 where nothing was ever lost."""
    candles = hourly(NOW, 40)
    rising = evolve(candles, close=np.linspace(1e5, 2e5, len(candles.close)))
    assert sensor_bundle(known_inputs(NOW, candles=rising)).sensors.rsi_14d == 100.0


@pytest.mark.parametrize(
    ("days", "front", "month"),
    [
        ((7.5, 30.5), 7, 30),
        ((1.9, 2.1, 60.9, 61.0), 2, 60),
        ((6.0, 8.0), 6, None),
        ((20.9, 21.0), 20, 21),
        ((14.2,), 14, 14),
        ((13.9, 21.0), 13, 21),
        ((25.0, 35.0), None, 25),
        ((1.5, 70.0), None, None),
    ],
)
def test_expiries_near_a_maturity(
    days: tuple[float, ...], front: int | None, month: int | None
) -> None:
    """Whole days, ends included, the earlier of two as near."""
    chain = chain_at(NOW, days).chain
    for slot, wanted in ((FRONT, front), (MONTH, month)):
        found = expiry_in(chain, NOW, slot)
        whole = None if found is None else (found - epoch_ms(NOW)) // 86_400_000
        assert whole == wanted


def test_of_two_strikes_the_lower() -> None:
    """A spot in the middle of two strikes takes the call below it."""
    seen = chain_at(NOW, (30.0,))
    expiry_ms = int(seen.chain.expiry_ms[0])
    assert atm_iv(seen.chain, expiry_ms, 101_000.0) == pytest.approx(100.0 * smile(30.0, 0.0))
    unquoted = evolve(seen.chain, mark_iv=np.full(len(seen.chain), nan))
    assert atm_iv(unquoted, expiry_ms, 101_000.0) is None
    assert skew_of(unquoted, expiry_ms, 1e5, NOW) is None


def test_an_old_chain_says_nothing() -> None:
    """A day old it still does; so does one read a moment after it was asked for."""
    for age, is_known in (
        (timedelta(hours=24), True),
        (timedelta(hours=24, seconds=1), False),
        (timedelta(seconds=-30), True),
        (timedelta(hours=-1), False),
    ):
        found = sensor_bundle(known_inputs(NOW, snapshot=chain_at(NOW - age, (7.0, 30.0))))
        assert (found.sensors.skew_25d is not None) == is_known


def test_variants_change_nothing_when_off() -> None:
    """Every sensor is the same to the bit without them."""
    plain = sensor_bundle(known_inputs(NOW))
    assert sensor_bundle(known_inputs(NOW), variant()) == plain


def test_each_variant_measures_otherwise() -> None:
    """Own volatility, forecast, at the money, percentile, constant maturity."""
    whole = known_inputs(NOW, published_vol=48.0)
    own = sensor_bundle(whole, variant(SensorVariant.OWN_VOLATILITY))
    assert own.rv_30d.source == HOURLY
    forecast = sensor_bundle(whole, variant(SensorVariant.FORECAST_PREMIUM))
    assert forecast.rv_30d.source == FORECAST
    money = sensor_bundle(whole, variant(SensorVariant.ATM_VOLATILITY))
    assert money.iv_30d.source == ATM
    share = sensor_bundle(whole, variant(SensorVariant.RANK_PERCENTILE))
    past = [40.0 + number % 21 for number in range(20, 200)]
    wanted = np.mean(np.array(past) < 40.0 + 199 % 21)
    assert share.sensors.iv_rank_6m == pytest.approx(wanted)
    fitted = sensor_bundle(whole, variant(SensorVariant.CONSTANT_MATURITY))
    wanted = 100.0 * (smile(7.0, 0.0) - smile(30.0, 0.0))
    assert fitted.sensors.term_structure_spread == pytest.approx(wanted, abs=0.3)


def test_one_expiry_is_no_term_structure_of_a_surface() -> None:
    """The slots would tell a false zero; the fitted one tells nothing."""
    seen = chain_at(NOW, (16.0,))
    plain = sensor_bundle(known_inputs(NOW, snapshot=seen))
    assert plain.sensors.term_structure_spread == 0.0
    assert "same expiry" in reading(plain, "term_structure_spread").note
    fitted = sensor_bundle(
        known_inputs(NOW, snapshot=seen), variant(SensorVariant.CONSTANT_MATURITY)
    )
    assert fitted.sensors.term_structure_spread is None
