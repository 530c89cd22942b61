"""The book folded from entries: positions by trades, orders by reports, and what is forgotten."""

from datetime import timedelta
from itertools import permutations

import pytest
from attrs import evolve

from core.execution.book import after, fold, last_heard, state_hash, turn_key
from ports.decision_log import (
    Alarm,
    Denied,
    Entry,
    Executed,
    Opened,
    RollEnded,
    RollStarted,
    Ticked,
)
from ports.positions import Book
from ports.trading import Fill, OrderState, Side
from tests.support.books import (
    LABEL,
    A,
    B,
    book_of,
    delivered,
    fill,
    intent,
    marked,
    only_leg,
    sent,
    traded,
    updated,
)
from tests.support.entries import entries
from tests.support.markets import NOW

THIRDS = tuple(fill(f"t{n}", amount=amount) for n, amount in enumerate((0.1, 0.2, 0.7)))
SHORT_ONE = book_of(*traded(intent(), fill()))
BUY = intent(side=Side.BUY, label="s.2.close")


def ticked(days: float) -> Ticked:
    """The end of a tick so many days after NOW."""
    return Ticked(at=NOW + timedelta(days=days), due_at=NOW + timedelta(days=days))


def test_an_intent_written_down_counts_as_working() -> None:
    """From before it is sent, in its full size."""
    book = book_of(sent())

    (record,) = book.working
    assert (record.state, record.working_amount) == (OrderState.SENT, 1.0)
    assert (book.counter, book.positions) == (1, {})


def test_every_label_is_counted() -> None:
    """Sent or denied: a number is never given twice."""
    book = book_of(sent(), Denied(at=NOW, intent=intent(label="s.2.open"), breaches=()))

    assert book.counter == 2
    assert list(book.orders) == [LABEL]


@pytest.mark.parametrize("order", list(permutations(THIRDS)))
def test_partial_trades_add_up_in_any_order(order: tuple[Fill, ...]) -> None:
    """0.1 + 0.2 + 0.7 is one contract, without dust, however it comes."""
    book = book_of(sent(), *(updated(OrderState.PARTIAL, each) for each in order))

    leg = only_leg(book)
    assert (leg.size, leg.contracts_sold) == (-1.0, 1.0)
    assert leg.sold_coin == pytest.approx(0.03, rel=1e-15)
    assert book.orders[LABEL].booked_amount == 1.0


@pytest.mark.parametrize("order", list(permutations((*THIRDS, *THIRDS[:1]))))
def test_a_trade_told_twice_counts_once(order: tuple[Fill, ...]) -> None:
    """By its id, wherever the repetition comes."""
    book = book_of(sent(), *(updated(OrderState.PARTIAL, each) for each in order))

    assert only_leg(book).size == -1.0
    assert set(book.trade_ids) == {"t0", "t1", "t2"}


def test_states_that_come_late_change_nothing_but_trades_do() -> None:
    """A report of before the end is stale; the trade it carries is not."""
    book = book_of(
        sent(),
        updated(OrderState.CANCELLED, filled=0.0),
        updated(OrderState.OPEN),
        updated(OrderState.PARTIAL, THIRDS[0], filled=0.1),
    )

    record = book.orders[LABEL]
    assert (record.state, record.booked_amount, record.filled_amount) == (
        OrderState.CANCELLED,
        0.1,
        0.1,
    )
    assert only_leg(book).size == -0.1


def test_what_is_filled_without_its_trades_is_provisional() -> None:
    """It counts as working until they come, then no more."""
    waiting = book_of(sent(), updated(OrderState.FILLED, filled=1.0))
    assert waiting.orders[LABEL].working_amount == 1.0
    assert waiting.positions == {}

    partly = after(updated(OrderState.FILLED, THIRDS[2], filled=1.0), waiting)
    assert partly.orders[LABEL].working_amount == pytest.approx(0.3, abs=1e-15)

    whole = fold(partly, [updated(OrderState.FILLED, *THIRDS[:2], filled=1.0)])
    assert whole.orders[LABEL].working_amount == 0.0
    assert only_leg(whole).size == -1.0


def test_a_stale_amount_takes_nothing_back() -> None:
    """What was filled stays filled, whatever an older list says."""
    book = book_of(
        sent(), updated(OrderState.PARTIAL, filled=0.5), updated(OrderState.PARTIAL, filled=0.2)
    )

    assert book.orders[LABEL].filled_amount == 0.5


def test_a_cancelled_order_works_no_more() -> None:
    """Only what was filled and not yet booked still counts."""
    book = book_of(
        sent(),
        updated(OrderState.PARTIAL, THIRDS[0], filled=0.1),
        updated(OrderState.CANCELLED, filled=0.3),
    )

    assert book.orders[LABEL].working_amount == pytest.approx(0.2, abs=1e-15)


def test_a_position_closes_when_its_last_contract_is_bought_back() -> None:
    """And says how and when; the leg keeps every flow."""
    book = fold(SHORT_ONE, traded(BUY, fill("t2", side=Side.BUY, price=0.01)))

    (position,) = book.positions.values()
    assert (position.closed_at, position.exit_style, position.open_legs) == (NOW, "closed", ())
    (leg,) = position.legs
    assert (leg.size, leg.sold_coin, leg.bought_coin) == (0.0, 0.03, 0.01)
    assert position.pnl_coin == pytest.approx(0.02, abs=1e-15)
    assert book.open_positions() == ()


def test_a_roll_makes_a_chain() -> None:
    """The old leg closes, the new one belongs to the same position, which stays open."""
    back = intent(side=Side.BUY, label="s.2.roll_close")
    new = intent(B, label="s.3.roll_open")
    book = fold(SHORT_ONE, [*traded(back, fill("t2", side=Side.BUY)), *traded(new, fill("t3", B))])

    (position,) = book.positions.values()
    assert [leg.contract for leg in position.legs] == [A, B]
    assert [leg.size for leg in position.legs] == [0.0, -1.0]
    assert (position.num_rolls, position.closed_at) == (1, None)


def test_a_roll_out_of_time_can_reopen_a_closed_chain() -> None:
    """Between the legs nothing is held; the second leg opens the same position again."""
    back = intent(side=Side.BUY, label="s.2.roll_close")
    between = fold(SHORT_ONE, traded(back, fill("t2", side=Side.BUY)))
    assert between.positions["p"].closed_at == NOW

    whole = fold(between, traded(intent(B, label="s.3.roll_open"), fill("t3", B)))
    assert whole.positions["p"].closed_at is None
    assert whole.positions["p"].open_legs[0].contract == B


def test_a_contract_sold_again_is_a_new_leg() -> None:
    """The closed leg keeps its own history."""
    bought = fold(SHORT_ONE, traded(BUY, fill("t2", side=Side.BUY, price=0.01)))
    again = fold(bought, traded(intent(label="s.3.open"), fill("t3", price=0.02)))

    first, second = again.positions["p"].legs
    assert (first.size, first.bought_coin) == (0.0, 0.01)
    assert (second.size, second.sold_coin, second.bought_coin) == (-1.0, 0.02, 0.0)


def test_rolls_are_under_way_until_they_end() -> None:
    """By position."""
    roll = RollStarted(
        at=NOW,
        strategy_id="s",
        position_id="p",
        from_contract=A,
        contract=B,
        amount=1.0,
        expires_at=NOW,
    )
    started = after(roll, SHORT_ONE)
    assert started.rolls == {"p": roll}

    end = RollEnded(at=NOW, position_id="p", outcome="done", opened=1.0, reason="")
    assert after(end, started).rolls == {}


def test_a_delivery_is_shared_by_size() -> None:
    """Two positions in one contract each get their part of cash and fee, and end."""
    second = intent(amount=3.0, label="s.2.open", position_id="q")
    book = fold(SHORT_ONE, traded(second, fill("t2", amount=3.0)))
    book = after(delivered(size=-4.0, cash_coin=-0.2, fee_coin=0.0004), book)

    p, q = book.positions["p"], book.positions["q"]
    assert [leg.settled_coin for leg in (*p.legs, *q.legs)] == pytest.approx([-0.05, -0.15])
    assert [leg.fees_coin for leg in (*p.legs, *q.legs)] == pytest.approx([0.0001, 0.0003])
    assert [leg.settled_usd for leg in p.legs] == pytest.approx([-0.05 * 110_000.0])
    assert (p.exit_style, q.exit_style) == ("expired", "expired")
    assert book.open_positions() == ()


def test_a_delivery_told_twice_counts_once() -> None:
    """By its id."""
    once = after(delivered(cash_coin=-0.05), SHORT_ONE)

    assert after(delivered(cash_coin=-0.05), once) == once
    again = fold(once, traded(intent(label="s.9.open", position_id="z"), fill("t9")))
    assert after(delivered(cash_coin=-0.05), again) == again


def test_a_delivery_ends_the_orders_on_its_contract() -> None:
    """They are expired; others go on."""
    other = intent(B, label="s.2.open")
    book = book_of(sent(), updated(OrderState.OPEN), sent(other), delivered(size=0.5))

    assert book.orders[LABEL].state is OrderState.EXPIRED
    assert book.orders["s.2.open"].state is OrderState.SENT


def test_a_delivery_leaves_closed_legs_alone() -> None:
    """A leg bought back before has no part in it."""
    closed = fold(SHORT_ONE, traded(BUY, fill("t2", side=Side.BUY)))
    second = intent(label="s.3.open", position_id="q")
    book = fold(closed, [*traded(second, fill("t3")), delivered(cash_coin=-0.05)])

    assert book.positions["p"].legs[0].settled_coin == 0.0
    assert book.positions["q"].legs[0].settled_coin == -0.05


def test_trades_of_an_order_long_forgotten_still_count() -> None:
    """They make a position of their own, which the comparison with the venue then sees."""
    book = after(updated(OrderState.FILLED, fill(), label="s.0.open", filled=1.0), Book())

    (position,) = book.positions.values()
    assert (position.strategy_id, position.legs[0].size) == ("external", -1.0)


def test_what_is_old_is_forgotten_and_nothing_else() -> None:
    """Ended orders and seen ids eight days behind the last mark; positions never."""
    book = fold(SHORT_ONE, [delivered(B, 0.0, delivery_id="d9")])

    def lived(days: float) -> Book:
        mark = marked(1.0, at=NOW + timedelta(days=days))
        return fold(book, [mark, ticked(days)])

    week, fortnight = lived(7.9), lived(8.1)

    assert set(week.orders) == {LABEL}
    assert (set(week.trade_ids), set(week.delivery_ids)) == ({"t1"}, {"d9"})
    assert fortnight.orders == {}
    assert (fortnight.trade_ids, fortnight.delivery_ids) == ({}, {})
    assert set(fortnight.positions) == set(book.positions)
    assert fortnight.ticked_at == NOW + timedelta(days=8.1)


def test_what_may_be_told_again_is_not_forgotten() -> None:
    """Without a mark since, or while an order has trades to come, seen ids stay known."""
    waiting: list[Entry] = [
        sent(intent(B, label="s.2.open")),
        marked(1.0, at=NOW + timedelta(days=30)),
    ]
    later = ticked(30.0)

    unmarked, unsettled = fold(SHORT_ONE, [later]), fold(SHORT_ONE, [*waiting, later])

    assert (set(unmarked.trade_ids), set(unmarked.orders)) == ({"t1"}, {LABEL})
    assert (set(unsettled.trade_ids), set(unsettled.orders)) == ({"t1"}, {LABEL, "s.2.open"})
    assert last_heard(unsettled, "BTC") == NOW


def test_the_last_mark_is_when_all_was_heard() -> None:
    """Before it the oldest order, and nothing if nothing ever happened."""
    mark = marked(1.0, at=NOW + timedelta(days=3))

    assert last_heard(Book(), "BTC") is None
    assert last_heard(SHORT_ONE, "BTC") == NOW
    assert last_heard(SHORT_ONE, "ETH") is None
    assert last_heard(after(mark, SHORT_ONE), "BTC") == NOW + timedelta(days=3)


def test_the_peak_is_of_the_day() -> None:
    """A new UTC day starts from its first equity."""
    day = timedelta(days=1)
    book = book_of(
        marked(1.0, index_usd=100_000.0),
        marked(1.0, index_usd=90_000.0),
        marked(1.0, index_usd=95_000.0, at=NOW + day),
    )

    assert book.drawdown is not None
    assert (book.drawdown.peak_usd, book.drawdown.fall_pct) == (95_000.0, 0.0)


def test_a_turn_is_remembered_by_strategy_and_coin() -> None:
    """When it ended."""
    turn = Executed(
        at=NOW, strategy_id="s", underlying="BTC", status="skipped", labels=(), errors=()
    )

    assert after(turn, Book()).turns == {turn_key("s", "BTC"): NOW}


def test_the_environment_is_that_of_the_process_that_opened() -> None:
    """Written by Opened."""
    opened = Opened(
        at=NOW,
        environment="paper",
        program_version="1",
        seed=1,
        strategies=(),
        settings_hash="",
    )

    assert after(opened, Book()).environment == "paper"


def test_what_only_explains_changes_nothing() -> None:
    """An alarm is for people."""
    assert after(Alarm(at=NOW, subject="a", detail="b"), SHORT_ONE) is SHORT_ONE


def test_folding_in_two_parts_is_folding() -> None:
    """Wherever the journal is cut, going on gives the same fingerprint."""
    whole = entries()
    expected = state_hash(fold(Book(), whole))

    for cut in range(len(whole) + 1):
        assert state_hash(fold(fold(Book(), whole[:cut]), whole[cut:])) == expected


def test_the_fingerprint_sees_everything() -> None:
    """Any difference in the book is another fingerprint."""
    book = fold(Book(), entries())
    changed = (
        evolve(book, counter=book.counter + 1),
        evolve(book, halted="x"),
        evolve(book, trade_ids={}),
        evolve(book, wealth={}),
        evolve(book, turns={}),
    )

    hashes = {state_hash(each) for each in (book, *changed)}
    assert len(hashes) == 1 + len(changed)
