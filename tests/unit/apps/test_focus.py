"""Focus: ours first, then what may be sold, nearest to the middle of the delta window first."""

from attrs import evolve

from apps.wiring.focus import focus_of
from core.selectors.filters import FilterParams
from ports.positions import Book
from tests.support.books import book_of, fill, intent, sent, traded
from tests.support.markets import Listed, call, put, snapshot

WANT = FilterParams(dte_min=5, dte_max=30, delta_min=0.10, delta_max=0.40, ivrv_min=0.0)
STRIKES = (101_000.0, 104_000.0, 108_000.0, 113_000.0, 150_000.0)
CHAIN = snapshot(
    *(
        Listed(contract=call(strike), bid=0.01, ask=0.02, mark=0.015, mark_iv=0.5)
        for strike in STRIKES
    ),
    Listed(contract=call(112_000.0), mark=0.015, mark_iv=0.5),
    Listed(contract=put(90_000.0), bid=0.01, ask=0.02, mark=0.015, mark_iv=0.5),
).chain


def focused(want: FilterParams) -> list[str]:
    rows = focus_of(want, Book)(CHAIN)
    return [CHAIN.contract(row).symbol for row in rows]


def test_quoted_calls_within_the_windows_come_nearest_to_the_middle_first() -> None:
    """Deltas of 0.1 to 0.4 at 25 days: neither puts nor calls without a bid, too near or far."""
    assert focused(WANT) == [call(strike).symbol for strike in (108_000.0, 113_000.0)]


def test_expiries_outside_the_window_are_left_out() -> None:
    """Twenty-five days are too many for twenty."""
    assert focused(evolve(WANT, dte_max=20)) == []


def test_what_is_ours_comes_first_and_once() -> None:
    """An order under way, then a call held, then candidates; no row twice."""
    held, ordered = call(150_000.0), call(113_000.0)
    sold = intent(held)
    book = book_of(
        *traded(sold, fill(contract=held)),
        sent(intent(ordered, label="s.2.open", position_id="q")),
    )
    rows = focus_of(WANT, lambda: book)(CHAIN)

    symbols = [CHAIN.contract(row).symbol for row in rows]
    assert symbols == [ordered.symbol, held.symbol, call(108_000.0).symbol]
