"""Orders as clients word them, checked and put to the venue."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from apps.exchange.exchange import Exchange
from apps.exchange.frames import Frame, known
from apps.exchange.instruments import option_named
from apps.exchange.ledger import OrderRecord, Terms
from apps.exchange.params import Instant, Number, OfInstrument, Params
from apps.exchange.rpc import Fields, RpcError, invalid_params
from apps.exchange.wire_trading import NO_LABEL, label_of, order_fields, user_trade
from core.simulation.matching import TimeInForce
from ports.checks import from_epoch_ms
from ports.errors import Refused
from ports.instruments import OptionContract
from ports.trading import OrderIntent, Placed, Side

_PATIENCE = timedelta(hours=1)  # an order without valid_until is looked at now
Label = Annotated[str, Field(max_length=64, pattern=r"^[ -~]*$")]


class Place(OfInstrument):
    """Of private/buy and private/sell."""

    amount: Number | None = None
    contracts: Number | None = None
    type: str = "limit"
    price: Number | None = None
    time_in_force: TimeInForce = TimeInForce.GOOD_TIL_CANCELLED
    label: Label = ""
    post_only: bool = False
    reject_post_only: bool = False
    reduce_only: bool = False
    mmp: bool = False
    valid_until: Instant | None = None
    advanced: str | None = None
    display_amount: Number | None = None
    refresh_amount: Number | None = None
    max_show: Number | None = None
    trigger: str | None = None
    trigger_price: Number | None = None
    trigger_offset: Number | None = None
    linked_order_type: str | None = None
    trigger_fill_condition: str | None = None
    otoco_config: list[Fields] | None = None


class Change(Params):
    """What an edit may change."""

    amount: Number | None = None
    contracts: Number | None = None
    price: Number | None = None
    post_only: bool | None = None
    reject_post_only: bool | None = None
    reduce_only: bool | None = None
    mmp: bool | None = None
    valid_until: Instant | None = None
    advanced: str | None = None
    display_amount: Number | None = None
    refresh_amount: Number | None = None
    trigger_price: Number | None = None
    trigger_offset: Number | None = None


async def place(exchange: Exchange, side: Side, asked: Place, connection: int | None) -> Fields:
    """
    Return the order that *asked* became, and its trades.

    Raises:
        RpcError, Refused, OutcomeUnknown, NeverSent, Unavailable: It was not placed.
    """
    _require_supported(asked)
    contract = option_named(asked.instrument_name)
    frame = await exchange.frame_of(contract)
    is_market = asked.type == "market"
    price = _market_price(frame, contract, side) if is_market else _limit_price(asked.price)
    _require_in_band(frame, contract, side, price)
    is_post_only = asked.post_only and not is_market
    if is_post_only and asked.reject_post_only:
        _require_passive(frame, contract, side, price)
    intent = _intent(
        contract,
        side,
        _amount(asked.amount, asked.contracts),
        price,
        label=asked.label or NO_LABEL,
        reduce_only=asked.reduce_only,
        post_only=is_post_only,
        at=exchange.now,
        valid_until=asked.valid_until,
    )
    stays = asked.time_in_force
    lifetime = TimeInForce.IMMEDIATE_OR_CANCEL if is_market and stays in _STAYING else stays
    placed = await exchange.venue.place_for(intent, lifetime)
    exchange.ledger.terms[placed.order.order_id] = Terms(
        order_type=asked.type,
        time_in_force=lifetime,
        post_only=is_post_only,
        reject_post_only=asked.reject_post_only,
        mmp=asked.mmp,
        connection=connection,
    )
    return _answer(exchange, placed)


async def edit(exchange: Exchange, record: OrderRecord, change: Change) -> Fields:
    """
    Return the order of *record* after *change*, and the trades that came of it.

    Raises:
        RpcError, Refused, OutcomeUnknown, NeverSent, Unavailable: It stands as it was.
    """
    if change.advanced is not None or change.trigger_price is not None:
        raise RpcError(10033, "not_implemented", {"reason": "plain limit orders only"})
    order, terms = record.order, exchange.ledger.terms_of(record.order)
    frame = await exchange.frame_of(order.contract)
    price = order.price if change.price is None else change.price
    if order.state.is_working:
        _require_in_band(frame, order.contract, order.side, price)
    is_post_only = terms.post_only if change.post_only is None else change.post_only
    if is_post_only and change.reject_post_only:
        _require_passive(frame, order.contract, order.side, price)
    amount = order.amount
    if change.amount is not None or change.contracts is not None:
        amount = _amount(change.amount, change.contracts)
    if amount <= order.filled_amount:
        raise Refused(10002, "qty_too_low")
    intent = _intent(
        order.contract,
        order.side,
        round(amount - order.filled_amount, 8),
        price,
        label=order.label or NO_LABEL,
        reduce_only=order.reduce_only if change.reduce_only is None else change.reduce_only,
        post_only=is_post_only,
        at=exchange.now,
        valid_until=change.valid_until,
    )
    placed = await exchange.venue.edit(order.order_id, intent)
    return _answer(exchange, placed)


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


def _answer(exchange: Exchange, placed: Placed) -> Fields:
    record = exchange.record_of(placed.order)
    terms = exchange.ledger.terms_of(placed.order)
    trades = exchange.books(placed.order.contract.underlying).trades
    made = [trade for trade in trades[-len(placed.fills) :] if trade.fill in placed.fills]
    return {
        "order": order_fields(record, terms),
        "trades": [user_trade(trade, record, terms) for trade in made],
    }


def _intent(
    contract: OptionContract,
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


def _require_supported(asked: Place) -> None:
    """Plain limit and market orders are taken; triggers, icebergs and IV orders are not."""
    if asked.type not in ("limit", "market"):
        if asked.type not in _OTHER_TYPES:
            raise invalid_params("type", "wrong format")
        raise RpcError(10033, "not_implemented", {"reason": f"type {asked.type}"})
    others = (
        asked.advanced,
        asked.display_amount,
        asked.max_show,
        asked.trigger,
        asked.trigger_price,
        asked.trigger_offset,
        asked.linked_order_type,
        asked.otoco_config,
    )
    if any(other is not None for other in others):
        raise RpcError(10033, "not_implemented", {"reason": "plain limit and market orders only"})
    is_passing = asked.type == "market" or asked.time_in_force not in _STAYING
    if asked.post_only and is_passing:
        raise RpcError(11055, "post_only_not_allowed")


def _limit_price(price: float | None) -> float:
    if price is None:
        raise invalid_params("price", "value required")
    return price


def _amount(amount: float | None, contracts: float | None) -> float:
    """Options are counted in contracts of one coin: both words mean the same."""
    given = amount if amount is not None else contracts
    if given is None:
        raise invalid_params("amount", "value required")
    if contracts is not None and amount is not None and contracts != amount:
        raise invalid_params("contracts", "must agree with amount")
    return given


def _row(frame: Frame, contract: OptionContract) -> int:
    row = frame.listing.row_of.get(contract.symbol)
    if row is not None:
        return row
    if contract.expiry <= frame.snapshot.taken_at:
        raise RpcError(13019, "orderbook_closed")
    raise RpcError(13020, "not_found")


def _market_price(frame: Frame, contract: OptionContract, side: Side) -> float:
    """A market order is a limit order at the end of the band."""
    row = _row(frame, contract)
    return frame.most_price(row) if side is Side.BUY else frame.least_price(row)


def _require_in_band(frame: Frame, contract: OptionContract, side: Side, price: float) -> None:
    row = _row(frame, contract)
    least, most = frame.least_price(row), frame.most_price(row)
    if side is Side.BUY and price > most:
        raise RpcError(10007, f"price_too_high {most}")
    if side is Side.SELL and 0 < price < least:
        raise RpcError(10005, f"price_too_low {least}")


def _require_passive(frame: Frame, contract: OptionContract, side: Side, price: float) -> None:
    row = _row(frame, contract)
    touch = known(frame.ask[row] if side is Side.BUY else frame.bid[row])
    if touch is not None and side.sign * (price - touch) >= 0:
        raise RpcError(11054, "post_only_reject")


_STAYING = (TimeInForce.GOOD_TIL_CANCELLED, TimeInForce.GOOD_TIL_DAY)
_OTHER_TYPES = (
    "market_limit",
    "stop_limit",
    "stop_market",
    "take_limit",
    "take_market",
    "trailing_stop",
)
