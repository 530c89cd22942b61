"""Expiries, strikes and rules, against the venue's own of 2026."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pricing.black76 import delta
from core.simulation.listing import deribit_rules, listed_expiries, listed_since, listed_strikes
from ports.checks import epoch_ms, from_epoch_ms
from tests.support.recorded import recorded_chains, sample

HOURS = st.integers(0, 3 * 366 * 24).map(
    lambda hours: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
)
QUARTERLY = datetime(2026, 6, 26, 8, tzinfo=UTC)
MONTHLY = datetime(2026, 7, 31, 8, tzinfo=UTC)
WEEKLY = datetime(2026, 6, 5, 8, tzinfo=UTC)
DAILY = datetime(2026, 5, 20, 8, tzinfo=UTC)
EXPIRIES = (DAILY, WEEKLY, MONTHLY, QUARTERLY)


@settings(derandomize=True, deadline=None)
@given(now=HOURS)
def test_there_are_eleven_to_thirteen_expiries(now: datetime) -> None:
    """Whenever one looks, nearest first, all ahead, all at eight UTC."""
    expiries = listed_expiries(now)

    assert 11 <= len(expiries) <= 13
    assert list(expiries) == sorted(expiries)
    assert all(expiry > now and (expiry.hour, expiry.minute) == (8, 0) for expiry in expiries)


@settings(derandomize=True, deadline=None)
@given(now=HOURS)
def test_an_expiry_stays_listed_until_it_passes(now: datetime) -> None:
    """From one hour to the next nothing is taken from the list that has not expired."""
    later = now + timedelta(hours=1)

    assert {expiry for expiry in listed_expiries(now) if expiry > later} <= set(
        listed_expiries(later)
    )


@settings(derandomize=True, deadline=None)
@given(now=HOURS)
def test_the_next_four_days_are_listed(now: datetime) -> None:
    """There are four dailies, a Friday among them being a weekly, monthly or quarterly."""
    first = listed_expiries(now)[0]

    assert first - now <= timedelta(days=1)
    assert listed_expiries(now)[:4] == tuple(first + timedelta(days=ahead) for ahead in range(4))


@pytest.mark.parametrize(
    ("expiry", "days"), [(DAILY, 4), (WEEKLY, 22), (MONTHLY, 99), (QUARTERLY, 365)]
)
def test_lives_are_those_of_the_series(expiry: datetime, days: int) -> None:
    """Dailies live 4 days, weeklies 22, monthlies about 92, quarterlies about 365."""
    assert listed_since(expiry) == expiry - timedelta(days=days)


async def test_the_ladder_is_the_recorded_one() -> None:
    """At recorded instants exactly the recorded expiries are listed."""
    archive = recorded_chains()
    for instant in sample(await archive.instants("BTC")):
        chain = (await archive.load("BTC", instant)).chain
        ours = [epoch_ms(expiry) for expiry in listed_expiries(instant)]
        assert ours == np.unique(chain.expiry_ms).tolist()


@pytest.mark.parametrize("underlying", ["BTC", "ETH"])
async def test_strikes_near_the_money_are_recorded_ones(underlying: str) -> None:
    """Most of our strikes within 5 % of the index were really listed, most listed ones are ours."""
    archive = recorded_chains()
    prices = await archive.index_prices(underlying)
    ours_listed, listed_ours = [], []
    for instant in sample(await archive.instants(underlying))[2:]:
        snapshot = await archive.load(underlying, instant)
        for expiry_ms in np.unique(snapshot.chain.expiry_ms):
            expiry = from_epoch_ms(int(expiry_ms))
            listed = np.unique(snapshot.chain.strike[snapshot.chain.expiry_ms == expiry_ms])
            since = [price for price in prices if listed_since(expiry) <= price[0] <= instant]
            ours = listed_strikes(underlying, expiry, *market(since, expiry))
            ours_listed.append(np.isin(near(ours, snapshot.index_usd), listed))
            listed_ours.append(np.isin(near(listed, snapshot.index_usd), ours))

    assert np.concatenate(ours_listed).mean() > 0.85
    assert np.concatenate(listed_ours).mean() > 0.85


def market(since: list[tuple[datetime, float]], expiry: datetime) -> tuple[np.ndarray, np.ndarray]:
    """Index and deviation at 50 % volatility, as listed_strikes takes them."""
    index_usd = np.array([price for _, price in since])
    years = np.array([(expiry - instant) / timedelta(days=365) for instant, _ in since])
    return index_usd, 0.5 * np.sqrt(years)


def near(strikes: np.ndarray, index_usd: float) -> np.ndarray:
    return strikes[np.abs(np.log(strikes / index_usd)) < 0.05]


@settings(derandomize=True, deadline=None)
@given(
    expiry=st.sampled_from(EXPIRIES),
    moves=st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=20),
    volatility=st.floats(0.2, 2.0),
    cut=st.integers(1, 19),
)
def test_a_strike_stays_listed(
    expiry: datetime, moves: list[float], volatility: float, cut: int
) -> None:
    """Whatever price and volatility do, later strikes contain the earlier ones."""
    index_usd = 80_000.0 * np.exp(np.cumsum(moves))
    deviation = volatility * np.linspace(0.5, 0.0, len(moves))
    earlier = listed_strikes("BTC", expiry, index_usd[:cut], deviation[:cut])
    later = listed_strikes("BTC", expiry, index_usd, deviation)

    assert set(earlier) <= set(later)
    assert (np.diff(later) > 0).all()


@pytest.mark.parametrize("expiry", EXPIRIES)
@pytest.mark.parametrize(("underlying", "index_usd"), [("BTC", 77_000.0), ("ETH", 2_200.0)])
@pytest.mark.parametrize("volatility", [0.3, 0.6, 1.2])
def test_strikes_reach_far_deltas(
    expiry: datetime, underlying: str, index_usd: float, volatility: float
) -> None:
    """At listing there are strikes about deltas 0.01 and 0.99, and some between 0.4 and 0.6."""
    years = (expiry - listed_since(expiry)) / timedelta(days=365)
    deviation = np.array([volatility * np.sqrt(years)])
    strikes = listed_strikes(underlying, expiry, np.array([index_usd]), deviation)
    deltas = delta(index_usd, strikes, years, volatility, True)

    assert deltas.min() < 0.02
    assert deltas.max() > 0.98
    assert ((deltas > 0.4) & (deltas < 0.6)).any()
    assert 8 <= len(strikes) <= 160


def test_steps_follow_the_price() -> None:
    """A coin of a tenth of the price has steps of a tenth."""
    deviation = np.array([0.05])
    dear = listed_strikes("BTC", DAILY, np.array([80_000.0]), deviation)
    cheap = listed_strikes("BTC", DAILY, np.array([8_000.0]), deviation)

    assert cheap.tolist() == (dear / 10).tolist()


def test_rules_are_those_of_the_venue() -> None:
    """Ticks 0.0001 and from 0.005 on 0.0005; smallest amounts 0.1 BTC and 1 ETH; fees."""
    btc, eth = deribit_rules("BTC"), deribit_rules("ETH")

    assert [btc.tick_at(price) for price in (0.0001, 0.0049, 0.005, 1.0)] == [
        0.0001,
        0.0001,
        0.0005,
        0.0005,
    ]
    assert (btc.min_amount, btc.amount_step, eth.min_amount, eth.amount_step) == (0.1, 0.1, 1, 1)
    assert (btc.trade_fee_coin, btc.delivery_fee_coin, btc.fee_cap) == (0.0003, 0.00015, 0.125)


def test_a_coin_without_options_is_refused() -> None:
    """Only BTC and ETH have inverse options."""
    with pytest.raises(ValueError, match="DOGE"):
        deribit_rules("DOGE")
    with pytest.raises(ValueError, match="DOGE"):
        listed_strikes("DOGE", DAILY, np.array([1.0]), np.array([0.1]))
