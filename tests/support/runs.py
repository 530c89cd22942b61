"""Backtests made by hand, with everything in them that is hard to keep."""

import json
from datetime import UTC, datetime, timedelta
from math import nan
from typing import Any

import attrs
import numpy as np

from ports.backtest_runs import (
    BacktestRun,
    BacktestTrade,
    EquityCurve,
    ExitReason,
    Omission,
    RunStatus,
    RunSummary,
    StyleResult,
    Trial,
)
from ports.instruments import OptionContract, OptionKind

AT = datetime(2026, 5, 1, 8, 30, 0, 123_456, tzinfo=UTC)


def summary(run_id: str = "20260501T083000Z_BTC_0a1b2c3d", **changes: Any) -> RunSummary:
    """A finished run of two exit styles."""
    fields: dict[str, Any] = {
        "run_id": run_id,
        "created_at": AT,
        "status": RunStatus.FINISHED,
        "strategy_id": "covered_call",
        "underlying": "BTC",
        "source": "recorded",
        "start": AT - timedelta(days=90),
        "end": AT,
        "interval_minutes": 60.0,
        "exit_styles": ("tp_and_roll", "hold_to_expiry"),
        "seed": 2**40 + 7,
        "code_version": "0.1.0",
        "config": {"candidates.delta_min": 0.1 + 0.2, "venue.mode": "research", "exits.rolls": 3},
        "hashes": {"chains": "a" * 64},
        "labels": {"prices": "recorded bids", "fills": "bid, 100 %"},
        "progress": 1.0,
        "notes": "dear calls — ünïcode, 'quotes' and \"more\"",
    }
    return RunSummary(**{**fields, **changes})


def trade(number: int = 1, **changes: Any) -> BacktestTrade:
    """A call that was sold and expired, with what a mark did not say left as NaN."""
    opened_at = AT - timedelta(days=30 - number)
    fields: dict[str, Any] = {
        "number": number,
        "chain": 1,
        "strategy_id": "covered_call",
        "contract": OptionContract(
            "BTC", datetime(2026, 5, 29, 8, tzinfo=UTC), 120_000.0, OptionKind.CALL
        ),
        "amount": 0.1,
        "opened_at": opened_at,
        "closed_at": opened_at + timedelta(days=7, microseconds=1),
        "entry_reason": "weekly",
        "exit_reason": ExitReason.EXPIRED,
        "entry_index_usd": 100_000.5,
        "exit_index_usd": 99_000.0,
        "entry_coin": 0.0105,
        "exit_coin": 0.0,
        "entry_mark_coin": 0.0107,
        "exit_mark_coin": nan,
        "entry_delta": 0.1 + 0.2,
        "entry_iv": nan,
        "entry_dte": 7.0,
        "entry_forward_usd": 100_200.0,
        "fees_coin": 0.00003,
        "fees_usd": 3.0,
        "pnl_coin": 1e-9,
        "pnl_usd": -0.1,
        "favorable_coin": 0.001,
        "adverse_coin": -0.002,
        "margin_coin": 0.0159,
        "settlement": "venue",
    }
    return BacktestTrade(**{**fields, **changes})


def curve(marks: int = 50) -> EquityCurve:
    """A curve of *marks* hours, with gaps in its greeks."""
    chance = np.random.default_rng(3)
    names = [each.name for each in attrs.fields(EquityCurve) if each.name != "at_ms"]
    columns = {name: chance.normal(size=marks) for name in names}
    columns["vega"][::7] = nan
    return EquityCurve(at_ms=1_777_000_000_000 + 3_600_000 * np.arange(marks), **columns)


def style(exit_style: str = "tp_and_roll", trades: int = 3, **changes: Any) -> StyleResult:
    """What a run did in one style."""
    fields: dict[str, Any] = {
        "exit_style": exit_style,
        "trades": tuple(trade(number + 1) for number in range(trades)),
        "equity": curve(),
        "metrics": {"net_profit_coin": 0.1 + 0.2, "sharpe": None, "num_trades": float(trades)},
        "trades_hash": "b" * 64,
        "omissions": (Omission(at=AT, subject="BTC-29MAY26-120000-C", reason="crossed quote"),),
    }
    return StyleResult(**{**fields, **changes})


def run(run_id: str = "20260501T083000Z_BTC_0a1b2c3d", **changes: Any) -> BacktestRun:
    """A finished run; *changes* are of its summary."""
    return BacktestRun(
        summary=summary(run_id, **changes),
        results=(style(), style("hold_to_expiry", trades=1)),
    )


def trial(config_hash: str = "c" * 64, **changes: Any) -> Trial:
    """A configuration that was tried."""
    fields: dict[str, Any] = {
        "family": "covered_call BTC recorded",
        "config_hash": config_hash,
        "at": AT,
        "sharpe": 0.1 + 0.2,
        "periods": 120,
        "skew": -1.5,
        "kurtosis": 9.0,
        "run_id": "r1",
    }
    return Trial(**{**fields, **changes})


def as_kept(run: BacktestRun) -> str:
    """*run* as text that compares: NaN is NaN, columns are lists, and maps have no order."""
    fields = attrs.asdict(
        run,
        value_serializer=lambda _, __, value: (
            value.tolist() if isinstance(value, np.ndarray) else value
        ),
    )
    return json.dumps(fields, sort_keys=True, default=repr)
