"""What only options have: premium kept, assignments, campaigns, days in the market."""

import numpy as np

from core.backtest.metrics_columns import (
    DAY_MS,
    Figures,
    TradeColumns,
    known,
    mean,
    percent,
    ratio,
)
from core.backtest.names import Numeraire
from ports.columns import Bools, Floats


def premium_figures(trades: TradeColumns, numeraire: Numeraire) -> Figures:
    """Return what was sold and what was kept of it, by base key."""
    sold = trades.amount * trades.entry_coin * trades.entry_rate(numeraire)
    closed = trades.is_closed
    given_back = trades.amount * trades.exit_coin * trades.exit_rate(numeraire)
    kept = float(sold[closed].sum() - given_back[closed].sum())
    return {
        "premium_collected": float(sold.sum()),
        "premium_kept_pct": percent(kept, float(sold[closed].sum())),
    }


def cost_figures(trades: TradeColumns, numeraire: Numeraire) -> Figures:
    """Return fees, slippage, rolls and payoffs against the premium, by base key."""
    premium = float((trades.amount * trades.entry_coin * trades.entry_rate(numeraire)).sum())
    slippage = float((trades.entry_slippage(numeraire) + trades.exit_slippage(numeraire)).sum())
    is_called = trades.is_assigned & trades.is_call
    payoff = trades.amount * trades.exit_coin * trades.exit_rate(numeraire)
    return {
        "fees_of_premium_pct": percent(float(trades.fees(numeraire).sum()), premium),
        "slippage_paid": known(slippage),
        "slippage_of_premium_pct": percent(slippage, premium),
        "roll_credit": float(_roll_credits(trades, numeraire).sum()),
        "upside_forgone": float(payoff[is_called].sum()),
    }


def entry_figures(trades: TradeColumns) -> Figures:
    """Return how sales began and ended, the same in coin and USD, by base key."""
    trades = trades.sold
    closed = trades.where(trades.is_closed)
    reached = trades.is_assigned | trades.is_expired
    assigned, amount = trades.is_assigned[reached], trades.amount[reached]
    has_mark = trades.entry_mark_coin > 0.0
    edge = trades.entry_coin[has_mark] / trades.entry_mark_coin[has_mark] - 1.0
    return {
        "capture_at_exit_pct": mean(100.0 * (1.0 - closed.exit_coin / closed.entry_coin)),
        "fill_edge_pct": mean(100.0 * edge),
        "assigned_trades": float(assigned.sum()),
        "assignment_rate_pct": percent(float(assigned.sum()), len(assigned)),
        "assignment_rate_size_pct": percent(float(amount[assigned].sum()), float(amount.sum())),
        "avg_entry_dte": mean(trades.entry_dte),
        "avg_entry_delta": mean(trades.entry_delta),
        "iv_sold_points": mean(100.0 * trades.entry_iv),
    }


def campaign_figures(trades: TradeColumns, initial_coin: float, length_days: float) -> Figures:
    """Return rolls, turnover and time in the market of the whole run, by base key."""
    campaigns = len(np.unique(trades.chain))
    size = np.abs(trades.amount)
    traded = size.sum() + size[trades.is_bought_back].sum()
    in_market = days_in_market(trades)
    return {
        "turnover": ratio(float(traded), initial_coin),
        "campaigns": float(campaigns),
        "rolls_per_campaign": known(len(trades) / campaigns - 1.0) if campaigns else None,
        "days_in_market": in_market,
        "exposure_pct": percent(in_market, length_days),
    }


def days_in_market(trades: TradeColumns) -> float:
    """Days with at least one option held."""
    order = np.argsort(trades.opened_ms, kind="stable")
    opened, closed = trades.opened_ms[order], trades.closed_ms[order]
    if not len(opened):
        return 0.0
    until = np.maximum.accumulate(closed)  # by those begun so far
    begins_at = np.maximum(opened[1:], until[:-1])
    new = np.maximum(closed[1:] - begins_at, 0).sum() + (closed[0] - opened[0])
    return float(new) / DAY_MS


def _roll_credits(trades: TradeColumns, numeraire: Numeraire) -> Floats:
    """Premium of each sale that followed a buy-back in its campaign, less the cost of that."""
    order = np.lexsort((trades.closed_ms, trades.opened_ms, trades.chain))
    rows = trades.where(order)
    is_roll: Bools = (rows.chain[1:] == rows.chain[:-1]) & rows.is_bought_back[:-1]
    sold = (rows.amount * rows.entry_coin * rows.entry_rate(numeraire))[1:]
    bought = (rows.amount * rows.exit_coin * rows.exit_rate(numeraire))[:-1]
    return np.asarray((sold - bought)[is_roll])
