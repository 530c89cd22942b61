"""What closed trades earned: TradingView's figures, of one numeraire and one kind of option."""

import numpy as np

from core.backtest.metrics_columns import Figures, TradeColumns, known, mean, percent, ratio
from core.backtest.names import Numeraire
from ports.columns import Floats, Ints


def trade_figures(trades: TradeColumns, numeraire: Numeraire) -> Figures:
    """Return the figures of *trades* that differ between coin and USD, by base key."""
    closed = trades.where(trades.is_closed)
    pnl = closed.pnl(numeraire)
    share_pct = 100.0 * pnl / closed.notional(numeraire)
    won, lost = pnl > 0.0, pnl < 0.0
    net, profit, loss = float(pnl.sum()), float(pnl[won].sum()), float(np.abs(pnl[lost]).sum())
    left_open = float(trades.pnl(numeraire)[~trades.is_closed].sum())
    best, worst = _greatest(pnl[won]), _greatest(-pnl[lost])
    avg_win, avg_loss = mean(pnl[won]), mean(-pnl[lost])
    return {
        "total_pnl": net + left_open,
        "open_pnl": left_open,
        "net_pnl": net,
        "gross_profit": profit,
        "gross_loss": loss,
        "profit_factor": ratio(profit, loss),
        "commission_paid": float(trades.fees(numeraire).sum()),
        "expected_payoff": mean(pnl),
        "winning_trades": float(won.sum()),
        "losing_trades": float(lost.sum()),
        "even_trades": float(len(pnl) - won.sum() - lost.sum()),
        "percent_profitable": percent(float(won.sum()), len(pnl)),
        "avg_pnl": mean(pnl),
        "avg_pnl_pct": mean(share_pct),
        "avg_winning_trade": avg_win,
        "avg_losing_trade": avg_loss,
        "win_loss_ratio": None if avg_win is None or avg_loss is None else ratio(avg_win, avg_loss),
        "largest_winning_trade": best,
        "largest_winning_trade_pct": _greatest(share_pct[won]),
        "largest_winner_share_pct": None if best is None else percent(best, profit),
        "largest_losing_trade": worst,
        "largest_losing_trade_pct": _greatest(-share_pct[lost]),
        "largest_loser_share_pct": None if worst is None else percent(worst, loss),
    }


def bar_figures(trades: TradeColumns, numeraire: Numeraire, at_ms: Ints) -> Figures:
    """How many marks *at_ms* winning and losing trades lasted."""
    closed = trades.where(trades.is_closed)
    pnl, bars = closed.pnl(numeraire), bars_held(closed, at_ms)
    return {
        "avg_bars_winning": mean(bars[pnl > 0.0]),
        "avg_bars_losing": mean(bars[pnl < 0.0]),
    }


def count_figures(trades: TradeColumns, at_ms: Ints) -> Figures:
    """Return the figures of *trades* that are the same in coin and USD."""
    closed = trades.where(trades.is_closed)
    return {
        "total_trades": float(len(closed)),
        "open_trades": float(len(trades) - len(closed)),
        "avg_bars": mean(bars_held(closed, at_ms)),
        "max_contracts_held": most_held(trades),
        "avg_duration_days": mean(closed.days),
    }


def bars_held(trades: TradeColumns, at_ms: Ints) -> Floats:
    """The marks after each sale up to its end (n,)."""
    first = np.searchsorted(at_ms, trades.opened_ms, side="right")
    last = np.searchsorted(at_ms, trades.closed_ms, side="right")
    return (last - first).astype(np.float64)


def most_held(trades: TradeColumns) -> float | None:
    """The most contracts short at one instant; a trade that ends makes room for one that begins."""
    trades = trades.sold
    if not len(trades):
        return None
    at = np.concatenate([trades.opened_ms, trades.closed_ms])
    change = np.concatenate([trades.amount, -trades.amount])
    held = np.cumsum(change[np.lexsort((change > 0.0, at))])
    return known(float(held.max()))


def _greatest(values: Floats) -> float | None:
    return known(float(values.max())) if len(values) else None
