"""The invented market: free of arbitrage, the same again from its seed, and like a market."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from core.simulation.replay import ReplayClock
from core.simulation.synthetic import SyntheticMarket
from core.simulation.synthetic_params import BTC, ETH, CoinParams, SyntheticParams
from core.simulation.synthetic_path import EPOCH, CoinState, SyntheticPath
from core.simulation.synthetic_quotes import round_down, round_up
from core.simulation.synthetic_surface import EssviSlices, at_the_money_variance, slices
from ports.columns import Floats
from ports.errors import Unavailable
from tests.support.markets import RULES, StillClock
from tests.support.rigs import at, bits, invented

COINS = [BTC, ETH]
DAY = timedelta(days=1)
YEARS = np.array([1e-5, 1e-3, 0.01, 0.04, 0.1, 0.25, 0.6, 1.02])
LOG_MONEYNESS = np.linspace(-1.5, 1.5, 61)


def butterfly(surface: EssviSlices, row: int) -> Floats:
    """
    g(k) of Gatheral and Jacquier (2014), with w' by a complex step and w'' by differences of it.

    g = (1 - k w'/(2w))² - w'²/4 (1/w + 1/4) + w''/2
    """
    rows = np.full(LOG_MONEYNESS.shape, row)

    def slope(k: Floats) -> Floats:
        return surface.total_variance(rows, k + 1e-30j).imag / 1e-30

    w = surface.total_variance(rows, LOG_MONEYNESS)
    first = slope(LOG_MONEYNESS)
    second = (slope(LOG_MONEYNESS + 1e-5) - slope(LOG_MONEYNESS - 1e-5)) / 2e-5
    pull = (1.0 - LOG_MONEYNESS * first / (2.0 * w)) ** 2
    return pull - first**2 / 4.0 * (1.0 / w + 0.25) + second / 2.0


def assert_no_arbitrage(surface: EssviSlices) -> None:
    everything = np.array(
        [
            surface.total_variance(np.full(LOG_MONEYNESS.shape, row), LOG_MONEYNESS)
            for row in range(len(surface.theta))
        ]
    )
    assert (np.diff(everything, axis=0) >= -1e-12).all()
    for row in range(len(surface.theta)):
        assert (butterfly(surface, row) > -1e-4).all()


@pytest.mark.parametrize("coin", COINS, ids=lambda coin: coin.underlying)
def test_fifty_instants_are_free_of_arbitrage(coin: CoinParams) -> None:
    """No butterfly and no calendar spread can be bought for less than nothing."""
    path = SyntheticPath(3, coin, SyntheticParams())
    for week in range(50):
        state = path.state(EPOCH + week * timedelta(days=7, hours=5, minutes=11))
        assert_no_arbitrage(slices(coin, state, YEARS))


@settings(derandomize=True, deadline=None)
@given(
    fast=st.floats(-1.5, 1.5),
    slow=st.floats(-1.2, 1.2),
    skew=st.floats(-8, 8),
    coin=st.sampled_from(COINS),
)
def test_wild_states_are_free_of_arbitrage(
    fast: float, slow: float, skew: float, coin: CoinParams
) -> None:
    """Whatever volatility and skew have come to."""
    assert_no_arbitrage(slices(coin, CoinState(1.0, fast, slow, skew), YEARS))


async def test_marks_are_free_of_arbitrage() -> None:
    """Along the listed strikes calls in USD fall, never faster than the strike rises, convexly."""
    chain = (await at(EPOCH + 40.3 * DAY)).chain
    for expiry_ms in np.unique(chain.expiry_ms):
        calls = chain.where((chain.expiry_ms == expiry_ms) & chain.is_call)
        slope = np.diff(calls.mark * calls.forward) / np.diff(calls.strike)
        assert (slope >= -1.0 - 1e-9).all()
        assert (slope <= 1e-9).all()
        assert (np.diff(slope) >= -1e-9).all()


async def test_marks_keep_parity() -> None:
    """A call less the put of its strike is 1 - K/F, in coin."""
    chain = (await at(EPOCH + 40.3 * DAY, underlying="ETH")).chain
    calls, puts = chain.where(chain.is_call), chain.where(~chain.is_call)

    assert np.allclose(
        calls.mark - puts.mark, 1.0 - calls.strike / calls.forward, rtol=0, atol=1e-12
    )


@settings(derandomize=True, deadline=None)
@given(price=st.one_of(st.floats(0, 2), st.integers(0, 20_000).map(lambda steps: steps / 10_000)))
def test_columns_are_rounded_as_prices_are(price: float) -> None:
    """Rounding a column gives the very floats that the contract's rules give one by one."""
    prices = np.array([price])

    assert round_down(prices, RULES)[0] == RULES.price_down(price)
    assert round_up(prices, RULES)[0] == RULES.price_up(price)


@pytest.mark.parametrize("underlying", ["BTC", "ETH"])
async def test_quotes_stand_about_the_mark(underlying: str) -> None:
    """On ticks, bid below mark below ask; no bid below one tick; whole amounts on both sides."""
    snapshot = await at(EPOCH + 61.7 * DAY, underlying=underlying)
    chain, rules = snapshot.chain, snapshot.rules
    has_bid = ~np.isnan(chain.bid)

    assert all(rules.is_on_tick(price) for price in [*chain.bid[has_bid], *chain.ask])
    assert (chain.bid[has_bid] <= chain.mark[has_bid]).all()
    assert (chain.bid[has_bid] >= rules.tick_size).all()
    assert (chain.mark <= chain.ask).all()
    assert (np.isnan(chain.bid_amount) == ~has_bid).all()
    for amounts in (chain.bid_amount[has_bid], chain.ask_amount):
        assert all(rules.lots(amount) >= 1 for amount in amounts)


@pytest.mark.parametrize(("underlying", "widest"), [("BTC", 0.0030), ("ETH", 0.0040)])
async def test_spreads_are_the_usual_ones(underlying: str, widest: float) -> None:
    """Near the money and under five weeks out, spreads are at most a few ticks wide."""
    chain = (await at(EPOCH + 61.7 * DAY, underlying=underlying)).chain
    near = (np.abs(np.log(chain.strike / chain.forward)) < 0.05) & (
        chain.expiry_ms - chain.quoted_at_ms < 35 * 86_400_000
    )

    assert np.nanmax((chain.ask - chain.bid)[near]) <= widest


@pytest.mark.parametrize("underlying", ["BTC", "ETH"])
async def test_near_strikes_are_held(underlying: str) -> None:
    """Most strikes near the money have an open interest above 50 contracts."""
    chain = (await at(EPOCH + 61.7 * DAY, underlying=underlying)).chain
    near = np.abs(np.log(chain.strike / chain.forward)) < 0.05

    assert (chain.open_interest[near] > 50).mean() > 0.9


INSTANTS = [EPOCH + days * DAY for days in (0, 0.32, 17.123456, 17.2, 59.99, 60.3335)]


async def test_a_seed_gives_the_same_bits_in_any_order() -> None:
    """Another object, asked for other instants first, shows the same market."""
    clock = StillClock()
    market = SyntheticMarket(9, clock, ("ETH", "BTC"), SyntheticParams())
    backward = {}
    for instant in reversed(INSTANTS):
        clock.instant = instant
        backward[instant] = bits(await market.snapshot("BTC"))

    assert [backward[instant] for instant in INSTANTS] == [
        bits(await at(instant, seed=9)) for instant in INSTANTS
    ]


async def test_a_coin_does_not_depend_on_the_others() -> None:
    """BTC alone is BTC beside ETH."""
    alone = SyntheticMarket(9, StillClock(INSTANTS[3]), ("BTC",), SyntheticParams())

    assert bits(await alone.snapshot("BTC")) == bits(await at(INSTANTS[3], seed=9))


def test_another_process_shows_the_same_bits() -> None:
    """A killed process goes on in the market it left."""
    program = (
        "import asyncio, datetime, sys\n"
        "from tests.support.rigs import at, bits\n"
        "instant = datetime.datetime.fromisoformat(sys.argv[1])\n"
        "print(bits(asyncio.run(at(instant))))\n"
    )
    root = Path(__file__).resolve().parents[4]
    command = [sys.executable, "-c", program, INSTANTS[4].isoformat()]
    other = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)

    assert other.stdout.strip() == bits(asyncio.run(at(INSTANTS[4])))


async def test_seeds_differ() -> None:
    """Another seed is another market."""
    assert bits(await at(INSTANTS[3], seed=1)) != bits(await at(INSTANTS[3], seed=2))


async def test_an_expiring_forward_becomes_the_delivery_price() -> None:
    """In the last half hour the forward runs to the mean: a second before, both agree."""
    expiry = EPOCH + timedelta(days=30, hours=8)
    forward = (await at(expiry - timedelta(seconds=1))).chain.forward[0]
    delivered = await invented(5, expiry).market.delivery_price("BTC", expiry)

    assert delivered is not None
    assert forward == pytest.approx(delivered.price_usd, rel=2e-5)
    assert (delivered.source, delivered.error_usd) == ("index mean", 0.0)


async def test_daily_bars_close_at_midnight() -> None:
    """They close at 00:00 UTC at the index of that instant, and join."""
    start = EPOCH + 3 * DAY
    bars = await invented(5, EPOCH + 9.5 * DAY).market.candles("BTC", DAY, start, start + 99 * DAY)

    assert (bars.closed_at_ms % 86_400_000 == 0).all()
    assert len(bars.close) == 6
    assert bars.open[1:].tolist() == bars.close[:-1].tolist()
    assert bars.close[0] == pytest.approx((await at(start + DAY)).index_usd, rel=1e-12)


async def test_bars_tell_nothing_of_later() -> None:
    """A bar is not told a second before it closes, and the day's change is not in the last one."""
    closing = EPOCH + 5 * DAY
    before = invented(5, closing - timedelta(seconds=1)).market
    bars = await before.candles("BTC", DAY, EPOCH, closing + DAY)

    assert bars.closed_at_ms[-1] == (closing - DAY).timestamp() * 1000


async def test_there_is_no_market_before_the_epoch() -> None:
    """Earlier it is not available, and there are no bars."""
    with pytest.raises(Unavailable, match="2025-01-01"):
        await at(EPOCH - timedelta(seconds=1))


def test_a_coin_without_figures_is_refused() -> None:
    """A market can only be invented of coins that the parameters know."""
    with pytest.raises(ValueError, match="DOGE"):
        SyntheticMarket(1, ReplayClock((), EPOCH), ("DOGE",), SyntheticParams())


SEEDS = range(8)


@frozen(eq=False)
class Years:
    """Nearly two years of one coin by the hour, a row a seed: volatility of 30 days, returns."""

    iv30: Floats
    returns: Floats


@pytest.fixture(scope="module")
def btc() -> Years:
    return years(BTC)


@pytest.fixture(scope="module")
def eth() -> Years:
    return years(ETH)


def years(coin: CoinParams) -> Years:
    last = datetime(2026, 12, 1, tzinfo=UTC)
    paths = [SyntheticPath(seed, coin, SyntheticParams()).hours(EPOCH, last) for seed in SEEDS]
    variance = [at_the_money_variance(coin, path.fast, path.slow, 30 / 365) for path in paths]
    returns = [np.diff(np.log(path.index_usd)) for path in paths]
    return Years(np.sqrt(np.array(variance) * 365 / 30), np.array(returns))


@pytest.mark.parametrize("coin", ["btc", "eth"])
def test_the_variance_premium_is_positive_on_average(
    coin: str, request: pytest.FixtureRequest
) -> None:
    """Over 30 days less is realised than was implied: by 1 to 10 points, mostly, not always."""
    invented: Years = request.getfixturevalue(coin)
    squares = np.cumsum(invented.returns**2, axis=1)
    realised = np.sqrt((squares[:, 720:] - squares[:, :-720]) * 365 / 30)
    premium = invented.iv30[:, 1 : realised.shape[1] + 1] - realised

    assert 0.01 < premium.mean() < 0.10
    assert 0.55 < (premium > 0).mean() < 0.90


@pytest.mark.parametrize("coin", ["btc", "eth"])
def test_volatility_returns_to_its_mean(coin: str, request: pytest.FixtureRequest) -> None:
    """Log-volatility above its mean falls over 60 days, by a share between a fifth and one."""
    invented: Years = request.getfixturevalue(coin)
    levels = np.log(invented.iv30[:, ::24])
    before, change = levels[:, :-60], levels[:, 60:] - levels[:, :-60]
    shrunk = np.polyfit((before - levels.mean()).ravel(), change.ravel(), 1)[0]

    assert -1.1 < shrunk < -0.2


def test_returns_are_like_those_of_the_coins(btc: Years, eth: Years) -> None:
    """Annualised volatility, fat tails and correlation lie where those of 2017 to 2025 do."""
    pairs = [np.corrcoef(btc.returns[seed], eth.returns[seed])[0, 1] for seed in SEEDS]
    squares = (btc.returns**2).mean(axis=1)
    kurtosis = (btc.returns**4).mean(axis=1) / squares**2 - 3.0

    assert 0.40 < np.median(btc.returns.std(axis=1)) * np.sqrt(8760) < 0.70
    assert 0.55 < np.median(eth.returns.std(axis=1)) * np.sqrt(8760) < 0.90
    assert np.median(pairs) == pytest.approx(0.84, abs=0.03)
    assert 4.0 < np.median(kurtosis) < 40.0


def test_spot_and_volatility_move_against_each_other(btc: Years) -> None:
    """Hourly returns and changes of log-volatility are correlated below zero."""
    moves = np.diff(np.log(btc.iv30), axis=1)
    pairs = [np.corrcoef(btc.returns[seed], moves[seed])[0, 1] for seed in SEEDS]

    assert -0.45 < np.median(pairs) < -0.15


def test_minutes_lead_nowhere() -> None:
    """The first half of an hour tells nothing of the second, of its own coin or the other."""
    params = SyntheticParams()
    last = EPOCH + 60 * DAY
    halves = {}
    for coin in COINS:
        prices = SyntheticPath(2, coin, params).minute_prices(EPOCH, last)
        halves[coin.underlying] = np.diff(np.log(prices[::30])).reshape(-1, 2)
    first, second = halves["BTC"][:, 0], halves["ETH"][:, 1]

    assert abs(np.corrcoef(first, second)[0, 1]) < 4.0 / np.sqrt(len(first))
    assert abs(np.corrcoef(first, halves["BTC"][:, 1])[0, 1]) < 4.0 / np.sqrt(len(first))


async def test_chains_have_the_usual_size() -> None:
    """Recorded chains have 600 to 1,100 contracts; wide price ranges add some."""
    for underlying in ("BTC", "ETH"):
        rig = invented(4)
        for days in range(60, 690, 70):
            await rig.clock.sleep_until(EPOCH + days * DAY)
            assert 500 < len((await rig.market.snapshot(underlying)).chain) < 1_700
