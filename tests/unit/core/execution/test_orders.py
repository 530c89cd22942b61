"""How an order moves and how it is called."""

import doctest
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.execution import orders
from core.execution.orders import STRATEGY_ID_LIMIT, label_of, moved, strategy_of
from ports.trading import OrderState
from tests.support.markets import NOW

S = OrderState
TERMINAL = {S.FILLED, S.REJECTED, S.CANCELLED, S.EXPIRED, S.NOT_PLACED, S.DENIED}

# The table of states, written out: what may be heard next of an order in each. The venue may go
# several steps between two looks, so later steps of the same way are allowed too. An order that
# we are cancelling can still expire with its contract.
ALLOWED = {
    (S.SENT, S.UNKNOWN),
    (S.SENT, S.OPEN),
    (S.SENT, S.PARTIAL),
    (S.SENT, S.FILLED),
    (S.SENT, S.CANCELLED),
    (S.SENT, S.EXPIRED),
    (S.SENT, S.REJECTED),
    (S.SENT, S.NOT_PLACED),
    (S.UNKNOWN, S.OPEN),
    (S.UNKNOWN, S.PARTIAL),
    (S.UNKNOWN, S.FILLED),
    (S.UNKNOWN, S.CANCELLED),
    (S.UNKNOWN, S.EXPIRED),
    (S.UNKNOWN, S.REJECTED),
    (S.UNKNOWN, S.NOT_PLACED),
    (S.OPEN, S.PARTIAL),
    (S.OPEN, S.FILLED),
    (S.OPEN, S.PENDING_CANCEL),
    (S.OPEN, S.CANCELLED),
    (S.OPEN, S.EXPIRED),
    (S.PARTIAL, S.FILLED),
    (S.PARTIAL, S.PENDING_CANCEL),
    (S.PARTIAL, S.CANCELLED),
    (S.PARTIAL, S.EXPIRED),
    (S.PENDING_CANCEL, S.FILLED),
    (S.PENDING_CANCEL, S.CANCELLED),
    (S.PENDING_CANCEL, S.EXPIRED),
}


def test_the_example_in_the_docstring_holds() -> None:
    """The label on the page is the label."""
    result = doctest.testmod(orders)

    assert (result.failed, result.attempted >= 2) == (0, True)


@pytest.mark.parametrize(("current", "reported"), list(product(S, S)))
def test_an_order_moves_only_by_the_table(current: OrderState, reported: OrderState) -> None:
    """Every pair of states: a step of the table is taken, anything else changes nothing."""
    expected = reported if (current, reported) in ALLOWED else current

    assert moved(current, reported) is expected


@pytest.mark.parametrize("state", S)
def test_terminal_states_are_the_six(state: OrderState) -> None:
    """Everything else is working: the venue holds it or may hold it."""
    assert state.is_terminal is (state in TERMINAL)
    assert state.is_working is (state not in TERMINAL)


@given(st.sampled_from(S), st.lists(st.sampled_from(S), max_size=12))
@settings(derandomize=True, deadline=None)
def test_terminal_is_final(start: OrderState, reports: list[OrderState]) -> None:
    """Whatever is heard in whatever order: once ended, an order stays as it ended."""
    state, ended = start, start if start in TERMINAL else None
    for report in reports:
        state = moved(state, report)
        assert ended in (None, state)
        ended = state if state in TERMINAL else ended


@given(
    st.text("abcdefgh_1", min_size=1, max_size=STRATEGY_ID_LIMIT),
    st.integers(0, 10**15 - 1),
    st.sampled_from(["open", "close", "roll_open", "roll_close"]),
)
@settings(derandomize=True, deadline=None)
def test_a_label_fits_the_venue_and_names_its_strategy(
    strategy_id: str, microseconds: int, leg: str
) -> None:
    """64 printable ASCII characters at most, for a million labels and more."""
    label = label_of(strategy_id, NOW + timedelta(microseconds=microseconds), 999_999, leg)

    assert len(label) <= 64
    assert label.isascii()
    assert label.isprintable()
    assert strategy_of(label) == strategy_id


def test_two_intents_of_one_microsecond_differ() -> None:
    """By the counter."""
    assert label_of("s", NOW, 1, "open") != label_of("s", NOW, 2, "open")
