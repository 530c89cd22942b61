"""A run cut into parts: trades by group, and the account by month, year and regime."""

from collections.abc import Callable, Iterable
from enum import StrEnum

import numpy as np
from attrs import frozen

from core.backtest.metrics_columns import (
    DAY_MS,
    DAYS_A_YEAR,
    Account,
    TradeColumns,
    changes,
    closing_rows,
    days_of,
    mean,
    months_of,
    percent,
    valued,
    weeks_of,
)
from core.backtest.metrics_equity import sharpe
from core.backtest.metrics_phases import drawdown_shares
from core.backtest.names import Numeraire
from ports.backtest_runs import BacktestTrade, EquityCurve
from ports.columns import Bools, Floats, Ints

_REGIME_DAYS = 30
_LEAST_SHARPE_DAYS = 60
_TREND = 0.1  # return over those days beyond which the market is a bull or a bear


class Period(StrEnum):
    """How a run is cut in time."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@frozen(kw_only=True)
class GroupRow:
    """Closed trades of one group; P&L after fees, wins and losses counted in coin."""

    name: str
    trades: int
    avg_pnl_pct: float | None  # of the notional, coin
    net_coin: float
    net_usd: float
    avg_days: float | None
    wins: int
    draws: int
    losses: int

    @property
    def win_pct(self) -> float | None:
        """Winners of all, even trades below the line only."""
        return percent(self.wins, self.trades)


@frozen(kw_only=True)
class SpanRow:
    """The account over some days, and the trades that closed in them; returns in percent."""

    name: str
    trades: int
    net_coin: float
    net_usd: float
    return_coin_pct: float | None
    return_usd_pct: float | None
    index_pct: float | None  # of the coin itself
    drawdown_coin_pct: float | None  # within the days
    sharpe_coin: float | None  # daily, annualised, over cash at zero; None of too few days


def group_rows(
    trades: Iterable[BacktestTrade], name_of: Callable[[BacktestTrade], str]
) -> tuple[GroupRow, ...]:
    """Return *trades* grouped by *name_of*, in the order of the names."""
    groups: dict[str, list[BacktestTrade]] = {}
    for each in trades:
        groups.setdefault(name_of(each), []).append(each)
    return tuple(group_row(name, groups[name]) for name in sorted(groups))


def group_row(name: str, trades: Iterable[BacktestTrade]) -> GroupRow:
    """Return *trades* as one group."""
    columns = TradeColumns.of(tuple(trades))
    pnl = columns.pnl_coin
    wins, losses = int((pnl > 0.0).sum()), int((pnl < 0.0).sum())
    return GroupRow(
        name=name,
        trades=len(columns),
        avg_pnl_pct=mean(100.0 * pnl / np.abs(columns.amount)),
        net_coin=float(pnl.sum()),
        net_usd=float(columns.pnl_usd.sum()),
        avg_days=mean(columns.days),
        wins=wins,
        draws=len(columns) - wins - losses,
        losses=losses,
    )


def period_rows(
    trades: tuple[BacktestTrade, ...], equity: EquityCurve, period: Period
) -> tuple[SpanRow, ...]:
    """Return the run cut by *period*, oldest first; the first and the last may be cut short."""
    return _rows(trades, equity, lambda at_ms, _: _period_names(at_ms, period))


def regime_rows(trades: tuple[BacktestTrade, ...], equity: EquityCurve) -> tuple[SpanRow, ...]:
    """
    Return the run by regime: the coin up or down over 10 % in the 30 days before each day.

    The first thirty days have no regime yet. Days of one regime are joined, though others lay
    between them.
    """
    return _rows(trades, equity, _regime_names)


def regimes(at_ms: Ints, index_usd: Floats) -> list[str]:
    """The regime that each daily close (n,) begins the next day with."""
    before = np.searchsorted(at_ms, at_ms - _REGIME_DAYS * DAY_MS, side="right") - 1
    change = index_usd / index_usd[np.maximum(before, 0)] - 1.0
    names = np.where(change > _TREND, "bull", np.where(change < -_TREND, "bear", "sideways"))
    return [str(name) for name in np.where(before < 0, "first 30 days", names)]


def _rows(
    trades: tuple[BacktestTrade, ...],
    equity: EquityCurve,
    names_of: Callable[[Ints, Floats], list[str]],
) -> tuple[SpanRow, ...]:
    """The daily closes in groups of one name each, in the order of their first day."""
    curve = valued(equity)
    coin, usd = (Account.of(curve, numeraire) for numeraire in Numeraire)
    rows = closing_rows(curve.at_ms, days_of(curve.at_ms))
    if len(rows) < 2:
        return ()
    at_ms, index = curve.at_ms[rows], curve.index_usd[rows]
    names = np.array(names_of(at_ms, index))
    columns = TradeColumns.of(trades)
    closed = columns.where(columns.is_closed)
    ended_on = np.clip(np.searchsorted(at_ms, closed.closed_ms) - 1, 0, len(rows) - 2)
    parts = _Parts(changes(coin.equity[rows]), changes(usd.equity[rows]), changes(index))
    return tuple(
        _span_row(name, parts, names == name, closed.where((names == name)[ended_on]))
        for name in dict.fromkeys(names.tolist())
    )


@frozen(eq=False)
class _Parts:
    """Daily returns in coin, in USD, and of the index (n,)."""

    coin: Floats
    usd: Floats
    index: Floats


def _span_row(name: str, parts: _Parts, days: Bools, closed: TradeColumns) -> SpanRow:
    own = parts.coin[days]
    path = np.cumprod(np.append(1.0, 1.0 + own))
    ratio = sharpe(own) if len(own) >= _LEAST_SHARPE_DAYS else None
    return SpanRow(
        name=name,
        trades=len(closed),
        net_coin=float(closed.pnl_coin.sum()),
        net_usd=float(closed.pnl_usd.sum()),
        return_coin_pct=_joined_pct(own),
        return_usd_pct=_joined_pct(parts.usd[days]),
        index_pct=_joined_pct(parts.index[days]),
        drawdown_coin_pct=100.0 * float(drawdown_shares(path).max()),
        sharpe_coin=None if ratio is None else ratio * float(np.sqrt(DAYS_A_YEAR)),
    )


def _joined_pct(returns: Floats) -> float | None:
    return 100.0 * (float(np.prod(1.0 + returns)) - 1.0) if len(returns) else None


def _regime_names(at_ms: Ints, index_usd: Floats) -> list[str]:
    """The regime of each day (n - 1,), as it was known when the day began."""
    return regimes(at_ms, index_usd)[:-1]


def _period_names(at_ms: Ints, period: Period) -> list[str]:
    """The period of each day (n - 1,), as it ends."""
    ends = at_ms[1:]
    if period is Period.WEEK:
        mondays = (7 * weeks_of(ends) - 3).astype("datetime64[D]")
        return [str(day) for day in mondays]
    if period is Period.DAY:
        return [str(day) for day in days_of(ends).astype("datetime64[D]")]
    months = months_of(ends).astype("datetime64[M]")
    unit = "M" if period is Period.MONTH else "Y"
    return [str(each) for each in months.astype(f"datetime64[{unit}]")]
