"""What a venue shows of a market, and for how long."""

from datetime import timedelta
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.simulation.lasting import LastingMarket
from core.simulation.shown import ShownMarket, as_shown
from tests.support.markets import Listed, MovableMarket, StillClock, call, snapshot

CALL = call(110_000.0)


def row(**values: float) -> Listed:
    return Listed(contract=CALL, **{"mark": 0.02, **values})


@given(percent=st.integers(min_value=1, max_value=99_999))
@settings(derandomize=True, deadline=None)
def test_a_shown_volatility_survives_the_wire(percent: int) -> None:
    """Written as percent of two decimals and divided by 100 again, it is the same float."""
    (shown,) = as_shown(snapshot(row(mark_iv=percent / 10_000.0 + 1e-9))).chain.mark_iv.tolist()

    assert round(100.0 * shown, 2) / 100.0 == shown
    assert shown == pytest.approx(percent / 10_000.0, abs=1e-12)


@pytest.mark.parametrize(
    ("price", "is_shown"),
    [(0.0012, True), (0.00125, False), (0.0055, True), (0.0051, False), (0.0049, True)],
)
def test_a_quote_off_the_grid_is_not_shown(price: float, is_shown: bool) -> None:
    """Ticks are 0.0001 below 0.005 and 0.0005 from there on."""
    shown = as_shown(snapshot(row(bid=price, ask=0.02, mark_iv=0.5))).chain

    assert isnan(shown.bid[0]) is not is_shown
    assert shown.ask[0] == 0.02


def test_what_is_not_known_stays_unknown() -> None:
    """NaN is not rounded to anything."""
    shown = as_shown(snapshot(row(bid=nan, mark_iv=nan))).chain

    assert np.isnan([shown.bid[0], shown.mark_iv[0]]).all()


async def test_a_shown_market_shows_what_as_shown_says() -> None:
    """Every snapshot goes through it."""
    market = MovableMarket()
    market.show(snapshot(row(mark_iv=0.123456)))

    assert (await ShownMarket(market).snapshot("BTC")).chain.mark_iv.tolist() == [0.1235]


async def test_a_picture_lasts_until_time_or_reason_ends_it() -> None:
    """The same snapshot for two seconds; a new one afterwards, or when something was ordered."""
    market, clock, orders = MovableMarket(), StillClock(), list[str]()
    lasting = LastingMarket(
        market=market, clock=clock, lasts=timedelta(seconds=2), reason=lambda: tuple(orders)
    )

    async def look(index_usd: float) -> float:
        market.show(snapshot(row(), index_usd=index_usd))
        return (await lasting.snapshot("BTC")).index_usd

    assert await look(100.0) == 100.0
    clock.step(seconds=1.9)
    assert await look(101.0) == 100.0
    orders.append("one")
    assert await look(102.0) == 102.0
    clock.step(seconds=2)
    assert await look(103.0) == 103.0
