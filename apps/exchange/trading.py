"""Orders put to the venue: placed, edited, found again."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from apps.exchange.advanced import coin_price
from apps.exchange.asked import (
    AT_MARKET,
    STAYING,
    Change,
    Place,
    amount_of,
    require_display_fits,
    terms_of,
)
from apps.exchange.bounds import Bounds, bounds_of
from apps.exchange.exchange import Exchange
from apps.exchange.guarding import clear_way, protect, require_unfrozen
from apps.exchange.instruments import instrument_named
from apps.exchange.ledger import OrderRecord
from apps.exchange.rpc import Fields, RpcError, invalid_params
from apps.exchange.wire_trading import NO_LABEL, label_of, order_fields, user_trade
from ports.checks import from_epoch_ms
from ports.errors import NeverSent, Refused
from ports.instruments import Contract
from ports.trading import Order, OrderIntent, Placed, Side
from ports.venue_log import OrderTerms

_PATIENCE = timedelta(hours=1)  # an order without valid_until is looked at now


async def place(exchange: Exchange, side: Side, asked: Place, connection: int | None) -> Fields:
    """
    Return the order that *asked* became, and its trades.

    Raises:
        RpcError, Refused, OutcomeUnknown, NeverSent, Unavailable: It was not placed.
    """
    contract = instrument_named(asked.instrument_name)
    terms = terms_of(asked, contract)
    if terms.mmp:
        require_unfrozen(exchange, contract.underlying)
    frame = await exchange.frame_of(contract)
    bounds = bounds_of(frame, contract)
    price = _price(asked, side, bounds)
    if terms.advanced is not None:
        price = coin_price(contract, side, terms, frame)
    price = bounds.taken(side, price)
    if asked.post_only and asked.reject_post_only:
        bounds.require_passive(side, price)
    intent = _intent(
        contract,
        side,
        amount_of(asked.amount, asked.contracts, contract),
        price,
        label=asked.label or NO_LABEL,
        reduce_only=asked.reduce_only,
        post_only=terms.post_only,
        at=exchange.now,
        valid_until=asked.valid_until,
    )
    await clear_way(exchange, contract, side, price)
    placed = await exchange.venue.place_for(intent, terms)
    await protect(exchange, contract.underlying)
    if connection is not None:
        exchange.ledger.connections[placed.order.order_id] = connection
    return _answer(exchange, placed)


async def edit(exchange: Exchange, record: OrderRecord, change: Change) -> Fields:
    """
    Return the order of *record* after *change*, and the trades that came of it.

    Raises:
        RpcError, Refused, OutcomeUnknown, NeverSent, Unavailable: It stands as it was.
    """
    order, terms = record.order, changed_terms(record.terms, change, record.order.contract)
    if order.state.is_terminal:
        raise Refused(11044, "not_open_order")
    frame = await exchange.frame_of(order.contract)
    bounds = bounds_of(frame, order.contract)
    price = order.price if change.price is None else change.price
    if terms.advanced is not None:
        price = coin_price(order.contract, order.side, terms, frame)
    price = bounds.taken(order.side, price)
    if terms.post_only and change.reject_post_only:
        bounds.require_passive(order.side, price)
    amount = order.amount
    if change.amount is not None or change.contracts is not None:
        amount = amount_of(change.amount, change.contracts, order.contract)
    if amount <= order.filled_amount:
        raise Refused(10002, "qty_too_low")
    intent = _intent(
        order.contract,
        order.side,
        round(amount - order.filled_amount, 8),
        price,
        label=order.label or NO_LABEL,
        reduce_only=order.reduce_only if change.reduce_only is None else change.reduce_only,
        post_only=terms.post_only,
        at=exchange.now,
        valid_until=change.valid_until,
    )
    await clear_way(exchange, order.contract, order.side, price)
    return _answer(exchange, await exchange.venue.edit(order.order_id, intent, terms))


async def follow(exchange: Exchange, coin: str) -> None:
    """Bring the prices of advanced orders in *coin* to where the market has them now."""
    frame = await exchange.frame(coin)
    for record in exchange.working_records(coin):
        order = record.order
        if record.terms.advanced is None or order.contract.symbol not in frame.listing.row_of:
            continue
        try:
            price = coin_price(order.contract, order.side, record.terms, frame)
        except RpcError:
            continue  # in its last half hour an option has no volatility to follow
        if price == order.price:
            continue
        intent = intent_of(order, price, exchange.now)
        terms = attrs.evolve(record.terms, is_auto_replaced=True)
        try:
            await exchange.venue.edit(order.order_id, intent, terms)
        except NeverSent:
            return  # the market did not answer: it follows later
        except Refused:
            await exchange.cancelled_if_open(record, "risk_mitigation")


def record_named(exchange: Exchange, order_id: str) -> OrderRecord:
    """
    Return the order with *order_id*.

    Raises:
        RpcError: 10004, there is none.
    """
    record = exchange.books(order_id.partition("-")[0]).orders.get(order_id)
    if record is None:
        raise RpcError(10004, "order_not_found")
    return record


def records_of(exchange: Exchange, coins: Iterable[str], label: str | None) -> list[OrderRecord]:
    """All orders in *coins*, those with *label* if one is given, oldest first."""
    return [
        record
        for coin in coins
        for record in exchange.books(coin).orders.values()
        if label is None or label_of(record.order.label) == label
    ]


def intent_of(order: Order, price: float, at: datetime, *, post_only: bool = False) -> OrderIntent:
    """What is left of *order* as an intent at *price*."""
    return _intent(
        order.contract,
        order.side,
        order.open_amount,
        price,
        label=order.label or NO_LABEL,
        reduce_only=order.reduce_only,
        post_only=post_only,
        at=at,
        valid_until=None,
    )


def _answer(exchange: Exchange, placed: Placed) -> Fields:
    record = exchange.record_of(placed.order)
    trades = exchange.books(placed.order.contract.underlying).trades
    made = [trade for trade in trades[-len(placed.fills) :] if trade.fill in placed.fills]
    return {
        "order": order_fields(record),
        "trades": [user_trade(trade, record) for trade in made],
    }


def _price(asked: Place, side: Side, bounds: Bounds) -> float:
    """
    The limit of the order: at the market the end of the band; what a market_limit order does
    not trade at once rests at the touch.
    """
    if asked.type in AT_MARKET:
        return bounds.worst(side)
    if asked.type == "market_limit":
        touch = bounds.touch(side)
        if touch is None:
            raise RpcError(11030, "other_reject no_quote")
        return touch
    if asked.price is None:
        raise invalid_params("price", "value required")
    return asked.price


def changed_terms(terms: OrderTerms, change: Change, contract: Contract) -> OrderTerms:
    """
    Return *terms* after *change*; an advanced order stays one, whether the word is repeated or not.

    Raises:
        RpcError: They do not go together, or with *contract*.
    """
    if change.post_only and (terms.order_type in AT_MARKET or terms.time_in_force not in STAYING):
        raise RpcError(11055, "post_only_not_allowed")
    require_display_fits(change.display_amount, contract)
    if change.advanced is not None and change.advanced != terms.advanced:
        raise RpcError(11041, "not_adv_order")
    if terms.advanced is not None and change.price is not None:
        terms = attrs.evolve(terms, advanced_price=change.price, is_auto_replaced=False)
    return attrs.evolve(
        terms,
        post_only=terms.post_only if change.post_only is None else change.post_only,
        reject_post_only=(
            terms.reject_post_only if change.reject_post_only is None else change.reject_post_only
        ),
        mmp=terms.mmp if change.mmp is None else change.mmp,
        display_amount=(
            terms.display_amount if change.display_amount is None else change.display_amount
        ),
    )


def _intent(
    contract: Contract,
    side: Side,
    amount: float,
    price: float,
    *,
    label: str,
    reduce_only: bool,
    post_only: bool,
    at: datetime,
    valid_until: int | None,
) -> OrderIntent:
    if price <= 0:
        raise RpcError(10023, "invalid_price")
    if amount <= 0:
        raise RpcError(10002, "qty_too_low")
    return OrderIntent(
        label=label,
        strategy_id="",
        position_id="",
        contract=contract,
        side=side,
        amount=amount,
        price=price,
        reduce_only=reduce_only,
        post_only=post_only,
        valid_until=at + _PATIENCE if valid_until is None else from_epoch_ms(valid_until),
        expires_at=at,
    )
