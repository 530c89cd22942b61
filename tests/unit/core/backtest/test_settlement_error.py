"""How uncertain a delivery price that nobody published makes the profit."""

import pytest
from attrs import evolve
from mpmath import inf, mp, mpf, npdf, quad, sqrt

from core.backtest.settlement import payoff_error_usd, settlement_error_coin
from ports.backtest_runs import BacktestTrade, ExitReason
from tests.support.backtest_runs import trade
from tests.support.markets import call, put

ERROR_USD = 250.0


def by_quadrature(inside_usd: float) -> float:
    """The root of the mean square of max(X, 0) - max(inside, 0), X normal about inside."""
    with mp.workdps(50):
        inside, error = mpf(inside_usd), mpf(ERROR_USD)
        paid = max(inside, mpf(0))

        def missed(z: mpf) -> mpf:
            return (max(inside + error * z, mpf(0)) - paid) ** 2 * npdf(z)

        knots = sorted({-40, 0, 40, -inside / error})
        return float(sqrt(quad(missed, [-inf, *knots, inf])))


@pytest.mark.parametrize("inside_usd", [-1500.0, -600.0, -100.0, 0.0, 40.0, 300.0, 2000.0])
def test_a_payoff_is_missed_by_what_quadrature_says(inside_usd: float) -> None:
    """Out of the money, at the strike and in it, to 1e-9 of the price's own error."""
    expected = by_quadrature(inside_usd)
    assert payoff_error_usd(inside_usd, ERROR_USD) == pytest.approx(expected, abs=1e-7)


def ended(price: float, **changed: object) -> BacktestTrade:
    reason = ExitReason.ASSIGNED if price > 100_000.0 else ExitReason.EXPIRED
    made = evolve(
        trade(),
        contract=call(100_000.0),
        exit_reason=reason,
        exit_index_usd=price,
        settlement_error_usd=ERROR_USD,
        amount=2.0,
    )
    return evolve(made, **changed)


def test_an_expired_call_near_its_strike_is_uncertain() -> None:
    """Half the variance of a price on the strike itself, and nothing far from it."""
    on_strike = settlement_error_coin([ended(100_000.0)])

    assert on_strike == pytest.approx(2.0 * ERROR_USD * 0.5**0.5 / 100_000.0)
    assert settlement_error_coin([ended(90_000.0)]) < 1e-12


def test_weeks_add_as_squares() -> None:
    """Two alike are the root of two; a price that is known and a trade left open add nothing."""
    one = settlement_error_coin([ended(101_000.0)])
    known = ended(101_000.0, settlement_error_usd=0.0)
    still_open = ended(101_000.0, exit_reason=ExitReason.LEFT_OPEN)

    twice = settlement_error_coin([ended(101_000.0), known, still_open, ended(101_000.0)])
    assert twice == pytest.approx(2.0**0.5 * one)


def test_a_put_is_inside_below_its_strike() -> None:
    """The mirror of a call."""
    below = ended(99_000.0, contract=put(100_000.0), exit_reason=ExitReason.ASSIGNED)

    assert settlement_error_coin([below]) == pytest.approx(2.0 * ERROR_USD / 99_000.0, rel=1e-3)
