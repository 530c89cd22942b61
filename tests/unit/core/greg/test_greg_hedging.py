"""Hedges with the perpetual: bands at their limits, sizes, units, and when to look."""

from datetime import timedelta
from math import inf, nextafter

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.greg.catalogue import HedgeMode, StrategyCode
from core.greg.hedging import (
    HedgedPosition,
    HedgeStop,
    HedgeTerms,
    LegDelta,
    hedge_order,
    hedge_orders,
    is_check_due,
    is_due,
    usd_amount,
)
from core.greg.management import BandBasis, HedgeRule, PositionRules
from ports.trading import Side
from tests.support.markets import NOW

RULES = dict(PositionRules().hedges)
HEDGED = {
    StrategyCode.STRADDLE: (HedgeMode.DYNAMIC_DELTA, 0.15, 60),
    StrategyCode.STRANGLE: (HedgeMode.DYNAMIC_DELTA, 0.20, 60),
    StrategyCode.CALENDAR: (HedgeMode.LIGHT_DELTA, 0.20, 3600),
    StrategyCode.IRON_BUTTERFLY: (HedgeMode.LOOSE_DELTA, 0.25, 3600),
}


def tilted(
    code: StrategyCode, delta: float, size: float = 1.0, perp: float = 0.0
) -> HedgedPosition:
    """A position of one leg with *delta* a contract."""
    return HedgedPosition(
        position_id="p1",
        code=code,
        underlying="BTC",
        legs=(LegDelta(delta, size),),
        perp_size=perp,
    )


@pytest.mark.parametrize(("code", "rule"), HEDGED.items())
def test_each_band_at_the_nearest_numbers(
    code: StrategyCode, rule: tuple[HedgeMode, float, int]
) -> None:
    """Nothing at the band itself, in either direction; the whole delta just beyond it."""
    mode, band, every_s = rule
    assert (RULES[code].mode, RULES[code].band, RULES[code].every_s) == (mode, band, every_s)
    assert (RULES[code].target, RULES[code].on_move) == (
        0.0,
        0.01 if mode is HedgeMode.DYNAMIC_DELTA else None,
    )
    for sign, side in ((1, Side.SELL), (-1, Side.BUY)):
        assert hedge_order(tilted(code, sign * band), RULES[code], NOW) is None
        order = hedge_order(tilted(code, sign * nextafter(band, inf)), RULES[code], NOW)
        assert order is not None
        assert (order.side, order.size) == (side, round(band, 4))
        assert order.net_delta_after == 0.0


@pytest.mark.parametrize(
    "code", [StrategyCode.SHORT_PUT, StrategyCode.BULL_PUT, StrategyCode.BEAR_CALL]
)
def test_the_others_are_never_hedged(code: StrategyCode) -> None:
    """However far they lean."""
    assert hedge_order(tilted(code, 500.0), RULES[code], NOW) is None
    assert not is_due(tilted(code, 500.0), RULES[code], NOW, None)


@pytest.mark.parametrize(
    "code", [StrategyCode.SHORT_PUT, StrategyCode.BULL_PUT, StrategyCode.NO_TRADE]
)
def test_no_rule_makes_the_others_hedgeable(code: StrategyCode) -> None:
    """Not even one that would hedge a straddle."""
    assert hedge_order(tilted(code, 5.0), RULES[StrategyCode.STRADDLE], NOW) is None


def test_a_hedge_may_end_at_the_edge() -> None:
    """Of the band, on the side it came from; the engine's own stop is the target."""
    terms = HedgeTerms(stop=HedgeStop.EDGE)
    for delta, side, after in ((0.5, Side.SELL, 0.15), (-0.5, Side.BUY, -0.15)):
        order = hedge_order(
            tilted(StrategyCode.STRADDLE, delta), RULES[StrategyCode.STRADDLE], NOW, terms=terms
        )
        assert order is not None
        assert (order.side, order.net_delta_after) == (side, after)


def test_a_check_waits_for_time_or_for_a_move() -> None:
    """A minute, or one percent either way; the slow modes wait for their hour alone."""
    fast, slow = RULES[StrategyCode.STRANGLE], RULES[StrategyCode.IRON_BUTTERFLY]
    soon = NOW + timedelta(seconds=59)

    assert is_check_due(fast, NOW, None)
    assert not is_check_due(fast, soon, NOW, 0.0099)
    assert is_check_due(fast, soon, NOW, 0.01)
    assert is_check_due(fast, soon, NOW, -0.01)
    assert is_check_due(fast, NOW + timedelta(seconds=60), NOW)
    assert not is_check_due(slow, NOW + timedelta(seconds=3599), NOW, 0.5)
    assert is_check_due(slow, NOW + timedelta(seconds=3600), NOW)
    assert not is_check_due(RULES[StrategyCode.BULL_PUT], NOW, None)


def test_net_delta_is_of_legs_and_perpetual() -> None:
    """Delta times size of each leg, and the perpetual one for one."""
    held = HedgedPosition(
        position_id="p1",
        code=StrategyCode.STRADDLE,
        underlying="ETH",
        legs=(LegDelta(-0.6, 2.0), LegDelta(0.4, 2.0)),
        perp_size=0.1,
    )
    order = hedge_order(held, RULES[StrategyCode.STRADDLE], NOW)

    assert held.net_delta == pytest.approx(-0.3)
    assert order is not None
    assert (order.instrument, order.side, order.size) == ("ETH-PERPETUAL", Side.BUY, 0.3)
    assert (order.net_delta_before, order.net_delta_after) == (-0.3, 0.0)
    assert (LegDelta().delta, LegDelta().size) == (0.0, 1.0)


def test_less_than_a_thousandth_is_not_sent() -> None:
    """Even where the band is narrower than that."""
    narrow = HedgeRule(HedgeMode.DYNAMIC_DELTA, 0.0001, 60)
    assert hedge_order(tilted(StrategyCode.STRADDLE, 0.0009), narrow, NOW) is None
    assert hedge_order(tilted(StrategyCode.STRADDLE, 0.0011), narrow, NOW) is not None


def test_a_batch_tells_only_orders() -> None:
    """Positions within their band, and unknown ones, are passed over."""
    held = [
        tilted(StrategyCode.STRADDLE, 0.1),
        tilted(StrategyCode.STRADDLE, 0.3),
        tilted(StrategyCode.NO_TRADE, 9.0),
    ]
    assert [order.net_delta_before for order in hedge_orders(held, RULES, NOW)] == [0.3]


def test_a_band_a_contract_grows_with_the_position() -> None:
    """Ten contracts may lean ten times as far, a tenth of one a tenth."""
    big, small = (tilted(StrategyCode.STRADDLE, 0.2, size) for size in (10.0, 0.1))
    rule = RULES[StrategyCode.STRADDLE]

    assert hedge_order(small, rule, NOW) is None
    for held in (big, small):
        assert hedge_order(held, rule, NOW, basis=BandBasis.PER_UNIT) is not None
    calm = evolve(big, legs=(LegDelta(0.1, 10.0),))
    assert hedge_order(calm, rule, NOW) is not None
    assert hedge_order(calm, rule, NOW, basis=BandBasis.PER_UNIT) is None


def test_a_look_waits_for_its_time_but_not_in_need() -> None:
    """A minute or an hour after a hedge that was really made; twice the band never waits."""
    held, rule = tilted(StrategyCode.CALENDAR, 0.3), RULES[StrategyCode.CALENDAR]

    assert is_due(held, rule, NOW, None)
    assert not is_due(held, rule, NOW + timedelta(seconds=3599), NOW)
    assert is_due(held, rule, NOW + timedelta(seconds=3600), NOW)
    assert not is_due(tilted(StrategyCode.CALENDAR, 0.4), rule, NOW, NOW)
    assert is_due(tilted(StrategyCode.CALENDAR, 0.41), rule, NOW, NOW)


@pytest.mark.parametrize(
    ("size", "index", "lot", "usd"),
    [
        (0.3, 100_000.0, 10.0, 30_000.0),
        (-0.00016, 100_000.0, 10.0, 20.0),
        (0.00009, 100_000.0, 10.0, 0.0),
        (0.0004, 4_000.0, 1.0, 2.0),
        (0.0002, 4_000.0, 1.0, 0.0),
    ],
)
def test_the_venue_takes_usd_in_whole_lots(
    size: float, index: float, lot: float, usd: float
) -> None:
    """Rounded to the lot, nothing below one; never coin."""
    assert usd_amount(size, index, lot) == usd
    with pytest.raises(ValueError, match="positive"):
        usd_amount(size, 0.0, lot)


@settings(derandomize=True, deadline=None)
@given(
    st.sampled_from(list(HEDGED)),
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 20)), min_size=1, max_size=4),
    st.floats(-5, 5),
)
def test_a_hedge_always_ends_at_its_target(
    code: StrategyCode, legs: list[tuple[float, float]], perp: float
) -> None:
    """To half of the last decimal of its size."""
    held = HedgedPosition(
        position_id="p1",
        code=code,
        underlying="BTC",
        legs=tuple(LegDelta(delta, size) for delta, size in legs),
        perp_size=perp,
    )
    order = hedge_order(held, RULES[code], NOW)

    if abs(held.net_delta) <= RULES[code].band:
        assert order is None
    else:
        assert order is not None
        after = held.net_delta + order.side.sign * order.size
        assert abs(after) <= 0.51e-4
