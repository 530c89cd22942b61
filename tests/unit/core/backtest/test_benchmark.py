"""The delta-adjusted benchmark and its regression, against fifty digits and by hand."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.backtest.benchmark import DailyReturns, mean_p, newey_west_lag, regression
from core.backtest.metrics import metrics_of
from core.backtest.names import Numeraire
from ports.columns import Floats
from tests.support.backtest_runs import curve


def index_walk(days: int, seed: int = 8) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(40_000.0 * np.exp(np.cumsum(0.03 * rng.standard_normal(days + 1))))


def test_holding_the_coin_has_no_alpha() -> None:
    """Coin alone is its own benchmark: exposure one, beta one, alpha nothing."""
    found = metrics_of((), curve([3.0] * 60, index_walk(59)))

    assert found["avg_exposure"] == pytest.approx(1.0)
    assert found["alpha_pct_usd"] == pytest.approx(0.0, abs=1e-9)
    assert found["alpha_pct_coin"] == pytest.approx(0.0, abs=1e-9)
    assert found["regression_beta_usd"] == pytest.approx(1.0)
    assert found["regression_alpha_pct_usd"] == pytest.approx(0.0, abs=1e-9)


def test_a_benchmark_by_hand() -> None:
    """Half the delta hedged away and equity rising: what the same exposure would have had."""
    account = curve([2.0, 2.02, 2.03], [100.0, 110.0, 99.0], net_delta=np.array([-1.0, -0.5, 0.0]))
    daily = DailyReturns.of(account)
    first, second = 0.5, 1.0 - 0.5 / 2.02

    assert daily.exposure.tolist() == pytest.approx([first, second])
    assert daily.benchmark(Numeraire.USD).tolist() == pytest.approx([0.1 * first, -0.1 * second])
    assert daily.benchmark(Numeraire.COIN).tolist() == pytest.approx(
        [(1.0 + 0.1 * first) / 1.1 - 1.0, (1.0 - 0.1 * second) / 0.9 - 1.0]
    )
    alpha = (2.02 * 110.0 / 200.0 - 1.0 - 0.1 * first) + (
        2.03 * 99.0 / (2.02 * 110.0) - 1.0 + 0.1 * second
    )
    assert metrics_of((), account)["alpha_pct_usd"] == pytest.approx(100.0 * 365.0 * alpha / 2.0)


def test_alpha_in_coin_is_alpha_in_usd_at_the_coins_return() -> None:
    """The numeraire changes what a return is worth, not who was ahead."""
    rng = np.random.default_rng(4)
    account = curve(1.0 + 0.1 * rng.random(50), index_walk(49), net_delta=-rng.random(50))
    daily = DailyReturns.of(account)

    in_usd = daily.alpha(Numeraire.COIN) * (1.0 + daily.coin_usd)
    assert np.allclose(in_usd, daily.alpha(Numeraire.USD))


def test_days_without_a_delta_are_left_out() -> None:
    """A mark without greeks is no exposure of zero: its day is judged by the mark before."""
    net_delta = np.array([0.0, -0.2, np.nan, np.nan, -0.4])
    daily = DailyReturns.of(curve([1.0] * 5, index_walk(4), net_delta=net_delta))

    assert len(daily) == 2
    assert daily.exposure.tolist() == pytest.approx([1.0, 0.8])


def test_regression_with_hac_errors() -> None:
    """Coefficients and Newey-West errors are those of the definition in fifty digits."""
    rng = np.random.default_rng(11)
    x = 0.03 * rng.standard_normal(150)
    noise = np.convolve(0.01 * rng.standard_normal(152), [1.0, 0.6, 0.3], mode="valid")
    y = 0.001 + 0.7 * x + noise * (1.0 + 10.0 * np.abs(x))
    found = regression(y, x)
    assert found is not None
    alpha, beta, alpha_error, beta_error = _by_definition(y, x, 4)

    assert found.lag == 4  # 4 (150 / 100)^(2/9) = 4.4
    assert found.alpha == pytest.approx(float(alpha), rel=1e-10)
    assert found.beta == pytest.approx(float(beta), rel=1e-12)
    assert found.alpha_error == pytest.approx(float(alpha_error), rel=1e-9)
    assert found.beta_error == pytest.approx(float(beta_error), rel=1e-9)
    with mp.workdps(30):
        p = mp.erfc(abs(alpha / alpha_error) / mp.sqrt(2))
    assert found.alpha_p == pytest.approx(float(p), rel=1e-8)


def test_the_mean_is_a_regression_on_nothing() -> None:
    """Its p-value is that of the long-run variance by definition."""
    rng = np.random.default_rng(2)
    values = 0.05 + np.convolve(rng.standard_normal(41), [1.0, 0.8], mode="valid")
    lag = newey_west_lag(len(values))
    with mp.workdps(30):
        exact = [mp.mpf(value) for value in values.tolist()]
        mean = mp.fsum(exact) / len(exact)
        centred = [each - mean for each in exact]
        total = mp.fsum(each**2 for each in centred)
        for back in range(1, lag + 1):
            product = mp.fsum(a * b for a, b in zip(centred[back:], centred, strict=False))
            total += 2 * (1 - mp.mpf(back) / (lag + 1)) * product
        p = mp.erfc(abs(mean) / (mp.sqrt(total) / len(exact)) / mp.sqrt(2))

    assert mean_p(values) == pytest.approx(float(p), rel=1e-10)


def test_too_little_has_no_regression() -> None:
    """Few rows, or a coin that never moved, give no line and no error."""
    assert regression(np.arange(7.0), np.arange(7.0)) is None
    assert regression(np.arange(20.0), np.ones(20)) is None
    assert mean_p(np.ones(20)) is None


@given(factor=st.floats(0.01, 100.0), shift=st.floats(-1.0, 1.0))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_a_regression_follows_its_units(factor: float, shift: float) -> None:
    """y scaled and shifted moves alpha with it, and scales slope and errors."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal(60), rng.standard_normal(60)
    own, other = regression(y, x), regression(factor * y + shift, x)
    assert own is not None
    assert other is not None

    assert other.beta == pytest.approx(factor * own.beta, rel=1e-8, abs=1e-12)
    assert other.alpha == pytest.approx(factor * own.alpha + shift, rel=1e-8, abs=1e-10)
    assert other.alpha_error == pytest.approx(factor * own.alpha_error, rel=1e-7)


def _by_definition(y: Floats, x: Floats, lag: int) -> list[mp.mpf]:
    """OLS and (X'X)^-1 S (X'X)^-1 with Bartlett weights, entry by entry."""
    with mp.workdps(50):
        rows = [mp.matrix([1, mp.mpf(value)]) for value in x.tolist()]
        ys = [mp.mpf(value) for value in y.tolist()]
        inverse = sum((row * row.T for row in rows), mp.zeros(2, 2)) ** -1
        theta = inverse * sum(
            (row * each for row, each in zip(rows, ys, strict=True)), mp.zeros(2, 1)
        )
        left = [each - (row.T * theta)[0] for row, each in zip(rows, ys, strict=True)]
        meat = mp.zeros(2, 2)
        for at in range(len(rows)):
            for back in range(lag + 1):
                if at >= back:
                    weight = (1 - mp.mpf(back) / (lag + 1)) * left[at] * left[at - back]
                    product = rows[at] * rows[at - back].T
                    meat += weight * (product if back == 0 else product + product.T)
        covariance = inverse * meat * inverse
        return [theta[0], theta[1], mp.sqrt(covariance[0, 0]), mp.sqrt(covariance[1, 1])]
