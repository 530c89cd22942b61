"""One tick of one underlying: look, decide, write down, act, write down, mark."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import isfinite

from attrs import frozen

from core.context.regime import HISTORY, context_of
from core.decide import conclude
from core.execution.book import turn_key
from core.execution.intents import Unpriced, closing, opening
from core.pricing.marks import mark_of
from core.risk.engine import FAILURES
from core.strategies.base import Proposal, Strategy
from core.usecases.comparing import compare
from core.usecases.desk import Desk, Look, Reading, risk_state
from core.usecases.future_marks import future_marks
from core.usecases.greg_log import GregNotes
from core.usecases.orders import out_of_doubt, submit, sweep
from core.usecases.read_volatility import volatility_now
from core.usecases.rolls import continue_roll, drafting, start_roll
from core.view import TickView
from ports.decision_log import (
    Action,
    ActionType,
    Alarm,
    Decided,
    Executed,
    Marked,
    MarketContext,
    RollStarted,
)
from ports.history import Candles
from ports.instruments import OptionContract
from ports.market_data import MarketSnapshot
from ports.marks import PositionMark
from ports.positions import OrderRecord
from ports.volatility import VolatilityReading

_BAR = timedelta(hours=1)


async def run_tick(desk: Desk, look: Look, due_at: datetime) -> None:
    """
    Bring the orders on the underlying of *look* up to date, compare the book, let every strategy
    have its turn, and mark what is held.

    A strategy that had its turn in this tick already, before a crash, is not asked again.

    Raises:
        PortError: Something outside did not answer; what is done is written down.
    """
    underlying = look.underlying
    await sweep(desk, underlying)
    reading = await look.reading()
    await compare(desk, reading)
    seen_at = reading.snapshot.taken_at
    history = await desk.world.history.candles(underlying, _BAR, seen_at - HISTORY, seen_at)
    context = context_of(history, reading.snapshot.index_usd, seen_at)
    volatility = await volatility_now(desk.world.volatility, underlying, seen_at)
    for strategy in desk.strategies:
        turn = _Turn(strategy, underlying, context, history, volatility, due_at, look)
        if underlying in strategy.underlyings and not _was_taken(desk, turn):
            await _take(desk, turn)
    await _note_marks(desk, look)


async def mark(desk: Desk, underlying: str) -> None:
    """
    Write down the equity of *underlying* and the marks of what is held.

    Raises:
        PortError: Market or account could not be read.
    """
    await _note_marks(desk, Look(desk, underlying))


async def _note_marks(desk: Desk, look: Look) -> None:
    snapshot, account, underlying = await look.market(), await look.account(), look.underlying
    held = {
        leg.contract
        for position in desk.keeper.book.open_positions(underlying)
        for leg in position.open_legs
    }
    await desk.keeper.record(
        Marked(
            at=desk.now,
            underlying=underlying,
            index_usd=snapshot.index_usd,
            equity_coin=account.account.equity_coin,
            marks=tuple(_marks(snapshot, sorted(held))),
            futures=await future_marks(desk, snapshot, account.account),
        )
    )


def _marks(snapshot: MarketSnapshot, contracts: Sequence[OptionContract]) -> Iterator[PositionMark]:
    """The marks there are; a contract that nothing can be said of keeps its last one."""
    for contract in contracts:
        mark_coin = mark_of(snapshot, contract, snapshot.taken_at)
        if isfinite(mark_coin):
            yield PositionMark(contract, mark_coin)


@frozen(eq=False)
class _Turn:
    """One strategy's turn on one underlying in the tick that was due at *due_at*."""

    strategy: Strategy
    underlying: str
    context: MarketContext
    candles: Candles
    volatility: VolatilityReading | None
    due_at: datetime
    look: Look

    @property
    def key(self) -> str:
        """The key of this strategy's turns on this underlying in the book."""
        return turn_key(self.strategy.strategy_id, self.underlying)


def _was_taken(desk: Desk, turn: _Turn) -> bool:
    taken_at = desk.keeper.book.turns.get(turn.key)
    return taken_at is not None and taken_at >= turn.due_at


async def _take(desk: Desk, turn: _Turn) -> None:
    """
    Finish the strategy's rolls, decide, carry it out, write down that it is done.

    A decision of this very tick that a crash interrupted is carried on, not made again: what
    was done of it already would lead to another one.
    """
    interrupted = desk.keeper.book.undertakings.get(turn.key)
    orders: list[OrderRecord] = []
    if interrupted is None or interrupted.due_at != turn.due_at:
        orders += await _continue_rolls(desk, turn)
        await _decide(desk, turn)
    undertaking = desk.keeper.book.undertakings[turn.key]
    stopped = []
    for action in undertaking.actions:
        if _was_begun(desk, action, undertaking.at):
            continue
        order = await carry_out(desk, action, await turn.look.reading())
        if order is None:
            stopped.append(f"{action.type}: stopped at the last check")
        else:
            orders.append(await out_of_doubt(desk, order))
    orders += await _continue_rolls(desk, turn)
    labels = tuple(order.intent.label for order in orders)
    await desk.keeper.record(
        Executed(
            at=desk.now,
            strategy_id=turn.strategy.strategy_id,
            underlying=turn.underlying,
            status=_status(labels, stopped),
            labels=labels,
            errors=tuple(stopped),
        )
    )


async def _decide(desk: Desk, turn: _Turn) -> None:
    """Let the strategy propose, let risk judge, and write both down."""
    reading = await turn.look.reading()
    proposal = await _proposal(desk, turn, reading)
    notes = GregNotes(desk.keeper)
    for advice in proposal.advice:
        await notes.suggested(advice)
    judged = conclude(proposal, await risk_state(desk, reading), desk.params.orders)
    await desk.keeper.record(
        Decided(
            at=desk.now,
            due_at=turn.due_at,
            strategy_id=turn.strategy.strategy_id,
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


async def _proposal(desk: Desk, turn: _Turn, reading: Reading) -> Proposal:
    """What the strategy proposes; one that fails holds, says so, and stops no other."""
    strategy = turn.strategy
    try:
        return strategy.propose(_view(desk, turn, reading))
    except FAILURES as error:
        detail = f"{type(error).__name__}: {error}"
        subject = f"strategy {strategy.strategy_id} failed on {turn.underlying}"
        await desk.keeper.record(Alarm(at=desk.now, subject=subject, detail=detail))
        hold = Action(
            type=ActionType.DO_NOTHING,
            strategy_id=strategy.strategy_id,
            underlying=turn.underlying,
            reason="strategy_failed",
            detail=detail,
        )
        return Proposal(actions=(hold,), candidates=(), skipped=())


def _was_begun(desk: Desk, action: Action, since: datetime) -> bool:
    """Whether an order of *action*'s first leg has reached the venue since it was decided."""
    closes = action.type is not ActionType.OPEN_COVERED_CALL
    return any(
        record.intent.position_id == action.position_id
        and record.intent.reduce_only == closes
        and record.sent_at >= since
        and record.reached_venue
        for record in desk.keeper.book.orders.values()
    )


async def carry_out(desk: Desk, action: Action, reading: Reading) -> OrderRecord | None:
    """
    Carry out *action* on *reading*; None if it was stopped before anything was sent.

    Raises:
        StoreUnwritable: The journal failed.
    """
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
            order = await continue_roll(desk, roll, turn.look)
            if order is not None:
                orders.append(await out_of_doubt(desk, order))
                await _settle_roll(desk, turn, roll)
    return orders


async def _settle_roll(desk: Desk, turn: _Turn, roll: RollStarted) -> None:
    """End *roll* at once if its second leg is done."""
    if roll.position_id in desk.keeper.book.rolls:
        await continue_roll(desk, roll, turn.look)


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
            for record in book.unsettled
            if record.intent.strategy_id == strategy_id
            and record.intent.contract.underlying == turn.underlying
        ),
        rolls=tuple(
            roll
            for roll in book.rolls.values()
            if roll.strategy_id == strategy_id and roll.contract.underlying == turn.underlying
        ),
        controls=book.controls,
        candles=turn.candles,
        volatility=turn.volatility,
    )


def _status(labels: tuple[str, ...], stopped: list[str]) -> str:
    if not labels:
        return "error" if stopped else "skipped"
    return "partial" if stopped else "executed"
