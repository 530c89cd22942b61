"""Statistics of the marked account against fractions and fifty digits."""

from datetime import timedelta
from itertools import pairwise
from math import isclose

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.backtest.metrics import MetricParams, metrics_of
from core.backtest.metrics_columns import days_of, months_of, weeks_of
from ports.backtest_runs import EquityCurve
from ports.checks import epoch_ms
from tests.support.backtest_runs import START, curve, sold_and_held, trade

RATE = mp.mpf("0.02")


def walk(days: int, seed: int = 3) -> EquityCurve:
    """A year's worth of daily marks, equity and index each a walk."""
    rng = np.random.default_rng(seed)
    equity = 2.0 * np.exp(np.cumsum(0.001 + 0.01 * rng.standard_normal(days + 1)))
    index = 50_000.0 * np.exp(np.cumsum(0.03 * rng.standard_normal(days + 1)))
    return curve(equity, index, hours=24.0)


def returns(values: list[float]) -> list[mp.mpf]:
    exact = [mp.mpf(value) for value in values]
    return [b / a - 1 for a, b in pairwise(exact)]


def near(found: float | None, exact: mp.mpf, tolerance: float = 1e-11) -> bool:
    return found is not None and isclose(found, float(exact), rel_tol=tolerance)


def test_statistics_of_daily_closes() -> None:
    """Volatility, Sharpe, Sortino, moments and tail of daily returns are those of fifty digits."""
    account = walk(200)
    found = metrics_of((), account)
    with mp.workdps(50):
        daily = returns(account.equity_coin.tolist())
        excess = [each - RATE / 365 for each in daily]
        count, mean = len(excess), mp.fsum(excess) / len(excess)
        spread = mp.sqrt(mp.fsum((each - mean) ** 2 for each in excess) / (count - 1))
        downside = mp.sqrt(mp.fsum(min(each, 0) ** 2 for each in excess) / count)
        central = [mp.fsum((each - mean) ** k for each in excess) / count for k in (2, 3, 4)]
        skew, kurtosis = central[1] / central[0] ** 1.5, central[2] / central[0] ** 2
        ratio, year = mean / spread, mp.sqrt(365)
        error = mp.sqrt((1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2) / (count - 1))
        assert near(found["volatility_pct_coin"], 100 * year * spread)
        assert near(found["sharpe_annual_coin"], year * ratio)
        assert near(found["sharpe_error_coin"], year * error)
        assert near(found["skew_coin"], skew, 1e-9)
        assert near(found["kurtosis_coin"], kurtosis)
        assert near(found["sortino_annual_coin"], year * mean / downside)
        assert near(found["cvar_95_pct_coin"], 100 * mp.fsum(sorted(daily)[:10]) / 10)


def test_falls_of_daily_closes() -> None:
    """Drawdown, ulcer index, growth and Calmar ratio in USD are those of fifty digits."""
    account = walk(200)
    found = metrics_of((), account)
    with mp.workdps(50):
        worth = [mp.mpf(value) for value in account.equity_usd.tolist()]
        falls = [1 - each / max(worth[: at + 1]) for at, each in enumerate(worth)]
        growth = (worth[-1] / worth[0]) ** (mp.mpf(365) / 200) - 1
        assert near(found["max_drawdown_pct_usd"], 100 * max(falls))
        squares = mp.fsum(each**2 for each in falls) / len(falls)
        assert near(found["ulcer_index_pct_usd"], 100 * mp.sqrt(squares))
        assert near(found["cagr_usd"], 100 * growth, 1e-10)
        assert near(found["calmar_usd"], growth / max(falls), 1e-10)
        under = [each > 0 for each in falls[1:]]
        assert near(found["time_under_water_pct_usd"], mp.mpf(100) * sum(under) / len(under))


def test_tradingview_ratios_are_monthly() -> None:
    """From ninety days on: calendar months of marked equity, RFR 2 % / 12, not annualised."""
    account = walk(120)
    found = metrics_of((), account)
    at = [START + timedelta(days=day) for day in range(121)]
    ends = [0, *(n for n in range(121) if n == 120 or at[n].month != at[n + 1].month)]
    with mp.workdps(50):
        monthly = returns([account.equity_coin[n].item() for n in ends])
        excess = [each - RATE / 12 for each in monthly]
        mean = mp.fsum(excess) / len(excess)
        spread = mp.sqrt(mp.fsum((each - mean) ** 2 for each in excess) / (len(excess) - 1))
        downside = mp.sqrt(mp.fsum(min(each, 0) ** 2 for each in excess) / len(excess))
        assert len(excess) == 5
        assert near(found["sharpe_ratio_coin"], mean / spread)
        assert near(found["sortino_ratio_coin"], mean / downside)


def test_short_runs_have_daily_ratios() -> None:
    """Below ninety days returns are daily and the rate is 2 % / 365."""
    account = walk(89)
    found = metrics_of((), account)
    with mp.workdps(50):
        excess = [each - RATE / 365 for each in returns(account.equity_coin.tolist())]
        mean = mp.fsum(excess) / len(excess)
        spread = mp.sqrt(mp.fsum((each - mean) ** 2 for each in excess) / (len(excess) - 1))
        assert near(found["sharpe_ratio_coin"], mean / spread)


def test_the_risk_free_rate_is_a_parameter() -> None:
    """Without one the Sharpe ratio is that of the returns themselves."""
    account = walk(60)
    own = np.diff(account.equity_coin) / account.equity_coin[:-1]
    found = metrics_of((), account, MetricParams(risk_free_rate=0.0))

    assert found["sharpe_ratio_coin"] == pytest.approx(own.mean() / own.std(ddof=1), rel=1e-12)


def test_buy_and_hold_begins_at_the_first_entry() -> None:
    """The initial coins from the first sale on; in coin holding earns nothing."""
    index = [50_000.0, 60_000.0, 55_000.0, 75_000.0]
    entry = trade(opened_at=START + timedelta(days=1), entry_index_usd=60_000.0)
    found = metrics_of((entry,), curve([2.0, 2.0, 2.1, 2.2], index))

    assert found["buy_hold_return_usd"] == pytest.approx(2.0 * 15_000.0)
    assert found["buy_hold_gain_pct_usd"] == pytest.approx(25.0)
    assert found["buy_hold_return_coin"] == 0.0
    assert found["strategy_outperformance_coin"] == pytest.approx(0.2)
    assert found["strategy_outperformance_usd"] == pytest.approx(0.2 * 75_000.0)


def test_the_first_entry_may_end_last() -> None:
    """Holding begins at the earliest sale, whichever trade ended first."""
    late = trade(1, closed_at=START + timedelta(days=30), entry_index_usd=80_000.0)
    early = trade(2, opened_at=START + timedelta(days=1), entry_index_usd=90_000.0)
    found = metrics_of((late, early), curve([1.0] * 9, 100_000.0))

    assert found["buy_hold_gain_pct_usd"] == pytest.approx(25.0)


def test_margin_at_every_mark() -> None:
    """The average is over all marks, calls are counted when they begin, USD at each index."""
    account = curve(
        [1.0, 1.0, 0.3, 0.2, 1.0, 0.3],
        [10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
        margin_coin=np.array([0.0, 0.4, 0.4, 0.4, 0.4, 0.4]),
    )
    found = metrics_of((trade(pnl_coin=0.3),), account)

    assert found["avg_margin_used_coin"] == pytest.approx(2.0 / 6.0)
    assert found["max_margin_used_usd"] == pytest.approx(24.0)
    assert found["avg_margin_used_usd"] == pytest.approx(0.4 * 200.0 / 6.0)
    assert found["margin_efficiency_coin"] == pytest.approx(0.9)
    assert found["margin_calls"] == 2.0
    assert found["margin_cover_min"] == pytest.approx(0.5)
    assert found["return_on_margin_pct_coin"] == pytest.approx(100.0 * 0.9 * 365.0 / 5.0)


def test_capture_of_weeks() -> None:
    """Mean return of the account over that of the coin, in weeks the coin rose and fell."""
    index = [100.0, 110.0, 99.0, 118.8]  # a week apart: +10 %, -10 %, +20 %
    equity = [1.0, 1.0, 1.02, 1.0]
    found = metrics_of((), curve(equity, index, hours=168.0))
    own = returns([a * b for a, b in zip(equity, index, strict=True)])

    assert near(found["upside_capture_pct"], 100 * (own[0] + own[2]) / mp.mpf("0.3"), 1e-9)
    assert near(found["downside_capture_pct"], 100 * own[1] / mp.mpf("-0.1"), 1e-9)
    assert near(found["worst_week_pct_usd"], 100 * own[1], 1e-9)


def test_midnight_closes_the_day_before() -> None:
    """A mark at 00:00 belongs to the day, week and month that it ends."""
    midnight = np.array([epoch_ms(START.replace(month=2, day=2, hour=0))])  # a Monday
    second = midnight + 1

    assert days_of(second) - days_of(midnight) == 1
    assert weeks_of(second) - weeks_of(midnight) == 1
    assert months_of(np.array([epoch_ms(START.replace(month=2, day=1, hour=0))])) == 12 * 56


def test_days_without_marks_are_counted() -> None:
    """A run with marks every other day says how many days have none."""
    assert metrics_of((), curve([1.0] * 6, hours=48.0))["missing_days"] == 4.0


def test_marks_without_a_value_are_left_out() -> None:
    """What is not known makes no figure unknown, and is counted."""
    option = np.array([0.0, -0.1, np.nan, -0.1])
    account = curve(np.array([1.0, 0.9, np.nan, 1.2]), option_coin=option)
    found = metrics_of((), account)

    assert found["unvalued_marks"] == 1.0
    assert found["final_equity_coin"] == pytest.approx(1.2)
    assert found["attribution_total_coin"] == pytest.approx(0.2)


def test_a_ruined_account_has_no_returns() -> None:
    """Equity at or below zero leaves sums, and no ratio of what comes after."""
    found = metrics_of((), curve([1.0, 0.5, -0.1]))

    assert found["equity_return_pct_coin"] == pytest.approx(-110.0)
    assert found["cagr_coin"] is None
    assert found["sharpe_annual_coin"] is None


def test_an_account_without_marks_is_undefined() -> None:
    """Nothing is made up for a run that never marked."""
    found = metrics_of((trade(),), curve(np.zeros(0)))

    assert found["initial_capital_coin"] is None
    assert found["net_pnl_coin"] == pytest.approx(0.0097)


@given(rate=st.floats(10.0, 1e6), growth=st.floats(0.5, 2.0))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_at_a_flat_index_coin_and_usd_agree(rate: float, growth: float) -> None:
    """Where the index stands still the two numeraires have the same ratios."""
    found = metrics_of((), curve(np.geomspace(1.0, growth, 40), rate))

    for key in ("equity_return_pct", "cagr", "max_drawdown_pct", "volatility_pct"):
        own, other = found[f"{key}_coin"], found[f"{key}_usd"]
        assert other == pytest.approx(own, rel=1e-6, abs=1e-9)
    assert found["final_equity_usd"] == pytest.approx(rate * (found["final_equity_coin"] or 0.0))


def test_growth_in_usd_is_growth_in_coin_and_of_the_coin() -> None:
    """(1 + USD) = (1 + coin) (1 + index), over the whole run."""
    run = sold_and_held()
    found = metrics_of(run.trades, run.equity)
    index = float(run.equity.index_usd[-1] / run.equity.index_usd[0])

    coin = 1.0 + (found["equity_return_pct_coin"] or 0.0) / 100.0
    assert 1.0 + (found["equity_return_pct_usd"] or 0.0) / 100.0 == pytest.approx(coin * index)
