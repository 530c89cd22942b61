"""The invariant checker: a good life has no violation, and each bad one is told by its number."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from attrs import evolve

from core.execution.book import fold
from ports.controls import RuntimeControls
from ports.decision_log import Delivered, Halted, OrderUpdated, Sent, Ticked
from ports.positions import Book
from ports.trading import Delivery, Order, OrderIntent, OrderState, Side
from ports.venue_log import Deposit, VenueStep
from tests.support.books import A, fill, intent, sent, updated
from tests.support.events import UNLABELLED, Event, Requested, Violation
from tests.support.invariants import NO_TRAFFIC, Bounds, lingering, violations
from tests.support.markets import NOW
from tests.support.traffic import Asked, Traffic

BOUNDS = Bounds(expiry_lots=15, calls=3, requests_per_s=2.0, request_burst=5)
SOLD = intent()
BOUGHT = intent(side=Side.BUY, label="s.2.close")
RICH = VenueStep(at=NOW, deposits=(Deposit("BTC", 2.0),))
KILLED = RuntimeControls(revision=1, kill_switch=True)


def at_venue(
    order: OrderIntent,
    state: OrderState = OrderState.FILLED,
    order_id: str = "1",
    filled: float = 1.0,
) -> Order:
    """*order* as the venue has it."""
    return Order(
        order_id=order_id,
        label=order.label,
        contract=order.contract,
        side=order.side,
        amount=order.amount,
        filled_amount=filled,
        price=order.price,
        reduce_only=order.reduce_only,
        state=state,
        created_at=NOW,
    )


def left(order: OrderIntent = SOLD, at: datetime = NOW) -> Requested:
    """*order* as it left the process."""
    return Requested(at, order.label, order.contract.symbol, order.amount, order.reduce_only)


def sold(order: OrderIntent = SOLD, trade_id: str = "t1", order_id: str = "1") -> list[Event]:
    """*order* written, sent, filled and told."""
    trade = fill(trade_id, order.contract, order.side, order.amount, label=order.label)
    trade = evolve(trade, order_id=order_id)
    step = VenueStep(at=NOW, orders=(at_venue(order, order_id=order_id),), fills=(trade,))
    told = updated(OrderState.FILLED, trade, label=order.label, filled=order.amount)
    return [sent(order), left(order), step, told]


def broken(*history: Event, traffic: Traffic = NO_TRAFFIC) -> set[str]:
    """The numbers of the invariants that *history* breaks."""
    return {each.invariant for each in violations(history, BOUNDS, traffic)}


def found(history: Sequence[Event]) -> tuple[Violation, ...]:
    """What the checker says."""
    return violations(history, BOUNDS)


def test_a_good_life_breaks_nothing() -> None:
    """Sold, bought back, and believed so in the end."""
    bought = sold(BOUGHT, "t2", "2")
    entries = [each for each in (*sold(), *bought) if isinstance(each, Sent | OrderUpdated)]
    book = fold(Book(environment="test"), entries)

    assert found([RICH, *sold(), *bought, book]) == ()


def test_two_orders_of_one_intent() -> None:
    """I1: the same label under another order_id."""
    again = VenueStep(at=NOW, orders=(at_venue(SOLD, OrderState.CANCELLED, "2", 0.0),))

    assert broken(RICH, *sold(), again) == {"I1"}


def test_an_order_that_was_written_too_late() -> None:
    """I2: it left, and was written then."""
    written, left, *rest = sold()

    assert broken(RICH, left, written, *rest) == {"I2"}


def test_a_trade_that_nobody_booked() -> None:
    """I3: the venue has moved, our journal has not; and the order waits for its trades."""
    silent = updated(OrderState.FILLED, filled=1.0)

    assert broken(RICH, *sold()[:3], silent) == {"I3", "I12"}


def test_a_trade_booked_at_another_price() -> None:
    """I3: the same number of lots is not the same trade."""
    other = updated(OrderState.FILLED, fill(price=0.01), filled=1.0)

    assert broken(RICH, *sold()[:3], other) == {"I3"}


def test_more_short_than_coin() -> None:
    """I4: two calls sold over one and a half coins."""
    second = intent(label="s.3.open")
    poor = VenueStep(at=NOW, deposits=(Deposit("BTC", 1.5),))

    assert broken(poor, *sold(), *sold(second, "t3", "3")) == {"I4"}


def test_an_unresolved_order_counts() -> None:
    """I4: what nobody has heard of may still come; once it is known not to, it is free again."""
    second = intent(label="s.3.open")
    silent: list[Event] = [sent(), left(), updated(OrderState.UNKNOWN)]
    poor = VenueStep(at=NOW, deposits=(Deposit("BTC", 1.5),))

    assert "I4" in broken(poor, *silent, *sold(second, "t3", "3"))
    gone = updated(OrderState.NOT_PLACED)
    assert broken(poor, *silent, gone, *sold(second, "t3", "3")) == set()


@pytest.mark.parametrize(
    "stop", [KILLED, Halted(at=NOW, reason="books differ")], ids=["kill", "halt"]
)
def test_an_opening_after_a_stop(stop: Event) -> None:
    """I5: until a person releases it; closing is free."""
    released = RuntimeControls(revision=2, releases=1)

    assert broken(RICH, stop, *sold()) == {"I5"}
    assert broken(RICH, stop, released, *sold()) == set()
    assert broken(RICH, *sold(), stop, *sold(BOUGHT, "t2", "2")) == set()


def test_a_process_that_believes_something_else() -> None:
    """I6: another size, or another state, than the journal tells."""
    sold_twice = fold(
        Book(environment="test"),
        [sent(), updated(OrderState.FILLED, fill(), fill("t9"), filled=1.0)],
    )
    still_open = fold(Book(environment="test"), [sent(), updated(OrderState.OPEN, fill())])

    assert broken(RICH, *sold(), sold_twice) == {"I6"}
    assert broken(RICH, *sold(), still_open) == {"I6"}


def test_an_end_that_is_not_the_end() -> None:
    """I7: another state after a terminal one."""
    assert broken(RICH, *sold(), updated(OrderState.CANCELLED)) == {"I7"}


def test_an_order_said_never_to_be_placed() -> None:
    """I7: and the venue has it."""
    assert "I7" in broken(RICH, *sold()[:3], updated(OrderState.NOT_PLACED))


def test_a_late_trade_without_alarm() -> None:
    """I7: a trade of an order that was over is booked, and somebody must know."""
    cancelled = updated(OrderState.CANCELLED)
    late = updated(OrderState.CANCELLED, fill())

    assert "I7" in broken(RICH, *sold()[:3], cancelled, late)


def test_too_many_requests() -> None:
    """I8: a sixth within the same instant; half a second later it is one more."""
    orders = [sent(intent(label=f"s.{row}.open")) for row in range(6)]
    ends = [updated(OrderState.REJECTED, label=f"s.{row}.open") for row in range(6)]
    later = evolve(orders[5], at=NOW + timedelta(seconds=0.5))

    assert broken(RICH, *orders, *ends) == {"I8"}
    assert broken(RICH, *orders[:5], later, *ends) == set()


def test_more_requests_than_credits() -> None:
    """I8: 100 reads at once and twenty a second, twenty orders at once and five a second."""
    reads = [Asked(NOW, "public/ticker")] * 100
    orders = [Asked(NOW, "private/sell")] * 10 + [Asked(NOW, "private/cancel")] * 10
    soon = Asked(NOW + timedelta(seconds=0.2), "private/buy")

    assert broken(traffic=Traffic([*reads, *orders, soon])) == set()
    assert broken(traffic=Traffic([*reads, Asked(NOW, "private/get_positions")])) == {"I8"}
    assert broken(traffic=Traffic([*orders, soon, soon])) == {"I8"}


def test_a_secret_in_the_journal() -> None:
    """I9: wherever it stands in it."""
    told = Traffic(secrets={"abcdef"}, journal='{"detail":"refused: abcdef"}')

    assert broken(traffic=told) == {"I9"}
    assert broken(traffic=evolve(told, journal='{"detail":"refused: ***"}')) == set()


def test_what_a_person_did_counts_once_it_can_be_known() -> None:
    """I4: a call sold by hand uses up coin; in the first moments nobody has read of it."""
    by_hand = fill("t9", A, Side.SELL, 1.5, label=UNLABELLED)
    step = VenueStep(at=NOW, fills=(by_hand,))
    later = left(at=NOW + timedelta(minutes=1))
    rejected = updated(OrderState.REJECTED)

    assert "I4" not in broken(RICH, step, sent(), left(), rejected)
    assert "I4" in broken(RICH, step, sent(), later, rejected)


def test_an_opening_that_works_on_after_a_stop() -> None:
    """I5: gone within two ticks; closing may work on."""
    working = VenueStep(at=NOW, orders=(at_venue(SOLD, OrderState.OPEN, filled=0.0),))
    closing = VenueStep(at=NOW, orders=(at_venue(BOUGHT, OrderState.OPEN, filled=0.0),))
    ended = VenueStep(at=NOW, orders=(at_venue(SOLD, OrderState.CANCELLED, filled=0.0),))
    tick = Ticked(at=NOW, due_at=NOW)

    assert [each.invariant for each in lingering([working, KILLED, tick, tick, ended])] == ["I5"]
    assert not list(lingering([working, KILLED, tick, ended, tick]))
    assert not list(lingering([closing, KILLED, tick, tick]))


def test_an_order_that_nobody_resolves() -> None:
    """I12: unknown in the end."""
    assert broken(RICH, sent(), left(), updated(OrderState.UNKNOWN)) == {"I12"}


def test_an_opening_that_works_in_the_end() -> None:
    """I12: nobody is left to look after it."""
    working = VenueStep(at=NOW, orders=(at_venue(SOLD, OrderState.OPEN, filled=0.0),))

    assert broken(RICH, sent(), left(), working, updated(OrderState.OPEN)) == {"I12"}


def test_a_delivery_ends_what_is_held() -> None:
    """At the venue and in the journal, by hand or not; one that only the venue knows is I3."""
    delivery = Delivery(
        delivery_id="d1",
        contract=A,
        size=-1.0,
        at=NOW,
        delivery_price_usd=100_000.0,
        price_source="told",
        price_error_usd=0.0,
        cash_coin=0.0,
        fee_coin=0.0,
    )
    step = VenueStep(at=NOW, deliveries=(delivery,))
    told = Delivered(at=NOW, delivery=delivery, index_usd=100_000.0)

    assert broken(RICH, *sold(), step, told) == set()
    assert broken(RICH, *sold(), step) == {"I3"}

    by_hand = evolve(fill("t2", A, Side.SELL, 0.5, label=UNLABELLED), order_id="2")
    theirs = VenueStep(at=NOW, fills=(by_hand,))
    whole = evolve(delivery, size=-1.5)
    step = VenueStep(at=NOW, deliveries=(whole,))
    assert broken(RICH, *sold(), theirs, step, evolve(told, delivery=whole)) == set()
