"""The perpetual beside a market: its funding against the published formula, its mark, its grid."""

from datetime import UTC, datetime, timedelta
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from core.simulation.perpetual import (
    funding_rate,
    future_rules,
    hours_in,
    perpetual_quote,
    premium_for,
    rate_of,
    taker_fee,
    taker_fee_coin,
)
from tests.support.markets import NOW, Listed, call, snapshot

mp.dps = 50
RATES = st.floats(-0.005, 0.005)
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)


@settings(derandomize=True, deadline=None)
@given(st.floats(-0.05, 0.05))
def test_funding_is_the_published_formula(premium: float) -> None:
    """max(0.025 %, p) + min(-0.025 %, p), at most 0.5 % either way, in fifty digits."""
    p, dead = mpf(premium), mpf("0.00025")
    exact = max(min(max(dead, p) + min(-dead, p), mpf("0.005")), mpf("-0.005"))

    assert abs(funding_rate(premium) - float(exact)) < 1e-18 + 1e-15 * abs(premium)


@settings(derandomize=True, deadline=None)
@given(RATES)
def test_a_premium_pays_the_funding_it_stands_for(rate: float) -> None:
    """The premium that is worth a funding rate is charged that rate."""
    assert funding_rate(premium_for(rate)) == pytest.approx(rate, abs=1e-18)


@pytest.mark.parametrize("carry", [0.05, 0.0, -0.03])
def test_the_perpetual_costs_what_the_coin_costs(carry: float) -> None:
    """A year of funding is the carry of the forwards, by their definition F = S exp(c t)."""
    option = call(100_000.0)
    forward = 100_000.0 * exp(carry * option.years_left(NOW))
    shown = perpetual_quote(snapshot(Listed(contract=option, forward=forward)))

    assert shown.funding_8h * 3 * 365 == pytest.approx(carry, abs=1e-9)
    assert (shown.mark > 100_000.0, shown.mark < 100_000.0) == (carry > 0, carry < 0)


def test_without_forwards_it_stands_at_its_index() -> None:
    """Nothing says otherwise: no premium and no funding."""
    seen = snapshot(Listed(contract=call(100_000.0), forward=float("nan")))

    assert rate_of(seen) == 0.0
    assert perpetual_quote(seen).mark == seen.index_usd


@pytest.mark.parametrize("underlying", ["BTC", "ETH"])
def test_quotes_are_on_the_grid_about_the_mark(underlying: str) -> None:
    """A tick wide, about the mark, and inside the band of 1.5 %."""
    option = call(3_000.0, underlying=underlying)
    listed = Listed(contract=option, forward=3_011.3)
    seen = snapshot(listed, index_usd=3_001.237, underlying=underlying)
    shown, rules = perpetual_quote(seen), future_rules(underlying)

    assert all(rules.is_on_tick(each) for each in (shown.bid, shown.ask, shown.least, shown.most))
    assert shown.ask - shown.bid == pytest.approx(rules.tick_size)
    assert shown.bid <= shown.mark <= shown.ask
    assert 0.985 * shown.mark <= shown.least < shown.bid
    assert shown.ask < shown.most <= 1.015 * shown.mark


@settings(derandomize=True, deadline=None)
@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_the_hours_of_a_span_are_all_of_it(start: datetime, length: timedelta) -> None:
    """Their shares of eight hours add up to the span, and none is longer than an hour."""
    shares = [share for _, share in hours_in(start, start + length)]

    assert sum(shares) * 8 == pytest.approx(length / timedelta(hours=1), abs=1e-9)
    assert all(0 < share <= 0.125 for share in shares)


def test_taking_is_cheaper_from_august_2026_on() -> None:
    """0.05 % of the coin before, 0.035 % since: of 100,000 USD at 50,000 that is 2 coin."""
    before, since = datetime(2026, 7, 31, 23, 59, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)

    assert (taker_fee(before), taker_fee(since)) == (0.0005, 0.00035)
    assert taker_fee_coin(100_000.0, 50_000.0, before) == pytest.approx(0.001)
