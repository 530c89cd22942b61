"""Greeks against differences in 50 digits, textbooks and their sum rules."""

import warnings
from math import exp, nan, sqrt

import attrs
import numpy as np
import pytest

from core.pricing.black76 import delta, net_delta, premium_coin, premium_usd
from core.pricing.greeks import Greeks, MainGreeks, greeks, main_greeks
from ports.columns import Floats
from tests.support.reference import (
    EPS,
    Grid,
    Market,
    Row,
    exact_greeks,
    mp,
    random_domain,
    whole_domain,
)

NAMES = [field.name for field in attrs.fields(Greeks)]


def _sizes(row: Row, market: Market) -> Row:
    """What each greek would be without the cancellation in d1, d2 or 1 + d1/s."""
    forward, strike, tenor, iv = market
    s = iv * sqrt(tenor)
    d = abs(mp.log(mp.mpf(forward) / strike)) / s + s / 2
    density = row["gamma"] * forward * s
    sizes = {name: abs(value) for name, value in row.items()}
    sizes["vanna"] = density * d / iv
    sizes["volga"] = 100 * row["vega"] * d * d / iv
    sizes["charm"] = density * d / (730 * tenor)
    sizes["speed"] = row["gamma"] / forward * (1 + d / s)
    sizes["gamma_coin"] = row["gamma"] / forward + 2 * abs(row["delta_coin"]) / forward
    return sizes


@pytest.mark.parametrize(
    "grid",
    [whole_domain().where(np.arange(whole_domain().iv.size) % 17 == 5), random_domain(180, seed=3)],
    ids=["grid", "any"],
)
@pytest.mark.parametrize("otm", [True, False])
def test_differences(grid: Grid, otm: bool) -> None:
    """Each greek is within 1e-12 of the derivative of the 50-digit premium, on both sides."""
    every_other = grid.where(np.arange(grid.iv.size) % 2 == otm)
    columns = (every_other.forward, every_other.strike, every_other.tenor, every_other.iv)
    is_call = every_other.is_call == otm
    found = attrs.asdict(greeks(*columns, is_call))

    failures = []
    for i, market in enumerate(every_other.rows):
        row = exact_greeks(market, bool(is_call[i]))
        sizes = _sizes(row, market)
        for name in NAMES:
            error = abs(found[name][i] - row[name])
            if error > 1e-12 * abs(row[name]) + 8 * EPS * sizes[name]:
                failures.append(f"{name} off by {mp.nstr(error / row[name], 3)} at {market}")

    assert len(is_call) > 30
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("grid", [whole_domain(), random_domain(20_000, seed=4)])
def test_sum_rules(grid: Grid) -> None:
    """Vega is F² gamma σ T, theta -F² gamma σ² / 2, and the coin greeks follow from the others."""
    f, iv = grid.forward, grid.iv
    g = greeks(f, grid.strike, grid.tenor, iv, grid.is_call)

    np.testing.assert_allclose(100 * g.vega, f * f * g.gamma * iv * grid.tenor, rtol=16 * EPS)
    np.testing.assert_allclose(365 * g.theta, -f * f * g.gamma * iv * iv / 2, rtol=16 * EPS)
    np.testing.assert_allclose(g.vega_coin, g.vega / f, rtol=4 * EPS)
    np.testing.assert_allclose(g.theta_coin, g.theta / f, rtol=4 * EPS)
    np.testing.assert_allclose(g.delta_coin, g.net_delta / f, rtol=4 * EPS)


def test_one_definition() -> None:
    """Delta, net delta and premium are those of black76, bit for bit."""
    grid = random_domain(5000, seed=5)
    market = (grid.forward, grid.strike, grid.tenor, grid.iv, np.arange(grid.iv.size) % 2 == 0)

    g = greeks(*market)

    assert (g.delta == delta(*market)).all()
    assert (g.net_delta == net_delta(*market)).all()
    assert (g.premium_coin == premium_coin(*market)).all()
    main = main_greeks(*market)
    assert (main.premium_usd == premium_usd(*market)).all()
    for field in attrs.fields(MainGreeks)[1:]:
        assert (getattr(main, field.name) == getattr(g, field.name)).all()


@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_kept_memory(shape: tuple[int, ...]) -> None:
    """Memory that the caller keeps holds the same numbers, and is the caller's to write again."""
    market = (100.0, np.linspace(90.0, 110.0, int(np.prod(shape))).reshape(shape), 0.5, 0.6, True)
    fresh, kept = main_greeks(*market), np.full((8, *shape), nan)

    for _ in range(2):
        main = main_greeks(*market, out=kept)
        for row, field in enumerate(attrs.fields(MainGreeks)):
            assert (kept[row] == getattr(fresh, field.name)).all()
            assert (getattr(main, field.name) == getattr(fresh, field.name)).all()
    assert kept.flags.writeable
    if shape:
        assert np.shares_memory(main.delta, kept)
        assert not main.delta.flags.writeable


@pytest.mark.parametrize(
    "wrong",
    [np.empty((7, 3)), np.empty((8, 4)), np.empty((8, 3), dtype=np.float32), np.empty((3, 8)).T],
    ids=["rows", "columns", "type", "layout"],
)
def test_memory_that_does_not_fit(wrong: Floats) -> None:
    """Memory of another shape, type or layout is refused, and nothing is written."""
    with pytest.raises(ValueError, match="out must be contiguous"):
        main_greeks(100.0, [90.0, 100.0, 110.0], 0.5, 0.6, True, out=wrong)


def test_exchange_theta() -> None:
    """On the last day the exchange's theta is all the time value that is left to decay."""
    g = greeks(100.0, 100.0, np.array([2.0, 1.0, 0.25]) / 365, 0.8, True)

    np.testing.assert_allclose(g.exchange_theta / g.theta, [1.0, 1.0, 0.25], rtol=1e-15)


def test_hull() -> None:
    """Hull's call on a stock at 49 has the printed delta, gamma, vega, theta and rho."""
    spot, strike, rate, tenor = 49.0, 50.0, 0.05, 0.3846
    growth = exp(rate * tenor)
    g = greeks(spot * growth, strike, tenor, 0.2, True)
    exercised = g.net_delta * spot * growth / strike  # N(d2)

    assert round(g.delta, 3) == 0.522
    assert round(growth * g.gamma, 3) == 0.066
    assert round(100 * g.vega / growth, 1) == 12.1
    assert round((365 * g.theta - rate * strike * exercised) / growth, 2) == -4.31
    assert round(100 * g.rho / growth, 2) == 8.91


def test_haug() -> None:
    """Haug's gamma, vega, volga, speed and charm come out to the printed digits."""
    stock = greeks(55.0 * exp(0.1 * 0.75), 60.0, 0.75, 0.3, True)
    assert round(stock.gamma * exp(0.1 * 0.75), 4) == 0.0278

    stock = greeks(55.0 * exp(0.0695 * 0.75), 60.0, 0.75, 0.3, True)
    assert round(100 * stock.vega * exp(-0.105 * 0.75), 4) == 18.5027

    future = greeks(90.0, 130.0, 0.75, 0.28, True)
    assert round(future.volga * exp(-0.05 * 0.75), 4) == 92.3444

    stock = greeks(50.0 * exp(0.01 * 0.0833), 48.0, 0.0833, 0.2, True)
    assert round(stock.speed * exp(0.0833 * (3 * 0.01 - 0.06)), 4) == -0.0291

    future = greeks(105.0, 90.0, 0.25, 0.24, False)
    assert round((365 * future.charm + 0.14 * future.delta) * exp(-0.14 * 0.25), 4) == 0.3700


def test_haug_of_stocks() -> None:
    """Haug's vanna, theta and rho of options on stocks and an index, to the printed digits."""
    stock = greeks(90.0 * exp(0.05 * 0.25), 80.0, 0.25, 0.2, np.array([True, False]))
    assert stock.vanna.round(4).tolist() == [-1.0008, -1.0008]

    forward, carry, rate, tenor = 430.0 * exp(0.02 * 0.0833), 0.02, 0.07, 0.0833
    index = greeks(forward, 405.0, tenor, 0.2, False)
    decay = 365 * index.theta + forward * (rate * index.premium_coin - carry * index.delta)
    assert round(exp(-rate * tenor) * decay, 4) == -31.1924
    assert round(exp(-rate * tenor) * decay / 365, 4) == -0.0855

    stock = greeks(72.0 * exp(0.09), 75.0, 1.0, 0.19, True)
    assert round(100 * stock.rho * exp(-0.09), 4) == 38.7325


def test_expired() -> None:
    """At expiry the premium is intrinsic and every other column is zero."""
    g = attrs.asdict(greeks(100.0, np.array([80.0, 100.0, 120.0]), 0.0, 0.5, True))

    assert g.pop("premium_coin").tolist() == [0.2, 0.0, 0.0]
    assert all((column == 0.0).all() for column in g.values())


def test_no_volatility() -> None:
    """Without volatility the exercised side's delta remains, and nothing that needs a density."""
    g = greeks(100.0, np.array([80.0, 120.0]), 1.0, 0.0, True)

    assert g.delta.tolist() == [1.0, 0.0]
    assert g.net_delta.tolist() == [0.8, 0.0]
    for column in (g.gamma, g.vega, g.theta, g.vanna, g.volga, g.charm, g.speed):
        assert column.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("at", range(4))
def test_nan_stays(at: int) -> None:
    """NaN in any input is NaN in every column, for live and expired options."""
    for tenor in (0.5, 0.0):
        market = [100.0, 90.0, tenor, 0.5]
        market[at] = nan

        assert all(np.isnan(column) for column in attrs.astuple(greeks(*market, True)))


def test_any_positive_input() -> None:
    """1e6 options of absurd terms come without NaN, warning or exception."""
    rng = np.random.default_rng(6)
    market = np.exp(rng.uniform(-100.0, 100.0, (4, 1_000_000)))
    market[1, ::2] = market[0, ::2] * np.exp(rng.uniform(-2.0, 2.0, 500_000))
    market[1, ::3] = market[0, ::3]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = greeks(*market, rng.random(1_000_000) < 0.5)

    assert not any(np.isnan(column).any() for column in attrs.astuple(g))


def test_columns() -> None:
    """Columns have the common shape and cannot be written to; numbers give floats."""
    table = greeks(100.0, np.array([[90.0], [110.0]]), 0.25, 0.5, np.array([True, False, True]))
    single = greeks(100.0, 110.0, 0.25, 0.5, False)

    for row, number in zip(attrs.astuple(table), attrs.astuple(single), strict=True):
        assert row.shape == (2, 3)
        assert not row.flags.writeable
        assert isinstance(number, float)
        assert row[1, 1] == number
