"""Positions and pending orders: what counts as short, what may be closed, what must wait."""

from datetime import timedelta

import pytest
from attrs import evolve

from ports.trading import Order, OrderState, Side
from tests.support.markets import NOW
from tests.support.risk_calm import (
    FAR,
    FILLED,
    HELD,
    MINUTE,
    REJECTED,
    SECOND,
    Change,
    account,
    blocked,
    calm,
    closing,
    intent,
    limits,
    of,
    orders,
    record,
    state,
)
from tests.support.risk_edges import with_book


def test_a_closing_order_fits_in_what_is_held() -> None:
    """0.2 is held: 0.2 may be bought back; more is no closing order, and only calls are sold."""
    assert blocked(of(0.2, HELD)(closing(calm()))) == []
    assert blocked(of(0.3, HELD)(closing(calm()))) == [1, 11]


def test_a_second_closing_order_counts_the_first() -> None:
    """What a working order is about to buy back cannot be bought back again."""
    working = record(HELD, OrderState.OPEN, 2 * MINUTE)
    buys = evolve(working.intent, side=Side.BUY, reduce_only=True, amount=0.2)

    assert 1 in blocked(orders(evolve(working, intent=buys))(closing(calm())))


def test_a_filled_closing_order_is_not_counted_twice() -> None:
    """Its trades may not be booked yet: the venue's position has lost them already."""
    old = record(HELD, FILLED, 2 * MINUTE)
    bought = evolve(old, intent=evolve(old.intent, side=Side.BUY, reduce_only=True))

    assert blocked(orders(evolve(bought, booked_amount=0.0))(closing(calm()))) == []


PENDING: dict[str, Change] = {
    "working": orders(record(FAR, OrderState.OPEN, MINUTE)),
    "sent": orders(record(FAR, OrderState.SENT, SECOND)),
    "unknown": orders(record(FAR, OrderState.UNKNOWN, SECOND)),
    "being cancelled": orders(record(FAR, OrderState.PENDING_CANCEL, MINUTE)),
    "filled and not booked": orders(
        evolve(record(FAR, FILLED, MINUTE), booked_amount=0.0),
    ),
    "planned": state(planned=(intent(FAR, label="planned"),)),
    "of another person": state(
        external=(
            Order(
                order_id="x",
                label=None,
                contract=FAR,
                side=Side.SELL,
                amount=0.3,
                filled_amount=0.2,
                price=0.04,
                reduce_only=False,
                state=OrderState.PARTIAL,
                created_at=NOW,
            ),
        )
    ),
}


@pytest.mark.parametrize("name", PENDING)
def test_pending_orders_count_like_positions(name: str) -> None:
    """0.2 sold, 0.1 pending, 0.1 to sell: 0.4 of coin are needed, and three calls, no less."""
    case = PENDING[name](calm())

    assert blocked(account(balance_coin=0.4)(case)) == []
    assert blocked(account(balance_coin=0.3)(case)) == [2]
    assert blocked(limits(max_calls_per_underlying=2)(case)) == [4]


@pytest.mark.parametrize("name", [name for name in PENDING if name != "of another person"])
def test_pending_orders_of_ours_are_positions_to_come(name: str) -> None:
    """One position is held, one pending and one wanted."""
    case = PENDING[name](calm())

    assert blocked(limits(max_open_positions=3)(case)) == []
    assert blocked(limits(max_open_positions=2)(case)) == [4]


def test_positions_count_by_whichever_source_says_more() -> None:
    """The venue holds 0.2; our book, which knows of a trade since, says 0.3."""
    (tracked,) = calm().state.book.positions.values()
    legs = (evolve(tracked.legs[0], size=-0.3),)
    case = with_book(calm(), positions={"p": evolve(tracked, legs=legs)})

    assert blocked(account(balance_coin=0.4)(case)) == []
    assert blocked(account(balance_coin=0.39)(case)) == [2]
    assert blocked(account(balance_coin=0.39)(calm())) == []


@pytest.mark.parametrize("side", Side)
def test_nothing_goes_to_a_contract_with_an_unknown_order(side: Side) -> None:
    """Neither side, and closing neither: its outcome must be known first."""
    unknown = record(HELD, OrderState.UNKNOWN, SECOND)
    doubtful = orders(evolve(unknown, intent=evolve(unknown.intent, side=side)))

    assert 12 in blocked(doubtful(closing(calm())))
    assert 12 in blocked(doubtful(of(0.1, HELD)(calm())))


def test_the_bucket_of_requests_fills_again() -> None:
    """Five at once, then two a second, for closing orders too."""
    burst = [record(FAR, REJECTED, timedelta(0), f"r{n}") for n in range(5)]
    half_a_second_ago = [evolve(each, sent_at=NOW - SECOND / 2) for each in burst]

    assert blocked(orders(*burst[:4])(calm())) == []
    assert 13 in blocked(orders(*burst)(calm()))
    assert 13 in blocked(orders(*burst)(closing(calm())))
    assert blocked(orders(*half_a_second_ago)(closing(calm()))) == []


def test_a_request_counts_that_nobody_placed() -> None:
    """An order that was never placed was asked for all the same."""
    asked = [record(FAR, OrderState.NOT_PLACED, timedelta(0), f"r{n}") for n in range(5)]

    assert 13 in blocked(orders(*asked)(calm()))
