"""From a proposal to what will be done: every action judged, with the state it leaves behind."""

from attrs import frozen

from core.execution.intents import Drafting, OrderParams, Unpriced, closing, opening
from core.risk.engine import judge
from core.risk.exposure import RiskState
from core.strategies.base import Proposal
from ports.decision_log import Action, ActionType, Breach, Verdict


@frozen
class Judged:
    """An action and what risk says of it."""

    action: Action
    verdict: Verdict


def conclude(proposal: Proposal, state: RiskState, params: OrderParams) -> tuple[Judged, ...]:
    """
    Judge the actions of *proposal* in order, each in the state the approved ones before leave.

    What is refused changes nothing for those after it.
    """
    judged = []
    for action in proposal.actions:
        verdict, state = _judge(action, state, params)
        judged.append(Judged(action, verdict))
    return tuple(judged)


def _judge(action: Action, state: RiskState, params: OrderParams) -> tuple[Verdict, RiskState]:
    """
    The first leg of a roll counts as filled for its second, which is sent only then; a closing
    order alone may rest unfilled, and frees nothing for the actions after it.
    """
    if action.type is ActionType.DO_NOTHING:
        return Verdict(), state
    breaches: tuple[Breach, ...] = ()
    after = state
    if action.from_contract is not None:
        intent = closing(action, _drafting(after, params))
        if isinstance(intent, Unpriced):
            return Verdict((_unpriced(intent),)), state
        breaches += judge(intent, after).breaches
        rolls = action.contract is not None
        after = after.with_filled(intent) if rolls else after.with_working(intent)
    if action.contract is not None:
        intent = opening(action, _drafting(after, params))
        if isinstance(intent, Unpriced):
            return Verdict((*breaches, _unpriced(intent))), state
        breaches += judge(intent, after).breaches
        after = after.with_working(intent)
    return (Verdict(breaches), state) if breaches else (Verdict(), after)


def _drafting(state: RiskState, params: OrderParams) -> Drafting:
    """Labels of a plan are numbered on from the book's; sending numbers them again."""
    counter = state.book.counter + len(state.planned) + len(state.closed) + 1
    return Drafting(snapshot=state.snapshot, now=state.now, counter=counter, params=params)


def _unpriced(intent: Unpriced) -> Breach:
    return Breach(8, "unpriced", intent.reason)
