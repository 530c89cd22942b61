"""Private methods about orders: placing, editing, cancelling, finding them."""

from collections.abc import Iterable
from typing import Literal

from apps.exchange.asked import WAITING, Change, Label, Place
from apps.exchange.exchange import Exchange
from apps.exchange.instruments import instrument_named
from apps.exchange.ledger import OrderRecord
from apps.exchange.limits import Cost
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.methods_order_lists import (
    OrderType,
    all_told,
    is_asked,
    told,
    working,
)
from apps.exchange.params import (
    Currency,
    Kind,
    Names,
    Number,
    OfInstrument,
    Params,
)
from apps.exchange.rpc import Fields, RpcError
from apps.exchange.trading import (
    edit,
    place,
    record_named,
    records_of,
)
from apps.exchange.triggers import arm, rearm
from ports.trading import Side


class Edit(Change):
    """Of private/edit."""

    order_id: str


class EditByLabel(Change, OfInstrument):
    """Of private/edit_by_label."""

    label: Label


class OfOrder(Params):
    """One order."""

    order_id: str


class Cancels(Params):
    """What all methods that cancel many orders take."""

    detailed: bool = False
    freeze_quotes: bool = False
    type: OrderType = "all"
    kind: Kind | None = None


class CancelByCurrency(Cancels):
    """Of private/cancel_all_by_currency."""

    currency: Currency


class CancelByPair(Cancels):
    """Of private/cancel_all_by_currency_pair."""

    currency_pair: str


class CancelByInstrument(Cancels, OfInstrument):
    """Of private/cancel_all_by_instrument."""

    include_combos: bool = False


class CancelByKind(Cancels):
    """Of private/cancel_all_by_kind_or_type."""

    currency: Names


class CancelByLabel(Params):
    """Of private/cancel_by_label."""

    label: Label
    currency: Currency | None = None


class Close(OfInstrument):
    """Of private/close_position."""

    type: Literal["limit", "market"]
    price: Number | None = None


async def buy(call: Call, params: Place) -> Fields:
    """Buy: the order and its trades."""
    return await _place(call, Side.BUY, params)


async def sell(call: Call, params: Place) -> Fields:
    """Sell: the order and its trades."""
    return await _place(call, Side.SELL, params)


async def edit_order(call: Call, params: Edit) -> Fields:
    """Another price or amount: the order and its trades."""
    return await _edit(call.exchange, record_named(call.exchange, params.order_id), params)


async def edit_by_label(call: Call, params: EditByLabel) -> Fields:
    """Edit the one open order that carries a label."""
    contract = instrument_named(params.instrument_name)
    found = [
        record
        for record in records_of(call.exchange, (contract.underlying,), params.label)
        if record.order.state.is_working and record.order.contract == contract
    ]
    if not found:
        raise RpcError(10004, "order_not_found")
    if len(found) > 1:
        raise RpcError(13032, "non_unique_order_label")
    return await _edit(call.exchange, found[0], params)


async def cancel(call: Call, params: OfOrder) -> Fields:
    """Cancel one order."""
    record = record_named(call.exchange, params.order_id)
    return told(await call.exchange.cancelled(record, "user_request"))


async def cancel_all(call: Call, params: Cancels) -> object:
    """Cancel everything."""
    return await _cancel(call.exchange, working(call.exchange, call.exchange.params.coins), params)


async def cancel_all_by_currency(call: Call, params: CancelByCurrency) -> object:
    """Cancel all orders of a coin."""
    return await _cancel(call.exchange, working(call.exchange, (params.currency,)), params)


async def cancel_all_by_currency_pair(call: Call, params: CancelByPair) -> object:
    """Cancel all orders of a pair such as btc_usd; those of no other quote currency."""
    coins = [
        coin for coin in call.exchange.params.coins if params.currency_pair == f"{coin.lower()}_usd"
    ]
    return await _cancel(call.exchange, working(call.exchange, coins), params)


async def cancel_all_by_instrument(call: Call, params: CancelByInstrument) -> object:
    """Cancel all orders of an instrument."""
    instrument_named(params.instrument_name)
    coins = call.exchange.params.coins
    found = [
        record
        for record in working(call.exchange, coins)
        if record.order.contract.symbol == params.instrument_name
    ]
    return await _cancel(call.exchange, found, params)


async def cancel_all_by_kind_or_type(call: Call, params: CancelByKind) -> object:
    """Cancel all orders of some coins."""
    coins = call.exchange.params.coins
    chosen = coins if "any" in params.currency else tuple(set(coins) & set(params.currency))
    return await _cancel(call.exchange, working(call.exchange, chosen), params)


async def cancel_by_label(call: Call, params: CancelByLabel) -> int:
    """Cancel all orders with a label."""
    exchange = call.exchange
    coins = exchange.params.coins if params.currency is None else (params.currency,)
    found = [
        record
        for record in records_of(exchange, coins, params.label)
        if record.order.state.is_working
    ]
    return await _cancel_each(exchange, found)


async def close_position(call: Call, params: Close) -> Fields:
    """Trade what is held away with a reduce-only order."""
    exchange, contract = call.exchange, instrument_named(params.instrument_name)
    size = (await exchange.moment(contract.underlying)).account.size_of(contract)
    if size == 0:
        raise RpcError(10010, "already_closed")
    asked = Place(
        instrument_name=params.instrument_name,
        amount=abs(size),
        type=params.type,
        price=params.price,
        reduce_only=True,
    )
    side = Side.SELL if size > 0 else Side.BUY
    return await place(exchange, side, asked, call.connection_number)


_WRITE = "trade:read_write"
ORDER_METHODS: Methods = {
    "private/buy": Method(buy, Place, scope=_WRITE, cost=Cost.MATCHING),
    "private/sell": Method(sell, Place, scope=_WRITE, cost=Cost.MATCHING),
    "private/edit": Method(edit_order, Edit, scope=_WRITE, cost=Cost.MATCHING),
    "private/edit_by_label": Method(edit_by_label, EditByLabel, scope=_WRITE, cost=Cost.MATCHING),
    "private/cancel": Method(cancel, OfOrder, scope=_WRITE, cost=Cost.MATCHING),
    "private/cancel_all": Method(cancel_all, Cancels, scope=_WRITE, cost=Cost.CANCEL_ALL),
    "private/cancel_all_by_currency": Method(
        cancel_all_by_currency, CancelByCurrency, scope=_WRITE, cost=Cost.MATCHING
    ),
    "private/cancel_all_by_currency_pair": Method(
        cancel_all_by_currency_pair, CancelByPair, scope=_WRITE, cost=Cost.MATCHING
    ),
    "private/cancel_all_by_instrument": Method(
        cancel_all_by_instrument, CancelByInstrument, scope=_WRITE, cost=Cost.MATCHING
    ),
    "private/cancel_all_by_kind_or_type": Method(
        cancel_all_by_kind_or_type, CancelByKind, scope=_WRITE, cost=Cost.MATCHING
    ),
    "private/cancel_by_label": Method(
        cancel_by_label, CancelByLabel, scope=_WRITE, cost=Cost.MATCHING
    ),
    "private/close_position": Method(close_position, Close, scope=_WRITE, cost=Cost.MATCHING),
}


async def _place(call: Call, side: Side, asked: Place) -> Fields:
    if asked.type in WAITING:
        return await arm(call.exchange, side, asked)
    return await place(call.exchange, side, asked, call.connection_number)


async def _edit(exchange: Exchange, record: OrderRecord, change: Change) -> Fields:
    if record.trigger is not None:
        return await rearm(exchange, record, change)
    return await edit(exchange, record, change)


async def _cancel(exchange: Exchange, records: list[OrderRecord], asked: Cancels) -> object:
    """The count of orders cancelled, or the report that *detailed* asks for."""
    chosen = [each for each in records if is_asked(each, asked.kind, asked.type)]
    count = await _cancel_each(exchange, chosen)
    if not asked.detailed:
        return count
    reports: dict[tuple[str, str], list[OrderRecord]] = {}
    for record in chosen:
        kind = "limit" if record.trigger is None else "trigger"
        key = (record.order.contract.symbol, kind)
        reports.setdefault(key, []).append(exchange.record_of(record.order))
    return [
        {
            "currency": ended[0].order.contract.underlying,
            "type": kind,
            "instrument_name": name,
            "result": all_told(ended),
        }
        for (name, kind), ended in reports.items()
    ]


async def _cancel_each(exchange: Exchange, records: Iterable[OrderRecord]) -> int:
    count = 0
    for record in records:
        if exchange.record_of(record.order).order.state.is_working:
            count += await exchange.cancelled_if_open(record, "user_request")
    return count
