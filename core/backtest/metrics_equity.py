"""What the marked account shows: capital, margin, and statistics of daily returns."""

from math import ceil, sqrt

import numpy as np

from core.backtest.metrics_columns import (
    DAY_MS,
    DAYS_A_YEAR,
    Account,
    Figures,
    changes,
    closing_rows,
    days_of,
    known,
    mean,
    months_of,
    percent,
    ratio,
    weeks_of,
)
from core.backtest.metrics_phases import drawdown_shares, max_drawdown, under_water_days
from core.stats.sharpe import SharpeStats
from ports.columns import Bools, Floats, Ints

_MONTHLY_FROM_DAYS = 90  # shorter runs have too few months: daily returns, as TradingView
_MONTHS_A_YEAR = 12.0
_TAIL = 0.05


def capital_figures(account: Account, net_pnl: float, largest_loss: float) -> Figures:
    """Return how *net_pnl* of closed trades stands to the capital, margin and losses it took."""
    if not len(account.equity):
        return {}
    first = float(account.equity[0])
    fall = max_drawdown(account.high, account.low)
    size = float(account.margin.max()) + fall
    used = mean(account.margin)
    rise = max_drawdown(-account.low, -account.high)
    return {
        "initial_capital": first,
        "final_equity": float(account.equity[-1]),
        "cagr": cagr_pct(account),
        "return_on_capital": percent(net_pnl, first),
        "account_size_required": known(size),
        "return_on_account_size": percent(net_pnl, size),
        "net_of_largest_loss_pct": percent(net_pnl, largest_loss),
        "avg_margin_used": used,
        "max_margin_used": known(float(account.margin.max())),
        "margin_efficiency": None if used is None else ratio(net_pnl, used),
        "max_run_up_intrabar_pct": percent(rise, first),
        "max_drawdown_intrabar_pct": percent(fall, first),
        "return_of_max_drawdown": ratio(net_pnl, fall),
    }


def cagr_pct(account: Account) -> float | None:
    """The growth of equity a year of 365 days, percent; None of a run without length."""
    first, last, years = float(account.equity[0]), float(account.equity[-1]), account.years
    if not (first > 0.0 and last > 0.0 and years > 0.0):
        return None
    return known(100.0 * float(np.expm1(np.log(last / first) / years)))


def margin_figures(account: Account) -> Figures:
    """Return figures of margin that are the same in coin and USD."""
    if not len(account.equity):
        return {}
    is_short: Bools = account.equity < account.margin
    calls = int(is_short[0]) + int(np.sum(is_short[1:] & ~is_short[:-1]))
    used = account.margin > 0.0
    cover = account.equity[used] / account.margin[used]
    return {
        "margin_calls": float(calls),
        "margin_cover_min": known(float(cover.min())) if len(cover) else None,
    }


def ratio_figures(account: Account, risk_free_rate: float) -> Figures:
    """Return TradingView's Sharpe and Sortino ratios, not annualised."""
    if not len(account.equity):
        return {}
    is_monthly = account.years * DAYS_A_YEAR >= _MONTHLY_FROM_DAYS
    bucket = months_of(account.at_ms) if is_monthly else days_of(account.at_ms)
    free = risk_free_rate / (_MONTHS_A_YEAR if is_monthly else DAYS_A_YEAR)
    excess = changes(account.equity[closing_rows(account.at_ms, bucket)]) - free
    return {"sharpe_ratio": sharpe(excess), "sortino_ratio": sortino(excess)}


def sharpe(excess: Floats) -> float | None:
    """Mean over sample standard deviation of *excess* returns; None of fewer than two."""
    if len(excess) < 2 or not np.ptp(excess) > 0.0:
        return None
    return ratio(float(np.mean(excess)), float(np.std(excess, ddof=1)))


def sortino(excess: Floats) -> float | None:
    """Mean over downside deviation, over all periods; None without a fall."""
    if not len(excess):
        return None
    downside = sqrt(float(np.mean(np.minimum(excess, 0.0) ** 2)))
    return ratio(float(np.mean(excess)), downside)


def daily_figures(account: Account, risk_free_rate: float) -> Figures:
    """Return statistics of the daily closes of *account*, by base key."""
    rows = closing_rows(account.at_ms, days_of(account.at_ms))
    if len(rows) < 2:
        return {}
    at_ms, closes = account.at_ms[rows], account.equity[rows]
    if not np.all(closes > 0.0):  # ruined: returns have no meaning from there on
        return {"equity_return_pct": percent(float(closes[-1] - closes[0]), float(closes[0]))}
    returns = changes(closes)
    excess = returns - risk_free_rate / DAYS_A_YEAR
    year = sqrt(DAYS_A_YEAR)
    annual, downside = sharpe(excess), sortino(excess)
    falls = drawdown_shares(closes)
    deepest, growth = float(falls.max()), cagr_pct(account)
    return {
        "equity_return_pct": 100.0 * float(closes[-1] / closes[0] - 1.0),
        "volatility_pct": known(100.0 * year * float(np.std(returns, ddof=1)))
        if len(returns) > 1
        else None,
        "sharpe_annual": None if annual is None else year * annual,
        **_moments(excess),
        "sortino_annual": None if downside is None else year * downside,
        "max_drawdown_pct": 100.0 * deepest,
        "max_drawdown_mark_pct": 100.0 * float(drawdown_shares(account.equity).max()),
        "calmar": None if growth is None else ratio(growth, 100.0 * deepest),
        "ulcer_index_pct": 100.0 * sqrt(float(np.mean(falls**2))),
        "cvar_95_pct": 100.0 * float(np.sort(returns)[: ceil(_TAIL * len(returns))].mean()),
        "worst_week_pct": 100.0 * float(weekly_returns(account.at_ms, account.equity).min()),
        "time_under_water_pct": 100.0 * float(np.mean(falls[1:] > 0.0)),
        "longest_under_water_days": under_water_days(at_ms, closes),
    }


def span_figures(at_ms: Ints) -> Figures:
    """Return the length of a run in years, and the days in it without a mark."""
    if not len(at_ms):
        return {}
    days = np.unique(days_of(at_ms[1:])) if len(at_ms) > 1 else np.zeros(0, dtype=np.int64)
    missing = float(days[-1] - days[0] + 1 - len(days)) if len(days) else 0.0
    years = float(at_ms[-1] - at_ms[0]) / (DAYS_A_YEAR * DAY_MS)
    return {"years": years, "missing_days": missing}


def capture_figures(account_usd: Account) -> Figures:
    """Return the share of the coin's weeks up and down that the account went along with."""
    coin = weekly_returns(account_usd.at_ms, account_usd.rate)
    own = weekly_returns(account_usd.at_ms, account_usd.equity)
    return {
        "upside_capture_pct": _capture(own, coin, coin > 0.0),
        "downside_capture_pct": _capture(own, coin, coin < 0.0),
    }


def weekly_returns(at_ms: Ints, values: Floats) -> Floats:
    """Returns of calendar weeks, the first and the last of which may be cut."""
    rows = closing_rows(at_ms, weeks_of(at_ms))
    return changes(values[rows])


def _capture(own: Floats, coin: Floats, weeks: Bools) -> float | None:
    if not weeks.any():
        return None
    return percent(float(own[weeks].mean()), float(coin[weeks].mean()))


def _moments(excess: Floats) -> Figures:
    if len(excess) < 3 or not np.ptp(excess) > 0.0:
        return {}
    stats = SharpeStats.of(excess)
    error = known(stats.error * sqrt(DAYS_A_YEAR))
    return {"sharpe_error": error, "skew": stats.skew, "kurtosis": stats.kurtosis}
