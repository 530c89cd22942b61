"""All figures of a backtest, by stable key: what names_table calls and defines them."""

from math import nan

import numpy as np
from attrs import field, frozen

from core.backtest.attribution import attribution_figures, attribution_of
from core.backtest.benchmark import DailyReturns, benchmark_figures, exposure_figures
from core.backtest.metrics_columns import (
    DAYS_A_YEAR,
    Account,
    Figures,
    TradeColumns,
    percent,
    valued,
)
from core.backtest.metrics_equity import (
    capital_figures,
    capture_figures,
    daily_figures,
    margin_figures,
    ratio_figures,
    span_figures,
)
from core.backtest.metrics_option import (
    campaign_figures,
    cost_figures,
    entry_figures,
    premium_figures,
)
from core.backtest.metrics_phases import phase_figures
from core.backtest.metrics_trades import bar_figures, count_figures, trade_figures
from core.backtest.metrics_volatility import (
    premium_earned_figures,
    premium_value_figures,
    worst_shock_pct,
)
from core.backtest.names import Kind, Numeraire, stored_key
from core.backtest.names_table import STORED_KEYS
from ports.backtest_runs import BacktestTrade, EquityCurve
from ports.checks import finite


@frozen(kw_only=True)
class MetricParams:
    """What figures take for granted; the rate is TradingView's, and the same hurdle in coin."""

    risk_free_rate: float = field(default=0.02, validator=finite)  # a year


def metrics_of(
    trades: tuple[BacktestTrade, ...], equity: EquityCurve, params: MetricParams | None = None
) -> Figures:
    """
    Return every figure of names_table that *trades* and *equity* give; None is undefined.

    The first mark of *equity* is the account before the first sale. Figures of inference that
    need draws, trials or the returns of other runs are None: core.backtest.inference has them.
    """
    params = params or MetricParams()
    columns, curve = TradeColumns.of(trades), valued(equity)
    found: Figures = _of_run(columns, curve)
    found["unvalued_marks"] = float(len(equity.at_ms) - len(curve.at_ms))
    daily = DailyReturns.of(equity)
    for numeraire in Numeraire:
        account = Account.of(curve, numeraire)
        figures = {
            **_of_account(columns, account, params),
            **_of_options(columns, curve, numeraire),
            **benchmark_figures(daily, params.risk_free_rate, numeraire),
            **attribution_figures(attribution_of(columns, curve, numeraire)),
        }
        found |= {stored_key(key, numeraire): value for key, value in figures.items()}
    for kind in Kind:
        found |= _of_kind(columns.of_kind(kind), curve, kind)
    found |= exposure_figures(daily)
    return {key: found.get(key) for key in STORED_KEYS}


def _of_run(trades: TradeColumns, curve: EquityCurve) -> Figures:
    """Figures of the whole run that are the same in coin and USD."""
    coin, usd = (Account.of(curve, numeraire) for numeraire in Numeraire)
    initial_coin = float(coin.equity[0]) if len(coin.equity) else nan
    length_days = DAYS_A_YEAR * coin.years if len(coin.equity) else nan
    return {
        **span_figures(curve.at_ms),
        **margin_figures(coin),
        **(capture_figures(usd) if len(usd.equity) > 1 else {}),
        **campaign_figures(trades, initial_coin, length_days),
    }


def _of_account(trades: TradeColumns, account: Account, params: MetricParams) -> Figures:
    """Figures of the marked account in its numeraire."""
    pnl = trades.pnl(account.numeraire)
    net_pnl = float(pnl[trades.is_closed].sum())
    worst = float(np.min(pnl[trades.is_closed], initial=0.0))
    capital = capital_figures(account, net_pnl, largest_loss=-worst)
    margin = capital.get("avg_margin_used")
    return {
        **capital,
        **_held_figures(trades, account),
        **ratio_figures(account, params.risk_free_rate),
        **phase_figures(account),
        **daily_figures(account, params.risk_free_rate),
        "return_on_margin_pct": percent(float(pnl.sum()), margin * account.years)
        if margin
        else None,
    }


def _held_figures(trades: TradeColumns, account: Account) -> Figures:
    """Return holding the initial coins instead, and what the strategy had beyond that."""
    if not len(account.equity):
        return {}
    first, last = account.equity[0], account.equity[-1]
    coins = float(first / account.rate[0])
    earned = float(last - coins * account.rate[-1])
    if not len(trades):
        return {"strategy_outperformance": earned}
    is_coin = account.numeraire is Numeraire.COIN
    entered_at = 1.0 if is_coin else float(trades.entry_index_usd[trades.opened_ms.argmin()])
    gain = float(account.rate[-1]) - entered_at
    return {
        "buy_hold_return": coins * gain,
        "buy_hold_gain_pct": percent(gain, entered_at),
        "strategy_outperformance": earned,
    }


def _of_options(trades: TradeColumns, curve: EquityCurve, numeraire: Numeraire) -> Figures:
    """Figures of premium and shocks in one numeraire."""
    return {
        **cost_figures(trades, numeraire),
        "worst_shock_20_pct": worst_shock_pct(trades, curve, 0.2, numeraire),
        "worst_shock_40_pct": worst_shock_pct(trades, curve, 0.4, numeraire),
    }


def _of_kind(trades: TradeColumns, curve: EquityCurve, kind: Kind) -> Figures:
    """Figures that have a column for each kind of option, in both numeraires and in neither."""
    shared = {
        **count_figures(trades, curve.at_ms),
        **entry_figures(trades),
        **premium_earned_figures(trades, curve),
    }
    found: Figures = {stored_key(key, None, kind): value for key, value in shared.items()}
    for numeraire in Numeraire:
        own = {
            **trade_figures(trades, numeraire),
            **bar_figures(trades, numeraire, curve.at_ms),
            **premium_figures(trades, numeraire),
            **premium_value_figures(trades, curve, numeraire),
        }
        found |= {stored_key(key, numeraire, kind): value for key, value in own.items()}
    return found
