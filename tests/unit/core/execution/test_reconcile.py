"""Our book against the venue's."""

from datetime import timedelta

import pytest
from attrs import evolve

from core.execution.reconcile import differences
from ports.positions import Book
from ports.trading import OrderState, Position, Side
from tests.support.books import (
    A,
    B,
    account,
    book_of,
    fill,
    held,
    intent,
    sent,
    traded,
    updated,
)
from tests.support.markets import call

INDEX_USD, TOLERANCE_USD = 100_000.0, 10.0
SHORT_ONE = book_of(*traded(intent(), fill()))


def found(book: Book, *positions: Position, tolerance_usd: float = TOLERANCE_USD) -> list[str]:
    """The contracts that differ."""
    sentences = differences(book, account(*positions), INDEX_USD, tolerance_usd)
    return [sentence.split(":")[0] for sentence in sentences]


def test_equal_books_do_not_differ() -> None:
    """Same contracts, same signed sizes; a size of zero is no position."""
    assert found(SHORT_ONE, held(A, -1.0)) == []
    assert found(SHORT_ONE, held(A, -1.0), held(B, 0.0)) == []
    assert found(Book()) == []


@pytest.mark.parametrize("size", [-0.9, -1.1, 1.0])
def test_another_size_differs(size: float) -> None:
    """By so little as a lot, and by the sign."""
    assert found(SHORT_ONE, held(A, size)) == [A.symbol]


def test_what_only_one_side_knows_differs() -> None:
    """Neither forgotten nor invented."""
    assert found(SHORT_ONE) == [A.symbol]
    assert found(Book(), held(B, -0.1)) == [B.symbol]
    assert found(SHORT_ONE, held(B, -1.0)) == sorted([A.symbol, B.symbol])


def test_the_sentence_says_both_sizes() -> None:
    """A person reads what each side holds."""
    (sentence,) = differences(SHORT_ONE, account(held(A, -0.5)), INDEX_USD, TOLERANCE_USD)

    assert "-1" in sentence
    assert "-0.5" in sentence


def test_the_tolerance_is_in_usd_at_the_index() -> None:
    """0.1 of a coin is 10,000 USD: equal is tolerated, more is not."""
    assert found(SHORT_ONE, held(A, -0.9), tolerance_usd=10_000.001) == []
    assert found(SHORT_ONE, held(A, -0.9), tolerance_usd=9_999.0) == [A.symbol]


def test_trades_not_yet_listed_explain_their_size() -> None:
    """An order the venue calls filled, whose trades have not come, may be in the account."""
    waiting = book_of(sent(), updated(OrderState.FILLED, filled=1.0))

    assert found(waiting, held(A, -1.0)) == []
    assert found(waiting) == []
    assert found(waiting, held(A, -1.1)) == [A.symbol]
    assert found(waiting, held(B, -1.0)) == [B.symbol]


def test_a_delivery_that_waits_for_trades_is_no_difference() -> None:
    """
    Half was bought back by trades that were not told yet, the other half was delivered: until
    the trades come the delivery is not booked, and no person needs to look.
    """
    back = intent(side=Side.BUY, amount=0.5, label="s.2.close")
    bought = updated(OrderState.CANCELLED, label="s.2.close", filled=0.4)
    book = book_of(*traded(intent(), fill()), sent(back), bought)
    expired = evolve(account(), read_at=A.expiry)
    early = evolve(account(), read_at=A.expiry - timedelta(seconds=1))

    assert differences(book, expired, INDEX_USD, TOLERANCE_USD) == ()
    assert len(differences(book, early, INDEX_USD, TOLERANCE_USD)) == 1
    assert len(differences(SHORT_ONE, expired, INDEX_USD, TOLERANCE_USD)) == 1


def test_several_positions_in_one_contract_are_added() -> None:
    """The venue knows one position, we may have it from two."""
    second = intent(label="s.2.open", position_id="q")
    book = book_of(*traded(intent(), fill()), *traded(second, fill("t2")))

    assert found(book, held(A, -2.0)) == []
    assert found(book, held(A, -1.0)) == [A.symbol]


def test_closed_and_sandbox_positions_are_not_compared() -> None:
    """What is over is over, and a sandbox is not at the venue."""
    buy = intent(side=Side.BUY, label="s.2.close")
    closed = book_of(*traded(intent(), fill()), *traded(buy, fill("t2", side=Side.BUY)))
    assert found(closed) == []

    aside = {key: evolve(each, sandbox=True) for key, each in SHORT_ONE.positions.items()}
    assert found(evolve(SHORT_ONE, positions=aside)) == []


def test_other_coins_are_not_compared() -> None:
    """Each coin has its own account."""
    other = call(3_000.0, underlying="ETH")
    eth = intent(other, label="s.2.open", position_id="q")
    book = book_of(*traded(intent(), fill()), *traded(eth, fill("t2", other)))

    assert found(book, held(A, -1.0)) == []
