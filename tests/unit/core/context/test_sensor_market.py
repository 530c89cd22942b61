"""What a market says beside its sensors: each figure by its definition, and when it is unknown."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import exp, pi, sqrt

import numpy as np
import pytest
from attrs import evolve

from core.context.sensor_bars import DailyBars, daily_bars
from core.context.sensor_market import market_facts
from core.context.sensor_readings import sensor_bundle
from core.context.sensor_values import MarketFacts, SensorInputs
from ports.checks import epoch_ms
from ports.history import Candles
from ports.volatility import VolIndexSeries
from tests.support.sensing import HOUR, chain_at, hourly, known_inputs, smile

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
NOTHING = DailyBars([], [], [], [])


def bars(moves: list[float]) -> DailyBars:
    """Days in a row whose closes move by *moves*, as logarithms."""
    close = [100.0 * exp(each) for each in np.cumsum([0.0, *moves])]
    return DailyBars(list(range(len(close))), close, close, close)


def facts(inputs: SensorInputs, days: DailyBars = NOTHING) -> MarketFacts:
    """The facts of *inputs* with *days* behind them."""
    return market_facts(inputs, days)


def test_a_jump_is_counted_in_usual_moves() -> None:
    """Equal moves of 1 % are sqrt(2/pi) of themselves; one of 10 % among them ten times as many."""
    calm = facts(known_inputs(NOW), bars([0.01, -0.01] * 15))
    moves = [0.01, -0.01] * 15
    moves[-3] = 0.10
    jumped = facts(known_inputs(NOW), bars(moves))
    pairs = [abs(left * right) for left, right in pairwise(moves)]

    assert calm.jump_sigmas == pytest.approx(sqrt(2.0 / pi), rel=1e-9)
    assert jumped.jump_sigmas == pytest.approx(
        0.10 / sqrt(pi / 2.0 * sum(pairs) / len(pairs)), rel=1e-9
    )
    old = [0.10, *([0.01, -0.01] * 15)][:30]
    assert facts(known_inputs(NOW), bars(old)).jump_sigmas == pytest.approx(
        0.01 / sqrt(pi / 2.0 * (28 * 1e-4 + 1e-3) / 29), rel=1e-9
    )


@pytest.mark.parametrize("moves", [[0.01] * 29, [0.0] * 40])
def test_jumps_are_unknown_without_a_month_that_moves(moves: list[float]) -> None:
    """Thirty returns are needed, and one that is not zero."""
    assert facts(known_inputs(NOW), bars(moves)).jump_sigmas is None


def test_forward_volatility_lies_between_the_expiries() -> None:
    """Total variance adds up; where the front holds all of it, it is unknown."""
    inputs = known_inputs(NOW, snapshot=chain_at(NOW, (7.0, 30.0)))
    found = facts(inputs)
    front, month = 100.0 * smile(7.0, 0.0), 100.0 * smile(30.0, 0.0)

    assert found.front_expires_at == NOW + timedelta(days=7)
    assert found.month_iv == pytest.approx(month)
    assert found.forward_iv is not None
    assert found.forward_iv**2 * 23 + front**2 * 7 == pytest.approx(month**2 * 30)
    one = facts(known_inputs(NOW, snapshot=chain_at(NOW, (17.0,))))
    assert one.forward_iv is None


def test_liquidity_is_that_of_the_month() -> None:
    """The median spread about the money as a share of marks, and all open interest there."""
    seen = chain_at(NOW, (7.0, 30.0))
    chain = seen.chain
    held = np.where(chain.expiry_ms == epoch_ms(NOW + timedelta(days=30)), 2.0, 1000.0)
    seen = evolve(seen, chain=evolve(chain, open_interest=held))
    found = facts(known_inputs(NOW, snapshot=seen))
    month = seen.chain.expiry_ms == epoch_ms(NOW + timedelta(days=30))
    near = month & (np.abs(chain.strike - 1e5) <= 1e4)
    shares = sorted(((chain.ask - chain.bid) / chain.mark)[near])
    middle = (shares[(len(shares) - 1) // 2] + shares[len(shares) // 2]) / 2.0

    assert found.open_interest == 2.0 * month.sum()
    assert found.spread_share == pytest.approx(middle)


def test_earlier_prices_are_those_of_their_time() -> None:
    """A quarter of an hour, an hour and a day before; older than an hour more is unknown."""
    ends = [NOW - number * HOUR for number in (25, 24, 2, 1, 0)]
    closes = [90_000.0, 80_000.0, 95_000.0, 98_000.0, 99_000.0]
    candles = Candles("BTC", [epoch_ms(each) for each in ends], closes, closes, closes, closes)
    seen = chain_at(NOW + timedelta(minutes=10), (7.0, 30.0), index_usd=100_000.0)
    inputs = known_inputs(NOW + timedelta(minutes=10), candles=candles, snapshot=seen)
    found = facts(inputs)

    assert found.earlier_price == 98_000.0  # that of noon is ten minutes old
    assert found.index_hour_pct == pytest.approx(100.0 * (100_000.0 / 98_000.0 - 1.0))
    assert found.index_day_pct == pytest.approx(25.0)
    gap = evolve(candles, closed_at_ms=[epoch_ms(each - 5 * HOUR) for each in ends])
    assert facts(evolve(inputs, candles=gap)).earlier_price is None


def test_the_volatility_index_moves_by_its_hourly_closes() -> None:
    """Last less first of the day; without fresh closes it is unknown."""
    ends = [epoch_ms(NOW - number * HOUR) for number in (23, 10, 0)]
    series = VolIndexSeries("BTC", ends, [50.0, 70.0, 61.5])

    assert facts(known_inputs(NOW, vol_index_now=series)).vol_index_day_points == 11.5
    late = known_inputs(NOW + timedelta(hours=5), vol_index_now=series)
    assert facts(late).vol_index_day_points is None


def test_a_bundle_has_them() -> None:
    """From the same inputs as its sensors; without a chain or prices they are unknown."""
    inputs = known_inputs(NOW)
    days = daily_bars(hourly(NOW, 260), NOW, 250)

    assert sensor_bundle(inputs).market == market_facts(inputs, days)
    blind = evolve(inputs, snapshot=None)
    assert facts(blind) == MarketFacts()
