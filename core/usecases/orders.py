"""One order from its last check to its end: sent once, looked up in doubt, cancelled in time."""

from datetime import datetime, timedelta

from core.execution.book import last_heard
from core.risk.engine import judge
from core.usecases.desk import Desk, Reading, controls_now, halt, risk_state
from ports.decision_log import Alarm, Delivered, Denied, OrderUpdated, Sent
from ports.errors import Malformed, NeverSent, PortError, Refused, Unavailable
from ports.positions import OrderRecord
from ports.trading import Activity, Order, OrderIntent, OrderState, Placed

_TRIES = 3  # of a request that certainly never left
_AFTER_VALID = timedelta(seconds=1)  # beyond valid_until the venue will not take it any more
_INSTANT = timedelta(milliseconds=1)
_UNRESOLVED = frozenset({OrderState.SENT, OrderState.UNKNOWN})
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=0.5), timedelta(seconds=10)
_KEEN_FOR = timedelta(seconds=60)  # then it is an alarm, and the ticks go on asking
_SLACK = timedelta(hours=20)  # that trades and deliveries may be told late; within book.MEMORY


async def submit(desk: Desk, intent: OrderIntent, reading: Reading) -> OrderRecord | None:
    """
    Check *intent* once more, write it down, send it, and write down what came of it.

    None when a control stopped it; nothing was sent then.

    Raises:
        StoreUnwritable: The journal failed; if it failed before sending, nothing was sent.
    """
    verdict = judge(intent, await risk_state(desk, reading))
    if not verdict.approved:
        await desk.keeper.record(Denied(at=desk.now, intent=intent, breaches=verdict.breaches))
        return None
    await desk.keeper.record(Sent(at=desk.now, intent=intent))
    await desk.keeper.record(await _place(desk, intent))
    return desk.keeper.book.orders[intent.label]


async def _place(desk: Desk, intent: OrderIntent) -> OrderUpdated:
    """Send *intent*; every way this can end, as an entry."""
    for _ in range(_TRIES):
        try:
            placed = await desk.world.trading.place(intent)
        except NeverSent as error:
            reason = str(error)
            if await _may_try_again(desk, intent):
                continue
            break
        except Refused as error:
            return _update(desk, intent, OrderState.REJECTED, str(error))
        except PortError as error:
            return _update(desk, intent, OrderState.UNKNOWN, f"{type(error).__name__}: {error}")
        return _answered(desk, intent, placed)
    return _update(desk, intent, OrderState.NOT_PLACED, f"never sent: {reason}")


async def _may_try_again(desk: Desk, intent: OrderIntent) -> bool:
    """Whether *intent*, which never left, is in time, and nobody has stopped new risk since."""
    if desk.now > intent.valid_until:
        return False
    controls = await controls_now(desk)
    return intent.reduce_only or not (controls.kill_switch or desk.keeper.book.halted)


def _answered(desk: Desk, intent: OrderIntent, placed: Placed) -> OrderUpdated:
    """An answer counts only if it speaks of the order that was sent; reducing may be clipped."""
    order = placed.order
    same = (order.label, order.contract, order.side) == (intent.label, intent.contract, intent.side)
    clipped = intent.reduce_only and order.amount < intent.amount
    if not same or not (clipped or order.amount == intent.amount):
        return _update(desk, intent, OrderState.UNKNOWN, "the answer speaks of another order")
    return OrderUpdated(
        at=desk.now,
        label=intent.label,
        state=order.state,
        order_id=order.order_id,
        filled_amount=order.filled_amount,
        fills=placed.fills,
        reason="",
    )


async def sweep(desk: Desk, underlying: str) -> None:
    """
    Bring our orders on *underlying* up to date: resolve what is unknown, cancel what has outlived
    its time, book trades and deliveries.

    Raises:
        PortError: The venue did not answer; what was learned until then is written down.
    """
    await _refresh_working(desk, underlying)
    await catch_up(desk, underlying)  # behind that: what was filled or has ended has trades to tell


async def look_after(desk: Desk, underlying: str) -> None:
    """
    Do as `sweep` between two ticks: trades and deliveries are asked for only where an order says
    that it has traded, the others can wait.

    Raises:
        PortError: The venue did not answer; what was learned until then is written down.
    """
    await _refresh_working(desk, underlying)
    if any(
        record.filled_amount > record.booked_amount
        for record in desk.keeper.book.unsettled
        if record.intent.contract.underlying == underlying
    ):
        await catch_up(desk, underlying)


async def _refresh_working(desk: Desk, underlying: str) -> None:
    for record in desk.keeper.book.working:
        if record.intent.contract.underlying == underlying:
            await _refresh(desk, record)


async def catch_up(desk: Desk, underlying: str) -> None:
    """
    Write down every trade and delivery of *underlying* that the book does not have yet.

    A delivery waits while an order on its contract may have trades that were not told: one that
    came after it would never be settled.

    Raises:
        PortError: The venue did not answer.
    """
    keeper = desk.keeper
    since = (last_heard(keeper.book, underlying) or desk.now) - _SLACK
    activity = await desk.world.trading.activity(underlying, since)
    await _book_trades(desk, activity)
    waiting = {record.intent.contract for record in keeper.book.unsettled}
    for delivery in activity.deliveries:
        known = delivery.delivery_id in keeper.book.delivery_ids
        if not known and delivery.contract not in waiting:
            await keeper.record(
                Delivered(at=desk.now, delivery=delivery, index_usd=delivery.delivery_price_usd)
            )


async def _book_trades(desk: Desk, activity: Activity) -> None:
    """Trades of orders we know go to those orders; a terminal order that still trades alarms."""
    for fill in activity.fills:
        book = desk.keeper.book
        record = book.orders.get(fill.label or "")
        if record is None or fill.trade_id in book.trade_ids:
            continue
        label = record.intent.label
        if record.state.is_terminal and record.booked_amount >= record.filled_amount:
            subject = f"late trade {fill.trade_id} on {record.state} order"
            await desk.keeper.record(Alarm(at=desk.now, subject=subject, detail=label))
        await desk.keeper.record(
            OrderUpdated(
                at=desk.now,
                label=label,
                state=record.state,
                order_id=fill.order_id,
                filled_amount=record.filled_amount,
                fills=(fill,),
                reason="",
            )
        )


def next_look(record: OrderRecord, now: datetime) -> datetime | None:
    """
    When to ask for *record* again, after *now*; None if it can wait for the next tick.

    An order in doubt is asked for once an unknown label proves something, any other when its
    time ends; while that brings no answer, after pauses that double.
    """
    intent = record.intent
    is_in_doubt = record.state in _UNRESOLVED
    due_at = _told_for_sure(intent) if is_in_doubt else intent.expires_at
    if now < due_at:
        return due_at
    if now - due_at > _KEEN_FOR:
        return None
    return now + min(max(now - due_at, _FIRST_PAUSE), _LONGEST_PAUSE)


def _told_for_sure(intent: OrderIntent) -> datetime:
    """The first instant at which a venue that does not know *intent* never will."""
    return intent.valid_until + _AFTER_VALID + _INSTANT


async def resolve(desk: Desk, record: OrderRecord) -> None:
    """
    Find out what became of *record*, waiting if need be until the venue would not take it any
    more: only then does an unknown label mean that there is no such order.

    Raises:
        PortError: The venue did not answer, which proves nothing.
    """
    intent = record.intent
    if not await desk.world.trading.orders_by_label(intent.contract.underlying, intent.label):
        await desk.world.clock.sleep_until(_told_for_sure(intent))
    await _refresh(desk, record)


async def out_of_doubt(desk: Desk, record: OrderRecord) -> OrderRecord:
    """
    Return *record* as it is once the venue has said what became of it, with its trades booked.

    Where the venue does not say, it stays in doubt and is asked for again between ticks.
    """
    if record.state is not OrderState.UNKNOWN:
        return record
    underlying = record.intent.contract.underlying
    try:
        await resolve(desk, record)
        await catch_up(desk, underlying)
    except (Unavailable, Malformed, Refused) as error:
        subject = f"{type(error).__name__} on {underlying}"
        await desk.keeper.record(Alarm(at=desk.now, subject=subject, detail=str(error)))
    return desk.keeper.book.orders[record.intent.label]


async def _refresh(desk: Desk, record: OrderRecord) -> None:
    intent = record.intent
    # Asked, not answered, in time: lists age. And what was confirmed is only not listed yet.
    is_proof = record.state in _UNRESOLVED and await _is_too_late(desk, intent)
    orders = await desk.world.trading.orders_by_label(intent.contract.underlying, intent.label)
    if not orders:
        if is_proof:
            reason = "no list of the venue knows the label"
            await desk.keeper.record(_update(desk, intent, OrderState.NOT_PLACED, reason))
        return
    if len(orders) > 1:
        await halt(desk, f"{len(orders)} orders at the venue carry {intent.label}")
    is_over = len(orders) > 1 or desk.now >= intent.expires_at
    ended = [
        await cancel(desk, order) if is_over and not order.state.is_terminal else order
        for order in orders
    ]
    order = ended[0]
    await _note(desk, record, order)


async def _is_too_late(desk: Desk, intent: OrderIntent) -> bool:
    """Whether the venue, by its own clock, would not take *intent* any more."""
    if desk.now < _told_for_sure(intent):
        return False
    account = await desk.world.trading.account(intent.contract.underlying)
    return account.read_at > intent.valid_until + _AFTER_VALID


async def cancel(desk: Desk, order: Order) -> Order:
    """
    Cancel *order* and return it as the venue then knows it.

    Raises:
        Unavailable: The venue did not answer; the order may still work.
    """
    try:
        return await desk.world.trading.cancel(order)
    except Refused as error:
        known = await desk.world.trading.orders_by_label(
            order.contract.underlying, order.label or ""
        )
        if not known:
            raise Unavailable(f"order {order.order_id} cannot be found: {error}") from error
        return known[0]


async def cancel_openings(desk: Desk, underlying: str) -> None:
    """
    Cancel our working orders on *underlying* that open positions, and book what they traded.

    Raises:
        PortError: The venue did not answer.
    """
    openings = [
        record
        for record in desk.keeper.book.working
        if record.intent.contract.underlying == underlying and not record.intent.reduce_only
    ]
    for record in openings:
        await _withdraw(desk, record)
    if openings:
        await catch_up(desk, underlying)


async def withdraw(desk: Desk, record: OrderRecord) -> OrderRecord:
    """
    Cancel what is left of *record* and return it as it then is, with its trades booked.

    Raises:
        PortError: The venue did not answer.
    """
    await _withdraw(desk, record)
    await catch_up(desk, record.intent.contract.underlying)
    return desk.keeper.book.orders[record.intent.label]


async def _withdraw(desk: Desk, record: OrderRecord) -> None:
    underlying, label = record.intent.contract.underlying, record.intent.label
    for order in await desk.world.trading.orders_by_label(underlying, label):
        ended = order if order.state.is_terminal else await cancel(desk, order)
        await _note(desk, record, ended)


async def _note(desk: Desk, record: OrderRecord, order: Order) -> None:
    """Write down the order if it is not as the book has it, with the trades it made."""
    known = desk.keeper.book.orders[record.intent.label]
    if (order.state, order.filled_amount) == (known.state, known.filled_amount):
        return
    await desk.keeper.record(
        OrderUpdated(
            at=desk.now,
            label=record.intent.label,
            state=order.state,
            order_id=order.order_id,
            filled_amount=order.filled_amount,
            fills=(),
            reason="",
        )
    )


def _update(desk: Desk, intent: OrderIntent, state: OrderState, reason: str) -> OrderUpdated:
    return OrderUpdated(
        at=desk.now,
        label=intent.label,
        state=state,
        order_id=None,
        filled_amount=0.0,
        fills=(),
        reason=reason,
    )
