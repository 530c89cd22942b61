"""Implied volatility against 50 digits, and its status against the bounds of a premium."""

import warnings
from math import exp, inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pricing.black76 import premium_coin
from core.pricing.implied import IvStatus, implied_interval, implied_vol
from ports.columns import Bools, Floats
from tests.support.reference import (
    EPS,
    Exact,
    Grid,
    exact_iv,
    exacts,
    mp,
    random_domain,
    whole_domain,
    worst,
)

ALLOWED = 4  # units in the last place of a premium
NOISE = 10  # of them: a premium falls by less from one float of volatility to a greater


def _bound(option: Exact, tenor: float, iv: float) -> float:
    """The allowed error in volatility, apart from the rounding of the premium."""
    reach = 6 * abs(option.log_moneyness) * option.mills / tenor**0.5
    return float(EPS * (8 * iv + reach + 8 * option.value / option.vega))


@pytest.mark.parametrize("grid", [whole_domain(), random_domain(1500, seed=7)], ids=["grid", "any"])
def test_out_of_the_money(grid: Grid) -> None:
    """The volatility of a float premium is within the stated bound, down to 1e-300 USD."""
    options = exacts(grid)
    premiums = [float(o.value / f) for o, f in zip(options, grid.forward.tolist(), strict=True)]
    iv, status = implied_vol(premiums, grid.forward, grid.strike, grid.tenor, grid.is_call)

    ratios = []
    for i, (option, market) in enumerate(zip(options, grid.rows, strict=True)):
        ideal = exact_iv(premiums[i], option, market)
        ratios.append(float(abs(iv[i] - ideal)) / _bound(option, grid.tenor[i], float(ideal)))

    print(worst("volatility", ratios, options, grid))
    assert (status == IvStatus.OK).all()
    assert max(ratios) < 1.0


@pytest.mark.parametrize("grid", [whole_domain(), random_domain(1500, seed=8)], ids=["grid", "any"])
def test_in_the_money(grid: Grid) -> None:
    """What the premium's rounding leaves of the time value gives the volatility, or none."""
    options = exacts(grid)
    gains = np.abs(grid.forward - grid.strike)
    premiums = np.array(
        [
            float((o.value + abs(mp.mpf(f) - k)) / f)
            for o, (f, k, _, _) in zip(options, grid.rows, strict=True)
        ]
    )
    iv, status = implied_vol(premiums, grid.forward, grid.strike, grid.tenor, ~grid.is_call)

    ratios = []
    for i, option in enumerate(options):
        lost = float(grid.forward[i]) * np.spacing(premiums[i]) / 2  # half a unit of the last place
        lost += np.spacing(gains[i]) / 2
        if option.value < 8 * lost:
            assert status[i] in {IvStatus.OK, IvStatus.AT_INTRINSIC}
            continue
        assert status[i] == IvStatus.OK
        allowed = _bound(option, grid.tenor[i], grid.iv[i]) + float(3 * lost / option.vega)
        ratios.append(abs(iv[i] - grid.iv[i]) / allowed)

    assert len(ratios) > 300
    assert max(ratios) < 1.0


def _misses(premium: Floats, grid: Grid, is_call: Bools, floats_aside: int = 0) -> Floats:
    """Units in the last place from *premium* to that of its volatility, or of a float aside."""
    market = grid.forward, grid.strike, grid.tenor
    iv, status = implied_vol(premium, *market, is_call)
    assert np.isin(status, (IvStatus.OK, IvStatus.AT_INTRINSIC)).all()
    back = premium_coin(*market, iv + floats_aside * np.spacing(iv), is_call)
    misses: Floats = np.abs(back - premium) / np.spacing(premium)
    return misses


@pytest.mark.parametrize("otm", [True, False])
def test_round_trip(otm: bool) -> None:
    """Premium to volatility and back is within 4 units in the last place, a million times."""
    grid = random_domain(1_250_000, seed=9)
    is_call = grid.is_call == otm
    premium = premium_coin(grid.forward, grid.strike, grid.tenor, grid.iv, is_call)

    misses = _misses(premium, grid, is_call)

    assert misses.size > 1_000_000
    assert misses.max() <= ALLOWED


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.floats(-5.0, 15.0).map(exp),
    st.floats(-37.0, 37.0),
    st.floats(-13.0, 1.0986).map(exp),
    st.floats(0.01, 5.0),
    st.booleans(),
)
def test_round_trip_of_one(
    forward: float, deviations: float, tenor: float, iv: float, is_call: bool
) -> None:
    """The same for any option by itself, from 1e-300 to the money and nearer and nearer to it."""
    away = np.clip(deviations * iv * tenor**0.5, -6.9, 6.9) * 10.0 ** -np.arange(8.0)
    grid = Grid(*np.broadcast_arrays(forward, forward * np.exp(away), tenor, iv))
    premium = premium_coin(forward, grid.strike, tenor, iv, is_call)
    grid, premium = grid.where(premium >= 1e-300), premium[premium >= 1e-300]

    misses = _misses(premium, grid, np.full(premium.size, is_call))

    assert (misses <= ALLOWED).all()


def test_no_other_float_is_nearer() -> None:
    """
    Of any premium the volatility is the float whose own premium is the nearest, but for noise.

    Far out of the money even that may miss by more than 4 units in the last place: the premiums
    of two floats side by side are up to thousands apart.
    """
    grid = random_domain(100_000, seed=13)
    made = premium_coin(grid.forward, grid.strike, grid.tenor, grid.iv, grid.is_call)
    premium = made * (1.0 + np.random.default_rng(14).uniform(-1e-9, 1e-9, made.size))

    misses = _misses(premium, grid, grid.is_call)
    others = [_misses(premium, grid, grid.is_call, n) for n in (-3, -2, -1, 1, 2, 3)]

    assert (misses > ALLOWED).sum() > 10_000
    assert (misses <= np.maximum(ALLOWED, np.min(others, axis=0) + NOISE)).all()


@settings(derandomize=True, deadline=None)
@given(
    st.floats(1.0, 1e6),
    st.floats(-2.0, 2.0),
    st.floats(-13.0, 1.0986).map(exp),
    st.floats(0.05, 5.0),
    st.booleans(),
)
def test_volatility_to_premium_to_volatility(
    forward: float, deviations: float, tenor: float, iv: float, is_call: bool
) -> None:
    """Within two deviations of the money a volatility comes back to twelve digits."""
    strike = forward * exp(deviations * iv * tenor**0.5)
    price = premium_coin(forward, strike, tenor, iv, is_call)

    back, status = implied_vol(price, forward, strike, tenor, is_call)

    assert status is IvStatus.OK
    rounding = 8 * EPS * (1 + price + strike / forward) / (0.05 * min(1, strike / forward))
    assert back == pytest.approx(iv, rel=1e-12, abs=rounding / tenor**0.5)


def test_hull() -> None:
    """Hull's call at 1.875 on a stock at 21 has an implied volatility of 0.235."""
    growth = exp(0.1 * 0.25)

    iv, status = implied_vol(1.875 / 21.0, 21.0 * growth, 20.0, 0.25, True)

    assert status is IvStatus.OK
    assert round(iv, 3) == 0.235


def test_hull_of_a_currency() -> None:
    """Hull's four-month call on sterling at 4.3 cents has an implied volatility of 14.1 %."""
    forward, discount = 1.6 * exp((0.08 - 0.11) / 3), exp(-0.08 / 3)

    iv, status = implied_vol(0.043 / discount / forward, forward, 1.6, 1 / 3, True)

    assert status is IvStatus.OK
    assert round(iv, 3) == 0.141


@pytest.mark.parametrize(
    ("premium", "forward", "strike", "tenor", "is_call", "expected"),
    [
        (0.05, 100.0, 100.0, 0.5, True, IvStatus.OK),
        (0.0, 100.0, 120.0, 0.5, True, IvStatus.AT_INTRINSIC),
        (0.2, 100.0, 80.0, 0.5, True, IvStatus.AT_INTRINSIC),
        (0.2, 100.0, 120.0, 0.5, False, IvStatus.AT_INTRINSIC),
        (0.2000000001, 100.0, 80.0, 0.5, True, IvStatus.OK),
        (0.1999999999, 100.0, 80.0, 0.5, True, IvStatus.BELOW_INTRINSIC),
        (-1e-300, 100.0, 120.0, 0.5, True, IvStatus.BELOW_INTRINSIC),
        (5e-324, 100.0, 120.0, 0.5, True, IvStatus.OK),
        (1.0, 100.0, 120.0, 0.5, True, IvStatus.ABOVE_MAX),
        (0.9999999999, 100.0, 120.0, 0.5, True, IvStatus.OK),
        (1.2, 100.0, 120.0, 0.5, False, IvStatus.ABOVE_MAX),
        (1.1999999999, 100.0, 120.0, 0.5, False, IvStatus.OK),
        (0.05, 100.0, 100.0, 0.0, True, IvStatus.EXPIRED),
        (0.05, 100.0, 100.0, -1.0, False, IvStatus.EXPIRED),
        (nan, 100.0, 100.0, 0.5, True, IvStatus.INVALID_INPUT),
        (0.05, inf, 100.0, 0.5, True, IvStatus.INVALID_INPUT),
        (0.05, 100.0, 0.0, 0.5, True, IvStatus.INVALID_INPUT),
        (0.05, -100.0, 100.0, 0.5, True, IvStatus.INVALID_INPUT),
        (0.05, 100.0, 100.0, nan, True, IvStatus.INVALID_INPUT),
        (inf, 100.0, 100.0, 0.5, True, IvStatus.INVALID_INPUT),
        (nan, 100.0, 100.0, 0.0, True, IvStatus.INVALID_INPUT),
    ],
)
def test_status(
    premium: float, forward: float, strike: float, tenor: float, is_call: bool, expected: IvStatus
) -> None:
    """The status says what became of a premium; iv is a number only for OK and AT_INTRINSIC."""
    iv, status = implied_vol(premium, forward, strike, tenor, is_call)

    assert status is expected
    if expected is IvStatus.AT_INTRINSIC:
        assert iv == 0.0
    else:
        assert (iv > 0.0) == (expected is IvStatus.OK)
        assert np.isnan(iv) == (expected is not IvStatus.OK)


def test_dearer_is_more_volatile() -> None:
    """Over the whole range of premiums implied volatility rises, from 1e-300 to the bound."""
    low, high = 10.0 ** np.linspace(-300.0, -1.0, 4000), np.linspace(0.1001, 0.9999, 2000)

    for strike in (100.0, 101.0, 300.0, 99_000.0):
        iv, status = implied_vol(np.concatenate([low, high]), 100.0, strike, 0.5, True)

        assert (status == IvStatus.OK).all()
        assert (np.diff(iv) > 0.0).all()


def test_any_premium_within_bounds() -> None:
    """1e6 premiums between the bounds have a positive volatility, without warning or exception."""
    rng = np.random.default_rng(10)
    count = 1_000_000
    forward = np.exp(rng.uniform(-10.0, 15.0, count))
    strike = forward * np.exp(rng.uniform(-6.9, 6.9, count))
    is_call = rng.random(count) < 0.5
    lowest = np.maximum(np.where(is_call, forward - strike, strike - forward), 0.0) / forward
    highest = np.where(is_call, 1.0, strike / forward)
    price = lowest + (highest - lowest) * 10.0 ** rng.uniform(-300.0, 0.0, count)
    inside = (price > lowest) & (price < highest)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        iv, status = implied_vol(price, forward, strike, rng.uniform(1e-6, 3.0, count), is_call)

    assert inside.sum() > 400_000
    assert (status[inside] == IvStatus.OK).all()
    assert (np.isfinite(iv[inside]) & (iv[inside] > 0.0)).all()


def test_broadcasting() -> None:
    """Numbers give a float and a status; arrays give two columns of the common shape."""
    iv, status = implied_vol([[0.05], [0.1]], 100.0, [100.0, 110.0, 120.0], 0.5, True)

    assert iv.shape == status.shape == (2, 3)
    assert status.dtype == np.int8
    single, code = implied_vol(0.1, 100.0, 110.0, 0.5, True)
    assert type(single) is float
    assert (single, code) == (iv[1, 1], IvStatus.OK)


def test_interval_of_a_quote() -> None:
    """Half a tick less and more, through the exact premiums of two volatilities."""
    market = (60_000.0, 66_000.0, 0.1)
    low, high = premium_coin(*market, np.array([0.5, 0.52]), True)

    interval = implied_interval((low + high) / 2, *market, True, tick_coin=high - low)

    assert interval.low == pytest.approx(0.5, rel=1e-13)
    assert interval.high == pytest.approx(0.52, rel=1e-13)


def test_interval_without_an_end() -> None:
    """No time value left below is 0, the bound of a premium above infinite; no quote, no number."""
    market = ([0.0001, 0.9999, 0.05], 100.0, 120.0, [0.5, 0.5, 0.0], True)

    interval = implied_interval(*market, tick_coin=0.0005)

    assert interval.low[0] == 0.0
    assert 0.0 < interval.high[0] < inf
    assert 0.0 < interval.low[1] < interval.high[1] == inf
    assert np.isnan([interval.low[2], interval.high[2]]).all()
