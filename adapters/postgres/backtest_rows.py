"""Backtests as rows of their tables, and back."""

import zipfile
from collections.abc import Iterable, Mapping
from io import BytesIO
from math import nan
from typing import Any

import attrs
import numpy as np
from sqlalchemy import RowMapping

from ports.backtest_runs import (
    BacktestTrade,
    EquityCurve,
    ExitReason,
    Omission,
    RunStatus,
    RunSummary,
    StyleResult,
    Trial,
)
from ports.codec import instant_from, instant_text
from ports.errors import StoreDamaged
from ports.instruments import OptionContract

Row = dict[str, Any]

_SUMMARY = [each.name for each in attrs.fields(RunSummary)]
_TRADE = [each.name for each in attrs.fields(BacktestTrade)]
_TRADE_FLOATS = [each.name for each in attrs.fields(BacktestTrade) if each.type is float]
_CURVE = [each.name for each in attrs.fields(EquityCurve)]
_RENAMED = {"start_at": "start", "end_at": "end"}  # END is a word of SQL


def run_row(summary: RunSummary) -> Row:
    """The row of *summary* in RUNS."""
    row = {name: getattr(summary, name) for name in _SUMMARY}
    for column, name in _RENAMED.items():
        row[column] = row.pop(name)
    return {**row, "status": summary.status.value, "exit_styles": list(summary.exit_styles)}


def summary_of(row: RowMapping) -> RunSummary:
    """
    The summary that *row* of RUNS holds.

    Raises:
        StoreDamaged: It holds none.
    """
    try:
        named = {_RENAMED.get(name, name): value for name, value in row.items()}
        fields = {name: named[name] for name in _SUMMARY}
        fields["status"] = RunStatus(fields["status"])
        fields["exit_styles"] = tuple(fields["exit_styles"])
        return RunSummary(**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreDamaged(f"run {row.get('run_id')} cannot be read: {error!r}") from error


def style_row(result: StyleResult, run: int, position: int) -> Row:
    """The row of *result* in STYLES."""
    omissions = [
        {"at": instant_text(each.at), "subject": each.subject, "reason": each.reason}
        for each in result.omissions
    ]
    return {
        "run": run,
        "position": position,
        "exit_style": result.exit_style,
        "trades_hash": result.trades_hash,
        "omissions": omissions,
        "equity": _packed(result.equity),
    }


def metric_rows(metrics: Mapping[str, float | None], style: int) -> list[Row]:
    """The rows of *metrics* in METRICS."""
    return [{"style": style, "name": name, "value": value} for name, value in metrics.items()]


def trade_rows(trades: Iterable[BacktestTrade], style: int) -> list[Row]:
    """The rows of *trades* in TRADES."""
    return [_trade_row(trade, style) for trade in trades]


def style_of(
    row: RowMapping, trades: Iterable[RowMapping], metrics: Iterable[RowMapping]
) -> StyleResult:
    """
    The result that *row* of STYLES holds, with the rows of TRADES and METRICS that are its own.

    Raises:
        StoreDamaged: Something in them is not what was written.
    """
    try:
        omissions = tuple(
            Omission(at=instant_from(each["at"]), subject=each["subject"], reason=each["reason"])
            for each in row["omissions"]
        )
        return StyleResult(
            exit_style=row["exit_style"],
            trades=tuple(_trade_of(each) for each in trades),
            equity=_unpacked(row["equity"]),
            metrics={each["name"]: each["value"] for each in metrics},
            trades_hash=row["trades_hash"],
            omissions=omissions,
        )
    except (KeyError, TypeError, ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise StoreDamaged(f"exit style {row['exit_style']}: {error!r}") from error


def trial_row(trial: Trial) -> Row:
    """The row of *trial* in TRIALS."""
    return attrs.asdict(trial)


def trial_of(row: RowMapping) -> Trial:
    """The trial that *row* of TRIALS holds."""
    fields = {each.name: row[each.name] for each in attrs.fields(Trial)}
    for name in ("sharpe", "skew", "kurtosis"):
        fields[name] = nan if fields[name] is None else fields[name]
    return Trial(**fields)


def _trade_row(trade: BacktestTrade, style: int) -> Row:
    row = {name: getattr(trade, name) for name in _TRADE}
    return {
        **row,
        "style": style,
        "number": int(trade.number),
        "chain": int(trade.chain),
        "contract": trade.contract.symbol,
        "exit_reason": trade.exit_reason.value,
    }


def _trade_of(row: RowMapping) -> BacktestTrade:
    fields: Row = {name: row[name] for name in _TRADE}
    for name in _TRADE_FLOATS:
        fields[name] = nan if fields[name] is None else fields[name]
    fields["contract"] = OptionContract.from_symbol(fields["contract"])
    fields["exit_reason"] = ExitReason(fields["exit_reason"])
    return BacktestTrade(**fields)


def _packed(curve: EquityCurve) -> bytes:
    sink = BytesIO()
    np.savez_compressed(sink, **{name: getattr(curve, name) for name in _CURVE})
    return sink.getvalue()


def _unpacked(data: bytes) -> EquityCurve:
    with np.load(BytesIO(data), allow_pickle=False) as columns:
        return EquityCurve(**{name: columns[name] for name in _CURVE})
