"""Figures of closed trades against fractions worked by hand."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.backtest.metrics import metrics_of
from core.backtest.metrics_columns import TradeColumns
from core.backtest.metrics_trades import most_held
from ports.backtest_runs import BacktestTrade, ExitReason
from ports.instruments import OptionKind
from tests.support.backtest_runs import START, WEEK, curve, trade

# five closed trades and one left open; P&L in coin and USD said outright
CLOSED = (
    (Fraction(97, 10_000), Fraction(970), 1),
    (Fraction(-205, 10_000), Fraction(-2_460), 2),
    (Fraction(47, 10_000), Fraction(-10), 1),
    (Fraction(0), Fraction(0), 1),
    (Fraction(-31, 10_000), Fraction(-300), 1),
)
FEES = Fraction(3, 10_000)


def made() -> tuple[BacktestTrade, ...]:
    closed = [
        trade(
            number,
            amount=float(amount),
            pnl_coin=float(coin),
            pnl_usd=float(usd),
            fees_coin=float(FEES),
            fees_usd=30.0,
        )
        for number, (coin, usd, amount) in enumerate(CLOSED, start=1)
    ]
    left = trade(6, exit_reason=ExitReason.LEFT_OPEN, pnl_coin=0.002, pnl_usd=200.0, fees_usd=30.0)
    return (*closed, left)


def figures() -> dict[str, float | None]:
    return metrics_of(made(), curve([1.0] * 50))


@pytest.mark.parametrize(
    ("key", "by_hand"),
    [
        ("net_pnl_coin", sum(coin for coin, _, _ in CLOSED)),
        ("net_pnl_usd", sum(usd for _, usd, _ in CLOSED)),
        ("open_pnl_coin", Fraction(2, 1000)),
        ("total_pnl_coin", sum(coin for coin, _, _ in CLOSED) + Fraction(2, 1000)),
        ("gross_profit_coin", Fraction(144, 10_000)),
        ("gross_loss_coin", Fraction(236, 10_000)),
        ("gross_loss_usd", Fraction(2_770)),
        ("profit_factor_coin", Fraction(144, 236)),
        ("profit_factor_usd", Fraction(970, 2_770)),
        ("commission_paid_coin", 6 * FEES),
        ("commission_paid_usd", Fraction(180)),
        ("expected_payoff_coin", Fraction(-92, 50_000)),
        ("avg_pnl_coin", Fraction(-92, 50_000)),
        ("total_trades", Fraction(5)),
        ("open_trades", Fraction(1)),
        ("winning_trades_coin", Fraction(2)),
        ("losing_trades_coin", Fraction(2)),
        ("even_trades_coin", Fraction(1)),
        ("winning_trades_usd", Fraction(1)),
        ("losing_trades_usd", Fraction(3)),
        ("percent_profitable_coin", Fraction(40)),
        ("percent_profitable_usd", Fraction(20)),
        ("avg_winning_trade_coin", Fraction(72, 10_000)),
        ("avg_losing_trade_coin", Fraction(118, 10_000)),
        ("win_loss_ratio_coin", Fraction(72, 118)),
        ("largest_winning_trade_coin", Fraction(97, 10_000)),
        ("largest_winning_trade_pct_coin", Fraction(97, 100)),
        ("largest_winner_share_pct_coin", Fraction(9_700, 144)),
        ("largest_losing_trade_coin", Fraction(205, 10_000)),
        ("largest_losing_trade_pct_coin", Fraction(205, 200)),
        ("largest_losing_trade_pct_usd", Fraction(246_000, 200_000)),
        ("largest_loser_share_pct_coin", Fraction(20_500, 236)),
        ("avg_pnl_pct_coin", Fraction(97 - Fraction(205, 2) + 47 - 31, 500)),
        ("avg_bars", Fraction(7)),
        ("avg_bars_winning_coin", Fraction(7)),
        ("max_contracts_held", Fraction(2)),
        ("return_on_capital_coin", Fraction(-92, 100)),
        ("net_of_largest_loss_pct_coin", Fraction(-9_200, 205)),
    ],
)
def test_worked_by_hand(key: str, by_hand: Fraction) -> None:
    """Each figure is what fractions give; even trades count below the line only."""
    assert figures()[key] == pytest.approx(float(by_hand), rel=1e-12)


def test_a_trade_held_over_no_mark_has_no_bars() -> None:
    """Bars are the marks after the sale up to the end."""
    made_now = trade(opened_at=START + timedelta(hours=30), closed_at=START + timedelta(hours=31))

    assert metrics_of((made_now,), curve([1.0] * 9))["avg_bars"] == 0.0


def test_without_a_loss_there_is_no_profit_factor() -> None:
    """What has no denominator is undefined, not 0 and not 999.99."""
    found = metrics_of((trade(),), curve([1.0, 1.0]))

    undefined = ("profit_factor", "avg_losing_trade", "win_loss_ratio", "largest_losing_trade")
    assert [found[f"{key}_coin"] for key in undefined] == [None] * 4
    assert found["gross_loss_coin"] == 0.0


def test_without_trades_averages_are_undefined() -> None:
    """Sums of nothing are zero, averages of nothing are not."""
    found = metrics_of((), curve([1.0, 1.0]))

    assert found["net_pnl_usd"] == 0.0
    assert found["total_trades"] == 0.0
    assert found["avg_pnl_usd"] is None
    assert found["percent_profitable_coin"] is None


def test_calls_and_puts_have_columns() -> None:
    """Each column holds its own kind, and together they are the first."""
    both = (trade(1), trade(2, kind=OptionKind.PUT, strike=90_000.0, entry_coin=0.02))
    found = metrics_of(both, curve([1.0] * 20))

    assert found["total_trades_calls"] == 1.0
    assert found["total_trades_puts"] == 1.0
    assert found["net_pnl_coin_calls"] == pytest.approx(0.0097, abs=1e-15)
    assert found["net_pnl_coin_puts"] == pytest.approx(0.0197, abs=1e-15)


def test_a_trade_makes_room_for_the_next() -> None:
    """One that begins as another ends does not add to the contracts held."""
    rows = (trade(1), trade(2), trade(3, opened_at=START + WEEK, closed_at=START + 2 * WEEK))

    assert most_held(TradeColumns.of(rows[:2])) == 1.0
    assert most_held(TradeColumns.of(rows)) == 2.0


PNL = st.lists(st.floats(-0.5, 0.5).map(lambda each: round(each, 6)), min_size=1, max_size=30)


@given(pnl=PNL)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_laws_of_sums(pnl: list[float]) -> None:
    """Profit less loss is net, wins, losses and even trades are all, shares add up to one."""
    rows = tuple(trade(n, pnl_coin=each) for n, each in enumerate(pnl, start=1))
    found = {key: value or 0.0 for key, value in metrics_of(rows, curve([1.0])).items()}

    net = found["gross_profit_coin"] - found["gross_loss_coin"]
    assert net == pytest.approx(found["net_pnl_coin"], abs=1e-12)
    counts = [found[f"{way}_trades_coin"] for way in ("winning", "losing", "even")]
    assert sum(counts) == found["total_trades"] == len(pnl)
    averages = counts[0] * found["avg_winning_trade_coin"]
    averages -= counts[1] * found["avg_losing_trade_coin"]
    assert averages == pytest.approx(found["net_pnl_coin"], abs=1e-12)


@given(pnl=PNL, factor=st.floats(0.01, 1000.0))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_ratios_do_not_know_the_size(pnl: list[float], factor: float) -> None:
    """A run of so many times the size has the same ratios, and so many times the money."""
    small = metrics_of(
        tuple(trade(n, pnl_coin=each) for n, each in enumerate(pnl, start=1)), curve([1.0, 1.001])
    )
    large = metrics_of(
        tuple(
            trade(n, pnl_coin=factor * each, amount=factor, fees_coin=factor * 0.0003)
            for n, each in enumerate(pnl, start=1)
        ),
        curve([factor, factor * 1.001]),
    )

    for key in ("profit_factor", "percent_profitable", "win_loss_ratio", "avg_pnl_pct", "cagr"):
        own, other = small[f"{key}_coin"], large[f"{key}_coin"]
        assert other == (None if own is None else pytest.approx(own, rel=1e-9))
    for key in ("net_pnl", "gross_profit", "commission_paid", "premium_collected"):
        scaled = factor * (small[f"{key}_coin"] or 0.0)
        assert large[f"{key}_coin"] == pytest.approx(scaled, rel=1e-9, abs=1e-12)


def test_the_order_of_trades_does_not_matter() -> None:
    """Trades may come in any order: they are judged by when they ended."""
    assert metrics_of(made(), curve([1.0] * 50)) == metrics_of(made()[::-1], curve([1.0] * 50))
