"""Batches: every action is judged in the state that the approved ones before it leave."""

from math import nan
from typing import Any

from attrs import evolve

from core.decide import conclude
from core.execution.intents import OrderParams
from core.strategies.base import Proposal
from ports.controls import RuntimeControls
from ports.decision_log import Action, ActionType
from tests.support.risk_calm import FAR, HELD, SOLD, account, calm, of, state
from tests.support.risk_edges import with_quote
from tests.support.risk_states import Case


def action(kind: ActionType, **fields: Any) -> Action:
    """What a strategy may want of the calm state."""
    wanted = Action(
        type=kind,
        strategy_id="s",
        underlying="BTC",
        reason="r",
        detail="",
        amount=0.1,
        position_id="p",
    )
    return evolve(wanted, **fields)


def verdicts(case: Case, *actions: Action) -> list[list[int]]:
    """The controls that refuse each action of one batch."""
    proposal = Proposal(actions=actions, candidates=(), skipped=())
    judged = conclude(proposal, case.state, OrderParams())
    return [[breach.control for breach in each.verdict.breaches] for each in judged]


OPEN = action(ActionType.OPEN_COVERED_CALL, contract=SOLD, position_id="new")
OPEN_FAR = action(ActionType.OPEN_COVERED_CALL, contract=FAR, position_id="far")
CLOSE = action(ActionType.CLOSE_COVERED_CALL, from_contract=HELD)
ROLL = action(ActionType.ROLL_COVERED_CALL, from_contract=HELD, contract=FAR)
NOTHING = action(ActionType.DO_NOTHING, contract=SOLD, from_contract=HELD)


def test_a_kill_blocks_every_opening_of_a_batch() -> None:
    """Openings and rolls, one by one; closing and doing nothing stay allowed."""
    killed = state(controls=RuntimeControls(kill_switch=True))(calm())

    assert verdicts(killed, OPEN, ROLL, CLOSE, NOTHING, OPEN_FAR) == [[19], [19], [], [], [19]]


def test_an_approved_opening_counts_for_the_next() -> None:
    """Coin for one more: the second opening of the batch is not covered."""
    assert verdicts(account(balance_coin=0.3)(calm()), OPEN, OPEN_FAR) == [[], [2]]
    assert verdicts(account(balance_coin=0.4)(calm()), OPEN, OPEN_FAR) == [[], []]


def test_a_refused_action_changes_nothing() -> None:
    """The coin that a refused opening would have used is there for the next."""
    too_large = evolve(OPEN, amount=0.4)

    assert verdicts(account(balance_coin=0.3)(calm()), too_large, OPEN_FAR) == [[1, 2], []]


def test_a_roll_needs_no_coin_of_its_own() -> None:
    """Its second leg is sent once the first is filled: the same coin covers it."""
    full = account(balance_coin=0.2)(calm())

    assert verdicts(full, ROLL, OPEN) == [[], [2]]


def test_a_closing_order_frees_nothing_until_it_is_filled() -> None:
    """It may rest: an opening after it must be covered without it."""
    assert verdicts(account(balance_coin=0.2)(calm()), CLOSE, OPEN) == [[], [2]]


def test_the_same_is_not_done_twice_in_a_batch() -> None:
    """Neither sold, nor bought back alone or as the first leg of a roll."""
    assert verdicts(calm(), OPEN, OPEN) == [[], [12]]
    assert verdicts(calm(), CLOSE, CLOSE) == [[], [12]]
    assert verdicts(calm(), ROLL, CLOSE) == [[], [12]]


def test_what_nobody_quotes_is_refused() -> None:
    """There is no price to make an order with; what else speaks against a roll is said too."""
    no_bid = with_quote(of(0.1, FAR)(calm()), bid=nan)
    no_ask = with_quote(of(0.1, HELD)(calm()), ask=nan)

    assert verdicts(no_bid, OPEN_FAR) == [[8]]
    assert verdicts(no_ask, CLOSE, ROLL) == [[8], [8]]
    assert verdicts(no_bid, evolve(ROLL, amount=0.3)) == [[1, 11, 8]]
