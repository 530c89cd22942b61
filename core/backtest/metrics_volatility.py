"""Volatility sold against volatility that came, strikes touched, and what a crash would cost."""

import numpy as np
from attrs import frozen

from core.backtest.metrics_columns import (
    DAY_MS,
    DAYS_A_YEAR,
    Figures,
    TradeColumns,
    closing_rows,
    days_of,
    known,
    mean,
)
from core.backtest.names import Numeraire
from core.pricing.black76 import premium_coin, tenor_years
from core.pricing.greeks import greeks
from ports.backtest_runs import EquityCurve
from ports.columns import Floats, Ints, float_column

_LEAST_RETURNS = 3  # of a realised volatility


def realised_vols(trades: TradeColumns, curve: EquityCurve) -> Floats:
    """
    Realised volatility of the index from the sale to the end of each trade (n,), a fraction.

    Root of the sum of squared log returns between marks over their time, mean not subtracted;
    NaN of fewer than three returns.
    """
    squares = np.concatenate([[0.0], np.cumsum(np.diff(np.log(curve.index_usd)) ** 2)])
    held = _rows_held(trades, curve.at_ms)
    has_enough = held.last - held.first >= _LEAST_RETURNS
    first, last = np.where(has_enough, held.first, 0), np.where(has_enough, held.last, 0)
    years = (curve.at_ms[last] - curve.at_ms[first]) / (DAYS_A_YEAR * DAY_MS)
    total = squares[last] - squares[first]
    variance = np.divide(total, years, out=np.full(len(trades), np.nan), where=years > 0.0)
    return float_column(np.sqrt(variance))


def premium_earned_figures(trades: TradeColumns, curve: EquityCurve) -> Figures:
    """Return IV sold, volatility realised and touches, the same in coin and USD, by base key."""
    if not len(curve.at_ms):
        return {}
    trades = trades.sold
    realised = realised_vols(trades, curve)
    gap = trades.entry_iv - realised
    reached = trades.where(trades.is_assigned | trades.is_expired)
    expected = np.minimum(2.0 * np.abs(reached.entry_delta), 1.0)
    return {
        "realised_points": mean(100.0 * realised[np.isfinite(realised)]),
        "vrp_points": mean(100.0 * gap[np.isfinite(gap)]),
        "touch_expected_pct": mean(100.0 * expected),
        "touch_seen_pct": mean(100.0 * _touched(reached, curve)),
    }


def premium_value_figures(
    trades: TradeColumns, curve: EquityCurve, numeraire: Numeraire
) -> Figures:
    """Return the volatility premium earned, weighted by the vega of each sale, by base key."""
    if not len(curve.at_ms) or not len(trades):
        return {}
    tenor = trades.entry_dte / DAYS_A_YEAR
    each = greeks(trades.entry_forward_usd, trades.strike, tenor, trades.entry_iv, trades.is_call)
    points = 100.0 * (trades.entry_iv - realised_vols(trades, curve))
    value_usd = trades.amount * each.vega * points
    value = value_usd / trades.entry_index_usd if numeraire is Numeraire.COIN else value_usd
    seen = value[np.isfinite(value)]
    return {"vrp_value": float(seen.sum()) if len(seen) else None}


def shocked_changes(
    trades: TradeColumns, curve: EquityCurve, fall: float, numeraire: Numeraire
) -> Floats:
    """
    The change of equity, a fraction, if the index fell by *fall* at once, at each daily close.

    Volatility is held at that of the mark, forwards move with the index; NaN where options were
    held without a volatility.
    """
    rows = closing_rows(curve.at_ms, days_of(curve.at_ms))
    index = curve.index_usd[rows]
    shocked = (1.0 - fall) * index
    gained_usd = -_held_change_usd(trades, curve, rows, fall)
    equity = curve.equity_coin[rows]
    after_coin = curve.cash_coin[rows] + (curve.option_coin[rows] * index + gained_usd) / shocked
    if numeraire is Numeraire.COIN:
        return after_coin / equity - 1.0
    return after_coin * shocked / (equity * index) - 1.0


def worst_shock_pct(
    trades: TradeColumns, curve: EquityCurve, fall: float, numeraire: Numeraire
) -> float | None:
    """The least of them in percent; None where one is not known."""
    if not len(curve.at_ms):
        return None
    return known(100.0 * float(np.min(shocked_changes(trades, curve, fall, numeraire))))


def _held_change_usd(trades: TradeColumns, curve: EquityCurve, rows: Ints, fall: float) -> Floats:
    """What the options held at each of *rows* would change by, USD to their holder."""
    at_ms = curve.at_ms[rows]
    first = np.searchsorted(at_ms, trades.opened_ms, side="left")
    behind = np.searchsorted(at_ms, trades.closed_ms, side="left")
    behind = np.where(trades.is_closed, behind, len(rows))
    count = np.maximum(behind - first, 0)
    trade = np.repeat(np.arange(len(trades)), count)
    step = np.arange(len(trade)) - np.repeat(np.cumsum(count) - count, count)
    held = rows[np.repeat(first, count) + step]
    index, iv = curve.index_usd[held], curve.mark_iv[held]
    tenor = tenor_years(trades.expiry_ms[trade], curve.at_ms[held])
    strike, is_call = trades.strike[trade], trades.is_call[trade]
    now = index * premium_coin(index, strike, tenor, iv, is_call)
    shocked = (1.0 - fall) * index
    then = shocked * premium_coin(shocked, strike, tenor, iv, is_call)
    change = np.zeros(len(curve.at_ms))
    np.add.at(change, held, trades.amount[trade] * (then - now))
    return change[rows]


def _touched(trades: TradeColumns, curve: EquityCurve) -> Floats:
    """Whether the index was at or beyond the strike at a mark, as 1 or 0 (n,)."""
    rows = _rows_held(trades, curve.at_ms)
    ends = np.column_stack([rows.first, rows.last + 1]).reshape(-1)
    high = np.maximum.reduceat(np.append(curve.index_usd, -np.inf), ends)[::2]
    low = np.minimum.reduceat(np.append(curve.index_usd, np.inf), ends)[::2]
    is_out = np.where(trades.is_call, high < trades.strike, low > trades.strike)
    return np.where(is_out & ~trades.is_assigned, 0.0, 1.0)  # an assigned strike was reached


@frozen(eq=False)
class _RowsHeld:
    """The first and the last mark of each trade, (n,)."""

    first: Ints
    last: Ints


def _rows_held(trades: TradeColumns, at_ms: Ints) -> _RowsHeld:
    """The marks from the sale to the end of each trade, within the curve."""
    first = np.searchsorted(at_ms, trades.opened_ms, side="left")
    last = np.searchsorted(at_ms, trades.closed_ms, side="right") - 1
    first = np.minimum(first, len(at_ms) - 1)
    return _RowsHeld(first, np.maximum(last, first))
