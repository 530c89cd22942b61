"""Rolls: the new call is sold only for what of the old one is bought back, and in time."""

from datetime import timedelta

from attrs import frozen

from core.execution.flows import tidy
from core.execution.intents import Drafting, Unpriced, closing, opening
from core.usecases.desk import Desk, Look, Reading
from core.usecases.orders import submit
from ports.decision_log import Action, ActionType, Alarm, RollEnded, RollStarted
from ports.market_data import MarketSnapshot
from ports.positions import OrderRecord

_TIME_TO_LIVE = timedelta(minutes=10)  # of a whole roll


async def start_roll(desk: Desk, action: Action, reading: Reading) -> OrderRecord | None:
    """
    Write down that *action* begins, if that was not done before a crash, and buy back its
    first leg.

    None when a control stopped the first leg, or nobody quotes it: the roll has ended then.
    """
    if action.contract is None or action.from_contract is None or action.position_id is None:
        raise ValueError(f"not a roll: {action}")
    roll = desk.keeper.book.rolls.get(action.position_id)
    if roll is None:
        roll = RollStarted(
            at=desk.now,
            strategy_id=action.strategy_id,
            position_id=action.position_id,
            from_contract=action.from_contract,
            contract=action.contract,
            amount=action.amount,
            expires_at=desk.now + _TIME_TO_LIVE,
        )
        await desk.keeper.record(roll)
    intent = closing(action, drafting(desk, reading.snapshot))
    if isinstance(intent, Unpriced):
        await _end(desk, roll, "abandoned", intent.reason)
        return None
    record = await submit(desk, intent, reading)
    if record is None:
        await _end(desk, roll, "abandoned", "the closing leg was stopped by a control")
    return record


async def continue_roll(desk: Desk, roll: RollStarted, look: Look) -> OrderRecord | None:
    """
    Sell as much of the new call as the old one is bought back; end the roll when nothing is left.

    The short position only ever gets smaller by a roll that fails half way.
    """
    progress = _progress(desk, roll)
    if progress.works:
        return None
    missing = tidy(progress.bought - progress.sold)
    if missing <= 0.0 or progress.tried or desk.now > roll.expires_at:
        late = desk.now > roll.expires_at
        await _end(
            desk, roll, _outcome(roll, progress), "out of time" if late else "both legs ended"
        )
        return None
    action = Action(
        type=ActionType.ROLL_COVERED_CALL,
        strategy_id=roll.strategy_id,
        underlying=roll.contract.underlying,
        reason="roll",
        detail="second leg",
        amount=missing,
        position_id=roll.position_id,
        contract=roll.contract,
    )
    reading = await look.reading()
    intent = opening(action, drafting(desk, reading.snapshot))
    if isinstance(intent, Unpriced):
        await _end(desk, roll, "abandoned", intent.reason)
        return None
    record = await submit(desk, intent, reading)
    if record is None:
        await _end(desk, roll, "abandoned", "the opening leg was stopped by a control")
    return record


def drafting(desk: Desk, snapshot: MarketSnapshot) -> Drafting:
    """What the next order of *desk* is drafted from."""
    return Drafting(
        snapshot=snapshot,
        now=desk.now,
        counter=desk.keeper.book.counter + 1,
        params=desk.params.orders,
    )


@frozen
class _Progress:
    """Contracts bought back and sold, whether an order works, whether selling was tried."""

    bought: float
    sold: float
    works: bool
    tried: bool


def _progress(desk: Desk, roll: RollStarted) -> _Progress:
    legs = [
        record
        for record in desk.keeper.book.orders.values()
        if record.intent.position_id == roll.position_id and record.sent_at >= roll.at
    ]
    buys = [record for record in legs if record.intent.reduce_only]
    sells = [record for record in legs if not record.intent.reduce_only]
    return _Progress(
        bought=tidy(sum(record.booked_amount for record in buys)),
        sold=tidy(sum(record.booked_amount for record in sells)),
        works=not all(record.is_settled for record in legs),
        tried=any(record.reached_venue for record in sells),
    )


def _outcome(roll: RollStarted, progress: _Progress) -> str:
    if progress.sold >= roll.amount:
        return "done"
    return "partial" if progress.sold > 0.0 else "abandoned"


async def _end(desk: Desk, roll: RollStarted, outcome: str, reason: str) -> None:
    if outcome != "done":
        detail = f"{roll.from_contract.symbol} to {roll.contract.symbol}: {reason}"
        await desk.keeper.record(Alarm(at=desk.now, subject=f"roll {outcome}", detail=detail))
    await desk.keeper.record(
        RollEnded(
            at=desk.now,
            position_id=roll.position_id,
            outcome=outcome,
            opened=_progress(desk, roll).sold,
            reason=reason,
        )
    )
