"""Marks of contracts that a snapshot lists, and of those it does not."""

from datetime import datetime, timedelta
from math import isnan, nan

import mpmath
import pytest

from core.pricing.marks import forward_of, iv_of, mark_of
from ports.instruments import OptionContract
from tests.support.markets import DAILY, FRIDAY, NOW, Listed, call, put, snapshot

NEXT_FRIDAY = FRIDAY + timedelta(days=7)
MARKET = snapshot(
    Listed(contract=call(90_000.0), mark=0.13, mark_iv=0.60, forward=101_000.0),
    Listed(contract=put(90_000.0), mark=0.02, mark_iv=0.60, forward=101_000.0),
    Listed(contract=call(110_000.0), mark=0.03, mark_iv=0.50, forward=101_000.0),
    Listed(contract=call(100_000.0, DAILY), mark=0.02, mark_iv=0.80, forward=100_100.0),
    index_usd=100_050.0,
)


def exact_premium(contract: OptionContract, forward: float, iv: str, now: datetime) -> float:
    """Black-76 in coin with 50 digits."""
    with mpmath.workdps(50):
        years = mpmath.mpf(int((contract.expiry - now).total_seconds())) / (365 * 86_400)
        f, k = mpmath.mpf(forward), mpmath.mpf(contract.strike)
        s = mpmath.mpf(iv) * mpmath.sqrt(years)
        d1 = mpmath.log(f / k) / s + s / 2
        c = 1 if contract.is_call else -1
        value = c * (f * mpmath.ncdf(c * d1) - k * mpmath.ncdf(c * (d1 - s)))
        return float(value / f)


def test_the_listed_mark_is_the_mark() -> None:
    """Where the chain has one, nothing is computed."""
    assert mark_of(MARKET, call(90_000.0), NOW) == 0.13
    assert mark_of(MARKET, put(90_000.0), NOW + timedelta(days=3)) == 0.02


def test_an_unlisted_strike_is_interpolated() -> None:
    """Black-76 on the expiry's forward, its volatility linear in strike: 0.6, 0.5 give 0.55."""
    for contract in (call(100_000.0), put(100_000.0)):
        expected = exact_premium(contract, 101_000.0, "0.55", NOW)
        assert mark_of(MARKET, contract, NOW) == pytest.approx(expected, rel=1e-13)
    assert iv_of(MARKET, put(95_000.0), NOW) == pytest.approx(0.575, abs=1e-15)


def test_the_mark_ages() -> None:
    """A day later the same snapshot gives the value with a day less."""
    later = NOW + timedelta(days=1)

    expected = exact_premium(call(100_000.0), 101_000.0, "0.55", later)
    assert mark_of(MARKET, call(100_000.0), later) == pytest.approx(expected, rel=1e-13)


def test_the_smile_is_flat_beyond_its_ends() -> None:
    """The last strike's volatility holds for all beyond."""
    assert iv_of(MARKET, call(300_000.0), NOW) == 0.50
    assert iv_of(MARKET, put(10_000.0), NOW) == 0.60


def test_a_listed_volatility_stands_in_for_a_missing_mark() -> None:
    """The contract's own volatility, not the mean with the other kind at its strike."""
    market = snapshot(
        Listed(contract=call(90_000.0), mark_iv=0.60), Listed(contract=put(90_000.0), mark_iv=0.64)
    )

    expected = exact_premium(put(90_000.0), 100_000.0, "0.64", NOW)
    assert mark_of(market, put(90_000.0), NOW) == pytest.approx(expected, rel=1e-13)


def test_the_nearest_expiry_lends_smile_and_forward() -> None:
    """An expiry that is not listed is valued with its own time on the nearest one's terms."""
    contract = call(100_000.0, NEXT_FRIDAY)

    assert forward_of(MARKET, contract, NOW) == 101_000.0
    expected = exact_premium(contract, 101_000.0, "0.55", NOW)
    assert mark_of(MARKET, contract, NOW) == pytest.approx(expected, rel=1e-13)
    assert forward_of(MARKET, call(1e5, DAILY + timedelta(days=1)), NOW) == 100_100.0


def test_the_forward_is_that_of_the_expiry() -> None:
    """Each expiry has its own, whatever the strike."""
    assert forward_of(MARKET, put(123_000.0), NOW) == 101_000.0
    assert forward_of(MARKET, put(123_000.0, DAILY), NOW) == 100_100.0


def test_nothing_known_is_nan() -> None:
    """No smile, no forward or no rows at all: no number."""
    no_smile = snapshot(Listed(contract=call(90_000.0)))
    no_forward = snapshot(Listed(contract=call(90_000.0), mark_iv=0.6, forward=nan))

    for market in (no_smile, no_forward, snapshot()):
        assert isnan(mark_of(market, call(90_000.0), NOW))
    assert isnan(iv_of(no_smile, call(90_000.0), NOW))
    assert isnan(forward_of(no_forward, call(90_000.0), NOW))


@pytest.mark.parametrize("smile", [0.6, nan])
def test_an_expired_contract_is_worth_its_payoff_at_the_index(smile: float) -> None:
    """After expiry, unlisted: the payoff at the index, with no volatility asked for."""
    after = FRIDAY + timedelta(hours=1)
    market = snapshot(
        Listed(contract=call(90_000.0, NEXT_FRIDAY), mark_iv=smile, forward=150_000.0),
        taken_at=after,
        index_usd=125_000.0,
    )

    assert forward_of(market, call(100_000.0), after) == 125_000.0
    assert iv_of(market, call(100_000.0), after) == 0.0
    assert mark_of(market, call(100_000.0), after) == pytest.approx(0.2, abs=1e-15)
    assert mark_of(market, put(100_000.0), after) == 0.0
