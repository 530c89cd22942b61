"""
Random orders and batches against an independent reading of the controls.

OPTIONS_AGENT_FULL=1 runs all 20,000 orders and 3,000 batches, half a minute and more; without
it the first fifth of them is run.
"""

import os
from collections import Counter

import numpy as np
import pytest
from attrs import evolve, frozen

from core.decide import conclude
from core.execution.intents import Drafting, OrderParams, Unpriced, closing, opening
from core.risk.engine import judge
from core.risk.exposure import RiskState
from core.strategies.base import Proposal
from ports.decision_log import Action, ActionType, Verdict
from ports.trading import OrderIntent
from tests.support.risk_checker import Answer, check
from tests.support.risk_edges import on_edge, with_fault
from tests.support.risk_figures import coin_lots, number, stock_of
from tests.support.risk_states import STRATEGY, Case, Draw, random_case, random_state

_SHARE = 1.0 if os.environ.get("OPTIONS_AGENT_FULL") == "1" else 0.2
ORDERS, BATCHES = int(20_000 * _SHARE), int(3_000 * _SHARE)
_PARAMS = OrderParams()


@frozen(eq=False)
class Tally:
    """What came of many orders: contradictions, overall answers, and who blocked how often."""

    faults: list[str]
    overall: Counter[Answer]
    blocked_by: Counter[int]
    approved: Counter[bool]  # by whether the order only reduces


def case_of(number: int) -> Case:
    """Case *number*: every other one at a limit, three of ten with something wrong."""
    draw = Draw(np.random.default_rng([7, number]))
    case = random_case(draw)
    if number % 2:
        case = on_edge(case, draw)
    return with_fault(case, draw) if draw.below(0.3) else case


@pytest.fixture(scope="module")
def tally() -> Tally:
    """Every random order, judged twice."""
    found = Tally([], Counter(), Counter(), Counter())
    for n in range(ORDERS):
        case = case_of(n)
        verdict, expected = judge(case.intent, case.state), check(case.intent, case.state)
        fault = expected.faults(_controls(verdict))
        if fault:
            found.faults.append(f"case {n}: {fault}; {case.intent}: {verdict}")
        found.overall[expected.overall] += 1
        found.blocked_by.update(_controls(verdict))
        found.approved[case.intent.reduce_only] += verdict.approved
    return found


def test_every_control_says_what_the_specification_says(tally: Tally) -> None:
    """
    No order beyond a limit is approved, none within all limits is refused, and what only
    reduces is refused by controls 8, 12 and 13 alone.
    """
    assert tally.faults[:5] == []


def test_rounding_decides_next_to_nothing(tally: Tally) -> None:
    """Fewer than 0.5 % of the orders hang on float rounding, fewer than 1 % on an open reading."""
    assert tally.overall[Answer.ROUNDING] < 0.005 * ORDERS
    assert tally.overall[Answer.SILENT] < 0.01 * ORDERS


def test_the_orders_reach_every_control(tally: Tally) -> None:
    """Each of the twenty blocks at least one order in 300; a third of all orders pass."""
    assert min(tally.blocked_by[control] for control in range(1, 21)) > ORDERS / 300
    assert tally.approved[False] > ORDERS / 4
    assert tally.approved[True] > ORDERS / 30


def test_a_batch_is_judged_action_by_action() -> None:
    """
    Every action of a batch is judged in the state that the approved ones before it leave, and
    after each the calls that are or may become short are covered and within their limits.
    """
    faults, approved = [], Counter[ActionType]()
    for n in range(BATCHES):
        draw = Draw(np.random.default_rng([11, n]))
        state = _tight(draw, random_state(draw))
        actions = tuple(_action(draw, state, place) for place in range(draw.whole(1, 6)))
        proposal = Proposal(actions=actions, candidates=(), skipped=())
        for place, each in enumerate(conclude(proposal, state, _PARAMS)):
            again = _judged_again(each.action, each.verdict, state)
            said = [again.fault] if again.fault else []
            if each.verdict.approved:
                approved[each.action.type] += 1
                state = again.after
                said += _broken(each.action, state)
            faults += [f"batch {n}, action {place}: {why}" for why in said]
    assert faults[:5] == []
    assert all(approved[kind] > BATCHES / 50 for kind in ActionType)


def _controls(verdict: Verdict) -> set[int]:
    return {breach.control for breach in verdict.breaches}


def _tight(draw: Draw, state: RiskState) -> RiskState:
    """Room for a few lots more in coin, on each expiry and in contracts; one in ten stopped."""
    rules, short = state.snapshot.rules, stock_of(state).short_calls
    limits = evolve(
        state.limits,
        max_expiry_exposure=rules.amount(draw.whole(1, 8)),
        max_calls_per_underlying=draw.whole(1, 5),
    )
    coin = rules.amount(sum(short.values()) + draw.whole(0, 8))
    return evolve(
        state,
        limits=limits,
        account=evolve(state.account, balance_coin=coin),
        controls=evolve(state.controls, kill_switch=draw.below(0.1)),
    )


def _action(draw: Draw, state: RiskState, place: int) -> Action:
    """Mostly openings; closings and rolls of what is held, and now and then nothing."""
    rules, contracts = state.snapshot.rules, state.snapshot.chain.contracts
    calls = [contract for contract in contracts if contract.is_call]
    held = [position.contract for position in state.account.positions]
    kind = draw.one(_KINDS if held else _KINDS[:-2])
    old, new = draw.one(held) if held else None, draw.one(calls)
    return Action(
        type=kind,
        strategy_id=STRATEGY,
        underlying=state.snapshot.underlying,
        reason="random",
        detail="",
        amount=rules.amount(draw.whole(1, 3)),
        position_id=f"new{place}" if kind is ActionType.OPEN_COVERED_CALL else "p0",
        contract=None if kind is ActionType.CLOSE_COVERED_CALL else new,
        from_contract=None if kind is ActionType.OPEN_COVERED_CALL else old,
    )


_KINDS = (
    ActionType.OPEN_COVERED_CALL,
    ActionType.OPEN_COVERED_CALL,
    ActionType.OPEN_COVERED_CALL,
    ActionType.DO_NOTHING,
    ActionType.CLOSE_COVERED_CALL,
    ActionType.ROLL_COVERED_CALL,
)


@frozen(eq=False)
class _Again:
    """An action judged by the checker: where it contradicts, and the state it would leave."""

    fault: str
    after: RiskState


def _judged_again(action: Action, verdict: Verdict, state: RiskState) -> _Again:
    if action.type is ActionType.DO_NOTHING:
        return _Again("doing nothing was refused" if verdict.breaches else "", state)
    answers, after = [], state
    if action.from_contract is not None:
        bought = _drafted(closing(action, _drafting(state)))
        answers.append(check(bought, after))
        if action.contract is None:
            after = evolve(after, planned=(*after.planned, bought))
        else:
            after = evolve(after, closed=(*after.closed, bought))
    if action.contract is not None:
        sold = _drafted(opening(action, _drafting(state)))
        answers.append(check(sold, after))
        after = evolve(after, planned=(*after.planned, sold))
    blocked = _controls(verdict)
    missed = set[int]().union(*(each.numbers(Answer.BLOCKS) for each in answers)) - blocked
    wrong = blocked.intersection(*(each.numbers(Answer.PASSES) for each in answers))
    fault = f"{action.type} {verdict}: missed {missed}, wrong {wrong}"
    return _Again(fault if missed or wrong else "", after)


def _drafting(state: RiskState) -> Drafting:
    return Drafting(snapshot=state.snapshot, now=state.now, counter=1, params=_PARAMS)


def _drafted(intent: OrderIntent | Unpriced) -> OrderIntent:
    assert isinstance(intent, OrderIntent), intent
    return intent


def _broken(action: Action, state: RiskState) -> list[str]:
    """The limits that *state* is beyond, after an approved *action* that sells a call."""
    if action.type is ActionType.DO_NOTHING or action.contract is None:
        return []
    step, short = number(state.snapshot.rules.amount_step), stock_of(state).short_calls
    day = action.contract.expiry.date()
    on_day = sum(count for contract, count in short.items() if contract.expiry.date() == day)
    broken = {
        "more short calls than coin": sum(short.values()) > coin_lots(state),
        "expiry exposure": on_day * step > number(state.limits.max_expiry_exposure),
        "too many calls": len(short) > state.limits.max_calls_per_underlying,
        "kill switch": state.controls.kill_switch,
    }
    return [what for what, is_so in broken.items() if is_so]
