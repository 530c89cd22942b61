"""Premium, delta and tenor against 50 digits, textbooks and the laws of option prices."""

import warnings
from math import exp, inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pricing.black76 import (
    YEAR_MS,
    Formula,
    delta,
    net_delta,
    premium_coin,
    premium_usd,
    tenor_years,
)
from tests.support.reference import (
    EPS,
    Grid,
    Market,
    exacts,
    mp,
    random_domain,
    whole_domain,
    worst,
)

forwards = st.floats(1.0, 1e6)
ratios = st.floats(-6.9, 6.9).map(exp)
tenors = st.floats(-13.0, 1.0986).map(exp)  # a minute or so to three years
ivs = st.floats(0.01, 5.0)
markets = st.builds(lambda f, ratio, t, iv: (f, f * ratio, t, iv), forwards, ratios, tenors, ivs)


@pytest.mark.parametrize("grid", [whole_domain(), random_domain(2500, seed=1)], ids=["grid", "any"])
def test_out_of_the_money_premium(grid: Grid) -> None:
    """Its relative error is below 1.5e-16 (4 + cond) over the whole domain, down to 1e-300."""
    market = (grid.forward, grid.strike, grid.tenor, grid.iv, grid.is_call)
    usd, coin = premium_usd(*market), premium_coin(*market)
    options = exacts(grid)

    errors = []
    for i, option in enumerate(options):
        allowed = 1.5e-16 * (4 + option.condition) * option.value
        in_usd = mp.mpf(coin[i]) * grid.forward[i]
        errors.append(float(max(abs(usd[i] - option.value), abs(in_usd - option.value)) / allowed))

    print(worst("premium", errors, options, grid))
    assert len(errors) > 1000
    assert min(float(o.value) for o in options) < 1e-280
    assert max(errors) < 1.0


def test_in_the_money_premium() -> None:
    """It is intrinsic plus the exact other side, to the rounding of the two and their sum."""
    grid = whole_domain()
    itm = premium_usd(grid.forward, grid.strike, grid.tenor, grid.iv, ~grid.is_call)
    options = exacts(grid)

    errors = []
    for i, option in enumerate(options):
        gain = abs(mp.mpf(grid.forward[i]) - grid.strike[i])
        allowed = 4e-16 * (4 + option.condition) * option.value + EPS * (2 * gain + option.value)
        errors.append(float(abs(itm[i] - option.value - gain) / allowed))

    assert max(errors) < 1.0, worst("in the money", errors, options, grid)


@pytest.mark.parametrize(
    ("forward", "strike", "tenor", "iv", "rate", "is_call", "printed"),
    [
        # Hull, Options, Futures, and Other Derivatives
        (20.0, 20.0, 4 / 12, 0.25, 0.09, False, "1.12"),  # crude oil futures
        (620.0, 600.0, 0.5, 0.2, 0.05, True, "44.19"),  # gold, by its futures
        (42.0 * exp(0.1 * 0.5), 40.0, 0.5, 0.2, 0.1, True, "4.76"),  # a stock
        (42.0 * exp(0.1 * 0.5), 40.0, 0.5, 0.2, 0.1, False, "0.81"),
        (49.0 * exp(0.05 * 0.3846), 50.0, 0.3846, 0.2, 0.05, True, "2.40"),  # to be hedged
        (930.0 * exp(0.05 * 2 / 12), 900.0, 2 / 12, 0.2, 0.08, True, "51.83"),  # an index
        (1.6 * exp(-0.03 / 3), 1.6, 1 / 3, 0.1, 0.08, True, "0.0285"),  # a currency
        (1.6 * exp(-0.03 / 3), 1.6, 1 / 3, 0.2, 0.08, True, "0.0639"),
        # Haug, The Complete Guide to Option Pricing Formulas, chapter 1
        (60.0 * exp(0.08 * 0.25), 65.0, 0.25, 0.3, 0.08, True, "2.1334"),  # Black-Scholes
        (100.0 * exp(0.05 * 0.5), 95.0, 0.5, 0.2, 0.1, False, "2.4648"),  # Merton
        (19.0, 19.0, 0.75, 0.28, 0.1, True, "1.7011"),  # Black-76
        (19.0, 19.0, 0.75, 0.28, 0.1, False, "1.7011"),
        (4200.0, 3800.0, 0.75, 0.15, 0.0, False, "65.6185"),  # Asay: r = 0, as ours
        (4200.0, 3800.0, 0.75, 0.15, 0.0, True, "465.6185"),
        (1.56 * exp(-0.02 * 0.5), 1.6, 0.5, 0.12, 0.06, True, "0.0291"),  # Garman-Kohlhagen
        (75.0 * exp(0.05 * 0.5), 70.0, 0.5, 0.35, 0.1, False, "4.0870"),  # generalised
    ],
)
def test_textbook_premiums(
    forward: float,
    strike: float,
    tenor: float,
    iv: float,
    rate: float,
    is_call: bool,
    printed: str,
) -> None:
    """Worked examples of Hull and Haug come out to the printed digits, once discounted."""
    digits = len(printed.partition(".")[2])

    premium = exp(-rate * tenor) * premium_usd(forward, strike, tenor, iv, is_call)

    assert f"{premium:.{digits}f}" == printed


def test_table_of_haug() -> None:
    """European values beside his American options on futures come out to the printed digits."""
    forwards = np.array([90.0, 100.0, 110.0])

    soon = exp(-0.1 * 0.1) * premium_usd(forwards, 100.0, 0.1, [[0.25], [0.35]], True)
    late = exp(-0.1 * 0.5) * premium_usd(forwards, 100.0, 0.5, 0.15, True)

    assert soon.round(4).tolist() == [[0.3150, 3.1217, 10.3556], [0.9474, 4.3693, 11.1381]]
    assert late.round(4).tolist() == [0.8069, 4.0232, 10.5769]


def test_textbook_delta() -> None:
    """Haug's option on a futures at 105 has the deltas 0.5946 and -0.3566, discounted."""
    discount = exp(-0.1 * 0.5)

    assert round(discount * delta(105.0, 100.0, 0.5, 0.36, True), 4) == 0.5946
    assert round(discount * delta(105.0, 100.0, 0.5, 0.36, False), 4) == -0.3566


@settings(derandomize=True, deadline=None)
@given(markets)
def test_parity(market: Market) -> None:
    """Call less put is 1 - K/F in coin; the deltas of the two differ by 1 and by K/F."""
    forward, strike, _, _ = market
    ratio = strike / forward

    gap = premium_coin(*market, True) - premium_coin(*market, False)
    assert gap == pytest.approx((forward - strike) / forward, rel=0, abs=8 * EPS * (1 + ratio))
    assert delta(*market, True) - delta(*market, False) == pytest.approx(1.0, rel=8 * EPS)
    gap = net_delta(*market, True) - net_delta(*market, False)
    assert gap == pytest.approx(ratio, rel=8 * EPS)


@settings(derandomize=True, deadline=None)
@given(markets, st.booleans())
def test_bounds(market: Market, is_call: bool) -> None:
    """A premium in coin lies between intrinsic and 1, or K/F of a put."""
    forward, strike, _, _ = market
    intrinsic = max(forward - strike if is_call else strike - forward, 0.0) / forward

    assert intrinsic <= premium_coin(*market, is_call) <= (1.0 if is_call else strike / forward)


@settings(derandomize=True, deadline=None)
@given(markets, st.floats(1e-6, 0.1), st.booleans())
def test_monotone_in_volatility(market: Market, step: float, is_call: bool) -> None:
    """More volatility never makes an option cheaper, but for rounding."""
    forward, strike, tenor, iv = market

    low, high = premium_usd(forward, strike, tenor, [iv, iv * (1 + step)], is_call)

    assert high >= low * (1 - 8 * EPS)


@settings(derandomize=True, deadline=None)
@given(markets, st.floats(1e-3, 0.2), st.booleans())
def test_convex_in_strike(market: Market, width: float, is_call: bool) -> None:
    """A butterfly never has a negative price, beyond the rounding of its legs."""
    forward, strike, tenor, iv = market
    strikes = np.array([strike * (1 - width), strike, strike * (1 + width)])

    low, mid, high = premium_usd(forward, strikes, tenor, iv, is_call)

    assert low - 2 * mid + high >= -16 * EPS * (low + mid + high + strike)


@settings(derandomize=True, deadline=None)
@given(markets, st.integers(-20, 20), st.booleans())
def test_homogeneous(market: Market, power: int, is_call: bool) -> None:
    """Forward and strike times a power of two: the USD premium scales, the coin one stays."""
    forward, strike, tenor, iv = market
    scale = 2.0**power
    large = (scale * forward, scale * strike, tenor, iv)

    assert premium_usd(*large, is_call) == scale * premium_usd(*market, is_call)
    assert premium_coin(*large, is_call) == premium_coin(*market, is_call)


@settings(derandomize=True, deadline=None)
@given(markets, st.booleans())
def test_coin_is_usd_over_forward(market: Market, is_call: bool) -> None:
    """The two premiums agree to the rounding of the division; delta less coin is net delta."""
    forward, strike, _, _ = market
    coin = premium_coin(*market, is_call)

    assert coin == premium_usd(*market, is_call) / forward
    difference = delta(*market, is_call) - coin
    assert net_delta(*market, is_call) == pytest.approx(
        difference, rel=0, abs=8 * EPS * (1 + strike / forward)
    )


@pytest.mark.parametrize("tenor", [0.0, -0.1])
def test_expired(tenor: float) -> None:
    """At and after expiry a premium is intrinsic, exactly, and the deltas are zero."""
    assert premium_usd(100.0, 80.0, tenor, 0.5, True) == 20.0
    assert premium_usd(100.0, 80.0, tenor, 0.5, False) == 0.0
    assert premium_coin(100.0, 120.0, tenor, 0.5, False) == 0.2
    assert delta(100.0, 80.0, tenor, 0.5, True) == 0.0
    assert net_delta(100.0, 80.0, tenor, 0.5, True) == 0.0


def test_limits_of_volatility() -> None:
    """No volatility leaves intrinsic and the exercised side's delta; boundless gives the bounds."""
    assert premium_usd(100.0, 80.0, 1.0, 0.0, True) == 20.0
    assert premium_usd(100.0, 100.0, 1.0, 0.0, True) == 0.0
    assert delta(100.0, 80.0, 1.0, 0.0, True) == 1.0
    assert net_delta(100.0, 80.0, 1.0, 0.0, False) == 0.0
    assert premium_usd(100.0, 120.0, 1.0, 1e9, True) == 100.0
    assert premium_usd(100.0, 80.0, 1.0, 1e308, False) == 80.0
    assert premium_usd(100.0, 200.0, 1e-6, 0.01, True) == 0.0


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("formula", [premium_usd, premium_coin, delta, net_delta])
def test_nan_stays(formula: Formula, at: int) -> None:
    """NaN in any input is NaN in the result, for live and expired options."""
    for tenor in (0.5, 0.0):
        market = [100.0, 90.0, tenor, 0.5]
        market[at] = nan

        assert np.isnan(formula(*market, True))


@pytest.mark.parametrize(
    "market", [(-1.0, 1.0, 1.0, 1.0), (1.0, 0.0, 1.0, 1.0), (1.0, 1.0, 1.0, -0.1)]
)
def test_senseless_input(market: Market) -> None:
    """A forward or strike that is not positive, or a negative volatility, has no premium."""
    assert np.isnan(premium_coin(*market, True))


def test_any_finite_positive_input() -> None:
    """1e6 options of absurd terms come without NaN, warning or exception."""
    rng = np.random.default_rng(2)
    market = np.exp(rng.uniform(-200.0, 200.0, (4, 1_000_000)))
    market[1, ::2] = market[0, ::2]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for formula in (premium_usd, premium_coin, delta, net_delta):
            values = formula(*market, np.arange(1_000_000) % 3 == 0)

            assert not np.isnan(values).any()


def test_broadcasting() -> None:
    """Numbers give a float; numbers and arrays give the common shape, row by row the same."""
    strikes, is_call = np.array([[90.0], [110.0]]), np.array([True, False, True])

    table = premium_coin(100.0, strikes, 0.25, 0.5, is_call)

    assert table.shape == (2, 3)
    single = premium_coin(100.0, 110.0, 0.25, 0.5, False)
    assert type(single) is float
    assert table[1, 1] == single
    assert premium_coin(np.empty(0), 1.0, 1.0, 1.0, True).shape == (0,)


def test_tenor() -> None:
    """A tenor is integer milliseconds over a year of 365 days, zero from expiry on."""
    assert tenor_years(YEAR_MS + 7, 7) == 1.0
    assert tenor_years(1_774_598_400_001, 1_774_598_400_000) == 1 / 31_536_000_000
    assert tenor_years(5, 6) == 0.0
    assert tenor_years(np.array([0, YEAR_MS, 2 * YEAR_MS]), YEAR_MS).tolist() == [0.0, 0.0, 1.0]
    assert type(tenor_years(5, 6)) is float


def test_infinite_forward() -> None:
    """An infinite forward is no market."""
    assert np.isnan(premium_usd(inf, 100.0, 1.0, 1.0, True))
