"""Positions as they are shown: figures worked out by hand from the trades."""

from datetime import timedelta

import pytest

from core.analysis.position_view import closed_totals, closed_views, open_totals, open_views
from ports.decision_log import RollStarted
from ports.trading import Side
from tests.support.books import A, B, book_of, fill, intent, marked, traded, unmarked
from tests.support.markets import FRIDAY, NOW

LATER = NOW + timedelta(hours=6)


SOLD = traded(intent(A), fill("t1", A, Side.SELL, 1.0, 0.03, fee_coin=0.0003))


def test_a_call_sold_at_300_and_marked_200_has_earned_100() -> None:
    """Sold at 0.0300, marked 0.0200: +0.0100 coin, +900 USD at 90,000, a third of the premium."""
    book = book_of(*SOLD, marked(1.01, (A, 0.02), index_usd=90_000.0))
    (view,) = open_views(book, NOW)

    assert view.unrealised_coin == pytest.approx(0.01, abs=1e-15)
    assert view.unrealised_usd == pytest.approx(900.0)
    assert view.unrealised_pct == pytest.approx(100.0 / 3.0)
    assert (view.side, view.size, view.entry_price, view.mark) == ("short", 1.0, 0.03, 0.02)


def test_fees_are_in_the_position_and_not_in_the_unrealised() -> None:
    """P&L of the position is the unrealised less the fee that was paid."""
    (view,) = open_views(book_of(*SOLD, marked(1.01, (A, 0.02))), NOW)

    assert view.fees_coin == pytest.approx(0.0003)
    assert view.pnl_coin == pytest.approx(0.01 - 0.0003)


def test_days_are_counted_to_expiry() -> None:
    """DTE is fractional days from the instant that is asked about."""
    (view,) = open_views(book_of(*SOLD, marked(1.01, (A, 0.02))), LATER)

    assert view.dte == (FRIDAY - LATER) / timedelta(days=1)


def test_two_prices_make_one_entry() -> None:
    """The entry price is the mean of the trades, weighted by their amounts."""
    fills = (fill("t1", A, amount=0.1, price=0.03), fill("t2", A, amount=0.3, price=0.02))
    (view,) = open_views(
        book_of(*traded(intent(A, amount=0.4), *fills), marked(1.0, (A, 0.02))), NOW
    )

    assert view.entry_price == pytest.approx(0.0225)
    assert view.unrealised_coin == pytest.approx(0.4 * 0.0025)


def test_what_has_no_mark_is_not_known() -> None:
    """A leg without a mark makes unknown profits, never zero."""
    (view,) = open_views(unmarked(book_of(*SOLD)), NOW)

    assert view.unrealised_coin != view.unrealised_coin
    assert view.unrealised_pct != view.unrealised_pct


def test_a_roll_counts_and_its_first_leg_stays_in_the_result() -> None:
    """After A was bought back at a loss of 0.01 and B sold, one position of one roll shows B."""
    rolled = book_of(
        *SOLD,
        RollStarted(
            at=NOW,
            strategy_id="s",
            position_id="p",
            from_contract=A,
            contract=B,
            amount=1.0,
            expires_at=LATER,
        ),
        *traded(intent(A, Side.BUY, label="s.2.close"), fill("t2", A, Side.BUY, 1.0, 0.04)),
        *traded(intent(B, label="s.3.open"), fill("t3", B, Side.SELL, 1.0, 0.05)),
        marked(1.0, (B, 0.045)),
    )
    (view,) = open_views(rolled, NOW)

    assert (view.symbol, view.rolls) == (B.symbol, 1)
    assert view.unrealised_coin == pytest.approx(0.005)
    assert view.pnl_coin == pytest.approx(0.005 - 0.01 - 0.0003)


def test_an_ended_position_is_realised_after_fees() -> None:
    """Sold at 0.03, bought back at 0.01 at another index: coin and USD from the flows."""
    bought = fill("t2", A, Side.BUY, 1.0, 0.01, fee_coin=0.0003, index_usd=80_000.0, at=LATER)
    order = intent(A, Side.BUY, label="s.2.close")
    book = book_of(*SOLD, marked(1.0, (A, 0.045)), *traded(order, bought))
    (view,) = closed_views(book)

    assert view.realised_coin == pytest.approx(0.02 - 0.0006)
    assert view.realised_usd == pytest.approx(3_000.0 - 800.0 - 30.0 - 24.0)
    assert view.realised_pct == pytest.approx(100.0 * 0.0194 / 0.03)
    assert view.worst_pct == pytest.approx(100.0 * -0.0153 / 0.03)
    assert view.holding_days == 0.25
    assert open_views(book, NOW) == ()


def test_totals_are_by_coin() -> None:
    """Two BTC positions are added up; percentages are not among the sums."""
    second = traded(
        intent(B, label="s.2.open", position_id="q"), fill("t2", B, Side.SELL, 1.0, 0.05)
    )
    views = open_views(book_of(*SOLD, *second, marked(1.0, (A, 0.02), (B, 0.055))), NOW)
    (total,) = open_totals(views)

    assert (total.underlying, total.positions) == ("BTC", 2)
    assert total.coin == pytest.approx(0.01 - 0.005)
    assert total.usd == pytest.approx(500.0)
    assert closed_totals(()) == ()
