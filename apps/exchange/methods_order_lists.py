"""Private methods that find orders: open ones, closed ones, one by its id or label."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pydantic import Field

from apps.exchange.asked import WAITING, Label
from apps.exchange.exchange import Exchange
from apps.exchange.instruments import instrument_named, kind_of
from apps.exchange.ledger import OrderRecord
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.params import (
    Currency,
    CurrencyOrAny,
    Kind,
    Names,
    OfInstrument,
    Params,
    Whole,
)
from apps.exchange.rpc import Fields
from apps.exchange.trading import record_named, records_of
from apps.exchange.wire_positions import order_margin_coin
from apps.exchange.wire_trading import order_fields, trigger_fields

OrderType: TypeAlias = Literal[
    "all",
    "limit",
    "trigger_all",
    "stop_all",
    "stop_limit",
    "stop_market",
    "stop",
    "take_all",
    "take_limit",
    "take_market",
    "take",
    "trailing_all",
    "trailing_stop",
]
_RECENT = timedelta(minutes=30)  # how long closed orders are told without asking for history
_OLD = timedelta(days=2)
_READ = "trade:read"


class OrderState(Params):
    """Of private/get_order_state."""

    order_id: str
    historical: bool = False


class Open(Params):
    """Of private/get_open_orders."""

    kind: Kind | None = None
    type: OrderType = "all"


class OpenByCurrency(Open):
    """Of private/get_open_orders_by_currency."""

    currency: CurrencyOrAny


class OpenByInstrument(OfInstrument):
    """Of private/get_open_orders_by_instrument."""

    type: OrderType = "all"


class ByLabel(Params):
    """Of private/get_open_orders_by_label."""

    currency: Currency
    label: Label | None = None


class StateByLabel(Params):
    """Of private/get_order_state_by_label."""

    currency: Currency
    label: Label


class History(Params):
    """What both lists of past orders take."""

    kind: Kind | None = None
    count: Whole = Field(default=20, ge=1, le=1000)
    offset: Whole = Field(default=0, ge=0)
    include_old: bool = False
    include_unfilled: bool = False
    with_continuation: bool = False
    continuation: str | None = Field(default=None, pattern=r"^\d+$")
    historical: bool = False


class HistoryByCurrency(History):
    """Of private/get_order_history_by_currency."""

    currency: CurrencyOrAny


class HistoryByInstrument(History, OfInstrument):
    """Of private/get_order_history_by_instrument."""


class TriggerHistory(Params):
    """Of private/get_trigger_order_history."""

    currency: CurrencyOrAny
    instrument_name: str | None = None
    count: Whole = Field(default=20, ge=1, le=1000)
    continuation: str | None = Field(default=None, pattern=r"^\d+$")


class Ids(Params):
    """Of private/get_order_margin_by_ids."""

    ids: Names


async def get_open_orders(call: Call, params: Open) -> list[Fields]:
    """All orders that work."""
    await call.exchange.catch_up()
    found = working(call.exchange, call.exchange.params.coins)
    return all_told([each for each in found if is_asked(each, params.kind, params.type)])


async def get_open_orders_by_currency(call: Call, params: OpenByCurrency) -> list[Fields]:
    """The orders of a coin that work."""
    await call.exchange.catch_up()
    coins = call.exchange.params.coins if params.currency == "any" else (params.currency,)
    found = working(call.exchange, coins)
    return all_told([each for each in found if is_asked(each, params.kind, params.type)])


async def get_open_orders_by_instrument(call: Call, params: OpenByInstrument) -> list[Fields]:
    """The orders of an instrument that work."""
    instrument_named(params.instrument_name)
    await call.exchange.catch_up()
    found = [
        each
        for each in working(call.exchange, call.exchange.params.coins)
        if is_in(each, params.instrument_name) and is_asked(each, None, params.type)
    ]
    return all_told(found)


async def get_open_orders_by_label(call: Call, params: ByLabel) -> list[Fields]:
    """The orders with a label that work."""
    await call.exchange.catch_up()
    found = records_of(call.exchange, (params.currency,), params.label)
    return all_told([each for each in found if each.order.state.is_working])


async def get_order_state(call: Call, params: OrderState) -> Fields:
    """One order, whatever became of it."""
    await call.exchange.catch_up()
    return told(record_named(call.exchange, params.order_id))


async def get_order_state_by_label(call: Call, params: StateByLabel) -> list[Fields]:
    """The orders with a label that work, or closed within the last half hour."""
    await call.exchange.catch_up()
    since = call.exchange.now - _RECENT
    found = records_of(call.exchange, (params.currency,), params.label)
    return all_told(
        [each for each in found if each.order.state.is_working or each.updated_at >= since],
    )


async def get_order_history_by_currency(call: Call, params: HistoryByCurrency) -> object:
    """Closed orders of a coin, newest first."""
    await call.exchange.catch_up()
    coins = call.exchange.params.coins if params.currency == "any" else (params.currency,)
    found = records_of(call.exchange, coins, None)
    kept = [each for each in found if is_asked(each, params.kind, "all")]
    return _history(call.exchange, kept, params)


async def get_order_history_by_instrument(call: Call, params: HistoryByInstrument) -> object:
    """Closed orders of an instrument, newest first."""
    instrument_named(params.instrument_name)
    await call.exchange.catch_up()
    found = records_of(call.exchange, call.exchange.params.coins, None)
    return _history(
        call.exchange, [each for each in found if is_in(each, params.instrument_name)], params
    )


async def get_trigger_order_history(call: Call, params: TriggerHistory) -> Fields:
    """The orders that wait or waited for a trigger, the one that changed last first."""
    await call.exchange.catch_up()
    coins = call.exchange.params.coins if params.currency == "any" else (params.currency,)
    entries = [
        trigger_fields(each.trigger, each.updated_at)
        for each in sorted(
            records_of(call.exchange, coins, None), key=lambda each: each.updated_at, reverse=True
        )
        if each.trigger is not None
        and (params.instrument_name is None or is_in(each, params.instrument_name))
    ]
    skip = 0 if params.continuation is None else int(params.continuation)
    more = str(skip + params.count) if len(entries) > skip + params.count else None
    return {"entries": entries[skip : skip + params.count], "continuation": more}


async def get_order_margin_by_ids(call: Call, params: Ids) -> list[Fields]:
    """What the rest of each order binds."""
    told: list[Fields] = []
    for order_id in params.ids:
        record = record_named(call.exchange, order_id)
        coin = record.order.contract.underlying
        moment = await call.exchange.moment(coin)
        told.append(
            {
                "order_id": order_id,
                "initial_margin": order_margin_coin(record.order, moment),
                "initial_margin_currency": coin,
            }
        )
    return told


ORDER_LIST_METHODS: Methods = {
    "private/get_open_orders": Method(get_open_orders, Open, scope=_READ),
    "private/get_open_orders_by_currency": Method(
        get_open_orders_by_currency, OpenByCurrency, scope=_READ
    ),
    "private/get_open_orders_by_instrument": Method(
        get_open_orders_by_instrument, OpenByInstrument, scope=_READ
    ),
    "private/get_open_orders_by_label": Method(get_open_orders_by_label, ByLabel, scope=_READ),
    "private/get_order_state": Method(get_order_state, OrderState, scope=_READ),
    "private/get_order_state_by_label": Method(get_order_state_by_label, StateByLabel, scope=_READ),
    "private/get_order_history_by_currency": Method(
        get_order_history_by_currency, HistoryByCurrency, scope=_READ
    ),
    "private/get_order_history_by_instrument": Method(
        get_order_history_by_instrument, HistoryByInstrument, scope=_READ
    ),
    "private/get_trigger_order_history": Method(
        get_trigger_order_history, TriggerHistory, scope=_READ
    ),
    "private/get_order_margin_by_ids": Method(get_order_margin_by_ids, Ids, scope=_READ),
}


def told(record: OrderRecord) -> Fields:
    """The order object of *record*."""
    return order_fields(record)


def all_told(records: Iterable[OrderRecord]) -> list[Fields]:
    """The order objects of *records*."""
    return [told(record) for record in records]


def working(exchange: Exchange, coins: Iterable[str]) -> list[OrderRecord]:
    """The orders in *coins* that work, oldest first."""
    return [record for record in records_of(exchange, coins, None) if record.order.state.is_working]


def is_in(record: OrderRecord, instrument_name: str) -> bool:
    """Whether *record* is of the instrument."""
    return record.order.contract.symbol == instrument_name


def is_asked(record: OrderRecord, kind: str | None, order_type: OrderType) -> bool:
    """Whether *record* is of the *kind*, None for every one, and the *order_type* asked for."""
    own = "limit" if record.trigger is None else record.terms.order_type
    is_of_kind = kind in (None, "any", kind_of(record.order.contract))
    return is_of_kind and own in _TYPES.get(order_type, (order_type,))


_STOPS, _TAKES = ("stop_limit", "stop_market"), ("take_limit", "take_market")
_TYPES: dict[str, tuple[str, ...]] = {  # of orders that wait outside the book; others are limits
    "all": ("limit", *WAITING),
    "trigger_all": WAITING,
    "stop_all": _STOPS,
    "stop": _STOPS,
    "take_all": _TAKES,
    "take": _TAKES,
    "trailing_all": ("trailing_stop",),
}


def _history(exchange: Exchange, records: list[OrderRecord], asked: History) -> object:
    """Recent orders, or with `historical` only those that are not recent any more."""
    edge, oldest = exchange.now - _RECENT, exchange.now - _OLD
    found = [each for each in records if _is_asked_for(each, asked, edge, oldest)]
    found.sort(key=lambda each: each.updated_at, reverse=True)
    skip = asked.offset if asked.continuation is None else int(asked.continuation)
    page = all_told(found[skip : skip + asked.count])
    if not asked.with_continuation:
        return page
    more = str(skip + asked.count) if len(found) > skip + asked.count else None
    return {"orders": page, "continuation": more}


def _is_asked_for(record: OrderRecord, asked: History, edge: datetime, oldest: datetime) -> bool:
    """Whether *record* is closed and of the time asked for: up to *edge* it is historical."""
    is_of_time = (record.updated_at < edge) == asked.historical
    is_young = asked.include_old or asked.historical or record.updated_at >= oldest
    is_filled = asked.include_unfilled or record.order.filled_amount > 0
    return is_of_time and is_young and is_filled and not record.order.state.is_working
