"""Small backtests made by hand: trades, marked accounts, and whole runs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from attrs import evolve

from core.backtest.metrics import metrics_of
from ports.backtest_runs import (
    BacktestRun,
    BacktestTrade,
    EquityCurve,
    ExitReason,
    Omission,
    RunStatus,
    RunSummary,
    StyleResult,
)
from ports.checks import epoch_ms
from ports.columns import Floats
from ports.instruments import OptionContract, OptionKind

START = datetime(2026, 1, 2, 8, tzinfo=UTC)  # a Friday
WEEK = timedelta(days=7)
SPOT_USD = 100_000.0


def trade(number: int = 1, **terms: Any) -> BacktestTrade:
    """
    A weekly call sold at 0.01 a week after another, expired worthless; *terms* say otherwise.

    Fees and P&L follow from the prices where they are not said.
    """
    opened = terms.pop("opened_at", START + (number - 1) * WEEK)
    closed = terms.pop("closed_at", opened + WEEK)
    kind = terms.pop("kind", OptionKind.CALL)
    strike = terms.pop("strike", 110_000.0)
    values: dict[str, Any] = {
        "number": number,
        "chain": number,
        "strategy_id": "covered_call",
        "contract": OptionContract("BTC", opened + WEEK, strike, kind),
        "amount": 1.0,
        "opened_at": opened,
        "closed_at": closed,
        "entry_reason": "score",
        "exit_reason": ExitReason.EXPIRED,
        "entry_index_usd": SPOT_USD,
        "exit_index_usd": SPOT_USD,
        "entry_coin": 0.01,
        "exit_coin": 0.0,
        "entry_mark_coin": 0.01,
        "exit_mark_coin": 0.0,
        "entry_delta": 0.25,
        "entry_iv": 0.5,
        "entry_dte": 7.0,
        "entry_forward_usd": SPOT_USD,
        "fees_coin": 0.0003,
        "favorable_coin": 0.0097,
        "adverse_coin": -0.001,
        "margin_coin": 0.1,
    } | terms
    values.setdefault("fees_usd", values["fees_coin"] * values["entry_index_usd"])
    values.setdefault("pnl_coin", _pnl_coin(values))
    values.setdefault("pnl_usd", _pnl_usd(values))
    return BacktestTrade(**values)


def curve(
    equity_coin: Any, index_usd: Any = SPOT_USD, *, hours: float = 24.0, **columns: Any
) -> EquityCurve:
    """An account of *equity_coin* at *index_usd*, a mark every *hours* from START on."""
    equity = np.atleast_1d(np.asarray(equity_coin, dtype=np.float64))
    count = len(equity)
    option = np.broadcast_to(np.asarray(columns.pop("option_coin", 0.0), dtype=np.float64), count)
    values = {
        "index_usd": index_usd,
        "cash_coin": equity - option,
        "option_coin": option,
        "delta": 0.0,
        "net_delta": 0.0,
        "gamma": 0.0,
        "vega": 0.0,
        "theta": 0.0,
        "mark_iv": 0.5,
        "margin_coin": 0.0,
        "low_coin": equity,
        "high_coin": equity,
    } | columns
    step_ms = round(hours * 3_600_000)
    return EquityCurve(
        at_ms=epoch_ms(START) + step_ms * np.arange(count),
        **{name: np.broadcast_to(value, count) for name, value in values.items()},
    )


def style(
    trades: tuple[BacktestTrade, ...] = (),
    equity: EquityCurve | None = None,
    *,
    exit_style: str = "hold_to_expiry",
    metrics: dict[str, float | None] | None = None,
) -> StyleResult:
    """The result of one exit style."""
    return StyleResult(
        exit_style=exit_style,
        trades=trades,
        equity=curve([1.0]) if equity is None else equity,
        metrics=metrics or {},
        trades_hash="0" * 64,
    )


def run(*results: StyleResult, **facts: Any) -> BacktestRun:
    """A finished run with *results*."""
    values: dict[str, Any] = {
        "run_id": "20260401T000000Z_BTC_0a1b2c3d",
        "created_at": datetime(2026, 4, 1, tzinfo=UTC),
        "status": RunStatus.FINISHED,
        "strategy_id": "covered_call",
        "underlying": "BTC",
        "source": "recorded chains",
        "start": START,
        "end": START + 12 * WEEK,
        "interval_minutes": 60.0,
        "exit_styles": tuple(each.exit_style for each in results),
        "seed": 7,
        "code_version": "1a2b3c4",
        "config": {"strategy.target_dte": 7, "strategy.target_delta": 0.25},
        "labels": {
            "data": "recorded",
            "price model": "recorded marks",
            "fill model": "sold at bid, bought at ask",
            "fees": "0.0003 coin, at most 12.5 % of premium",
        },
        "progress": 1.0,
    } | facts
    return BacktestRun(summary=RunSummary(**values), results=results)


def sold_and_held(weeks: int = 12, seed: int = 5) -> StyleResult:
    """
    Weekly calls on one coin over a walk of the index, marked hourly without a model.

    Premiums decay in a line; the last is left open. Every third is bought back and rolled.
    """
    rng = np.random.default_rng(seed)
    hours = weeks * 7 * 24
    index = SPOT_USD * np.exp(np.cumsum(np.append(0.0, 0.004 * rng.standard_normal(hours))))
    premium = 0.004 + 0.01 * rng.random(weeks)
    cash, option = np.ones(hours + 1), np.zeros(hours + 1)
    trades = []
    for week in range(weeks):
        first, last = week * 168, (week + 1) * 168 - 84 * (week == weeks - 1)
        made = _weekly(week + 1, float(premium[week]), index, first, last)
        left = np.linspace(1.0, made.exit_coin / made.entry_coin, last - first + 1)
        option[first:last] = -made.entry_mark_coin * left[:-1]
        cash[first:] += made.entry_coin - 0.0003
        if made.exit_reason is ExitReason.LEFT_OPEN:
            option[last:] = -made.exit_coin
        else:
            cash[last:] -= made.exit_coin + made.fees_coin - 0.0003
        trades.append(made)
    equity = curve(
        cash + option,
        index,
        hours=1.0,
        option_coin=option,
        net_delta=np.where(option < 0.0, -0.25, 0.0),
        delta=np.where(option < 0.0, -0.25 + option, 0.0),
        gamma=np.where(option < 0.0, -2e-5, 0.0),
        vega=np.where(option < 0.0, -50.0, 0.0),
        theta=np.where(option < 0.0, 100.0, 0.0),
        mark_iv=np.where(option < 0.0, 0.5, np.nan),
        margin_coin=np.where(option < 0.0, 0.1, 0.0),
        low_coin=cash + option - 0.001,
        high_coin=cash + option + 0.001,
    )
    return style(tuple(trades), equity)


def _weekly(number: int, premium: float, index: Floats, first: int, last: int) -> BacktestTrade:
    is_rolled, is_open = number % 3 == 0, (last - first) < 168
    strike = 1_000.0 * round(1.04 * index[first] / 1_000.0)
    payoff = max(index[last] - strike, 0.0) / index[last]
    reason = ExitReason.ASSIGNED if payoff > 0.0 else ExitReason.EXPIRED
    price = payoff
    if is_rolled or is_open:
        reason = ExitReason.LEFT_OPEN if is_open else ExitReason.ROLL
        price = payoff + 0.1 * premium
    fees = 0.0003 if is_open or not price else 0.0006
    return trade(
        number,
        chain=number // 3,
        strike=strike,
        closed_at=START + timedelta(hours=last),
        exit_reason=reason,
        entry_index_usd=float(index[first]),
        exit_index_usd=float(index[last]),
        entry_forward_usd=float(index[first]),
        entry_coin=premium,
        entry_mark_coin=1.05 * premium,
        exit_coin=float(price),
        exit_mark_coin=float(price),
        fees_coin=fees,
        entry_reason="score" if number % 2 else "roll",
    )


def _pnl_coin(values: dict[str, Any]) -> float:
    gain: float = values["amount"] * (values["entry_coin"] - values["exit_coin"])
    return gain - float(values["fees_coin"])


def _pnl_usd(values: dict[str, Any]) -> float:
    sold = values["entry_coin"] * values["entry_index_usd"]
    bought = values["exit_coin"] * values["exit_index_usd"]
    return float(values["amount"] * (sold - bought) - values["fees_usd"])


def golden_run() -> BacktestRun:
    """Two exit styles, calls and puts, a trade left open, and bounds said by hand."""
    trades = (
        trade(1),
        trade(2, entry_reason="roll", exit_coin=0.004, exit_reason=ExitReason.TAKE_PROFIT),
        trade(3, exit_coin=0.03, exit_reason=ExitReason.ASSIGNED, exit_index_usd=113_000.0),
        trade(4, kind=OptionKind.PUT, strike=90_000.0, entry_delta=-0.2),
        trade(5, exit_coin=0.008, exit_reason=ExitReason.LEFT_OPEN, fees_coin=0.0003),
    )
    equity = curve(
        np.concatenate([np.linspace(1.0, 1.02, 20), np.linspace(1.015, 1.005, 16)]),
        np.linspace(100_000.0, 113_000.0, 36),
        margin_coin=0.1,
    )
    known: dict[str, float | None] = {
        "trials": 12.0,
        "deflated_sharpe": 0.41,
        "overfitting_probability": 0.35,
        "cagr_coin_low": -12.5,
        "cagr_coin_high": 31.25,
        "mean_trade_pnl_usd": -350.0,
        "mean_trade_pnl_usd_low": -2_500.5,
        "mean_trade_pnl_usd_high": 1_250.25,
        "alpha_stressed_pct": -1.0,
        "alpha_stressed_pct_low": -4.0,
        "alpha_stressed_pct_high": 2.0,
        "walk_forward_folds": 0.0,
    }
    metrics = metrics_of(trades, equity) | known
    missing = Omission(at=START + WEEK, subject="BTC", reason="no quote to sell at")
    primary = evolve(style(trades, equity, metrics=metrics), omissions=(missing, missing))
    other = style(trades[:1], equity, exit_style="tp_and_roll", metrics=metrics)
    return run(primary, other, notes="first try")
