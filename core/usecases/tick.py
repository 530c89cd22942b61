"""One tick of one underlying: look, decide, write down, act, write down, mark."""

from datetime import datetime, timedelta

from attrs import frozen

from core.context.regime import HISTORY, context_of
from core.decide import conclude
from core.execution.book import turn_key
from core.execution.intents import Unpriced, closing, opening
from core.pricing.marks import mark_of
from core.strategies.base import Strategy
from core.usecases.comparing import compare
from core.usecases.desk import Desk, Reading, read, risk_state
from core.usecases.orders import submit, sweep
from core.usecases.rolls import continue_roll, drafting, start_roll
from core.view import TickView
from ports.decision_log import (
    Action,
    ActionType,
    Decided,
    Executed,
    Marked,
    MarketContext,
    PositionMark,
    RollStarted,
)
from ports.positions import OrderRecord

_BAR = timedelta(hours=1)


async def run_tick(desk: Desk, underlying: str, due_at: datetime) -> None:
    """
    Bring the orders on *underlying* up to date, compare the book, let every strategy have its
    turn, and mark what is held.

    A strategy that had its turn in this tick already, before a crash, is not asked again.

    Raises:
        PortError: Something outside did not answer; what is done is written down.
    """
    await sweep(desk, underlying)
    reading = await read(desk, underlying)
    await compare(desk, reading)
    seen_at = reading.snapshot.taken_at
    history = await desk.world.history.candles(underlying, _BAR, seen_at - HISTORY, seen_at)
    context = context_of(history, reading.snapshot.index_usd, seen_at)
    for strategy in desk.strategies:
        turn = _Turn(strategy, underlying, context, due_at)
        if underlying in strategy.underlyings and not _was_taken(desk, turn):
            await _take(desk, turn)
    await mark(desk, underlying)


async def mark(desk: Desk, underlying: str) -> None:
    """
    Write down the equity of *underlying* and the marks of what is held.

    Raises:
        PortError: Market or account could not be read.
    """
    reading = await read(desk, underlying)
    snapshot, now = reading.snapshot, desk.now
    held = {
        leg.contract
        for position in desk.keeper.book.open_positions(underlying)
        for leg in position.open_legs
    }
    await desk.keeper.record(
        Marked(
            at=now,
            underlying=underlying,
            index_usd=snapshot.index_usd,
            equity_coin=reading.account.equity_coin,
            marks=tuple(
                PositionMark(contract, mark_of(snapshot, contract, snapshot.taken_at))
                for contract in sorted(held)
            ),
        )
    )


@frozen(eq=False)
class _Turn:
    """One strategy's turn on one underlying in the tick that was due at *due_at*."""

    strategy: Strategy
    underlying: str
    context: MarketContext
    due_at: datetime


def _was_taken(desk: Desk, turn: _Turn) -> bool:
    key = turn_key(turn.strategy.strategy_id, turn.underlying)
    taken_at = desk.keeper.book.turns.get(key)
    return taken_at is not None and taken_at >= turn.due_at


async def _take(desk: Desk, turn: _Turn) -> None:
    """Finish the strategy's rolls, decide, write the decision down, carry it out."""
    strategy_id = turn.strategy.strategy_id
    orders = await _continue_rolls(desk, turn)
    reading = await read(desk, turn.underlying)
    proposal = turn.strategy.propose(_view(desk, turn, reading))
    judged = conclude(proposal, await risk_state(desk, reading), desk.params.orders)
    await desk.keeper.record(
        Decided(
            at=desk.now,
            strategy_id=strategy_id,
            underlying=turn.underlying,
            market_at=reading.snapshot.taken_at,
            index_usd=reading.snapshot.index_usd,
            context=turn.context,
            candidates=proposal.candidates,
            skipped=proposal.skipped,
            actions=tuple(each.action for each in judged),
            verdicts=tuple(each.verdict for each in judged),
            decision_source="rule_based",
            policy_version=turn.strategy.policy_version,
        )
    )
    wanted = [
        each.action
        for each in judged
        if each.verdict.approved and each.action.type is not ActionType.DO_NOTHING
    ]
    stopped = []
    for action in wanted:
        order = await _act(desk, action)
        if order is None:
            stopped.append(f"{action.type}: stopped at the last check")
        else:
            orders.append(order)
    orders += await _continue_rolls(desk, turn)
    labels = tuple(order.intent.label for order in orders)
    await desk.keeper.record(
        Executed(
            at=desk.now,
            strategy_id=strategy_id,
            underlying=turn.underlying,
            status=_status(labels, stopped),
            labels=labels,
            errors=tuple(stopped),
        )
    )


async def _act(desk: Desk, action: Action) -> OrderRecord | None:
    """Carry out *action* on a fresh reading; None if it was stopped before anything was sent."""
    reading = await read(desk, action.underlying)
    if action.type is ActionType.ROLL_COVERED_CALL:
        return await start_roll(desk, action, reading)
    draft = opening if action.type is ActionType.OPEN_COVERED_CALL else closing
    intent = draft(action, drafting(desk, reading.snapshot))
    return None if isinstance(intent, Unpriced) else await submit(desk, intent, reading)


async def _continue_rolls(desk: Desk, turn: _Turn) -> list[OrderRecord]:
    """The orders that rolls under way led to."""
    orders = []
    for roll in tuple(desk.keeper.book.rolls.values()):
        ours = roll.strategy_id == turn.strategy.strategy_id
        if ours and roll.contract.underlying == turn.underlying:
            order = await continue_roll(desk, roll, await read(desk, turn.underlying))
            if order is not None:
                orders.append(order)
                await _settle_roll(desk, roll)
    return orders


async def _settle_roll(desk: Desk, roll: RollStarted) -> None:
    """End *roll* at once if its second leg is done."""
    if roll.position_id in desk.keeper.book.rolls:
        await continue_roll(desk, roll, await read(desk, roll.contract.underlying))


def _view(desk: Desk, turn: _Turn, reading: Reading) -> TickView:
    book, strategy_id = desk.keeper.book, turn.strategy.strategy_id
    return TickView(
        now=desk.now,
        due_at=turn.due_at,
        seed=desk.params.seed,
        snapshot=reading.snapshot,
        account=reading.account,
        context=turn.context,
        positions=tuple(
            position
            for position in book.open_positions(turn.underlying)
            if position.strategy_id == strategy_id
        ),
        working=tuple(
            record
            for record in book.working
            if record.intent.strategy_id == strategy_id
            and record.intent.contract.underlying == turn.underlying
        ),
        rolls=tuple(
            roll
            for roll in book.rolls.values()
            if roll.strategy_id == strategy_id and roll.contract.underlying == turn.underlying
        ),
        epsilon=book.controls.explore_prob,
    )


def _status(labels: tuple[str, ...], stopped: list[str]) -> str:
    if not labels:
        return "error" if stopped else "skipped"
    return "partial" if stopped else "executed"
