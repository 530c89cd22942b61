"""The book folded from the journal: the only way anything becomes known to the agent."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import reduce, singledispatch
from hashlib import sha256
from typing import TypeVar

from attrs import evolve

from core.execution.flows import delivered, filled, tidy
from core.execution.futures import future_filled
from core.execution.greg_entries import (
    advised_since,
    greg_noted,
    sandbox_closed,
    sandbox_opened,
)
from core.execution.healing import healed
from core.execution.marking import drawdown_after, remarked, wealth_after
from core.execution.orders import moved
from ports.codec import to_json
from ports.decision_log import (
    ControlsSeen,
    Decided,
    Delivered,
    Denied,
    Entry,
    Executed,
    Halted,
    HealthChanged,
    Marked,
    Opened,
    OrderUpdated,
    Reconciled,
    RollEnded,
    RollStarted,
    Sent,
    Ticked,
)
from ports.instruments import OptionContract
from ports.positions import (
    BOOKS,
    Book,
    OrderRecord,
    Reconciliation,
    TrackedPosition,
    Undertaking,
)
from ports.trading import Fill, OrderState

_Value = TypeVar("_Value")
MEMORY = timedelta(days=8)  # kept behind what was last heard: it can still be told again


def fold(book: Book, entries: Iterable[Entry]) -> Book:
    """*book* after *entries*, in order."""
    return reduce(lambda state, entry: after(entry, state), entries, book)


def state_hash(book: Book) -> str:
    """The fingerprint of everything in *book*."""
    return sha256(to_json(BOOKS.encode(book)).encode()).hexdigest()


@singledispatch
def after(_entry: object, book: Book) -> Book:
    """*book* after one entry; an entry that only explains leaves it as it is."""
    return book


@after.register
def _opened(entry: Opened, book: Book) -> Book:
    return evolve(book, environment=entry.environment)


@after.register
def _controls(entry: ControlsSeen, book: Book) -> Book:
    released = entry.controls.releases > book.controls.releases
    book = evolve(book, controls=entry.controls)
    if not released:
        return book
    fall = book.drawdown and evolve(book.drawdown, peak_usd=book.drawdown.equity_usd)
    reconciliations = {
        key: evolve(value, differing=0) for key, value in book.reconciliations.items()
    }
    return evolve(book, halted="", drawdown=fall, reconciliations=reconciliations)


@after.register
def _decided(entry: Decided, book: Book) -> Book:
    key = turn_key(entry.strategy_id, entry.underlying)
    undertaking = Undertaking(at=entry.at, due_at=entry.due_at, actions=entry.approved)
    return evolve(book, undertakings={**book.undertakings, key: undertaking})


@after.register
def _sent(entry: Sent, book: Book) -> Book:
    record = OrderRecord(
        intent=entry.intent, state=OrderState.SENT, sent_at=entry.at, updated_at=entry.at
    )
    return evolve(
        book,
        counter=book.counter + 1,
        orders={**book.orders, entry.intent.label: record},
    )


@after.register
def _denied(_entry: Denied, book: Book) -> Book:
    return evolve(book, counter=book.counter + 1)


@after.register
def _updated(entry: OrderUpdated, book: Book) -> Book:
    record = book.orders.get(entry.label)
    fresh = tuple(fill for fill in entry.fills if fill.trade_id not in book.trade_ids)
    if record is None:  # forgotten long ago: its trades still count
        return _booked(book, fresh, None)
    booked = tidy(record.booked_amount + sum(fill.amount for fill in fresh))
    record = evolve(
        record,
        state=moved(record.state, entry.state),
        updated_at=entry.at,
        order_id=entry.order_id or record.order_id,
        filled_amount=max(record.filled_amount, entry.filled_amount, booked),
        booked_amount=booked,
        reason=entry.reason or record.reason,
    )
    book = evolve(book, orders={**book.orders, entry.label: record})
    return _booked(book, fresh, record)


@after.register
def _roll_started(entry: RollStarted, book: Book) -> Book:
    return evolve(book, rolls={**book.rolls, entry.position_id: entry})


@after.register
def _roll_ended(entry: RollEnded, book: Book) -> Book:
    return evolve(book, rolls=_without(book.rolls, entry.position_id))


@after.register
def _delivered(entry: Delivered, book: Book) -> Book:
    delivery = entry.delivery
    if delivery.delivery_id in book.delivery_ids:
        return book
    positions = dict(book.positions)
    for position in book.positions.values():
        size = sum(leg.size for leg in position.legs if leg.contract == delivery.contract)
        if position.closed_at is None and not position.sandbox and size != 0.0:
            positions[position.position_id] = delivered(
                position, delivery, entry.index_usd, size / delivery.size
            )
    orders = {
        label: evolve(record, state=moved(record.state, OrderState.EXPIRED), updated_at=entry.at)
        if record.intent.contract == delivery.contract and record.state.is_working
        else record
        for label, record in book.orders.items()
    }
    return evolve(
        book,
        positions=positions,
        orders=orders,
        delivery_ids={**book.delivery_ids, delivery.delivery_id: delivery.at},
    )


@after.register
def _executed(entry: Executed, book: Book) -> Book:
    key = turn_key(entry.strategy_id, entry.underlying)
    return evolve(
        book,
        undertakings=_without(book.undertakings, key),
        turns={**book.turns, key: entry.at},
    )


@after.register
def _marked(entry: Marked, book: Book) -> Book:
    marks = {mark.contract: mark.mark_coin for mark in entry.marks}
    positions = {
        key: remarked(position, marks, entry)
        if position.closed_at is None and position.underlying == entry.underlying
        else position
        for key, position in book.positions.items()
    }
    before = book.wealth.get(entry.underlying)
    wealth = {**book.wealth, entry.underlying: wealth_after(before, positions, entry)}
    drawdown = drawdown_after(book.drawdown, wealth, entry.at)
    return evolve(book, positions=positions, wealth=wealth, drawdown=drawdown)


@after.register
def _ticked(entry: Ticked, book: Book) -> Book:
    """The end of a tick is also when what is old is forgotten."""
    coins = {record.intent.contract.underlying for record in book.orders.values()}
    heard = (last_heard(book, coin) for coin in coins | set(book.wealth))
    oldest = min([entry.due_at, *(at for at in heard if at is not None)]) - MEMORY
    return evolve(
        advised_since(book, oldest),
        ticked_at=entry.due_at,
        undertakings={},
        orders={
            label: record
            for label, record in book.orders.items()
            if not record.is_settled or record.updated_at >= oldest
        },
        trade_ids=_since(book.trade_ids, oldest),
        delivery_ids=_since(book.delivery_ids, oldest),
    )


@after.register
def _reconciled(entry: Reconciled, book: Book) -> Book:
    before = book.reconciliations.get(entry.underlying)
    clean = not entry.differences
    now = Reconciliation(
        at=entry.at,
        clean=clean,
        differing=0 if clean else 1 + (before.differing if before else 0),
        differences=entry.differences,
    )
    return evolve(book, reconciliations={**book.reconciliations, entry.underlying: now})


@after.register
def _halted(entry: Halted, book: Book) -> Book:
    return evolve(book, halted=entry.reason)


@after.register
def _health_changed(entry: HealthChanged, book: Book) -> Book:
    return evolve(book, health=entry.state, health_cause=entry.cause, is_paused=entry.is_pausing)


after.register(healed)
after.register(greg_noted)
after.register(sandbox_opened)
after.register(sandbox_closed)


def last_heard(book: Book, underlying: str) -> datetime | None:
    """
    Until when every trade and delivery of *underlying* is known to be booked.

    The last mark or, if it is older, the oldest order whose trades may not all be told; before
    the first mark the oldest order there is. None if nothing ever happened.
    """
    wealth = book.wealth.get(underlying)
    instants = [
        record.sent_at
        for record in book.orders.values()
        if record.intent.contract.underlying == underlying
        and (wealth is None or not record.is_settled)
    ]
    return min([*instants, *([wealth.marked_at] if wealth else [])], default=None)


def turn_key(strategy_id: str, underlying: str) -> str:
    """The key of a strategy's turns on one underlying."""
    return f"{strategy_id}/{underlying}"


def _booked(book: Book, fills: tuple[Fill, ...], record: OrderRecord | None) -> Book:
    """*book* with *fills*, each in the position that its order was sent for."""
    if not fills:
        return book
    positions = dict(book.positions)
    for fill in fills:
        key = record.intent.position_id if record else f"external-{fill.contract.symbol}"
        position = positions.get(key) or TrackedPosition(
            position_id=key,
            strategy_id=record.intent.strategy_id if record else "external",
            underlying=fill.contract.underlying,
            opened_at=fill.at,
            legs=(),
        )
        is_option = isinstance(fill.contract, OptionContract)
        positions[key] = (filled if is_option else future_filled)(position, fill)
    trade_ids = {**book.trade_ids, **{fill.trade_id: fill.at for fill in fills}}
    return evolve(book, positions=positions, trade_ids=trade_ids)


def _without(values: Mapping[str, _Value], gone: str) -> dict[str, _Value]:
    return {key: value for key, value in values.items() if key != gone}


def _since(seen: Mapping[str, datetime], oldest: datetime) -> dict[str, datetime]:
    return {key: at for key, at in seen.items() if at >= oldest}
