"""The book folded from entries: positions by trades, orders by reports, and what is forgotten."""

from datetime import timedelta
from itertools import permutations

import pytest
from attrs import evolve

from core.execution.book import after, fold, state_hash, turn_key
from ports.controls import RuntimeControls
from ports.decision_log import (
    Alarm,
    ControlsSeen,
    Denied,
    Executed,
    Halted,
    Healed,
    Opened,
    Reconciled,
    RollEnded,
    RollStarted,
    Ticked,
)
from ports.positions import Book
from ports.trading import OrderState, Side
from tests.support.books import (
    LABEL,
    A,
    B,
    book_of,
    delivered,
    fill,
    held,
    intent,
    marked,
    only_leg,
    sent,
    traded,
    updated,
)
from tests.support.entries import entries
from tests.support.markets import NOW, call

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
def test_partial_trades_add_up_in_any_order(order: tuple[object, ...]) -> None:
    """0.1 + 0.2 + 0.7 is one contract, without dust, however it comes."""
    book = book_of(sent(), *(updated(OrderState.PARTIAL, each) for each in order))

    leg = only_leg(book)
    assert (leg.size, leg.contracts_sold) == (-1.0, 1.0)
    assert leg.sold_coin == pytest.approx(0.03, rel=1e-15)
    assert book.orders[LABEL].booked_amount == 1.0


@pytest.mark.parametrize("order", list(permutations((*THIRDS, *THIRDS[:1]))))
def test_a_trade_told_twice_counts_once(order: tuple[object, ...]) -> None:
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
    book = fold(
        SHORT_ONE, [*traded(back, fill("t2", side=Side.BUY)), *traded(new, fill("t3", B))]
    )

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
    """Ended orders and seen ids after eight days; working orders and positions never."""
    open_order = intent(B, label="s.2.open")
    book = fold(SHORT_ONE, [sent(open_order), delivered(B, 0.0, delivery_id="d9")])
    book = evolve(book, orders={**book.orders, "s.2.open": book_of(sent(open_order)).orders["s.2.open"]})

    week, fortnight = after(ticked(7.9), book), after(ticked(8.1), book)

    assert set(week.orders) == {LABEL, "s.2.open"}
    assert (set(week.trade_ids), set(week.delivery_ids)) == ({"t1"}, {"d9"})
    assert set(fortnight.orders) == {"s.2.open"}
    assert (fortnight.trade_ids, fortnight.delivery_ids) == ({}, {})
    assert fortnight.positions == book.positions
    assert fortnight.ticked_at == NOW + timedelta(days=8.1)


def test_healing_takes_the_venues_sizes_and_keeps_history() -> None:
    """What matches keeps its flows; what is gone ends; what is new becomes its own position."""
    second = intent(B, label="s.2.open", position_id="q")
    book = fold(SHORT_ONE, traded(second, fill("t2", B, price=0.02)))
    new = call(120_000.0)
    healed = after(
        Healed(
            at=NOW,
            underlying="BTC",
            index_usd=100_000.0,
            positions=(held(A, -0.4), held(new, -0.2)),
        ),
        book,
    )

    kept, gone = healed.positions["p"], healed.positions["q"]
    assert (kept.legs[0].size, kept.legs[0].sold_coin, kept.closed_at) == (-0.4, 0.03, None)
    assert (gone.legs[0].size, gone.closed_at, gone.exit_style) == (0.0, NOW, "healed_from_exchange")
    (found,) = [each for each in healed.positions.values() if each.strategy_id == "healed"]
    assert (found.origin, found.legs[0].contract, found.legs[0].size) == ("HEALED", new, -0.2)
    assert found.legs[0].sold_coin == pytest.approx(0.2 * 0.03, rel=1e-15)
    sizes = {leg.contract: leg.size for each in healed.open_positions() for leg in each.open_legs}
    assert sizes == {A: -0.4, new: -0.2}


def test_healing_leaves_closed_chains_sandboxes_and_other_coins() -> None:
    """It is about what the venue holds in this coin."""
    closed = fold(SHORT_ONE, traded(BUY, fill("t2", side=Side.BUY, price=0.01)))
    eth = call(3_000.0, underlying="ETH")
    others = fold(
        closed,
        [
            *traded(intent(eth, label="s.3.open", position_id="e"), fill("t3", eth)),
            *traded(intent(B, label="s.4.open", position_id="x"), fill("t4", B)),
        ],
    )
    aside = evolve(others.positions["x"], sandbox=True)
    book = evolve(others, positions={**others.positions, "x": aside})
    healed = after(Healed(at=NOW, underlying="BTC", index_usd=1e5, positions=()), book)

    assert healed.positions == book.positions


def test_a_difference_is_counted_until_a_clean_reading() -> None:
    """Readings in a row that differ, by coin."""

    def reading(*found: str, underlying: str = "BTC") -> Reconciled:
        return Reconciled(at=NOW, underlying=underlying, differences=found, action="halt")

    book = book_of(reading("x"), reading("y"), reading(underlying="ETH"))
    assert (book.reconciliations["BTC"].differing, book.reconciliations["BTC"].clean) == (2, False)
    assert book.reconciliations["ETH"].clean
    assert after(reading(), book).reconciliations["BTC"].differing == 0


def test_a_release_ends_a_halt_and_starts_again() -> None:
    """A person takes it on: the halt, the count of differences and the peak begin anew."""
    halted = book_of(
        marked(1.0, index_usd=100_000.0),
        marked(1.0, index_usd=80_000.0),
        Reconciled(at=NOW, underlying="BTC", differences=("x",), action="halt"),
        Halted(at=NOW, reason="why"),
    )
    assert (halted.halted, halted.drawdown and halted.drawdown.fall_pct) == (
        "why",
        pytest.approx(20.0),
    )

    changed = after(ControlsSeen(at=NOW, controls=RuntimeControls(revision=1)), halted)
    assert changed.halted == "why"

    released = after(ControlsSeen(at=NOW, controls=RuntimeControls(revision=2, releases=1)), changed)
    assert released.halted == ""
    assert released.reconciliations["BTC"].differing == 0
    assert not released.reconciliations["BTC"].clean
    assert released.drawdown is not None
    assert released.drawdown.fall_pct == 0.0


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
