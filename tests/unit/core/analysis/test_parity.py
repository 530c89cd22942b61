"""Parity: every coin of difference between two worlds has a cause."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from core.analysis.parity import Cause, compare_worlds
from ports.backtest_runs import BacktestTrade, ExitReason
from tests.support.markets import call

SOLD = datetime(2026, 3, 6, 10, tzinfo=UTC)
NAMES = ("tick", "paper")


def a_trade(**changes: object) -> BacktestTrade:
    trade = BacktestTrade(
        number=1,
        chain=1,
        strategy_id="call_rule_v1",
        contract=call(110_000.0),
        amount=1.0,
        opened_at=SOLD,
        closed_at=SOLD + timedelta(days=7),
        entry_reason="best",
        exit_reason=ExitReason.EXPIRED,
        entry_index_usd=100_000.0,
        exit_index_usd=101_000.0,
        entry_coin=0.010,
        exit_coin=0.0,
        entry_mark_coin=0.0102,
        exit_mark_coin=0.0,
        entry_delta=0.25,
        entry_iv=0.5,
        entry_dte=7.0,
        entry_forward_usd=100_100.0,
        fees_coin=0.0003,
        fees_usd=30.0,
        pnl_coin=0.0097,
        pnl_usd=970.0,
        favorable_coin=0.0097,
        adverse_coin=-0.001,
        margin_coin=0.12,
    )
    return evolve(trade, **changes)


def test_the_same_trades_agree() -> None:
    """Nothing differs, whatever moments later the other world says it traded."""
    later = a_trade(opened_at=SOLD + timedelta(milliseconds=300))
    report = compare_worlds(NAMES, [a_trade()], [later])

    assert report.agrees
    assert report.matched == 1


@pytest.mark.parametrize(
    ("changes", "cause", "coin"),
    [
        ({"entry_coin": 0.009, "pnl_coin": 0.0087}, Cause.FILL, -0.001),
        ({"amount": 0.5, "fees_coin": 0.00015, "pnl_coin": 0.00485}, Cause.FILL, -0.005),
        ({"fees_coin": 0.0, "pnl_coin": 0.01}, Cause.FEE, 0.0003),
        ({"opened_at": SOLD + timedelta(hours=6), "pnl_coin": 0.012}, Cause.TIMING, 0.0023),
        ({"exit_reason": ExitReason.TAKE_PROFIT, "pnl_coin": 0.008}, Cause.TIMING, -0.0017),
    ],
)
def test_a_difference_has_its_cause(changes: dict[str, object], cause: Cause, coin: float) -> None:
    """Prices and amounts are fills, fees are fees, another instant is timing as a whole."""
    report = compare_worlds(NAMES, [a_trade()], [a_trade(**changes)])

    assert report.coin[cause] == pytest.approx(coin, abs=1e-15)
    assert sum(report.coin.values()) == pytest.approx(report.difference_coin, abs=1e-15)


def test_another_mark_of_what_is_held_is_the_model() -> None:
    """A call left open at another mark differs by the volatility it is valued with."""
    ours = a_trade(exit_reason=ExitReason.LEFT_OPEN, exit_coin=0.004, pnl_coin=0.0057)
    theirs = evolve(ours, exit_coin=0.005, pnl_coin=0.0047)
    report = compare_worlds(NAMES, [ours], [theirs])

    assert report.coin[Cause.IV_MODEL] == pytest.approx(-0.001, abs=1e-15)
    assert report.coin[Cause.FILL] == pytest.approx(0.0, abs=1e-15)


def test_a_trade_of_one_world_alone_is_timing() -> None:
    """Missing there or here, its whole profit is the difference."""
    other = a_trade(contract=call(120_000.0), pnl_coin=0.002)
    report = compare_worlds(NAMES, [a_trade()], [other])

    assert report.matched == 0
    assert report.coin[Cause.TIMING] == pytest.approx(0.002 - 0.0097, abs=1e-15)
    assert [bool(row.ours) for row in report.rows].count(True) == 1
