"""What the charts of a backtest page draw: columns cut down to what an eye can see."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from core.backtest.attribution import Attribution, attribution_of
from core.backtest.metrics_columns import TradeColumns, valued
from core.backtest.names import Numeraire
from ports.backtest_runs import BacktestTrade, EquityCurve, ExitReason, StyleResult
from ports.checks import epoch_ms
from ports.columns import Floats, Ints

Chart: TypeAlias = dict[str, Any]  # JSON for the script of the page

CURVE_POINTS = 5_000
_PATH_POINTS = 600  # of each line of the attribution
_BARS = 1_500  # of excursions
_BINS = 40

_PARTS = {
    "Coin held": "coin",
    "Delta": "delta",
    "Gamma": "gamma",
    "Vega": "vega",
    "Theta": "theta",
    "Fees and slippage": "costs",
    "Residual": "residual",
    "Change of equity": "total",
}


def page_data(result: StyleResult, underlying: str) -> Chart:
    """Return everything that the script of the page reads."""
    curve = valued(result.equity)
    ordered = sorted(result.trades, key=lambda each: (each.closed_at, each.number))
    words = sorted({each.exit_reason.value for each in ordered} | {t.entry_reason for t in ordered})
    return {
        "coin": underlying,
        "words": words,
        "curve": _curve(curve),
        "trades": _trades(ordered, words),
        "excursions": _excursions(ordered),
        "attribution": _attribution(TradeColumns.of(result.trades), curve),
        "structure": _structure(result),
        "distribution": _distribution(ordered, result),
    }


def telling_rows(values: Floats, limit: int) -> Ints:
    """At most *limit* rows of *values* that keep the ends, and each stretch's least and most."""
    count = len(values)
    if count <= limit:
        return np.arange(count)
    edges = np.linspace(0, count, limit // 4 + 1).astype(np.int64)
    kept = []
    for first, behind in pairwise(edges):
        part = values[first:behind]
        kept.append(first + np.array([0, np.argmin(part), np.argmax(part), len(part) - 1]))
    return np.unique(np.concatenate(kept))


def _curve(curve: EquityCurve) -> Chart:
    rows = telling_rows(curve.equity_coin, CURVE_POINTS)
    return {
        "at": _seconds(curve.at_ms[rows]),
        "equity": _list(curve.equity_coin[rows], 7),
        "index": _list(curve.index_usd[rows], 1),
    }


def _trades(ordered: list[BacktestTrade], words: list[str]) -> Chart:
    number_of = {word: number for number, word in enumerate(words)}
    return {
        "number": [each.number for each in ordered],
        "contract": [each.contract.symbol for each in ordered],
        "strike": [each.contract.strike for each in ordered],
        "opened": [epoch_ms(each.opened_at) // 1000 for each in ordered],
        "closed": [epoch_ms(each.closed_at) // 1000 for each in ordered],
        "entry_reason": [number_of[each.entry_reason] for each in ordered],
        "exit_reason": [number_of[each.exit_reason.value] for each in ordered],
        "amount": [each.amount for each in ordered],
        **{
            name: _list(np.array([getattr(each, source) for each in ordered]), places)
            for name, source, places in (
                ("entry", "entry_coin", 6),
                ("exit", "exit_coin", 6),
                ("entry_index", "entry_index_usd", 0),
                ("exit_index", "exit_index_usd", 0),
                ("pnl_coin", "pnl_coin", 6),
                ("pnl_usd", "pnl_usd", 2),
                ("best", "favorable_coin", 6),
                ("worst", "adverse_coin", 6),
            )
        },
        "sum_coin": _list(np.cumsum([each.pnl_coin for each in ordered]), 6),
    }


def _excursions(ordered: list[BacktestTrade]) -> Chart:
    """Best and worst of each trade at its end; of many, the extremes of neighbours."""
    best = np.array([each.favorable_coin for each in ordered])
    worst = np.array([each.adverse_coin for each in ordered])
    index = np.array([each.exit_index_usd for each in ordered])
    at_ms = np.array([epoch_ms(each.closed_at) for each in ordered], dtype=np.int64)
    starts = np.unique(np.linspace(0, len(ordered), _BARS, endpoint=False).astype(np.int64))
    starts = starts if len(ordered) else np.zeros(0, dtype=np.int64)
    return {
        "at": _seconds(at_ms[starts]),
        "index": _list(index[starts], 0),
        "best": _list(np.maximum.reduceat(best, starts) if len(starts) else best, 6),
        "worst": _list(np.minimum.reduceat(worst, starts) if len(starts) else worst, 6),
    }


def _attribution(trades: TradeColumns, curve: EquityCurve) -> Chart:
    steps = max(len(curve.at_ms) - 1, 0)
    rows = np.unique(np.linspace(0, steps, min(_PATH_POINTS, steps + 1)).astype(np.int64))
    rows = rows if len(curve.at_ms) else rows[:0]
    found = {each: attribution_of(trades, curve, each) for each in Numeraire}
    return {
        "at": _seconds(curve.at_ms[rows]),
        **{each.value: _parts(attribution, rows, each) for each, attribution in found.items()},
    }


def _parts(found: Attribution, rows: Ints, numeraire: Numeraire) -> Chart:
    """Sums of the parts, and their way there at *rows*; the coin held is no part in coin."""
    is_coin = numeraire is Numeraire.COIN
    names = {name: part for name, part in _PARTS.items() if not (is_coin and part == "coin")}
    places = 6 if is_coin else 1
    paths = {name: np.append(0.0, np.cumsum(getattr(found, part))) for name, part in names.items()}
    return {
        "sums": {name: _list(path[-1:], places)[0] for name, path in paths.items()},
        "paths": {name: _list(path[rows], places) for name, path in paths.items()},
    }


def _structure(result: StyleResult) -> Chart:
    """TradingView's profit structure, in coin: commission is inside profit and loss already."""
    metrics = result.metrics
    gain, loss = metrics.get("gross_profit_coin"), metrics.get("gross_loss_coin")
    commission = metrics.get("commission_paid_coin")
    found = {
        "Total profit": gain,
        "Open P&L": metrics.get("open_pnl_coin"),
        "Total loss": None if loss is None else -loss,
        "Commission": None if commission is None else -commission,
        "Total P&L": metrics.get("total_pnl_coin"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _distribution(ordered: Iterable[BacktestTrade], result: StyleResult) -> Chart:
    """A histogram of closed trades, with the average loss and the average profit."""
    pnl = [each.pnl_coin for each in ordered if each.exit_reason is not ExitReason.LEFT_OPEN]
    count, edges = np.histogram(pnl, bins=_BINS if len(pnl) > 1 else 1)
    gain, loss = (result.metrics.get(f"avg_{way}_trade_coin") for way in ("winning", "losing"))
    lines = {"Average profit": gain, "Average loss": None if loss is None else -loss}
    return {
        "middle": _list(0.5 * (edges[1:] + edges[:-1]), 8),
        "width": float(edges[1] - edges[0]),
        "count": count.tolist(),
        "lines": {name: at for name, at in lines.items() if at is not None},
    }


def _seconds(at_ms: Ints) -> list[int]:
    listed: list[int] = (at_ms // 1000).tolist()
    return listed


def _list(values: Floats, places: int) -> list[float]:
    """*values* to so many places; a whole number needs no point in JSON."""
    rounded = np.round(np.asarray(values, dtype=np.float64), places)
    listed: list[float] = (rounded.astype(np.int64) if places == 0 else rounded).tolist()
    return listed
