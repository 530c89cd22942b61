"""Comparison and export of stored runs: what differs, and every figure in full."""

import csv
import json
from io import StringIO

import numpy as np
import pytest
from attrs import evolve, fields

from apps.cli.backtest_compare import chosen_style, differences, differences_table
from apps.cli.backtest_export import Content, FileFormat, exported
from core.backtest.metrics import metrics_of
from ports.backtest_runs import BacktestTrade, StyleResult
from tests.support.backtest_runs import curve, golden_run, run, sold_and_held, style, trade


def with_metrics(result: StyleResult) -> StyleResult:
    return evolve(result, metrics=metrics_of(result.trades, result.equity))


A, B = with_metrics(sold_and_held(seed=5)), with_metrics(sold_and_held(seed=6))


def test_the_change_is_b_less_a() -> None:
    """Every figure that both have is subtracted; what one lacks has no change."""
    lame = evolve(A, metrics={**A.metrics, "profit_factor_coin": None})
    found = {each.key: each for each in differences(lame, B, seed=1)}

    net = found["net_pnl_usd"]
    assert net.change == (B.metrics["net_pnl_usd"] or 0.0) - (A.metrics["net_pnl_usd"] or 0.0)
    assert found["profit_factor_coin"].change is None
    assert found["total_trades"].change == 0.0


def test_headlines_have_paired_bounds() -> None:
    """Growth, Sharpe ratio, drawdown and alpha say how sure the change is."""
    found = {each.key for each in differences(A, B, seed=1) if each.interval is not None}

    names = ("cagr", "sharpe_annual", "max_drawdown_pct", "alpha_pct")
    assert found == {f"{name}_{unit}" for name in names for unit in ("coin", "usd")}


def test_a_comparison_can_be_made_again() -> None:
    """The same runs and seed draw the same bounds."""
    assert differences(A, B, seed=1) == differences(A, B, seed=1)


def test_a_row_a_figure() -> None:
    """The table has every difference, coin and USD apart."""
    found = differences(A, B, seed=1)

    assert differences_table(found, "BTC").row_count == len(found)


def test_runs_of_different_primary_styles_are_not_compared() -> None:
    """Misuse unless a style is named."""
    a, b = run(A), run(evolve(B, exit_style="tp_and_roll"))

    assert chosen_style(a, b, "tp_and_roll") == "tp_and_roll"
    assert chosen_style(a, a, None) == "hold_to_expiry"
    with pytest.raises(BaseException) as ended:  # noqa: PT011  click's Exit has no public home
        chosen_style(a, b, None)
    assert getattr(ended.value, "exit_code", None) == 2


def test_trades_come_back_from_csv() -> None:
    """A row a trade with every field; floats bit for bit."""
    result = golden_run().results[0]
    rows = list(csv.DictReader(StringIO(exported(result, Content.TRADES, FileFormat.CSV))))

    assert list(rows[0]) == [each.name for each in fields(BacktestTrade)]
    assert len(rows) == len(result.trades)
    for row, made in zip(rows, result.trades, strict=True):
        assert float(row["pnl_coin"]) == made.pnl_coin
        assert row["contract"] == made.contract.symbol
        assert row["opened_at"] == made.opened_at.isoformat()
        assert row["exit_reason"] == made.exit_reason.value


def test_equity_comes_back_from_json() -> None:
    """A record a mark; what is not known is null and what is derived is there too."""
    result = style((), curve([1.0, 1.5], [10.0, 20.0], net_delta=np.array([0.5, np.nan])))
    rows = json.loads(exported(result, Content.EQUITY, FileFormat.JSON))

    assert [row["equity_usd"] for row in rows] == [10.0, 30.0]
    assert [row["net_delta"] for row in rows] == [0.5, None]
    assert rows[0]["at"] == "2026-01-02T08:00:00+00:00"


def test_unknown_is_empty_in_csv() -> None:
    """NaN is an empty cell, not a word that a reader may take for text."""
    result = style((trade(entry_mark_coin=float("nan")),))
    (row,) = csv.DictReader(StringIO(exported(result, Content.TRADES, FileFormat.CSV)))

    assert row["entry_mark_coin"] == ""


def test_nothing_is_a_file_with_a_head() -> None:
    """A run without trades exports the names alone."""
    text = exported(style(), Content.TRADES, FileFormat.CSV)

    assert text.count("\n") == 1
    assert json.loads(exported(style(), Content.TRADES, FileFormat.JSON)) == []
