"""Stop, take and trailing orders: armed, changed, and placed when their price is reached."""

import attrs

from apps.exchange.asked import AT_MARKET, Change, Place, amount_of, terms_of
from apps.exchange.bounds import bounds_of
from apps.exchange.exchange import Exchange
from apps.exchange.frames import Frame
from apps.exchange.guarding import clear_way, require_unfrozen
from apps.exchange.instruments import instrument_named
from apps.exchange.ledger import OrderRecord
from apps.exchange.rpc import Fields, RpcError, invalid_params
from apps.exchange.trading import changed_terms, intent_of
from apps.exchange.wire_trading import NO_LABEL, order_fields
from ports.errors import NeverSent, Refused
from ports.instruments import Contract, ContractRules, OptionContract
from ports.trading import Order, OrderState, Side
from ports.venue_log import TriggerOrder, VenueStep

_MOST_ARMED = 100  # of one coin


async def arm(exchange: Exchange, side: Side, asked: Place) -> Fields:
    """
    Return the order that waits as *asked* words it; it has no trades yet.

    Raises:
        RpcError: It may not wait like that.

        Unavailable: The market does not answer.
    """
    contract = instrument_named(asked.instrument_name)
    terms = terms_of(asked, contract)
    rules = (await exchange.moment(contract.underlying)).rules_of(contract)
    frame = await exchange.frame(contract.underlying)
    if asked.trigger is None:
        raise invalid_params("trigger", "value required")
    waiting = TriggerOrder(
        order=_order(exchange, side, asked, contract),
        terms=terms,
        reference=asked.trigger,
        trigger_price=0.0,
        trigger_offset=asked.trigger_offset if asked.type == "trailing_stop" else None,
    )
    _require_on_grid(waiting.order, rules)
    waiting = _at(waiting, asked.trigger_price, _reference(exchange, waiting, frame), rules)
    return await _keep(exchange, waiting)


async def rearm(exchange: Exchange, record: OrderRecord, change: Change) -> Fields:
    """
    Return the waiting order of *record* after *change*.

    Raises:
        RpcError: It may not wait like that, or does not wait any more.

        Unavailable: The market does not answer.
    """
    async with exchange.waiting_turn:
        waiting = exchange.armed_one(record.order)
        if waiting is None:
            raise RpcError(11044, "not_open_order")
        return await _keep(exchange, await _changed(exchange, waiting, change))


async def _changed(exchange: Exchange, waiting: TriggerOrder, change: Change) -> TriggerOrder:
    order, terms = waiting.order, changed_terms(waiting.terms, change, waiting.order.contract)
    frame = await exchange.frame(order.contract.underlying)
    rules = (await exchange.moment(order.contract.underlying)).rules_of(order.contract)
    if change.reduce_only is not None:
        order = attrs.evolve(order, reduce_only=change.reduce_only)
    if change.amount is not None or change.contracts is not None:
        amount = amount_of(change.amount, change.contracts, order.contract)
        order = attrs.evolve(order, amount=_above_zero(amount))
    if change.price is not None and order.price != 0.0:
        order = attrs.evolve(order, price=_limit(change.price))
    _require_on_grid(order, rules)
    waiting = attrs.evolve(waiting, order=order, terms=terms)
    if change.trigger_offset is not None and waiting.trigger_offset is not None:
        waiting = attrs.evolve(waiting, trigger_offset=change.trigger_offset)
    elif change.trigger_price is None:
        return waiting
    return _at(waiting, change.trigger_price, _reference(exchange, waiting, frame), rules)


async def fire(exchange: Exchange, coin: str) -> None:
    """
    Place what waits in *coin* and whose price is reached; trail what trails.

    Raises:
        Unavailable: The market does not answer.
    """
    frame = await exchange.frame(coin)
    for known in exchange.armed(coin):
        async with exchange.waiting_turn:
            waiting = exchange.armed_one(known.order)
            if waiting is not None:
                await _look_at(exchange, waiting, frame)


async def _look_at(exchange: Exchange, waiting: TriggerOrder, frame: Frame) -> None:
    contract = waiting.order.contract
    if isinstance(contract, OptionContract) and contract.symbol not in frame.listing.row_of:
        await _record(exchange, waiting.ended(OrderState.EXPIRED))
        return
    price = _reference(exchange, waiting, frame)
    if _is_reached(waiting, price):
        await _place(exchange, waiting, frame)
    elif waiting.trigger_offset is not None:
        trailed = _trailed(waiting, price)
        if trailed != waiting:
            await _record(exchange, trailed)


async def _place(exchange: Exchange, waiting: TriggerOrder, frame: Frame) -> None:
    order, terms = waiting.order, waiting.terms
    bounds = bounds_of(frame, order.contract)
    price = bounds.worst(order.side) if order.price == 0.0 else order.price
    try:
        if terms.mmp:
            require_unfrozen(exchange, order.contract.underlying)
        price = bounds.taken(order.side, price)
        if terms.post_only and terms.reject_post_only:
            bounds.require_passive(order.side, price)
        await clear_way(exchange, order.contract, order.side, price)
        intent = intent_of(order, price, exchange.now, post_only=terms.post_only)
        await exchange.venue.place_for(intent, terms, waiting)
    except NeverSent:
        return  # the market did not answer: it waits on
    except (Refused, RpcError):
        await _record(exchange, waiting.ended(OrderState.REJECTED))


def _order(exchange: Exchange, side: Side, asked: Place, contract: Contract) -> Order:
    """The order as it waits."""
    coin = contract.underlying
    records = exchange.books(coin).orders.values()
    number = 1 + sum(record.trigger is not None for record in records)
    if len(exchange.armed(coin)) >= _MOST_ARMED:
        raise RpcError(11035, f"no_more_triggers {_MOST_ARMED}")
    if asked.type == "trailing_stop" and asked.trigger_offset is None:
        raise invalid_params("trigger_offset", "value required")
    if asked.type not in AT_MARKET and asked.price is None:
        raise invalid_params("price", "value required")
    return Order(
        order_id=f"{coin}-SLIB-{number}",
        label=asked.label or NO_LABEL,
        contract=contract,
        side=side,
        amount=_above_zero(amount_of(asked.amount, asked.contracts, contract)),
        filled_amount=0.0,
        price=0.0 if asked.price is None or asked.type in AT_MARKET else _limit(asked.price),
        reduce_only=asked.reduce_only,
        state=OrderState.OPEN,
        created_at=exchange.now,
    )


def _above_zero(amount: float) -> float:
    if amount <= 0:
        raise RpcError(10002, "qty_too_low")
    return amount


def _limit(price: float) -> float:
    if price <= 0:
        raise RpcError(10023, "invalid_price")
    return price


def _require_on_grid(order: Order, rules: ContractRules) -> None:
    """Band and funds are looked at when the order is placed, its grids already now."""
    if rules.lots_down(order.amount) < rules.lots_up(rules.min_amount):
        raise RpcError(10002, "qty_too_low")
    try:
        rules.lots(order.amount)
    except ValueError as error:
        raise RpcError(10021, "invalid_amount") from error
    if order.price and not rules.is_on_tick(order.price):
        raise RpcError(10043, "price_wrong_tick")


async def _keep(exchange: Exchange, waiting: TriggerOrder) -> Fields:
    await _record(exchange, waiting)
    return {"order": order_fields(exchange.record_of(waiting.order)), "trades": []}


async def _record(exchange: Exchange, waiting: TriggerOrder) -> None:
    await exchange.ledger.append(VenueStep(at=exchange.now, triggers=(waiting,)))


def _at(
    waiting: TriggerOrder, asked: float | None, reference: float, rules: ContractRules
) -> TriggerOrder:
    """*waiting* at the trigger price *asked*, which must not be reached yet; a trailing one has
    an offset instead."""
    if waiting.trigger_offset is not None:
        if waiting.trigger_offset <= 0:
            raise invalid_params("trigger_offset", "wrong format")
        below = waiting.order.side is Side.SELL
        offset = -waiting.trigger_offset if below else waiting.trigger_offset
        return attrs.evolve(waiting, trigger_price=reference + offset)
    if asked is None:
        raise invalid_params("trigger_price", "value required")
    if asked <= 0:
        raise RpcError(11036, "invalid_trigger_price")
    if not rules.is_on_tick(asked):
        raise RpcError(10044, "trigger_price_wrong_tick")
    waiting = attrs.evolve(waiting, trigger_price=asked)
    if _is_reached(waiting, reference):
        if _waits_for_rise(waiting):
            raise RpcError(10035, f"trigger_price_too_low {reference}")
        raise RpcError(10034, f"trigger_price_too_high {reference}")
    return waiting


def _trailed(waiting: TriggerOrder, price: float) -> TriggerOrder:
    """A trailing stop follows the price where it moves away from it."""
    offset = waiting.trigger_offset or 0.0
    if waiting.order.side is Side.SELL:
        return attrs.evolve(waiting, trigger_price=max(waiting.trigger_price, price - offset))
    return attrs.evolve(waiting, trigger_price=min(waiting.trigger_price, price + offset))


def _is_reached(waiting: TriggerOrder, price: float) -> bool:
    if _waits_for_rise(waiting):
        return price >= waiting.trigger_price
    return price <= waiting.trigger_price


def _waits_for_rise(waiting: TriggerOrder) -> bool:
    """Stops protect: a buy waits for a rise; takes take profit: a buy waits for a fall."""
    is_take = waiting.terms.order_type.startswith("take")
    return (waiting.order.side is Side.BUY) != is_take


def _reference(exchange: Exchange, waiting: TriggerOrder, frame: Frame) -> float:
    """The price that *waiting* looks at; the mark where it never traded."""
    contract = waiting.order.contract
    if waiting.reference == "index_price":
        return frame.index_usd
    last = exchange.books(contract.underlying).last_trade(contract)
    if waiting.reference == "last_price" and last is not None:
        return last.fill.price
    return bounds_of(frame, contract).mark
