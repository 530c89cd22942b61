"""Realised volatility against arithmetic in fifty digits, and by its laws."""

from itertools import pairwise
from math import isnan

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.stats.volatility import realised_vol
from ports.columns import Floats, Ints

HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS


def exact(seen_at_ms: Ints, price: Floats) -> mpmath.mpf:
    """Root of summed squared log returns over the years that passed, in fifty digits."""
    with mpmath.workdps(50):
        prices = [mpmath.mpf(float(value)) for value in price]
        squares = [mpmath.log(b / a) ** 2 for a, b in pairwise(prices)]
        years = mpmath.mpf(int(seen_at_ms[-1] - seen_at_ms[0])) / YEAR_MS
        return mpmath.sqrt(mpmath.fsum(squares) / years)


def path(seed: int, size: int) -> tuple[Ints, Floats]:
    """Uneven instants and a random walk."""
    rng = np.random.default_rng(seed)
    return (
        np.cumsum(rng.integers(1, 5 * HOUR_MS, size)).astype(np.int64),
        9e4 * np.exp(np.cumsum(rng.normal(0.0, 0.01, size))),
    )


@pytest.mark.parametrize("size", [2, 3, 50, 700])
def test_it_is_the_root_of_squared_returns_over_time(size: int) -> None:
    """To 1e-12 of fifty digits, steps even or not."""
    seen_at_ms, price = path(size, size)

    assert realised_vol(seen_at_ms, price) == pytest.approx(
        float(exact(seen_at_ms, price)), rel=1e-12
    )


def test_a_known_path_has_its_known_volatility() -> None:
    """One per cent up and down every hour is 0.01 x the root of 8,760 hours."""
    hours = np.arange(101) * HOUR_MS
    price = 100.0 * np.exp(0.01 * (np.arange(101) % 2))

    assert realised_vol(hours, price) == pytest.approx(0.01 * 8760**0.5, rel=1e-12)


@given(st.floats(1e-3, 1e6), st.floats(0.1, 10.0), st.integers(0, 1000))
@settings(derandomize=True, deadline=None)
def test_units_of_price_do_not_matter_and_time_scales_by_its_root(
    price_scale: float, slower: float, seed: int
) -> None:
    """The same path in another currency is as volatile; spread over k times the time, 1/root k."""
    seen_at_ms, price = path(seed, 40)
    vol = realised_vol(seen_at_ms, price)

    assert realised_vol(seen_at_ms, price_scale * price) == pytest.approx(vol, rel=1e-9)
    stretched = np.round(seen_at_ms * slower * 1000).astype(np.int64)
    assert realised_vol(stretched, price) * (1000 * slower) ** 0.5 == pytest.approx(vol, rel=1e-6)


def test_a_path_without_movement_has_none() -> None:
    """Zero, not NaN: that is a measurement."""
    assert realised_vol(np.arange(5) * HOUR_MS, np.full(5, 100.0)) == 0.0


@pytest.mark.parametrize("size", [0, 1])
def test_too_few_prices_say_nothing(size: int) -> None:
    """NaN, never a default."""
    assert isnan(realised_vol(np.arange(size) * HOUR_MS, np.full(size, 100.0)))


def test_no_time_passed_says_nothing() -> None:
    """Two prices of one instant are no return."""
    assert isnan(realised_vol(np.array([5, 5]), np.array([100.0, 101.0])))


def test_an_unknown_price_makes_it_unknown() -> None:
    """NaN stays NaN."""
    assert isnan(realised_vol(np.arange(3) * HOUR_MS, np.array([1.0, np.nan, 1.0])))
