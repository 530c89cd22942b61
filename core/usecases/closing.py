"""Positions bought back because a person wants it: judged, written down and sent like any other."""

from datetime import timedelta

from attrs import frozen

from core.context.regime import HISTORY, context_of
from core.decide import conclude
from core.execution.intents import Unpriced, closing
from core.strategies.base import Proposal
from core.usecases.desk import Desk, read, risk_state
from core.usecases.rolls import drafting
from core.usecases.tick import carry_out
from ports.decision_log import Action, ActionType, Decided, Executed, Verdict
from ports.instruments import OptionContract
from ports.positions import OrderRecord, TrackedPosition
from ports.trading import OrderIntent

MANUAL = "manual"  # the decision source of what a person asked for
_BAR = timedelta(hours=1)


@frozen(kw_only=True)
class ClosingPlan:
    """
    What closing one held leg would send now, and what risk says of it.

    *intent* is None where nobody quotes; the verdict then says so.
    """

    position: TrackedPosition
    action: Action
    intent: OrderIntent | None
    verdict: Verdict
    index_usd: float


@frozen(kw_only=True)
class ClosingOutcome:
    """What became of one plan: the order, None if a control stopped it at the last check."""

    plan: ClosingPlan
    order: OrderRecord | None


async def plan_closing(
    desk: Desk, position: TrackedPosition, contract: OptionContract
) -> ClosingPlan:
    """
    Return what buying back *contract* of *position*, which is short of it, would send now.

    Raises:
        ValueError: The position is not short of it.

        PortError: Market or account could not be read.
    """
    size = sum(leg.size for leg in position.open_legs if leg.contract == contract)
    if not size < 0:
        raise ValueError(f"{position.position_id} is not short of {contract.symbol}")
    action = Action(
        type=ActionType.CLOSE_COVERED_CALL,
        strategy_id=position.strategy_id,
        underlying=position.underlying,
        reason=MANUAL,
        detail=f"{contract.symbol}: closed by hand",
        amount=-size,
        position_id=position.position_id,
        from_contract=contract,
    )
    reading = await read(desk, position.underlying)
    proposal = Proposal(actions=(action,), candidates=(), skipped=())
    (judged,) = conclude(proposal, await risk_state(desk, reading), desk.params.orders)
    intent = closing(action, drafting(desk, reading.snapshot))
    return ClosingPlan(
        position=position,
        action=action,
        intent=None if isinstance(intent, Unpriced) else intent,
        verdict=judged.verdict,
        index_usd=reading.snapshot.index_usd,
    )


async def close_position(desk: Desk, plan: ClosingPlan) -> ClosingOutcome:
    """
    Write the decision of *plan* down and, if risk approved it, carry it out on a fresh reading.

    Raises:
        PortError: Something outside did not answer; what is done is written down.
    """
    action, now = plan.action, desk.now
    reading = await read(desk, action.underlying)
    snapshot = reading.snapshot
    candles = await desk.world.history.candles(action.underlying, _BAR, now - HISTORY, now)
    await desk.keeper.record(
        Decided(
            at=now,
            due_at=now,
            strategy_id=action.strategy_id,
            underlying=action.underlying,
            market_at=snapshot.taken_at,
            index_usd=snapshot.index_usd,
            context=context_of(candles, snapshot.index_usd, snapshot.taken_at),
            candidates=(),
            skipped=(),
            actions=(action,),
            verdicts=(plan.verdict,),
            decision_source=MANUAL,
            policy_version=MANUAL,
        )
    )
    order = await carry_out(desk, action, reading) if plan.verdict.approved else None
    await desk.keeper.record(
        Executed(
            at=desk.now,
            strategy_id=action.strategy_id,
            underlying=action.underlying,
            status="executed" if order else "error",
            labels=(order.intent.label,) if order else (),
            errors=() if order else (f"{action.type}: stopped by a control",),
        )
    )
    return ClosingOutcome(plan=plan, order=order)
