"""An action as an order: side, price and size on the grids, or the reason for none."""

from datetime import timedelta
from math import nan
from typing import Any

import pytest
from attrs import evolve

from core.execution.intents import (
    Drafting,
    ExecutionStyle,
    OrderParams,
    Unpriced,
    closing,
    opening,
)
from ports.decision_log import Action, ActionType
from ports.trading import OrderIntent, Side
from tests.support.markets import NOW, Listed, call, snapshot

NEW, OLD = call(110_000.0), call(105_000.0)
ROWS = (
    Listed(contract=NEW, bid=0.0155, ask=0.017, mark=0.016),
    Listed(contract=OLD, bid=0.0031, ask=0.0034, mark=0.0032),
)
OPEN = Action(
    type=ActionType.OPEN_COVERED_CALL,
    strategy_id="s",
    underlying="BTC",
    reason="best",
    detail="",
    amount=0.3,
    position_id="p",
    contract=NEW,
)
ROLL = evolve(OPEN, type=ActionType.ROLL_COVERED_CALL, from_contract=OLD)
CLOSE = evolve(OPEN, type=ActionType.CLOSE_COVERED_CALL, contract=None, from_contract=OLD)


def drafting(*rows: Listed, style: ExecutionStyle = ExecutionStyle.TAKER) -> Drafting:
    """What an order is drafted from, with *rows* for a market."""
    return Drafting(
        snapshot=snapshot(*(rows or ROWS)), now=NOW, counter=7, params=OrderParams(style=style)
    )


def drafted(order: OrderIntent | Unpriced) -> OrderIntent:
    """*order*, which must be one."""
    assert isinstance(order, OrderIntent)
    return order


def test_an_opening_sells_at_the_bid() -> None:
    """Not reduce-only; labelled, dated, and of the position the action names."""
    order = drafted(opening(OPEN, drafting()))

    assert (order.contract, order.side, order.amount, order.price) == (NEW, Side.SELL, 0.3, 0.0155)
    assert (order.reduce_only, order.post_only) == (False, False)
    assert (order.strategy_id, order.position_id) == ("s", "p")
    assert order.label == "s.20260302T100000000000Z.000007.open"
    assert order.valid_until == NOW + timedelta(seconds=5)
    assert order.expires_at == NOW + timedelta(seconds=120)


def test_a_closing_buys_at_the_ask_and_only_reduces() -> None:
    """It can never turn a short position into a long one."""
    order = drafted(closing(CLOSE, drafting()))

    assert (order.contract, order.side, order.price) == (OLD, Side.BUY, 0.0034)
    assert order.reduce_only
    assert order.label.endswith(".close")


def test_a_roll_has_two_legs() -> None:
    """The old call is bought back, the new one sold; each label says which."""
    back, new = drafted(closing(ROLL, drafting())), drafted(opening(ROLL, drafting()))

    assert (back.contract, back.side, back.label.split(".")[-1]) == (OLD, Side.BUY, "roll_close")
    assert (new.contract, new.side, new.label.split(".")[-1]) == (NEW, Side.SELL, "roll_open")


def test_patience_rests_at_the_middle_rounded_away_from_it() -> None:
    """A sell up, a buy down, both post-only: mid 0.01625 and 0.00325."""
    patient = drafting(style=ExecutionStyle.PATIENT)
    sell, buy = drafted(opening(OPEN, patient)), drafted(closing(CLOSE, patient))

    assert (sell.price, sell.post_only) == (0.0165, True)
    assert (buy.price, buy.post_only) == (0.0032, True)


@pytest.mark.parametrize("style", ExecutionStyle)
@pytest.mark.parametrize("change", [{"bid": nan, "ask": nan}, {"bid": 0.0, "ask": 0.0}])
def test_without_a_quote_there_is_no_price(style: ExecutionStyle, change: dict[str, Any]) -> None:
    """None is made up from the mark or from anything else."""
    found = opening(OPEN, drafting(evolve(ROWS[0], **change), style=style))

    assert isinstance(found, Unpriced)
    assert NEW.symbol in found.reason


def test_patience_needs_both_sides() -> None:
    """Half a quote has no middle."""
    one_sided = drafting(evolve(ROWS[0], ask=nan), style=ExecutionStyle.PATIENT)

    assert isinstance(opening(OPEN, one_sided), Unpriced)


def test_what_is_not_listed_has_no_price() -> None:
    """The contract may be gone since the decision."""
    assert isinstance(opening(OPEN, drafting(ROWS[1])), Unpriced)


@pytest.mark.parametrize(("wanted", "sent"), [(0.30000000000000004, 0.3), (0.39, 0.3), (0.1, 0.1)])
def test_an_amount_is_rounded_down_to_the_step(wanted: float, sent: float) -> None:
    """Never up: and a float sum is what it means."""
    assert drafted(opening(evolve(OPEN, amount=wanted), drafting())).amount == sent


@pytest.mark.parametrize("amount", [0.0, 0.09, -1.0])
def test_less_than_a_step_is_no_order(amount: float) -> None:
    """Nothing is rounded up to the smallest order."""
    assert isinstance(opening(evolve(OPEN, amount=amount), drafting()), Unpriced)


def test_an_action_that_names_nothing_is_a_bug() -> None:
    """It is not answered with an order, nor passed over."""
    with pytest.raises(ValueError, match="does not say what"):
        opening(CLOSE, drafting())
    with pytest.raises(ValueError, match="does not say what"):
        closing(OPEN, drafting())
    with pytest.raises(ValueError, match="does not say what"):
        opening(evolve(OPEN, position_id=None), drafting())
