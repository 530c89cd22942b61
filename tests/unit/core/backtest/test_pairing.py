"""Invented against recorded: scores, verdicts, weeks in basis points, and the split of the gap."""

import numpy as np
import pytest
from attrs import evolve

from core.backtest.pairing import (
    Entries,
    MetricParity,
    Side,
    Tolerances,
    Verdict,
    paired,
    weekly_bp,
)
from core.rng import rng_at
from tests.support.backtest_runs import START, curve, style, trade
from tests.support.reference import exact

FIGURES = {
    "return_on_capital_coin": 2.0,
    "max_drawdown_pct_coin": 3.0,
    "percent_profitable_coin": 80.0,
    "profit_factor_coin": 1.5,
}
WEEKS = 12


def entries(count: int, iv: float = 0.5, atm_iv: float = 0.5) -> Entries:
    return Entries(
        moneyness=np.full(count, 1.05),
        tenor=np.full(count, 7.0 / 365.0),
        iv=np.full(count, iv),
        atm_iv=np.full(count, atm_iv),
    )


def side(
    count: int = 6, *, gain_coin: float = 0.01, sold: Entries | None = None, **changed: float
) -> Side:
    trades = tuple(trade(number + 1, pnl_coin=gain_coin) for number in range(count))
    equity = curve(1.0 + gain_coin * np.arange(WEEKS + 1), hours=168.0)
    metrics: dict[str, float | None] = {**FIGURES, **changed}
    return Side(
        result=style(trades, equity, metrics=metrics),
        entries=entries(count) if sold is None else sold,
    )


def verdict_of(recorded: Side, invented: Side) -> Verdict:
    return paired(recorded, invented, 1.0, rng_at(1, "test", START), Tolerances()).verdict


def test_the_same_on_both_sides_is_trusted() -> None:
    """Every figure within its tolerance, enough trades, no gap."""
    report = paired(side(), side(), 1.0, rng_at(1, "test", START), Tolerances())

    assert report.verdict is Verdict.TRUSTED
    assert report.score == 1.0
    assert report.gap is not None
    assert report.gap.total_bp == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("difference", "score"), [(0.0, 1.0), (5.0, 1.0), (-7.5, 0.5), (10.0, 0.0), (40.0, 0.0)]
)
def test_a_score_falls_from_the_tolerance_to_twice_of_it(difference: float, score: float) -> None:
    """One up to the tolerance, none from twice of it on, a line between."""
    metric = MetricParity(name="x", recorded=2.0, invented=2.0 + difference, tolerance=5.0)

    assert metric.score == pytest.approx(score)


def test_undefined_on_both_sides_agrees_and_on_one_does_not() -> None:
    """A profit factor without a loss says the same of both, or nothing."""
    neither = MetricParity(name="x", recorded=None, invented=None, tolerance=0.3)

    assert neither.score == 1.0
    assert evolve(neither, recorded=1.0).score == 0.0
    assert evolve(neither, invented=1.0).score == 0.0


def test_a_figure_out_of_tolerance_is_a_warning_and_most_of_them_are_no_trust() -> None:
    """The verdict follows the mean score."""
    one_off = side(percent_profitable_coin=50.0)
    most_off = side(
        return_on_capital_coin=30.0, max_drawdown_pct_coin=50.0, percent_profitable_coin=10.0
    )

    assert verdict_of(side(), one_off) is Verdict.WARNING
    assert verdict_of(side(), most_off) is Verdict.UNTRUSTED


def test_few_trades_are_a_warning_and_none_are_a_failure() -> None:
    """Five a side are wanted; a side that never traded says nothing."""
    assert verdict_of(side(), side(4)) is Verdict.WARNING
    report = paired(side(), side(0), 1.0, rng_at(1, "test", START), Tolerances())
    assert report.verdict is Verdict.UNTRUSTED
    assert report.failure == "no trade on the invented market"
    assert report.gap is None


def test_weeks_are_in_basis_points_of_notional() -> None:
    """0.01 coin a week on two coins is 50 bp; days beyond the last full week do not count."""
    equity = curve(1.0 + 0.01 * np.arange(24) / 7.0, hours=24.0)

    assert weekly_bp(equity, 2.0) == pytest.approx(np.full(3, 50.0))


def test_the_weekly_difference_has_the_sign_of_what_is_invented() -> None:
    """Invented 150 bp, recorded 100: 50 more, and the interval holds it."""
    report = paired(side(), side(gain_coin=0.015), 1.0, rng_at(1, "test", START), Tolerances())

    assert report.weeks == WEEKS
    assert report.weekly_bp is not None
    assert report.weekly_bp.value == pytest.approx(50.0)
    assert report.weekly_bp.low <= report.weekly_bp.value + 1e-9
    assert report.weekly_bp.high >= report.weekly_bp.value - 1e-9


def test_the_gap_is_split_by_repricing_what_was_sold() -> None:
    """Level and smile against 50 digits; all three add up to the difference in profit."""
    invented = side(gain_coin=0.004, sold=entries(6, iv=0.66, atm_iv=0.6))
    report = paired(side(), invented, 1.0, rng_at(1, "test", START), Tolerances())
    told, levelled, shaped = (premium(iv) for iv in (0.5, 0.6, 0.66))

    assert report.gap is not None
    assert report.gap.level_bp == pytest.approx(1e4 * (levelled - told), abs=1e-8)
    assert report.gap.smile_bp == pytest.approx(1e4 * (shaped - levelled), abs=1e-8)
    assert report.gap.total_bp == pytest.approx(-60.0)
    parts = report.gap.level_bp + report.gap.smile_bp + report.gap.rest_bp
    assert parts == pytest.approx(report.gap.total_bp)


def premium(iv: float) -> float:
    """A call at 1.05 of the forward, seven days, in coin, by mpmath."""
    return float(exact((1.0, 1.05, 7.0 / 365.0, iv)).value)
