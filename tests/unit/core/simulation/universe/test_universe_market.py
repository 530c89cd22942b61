"""A universe as a market: chains without free money, an index that chains agree with."""

import asyncio
from datetime import datetime, timedelta

import numpy as np
import pytest
from attrs import evolve

from apps.wiring.universe_file import universe_of
from core.simulation.listing import COINS
from core.simulation.replay import ReplayClock
from core.simulation.synthetic_path import EPOCH
from core.simulation.universe import path_kernel as kernel
from core.simulation.universe.arbitrage import quote_violations
from core.simulation.universe.market import UniverseCoin, universe_market
from core.simulation.universe.params import regime_rows
from core.simulation.universe.paths import first_state
from core.simulation.universe.stress import Stress, stressed
from core.surface.prepare import PrepareParams, prepare
from core.surface.vol_index import vol_index
from ports.chain import ChainTable
from ports.market_data import MarketSnapshot
from tests.support.rigs import bits

SEED = 4
INSTANTS = [EPOCH + timedelta(days=day, hours=hour, minutes=7) for day, hour in ((0, 3), (90, 14))]


def snapshot_at(coin: str, at: datetime, path: int = 0) -> MarketSnapshot:
    market = universe_market(SEED, ReplayClock((), at), [coin], universe_of(None), path)
    return asyncio.run(market.snapshot(coin))


@pytest.mark.parametrize("coin", COINS)
@pytest.mark.parametrize("at", INSTANTS)
def test_quotes_are_no_free_money(coin: str, at: datetime) -> None:
    """No spread, butterfly or parity trade can be had for less than it pays."""
    for path in range(3):
        assert quote_violations(snapshot_at(coin, at, path).chain).total == 0


@pytest.mark.parametrize("coin", COINS)
def test_the_index_is_that_of_the_chain(coin: str) -> None:
    """What DVOL's construction reads off the quotes lies within 5 % of the model's index."""
    at = EPOCH + timedelta(days=45, hours=10)
    for path in range(4):
        model = UniverseCoin(SEED, universe_of(None), coin, path)
        seen = snapshot_at(coin, at, path)

        read = vol_index(seen, prepare(seen, PrepareParams()), None).dvol_like

        assert read == pytest.approx(model.vol_index(at), rel=0.05)


def test_another_object_asked_in_another_order_gives_the_same_bits() -> None:
    """A market has no memory that matters."""
    late, early = INSTANTS[1], INSTANTS[0]
    one = [bits(snapshot_at("BTC", at)) for at in (early, late)]

    clock = ReplayClock((), EPOCH)
    market = universe_market(SEED, clock, ["ETH", "BTC"], universe_of(None))
    other = []
    for at in (early, late):
        asyncio.run(clock.sleep_until(at))
        other.append(bits(asyncio.run(market.snapshot("BTC"))))

    assert one == other


def test_full_hours_are_the_hours_of_the_path() -> None:
    """The bridge by minutes goes through every node."""
    coin = UniverseCoin(SEED, universe_of(None), "BTC", 0)
    hours = [EPOCH + timedelta(hours=hour) for hour in range(49)]

    prices = coin.minute_prices(EPOCH, hours[-1])[::60]

    assert prices == pytest.approx([coin.index_usd(at) for at in hours], rel=1e-12)
    assert prices == pytest.approx(coin.stood(hours[0], hours[-1], hours[-1]).index_usd, rel=1e-12)


def test_minutes_have_the_variance_of_their_hours() -> None:
    """Summed squares of minutes are those of hours within 15 %, over half a year."""
    coin = UniverseCoin(SEED, universe_of(None), "ETH", 1)
    minutes = np.log(coin.minute_prices(EPOCH, EPOCH + timedelta(days=180)))

    by_minute, by_hour = (np.sum(np.diff(minutes[::step]) ** 2) for step in (1, 60))

    assert by_minute == pytest.approx(by_hour, rel=0.15)


def test_an_expiry_is_delivered_at_the_mean_of_its_last_half_hour() -> None:
    """And the forward of that expiry has turned into it."""
    expiry = EPOCH + timedelta(days=2, hours=8)
    clock = ReplayClock((), expiry + timedelta(minutes=1))
    market = universe_market(SEED, clock, ["BTC"], universe_of(None))
    coin = UniverseCoin(SEED, universe_of(None), "BTC", 0)

    delivered = asyncio.run(market.delivery_price("BTC", expiry))

    prices = coin.minute_prices(expiry - timedelta(minutes=29), expiry)
    assert delivered is not None
    assert delivered.price_usd == pytest.approx(float(prices.mean()), rel=1e-12)


def changed(chain: ChainTable, name: str, row: int, value: float) -> ChainTable:
    column = getattr(chain, name).copy()
    column[row] = value
    return evolve(chain, **{name: column})


def rows_of_a_month() -> tuple[ChainTable, int]:
    """One expiry of a chain, and the row of a call near its money."""
    whole = snapshot_at("BTC", INSTANTS[0]).chain
    chain = whole.where(whole.expiry_ms == np.unique(whole.expiry_ms)[5])
    apart = np.where(chain.is_call, np.abs(chain.strike - chain.forward), np.inf)
    return chain, int(np.argmin(apart))


def test_a_planted_crossing_is_found() -> None:
    """A bid above its ask."""
    chain, row = rows_of_a_month()

    assert quote_violations(changed(chain, "bid", row, chain.ask[row] + 0.001)).crossed == 1


def test_a_planted_vertical_is_found() -> None:
    """A call that bids more than a call of a lower strike asks."""
    chain, row = rows_of_a_month()

    assert quote_violations(changed(chain, "ask", row - 2, chain.bid[row] - 0.001)).vertical >= 1


def test_a_planted_butterfly_is_found() -> None:
    """A middle that bids more than its wings cost."""
    chain, row = rows_of_a_month()
    wings = 0.5 * (chain.ask[row - 2] + chain.ask[row + 2])

    assert quote_violations(changed(chain, "bid", row, wings + 0.004)).butterfly >= 1


def test_a_planted_breach_of_parity_is_found() -> None:
    """A call that bids more than its put asks and the forward is worth."""
    chain, row = rows_of_a_month()
    worth = 1.0 - chain.strike[row] / chain.forward[row]

    wrong = changed(chain, "bid", row, chain.ask[row + 1] + worth + 0.001)

    assert quote_violations(wrong).parity == 1


def test_twice_as_many_jumps() -> None:
    """Of every coin."""
    calm = universe_of(None)

    rates = [
        new.dynamics.jumps_per_year / old.dynamics.jumps_per_year
        for old, new in zip(calm.coins, stressed(calm, Stress.JUMPS).coins, strict=True)
    ]

    assert rates == pytest.approx([2.0, 2.0], rel=1e-12)


def test_no_premium_is_none_on_average() -> None:
    """Implied over realised variance is 1 in the mean of the regimes' logarithms."""
    for coin in stressed(universe_of(None), Stress.NO_PREMIUM).coins:
        premiums = regime_rows(coin)[:, kernel.PREMIUM]
        assert float(coin.regimes.occupancy() @ premiums) == pytest.approx(0.0, abs=1e-12)


def test_an_inverted_market_is_inverted() -> None:
    """The slow factor stands above zero on most paths: near maturities above far ones."""
    inverted = stressed(universe_of(None), Stress.INVERSION)

    slow = [
        first_state(inverted, "BTC", SEED, path).states[kernel.SLOW_STATE, -1] for path in range(20)
    ]

    assert np.mean(np.array(slow) > 0.0) > 0.8
