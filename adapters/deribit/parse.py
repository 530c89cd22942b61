"""The venue's answers about our account as our values; what cannot be read is Malformed."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from adapters.deribit.models import (
    AccountLimits,
    AccountSummary,
    HeldPosition,
    PlacedOrder,
    RateLimit,
    SettlementRecord,
    UserTrade,
)
from adapters.deribit.rpc import Answer
from adapters.deribit.throttle import Limit
from ports.checks import epoch_ms, from_epoch_ms
from ports.errors import Malformed
from ports.instruments import (
    Contract,
    ContractRules,
    FutureContract,
    OptionContract,
    contract_named,
)
from ports.trading import (
    Account,
    Delivery,
    Fill,
    FuturePosition,
    Order,
    OrderState,
    Position,
    Side,
)

COINS = ("BTC", "ETH")  # of the inverse options

_Model = TypeVar("_Model", bound=BaseModel)
_Value = TypeVar("_Value")

_STATES = {
    "open": OrderState.OPEN,
    "untriggered": OrderState.OPEN,  # not in the book, but it may trade any time
    "triggered": OrderState.OPEN,
    "filled": OrderState.FILLED,
    "rejected": OrderState.REJECTED,
    "cancelled": OrderState.CANCELLED,
}
_NEITHER = re.compile(r"[A-Z_]+-[A-Z]+-.*|[A-Z]+_[A-Z]+")  # BTC-CS-28AUG26-100000_110000, BTC_USDC
_DELIVERED = frozenset({"delivery", "exercise"})  # exercise since August 2026


def read_as(model: type[_Model], answer: Answer) -> _Model:
    """
    Return the result of *answer* as *model*.

    Raises:
        Malformed: It is something else.
    """
    return _validated(model, answer.result, answer.method)


def rows_as(model: type[_Model], answer: Answer) -> tuple[_Model, ...]:
    """
    Return the result of *answer*, a list, as rows of *model*: all of them or none.

    Raises:
        Malformed: It is no list, or one row is something else.
    """
    if not isinstance(answer.result, list):
        raise Malformed(f"{answer.method}: the result is not a list")
    return tuple(_validated(model, row, answer.method) for row in answer.result)


def contract_of(instrument_name: str) -> Contract:
    """
    Return the option or future that the venue calls *instrument_name*.

    Raises:
        Malformed: It is the name of neither.
    """
    return _built(lambda: contract_named(instrument_name))


def is_single(row: PlacedOrder | UserTrade) -> bool:
    """Whether *row* is of an option or future, no combination and no spot pair."""
    return _NEITHER.fullmatch(row.instrument_name) is None


def funding_of(answer: Answer) -> float:
    """
    Return the sum of funding that *answer* tells, a fraction of the coin held.

    Raises:
        Malformed: It is not a number that can be meant.
    """
    told = answer.result
    if isinstance(told, bool) or not isinstance(told, int | float) or not abs(told) < 1.0:
        raise Malformed(f"{answer.method}: a funding of {told!r}")
    return float(told)


def account_of(
    summary: AccountSummary, held: tuple[Position | FuturePosition, ...], read_at: datetime
) -> Account:
    """Return the account that *summary* and the positions *held* make."""
    return Account(
        underlying=summary.currency,
        read_at=read_at,
        balance_coin=summary.balance,
        equity_coin=summary.equity,
        initial_margin_coin=summary.initial_margin,
        maintenance_margin_coin=summary.maintenance_margin,
        positions=tuple(each for each in held if isinstance(each, Position)),
        futures=tuple(each for each in held if isinstance(each, FuturePosition)),
    )


def limits_of(summary: AccountSummary) -> AccountLimits | None:
    """The limits of requests in *summary*; None if they are missing or of another shape."""
    try:
        return AccountLimits.model_validate(summary.limits)
    except ValidationError:
        return None


def limit_of(told: RateLimit) -> Limit:
    """Return *told* as a limit."""
    return Limit(burst=told.burst, per_second=told.rate)


def position_of(held: HeldPosition) -> Position | FuturePosition:
    """
    Return *held* as a position, negative short.

    Raises:
        Malformed: It is of no option or future, or size and direction contradict each other.
    """
    sign = {"buy": 1, "sell": -1, "zero": 0}[held.direction]
    if held.size * sign < 0 or (held.size != 0) != (sign != 0):
        raise Malformed(f"{held.instrument_name}: {held.direction} of size {held.size}")
    contract = contract_of(held.instrument_name)
    if isinstance(contract, FutureContract):
        return _built(lambda: _future_of(held, contract))
    return Position(
        contract=contract,
        size=held.size,
        average_price=held.average_price,
        mark=held.mark_price,
    )


def is_held(position: Position | FuturePosition) -> bool:
    """Whether *position* is one still: a future that was closed has its profit until settled."""
    if isinstance(position, FuturePosition):
        return position.size_usd != 0.0 or position.profit_coin != 0.0
    return position.size != 0.0


def order_of(told: PlacedOrder) -> Order:
    """
    Return *told* as an order; one without a limit has price 0.

    Raises:
        Malformed: It is on no option or future, or in a state we do not know.
    """
    contract = contract_of(told.instrument_name)
    return _built(
        lambda: Order(
            order_id=told.order_id,
            label=told.label or None,
            contract=contract,
            side=Side(told.direction),
            amount=told.amount,
            filled_amount=told.filled_amount,
            price=0.0 if told.price == "market_price" else told.price,
            reduce_only=told.reduce_only,
            state=_state_of(told, contract),
            created_at=from_epoch_ms(told.creation_timestamp),
        )
    )


def fill_of(trade: UserTrade) -> Fill:
    """
    Return *trade* as a fill.

    Raises:
        Malformed: It is of no option or future, or its fee is in another currency than its coin.
    """
    contract = contract_of(trade.instrument_name)
    if trade.fee_currency != contract.underlying:
        raise Malformed(f"trade {trade.trade_id}: a fee in {trade.fee_currency}")
    return Fill(
        trade_id=trade.trade_id,
        order_id=trade.order_id,
        label=trade.label or None,
        contract=contract,
        side=Side(trade.direction),
        amount=trade.amount,
        price=trade.price,
        fee_coin=trade.fee,
        index_usd=trade.index_price,
        at=from_epoch_ms(trade.timestamp),
        is_maker=trade.liquidity == "M",
    )


def is_delivery(record: SettlementRecord) -> bool:
    """Whether *record* is the end of an option position; other records are of futures."""
    return (
        record.type in _DELIVERED
        and record.instrument_name[-2:] in ("-C", "-P")
        and record.position != 0.0
    )


def delivery_of(record: SettlementRecord, rules: ContractRules) -> Delivery:
    """
    Return *record* as a delivery; what it paid and cost follows from price and terms.

    The venue's record has no fee: it is that of *rules*.

    Raises:
        Malformed: The record does not say what was delivered at what price.
    """
    contract = _built(lambda: OptionContract.from_symbol(record.instrument_name))
    if not record.index_price > 0:
        raise Malformed(f"{record.instrument_name}: delivered at {record.index_price}")
    payoff_coin = contract.payoff_coin(record.index_price)
    return Delivery(
        delivery_id=f"{record.instrument_name}:{record.timestamp}",
        contract=contract,
        size=record.position,
        at=from_epoch_ms(record.timestamp),
        delivery_price_usd=record.index_price,
        price_source="venue",
        price_error_usd=0.0,
        cash_coin=record.position * payoff_coin,
        fee_coin=rules.delivery_fee(contract, payoff_coin, abs(record.position)),
    )


def _validated(model: type[_Model], content: object, what: str) -> _Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in wrong["loc"]) or "result"
        raise Malformed(f"{what}: {place}: {wrong['msg']}") from error


def _built(build: Callable[[], _Value]) -> _Value:
    """What *build* makes; a value that refuses to be is the venue's fault here."""
    try:
        return build()
    except ValueError as error:
        raise Malformed(str(error)) from error


def _future_of(held: HeldPosition, contract: FutureContract) -> FuturePosition:
    if held.floating_profit_loss is None or held.realized_profit_loss is None:
        raise Malformed(f"{held.instrument_name}: a future without its profit")
    return FuturePosition(
        contract=contract,
        size_usd=held.size,
        average_price=held.average_price,
        mark=held.mark_price,
        profit_coin=held.floating_profit_loss + held.realized_profit_loss,
    )


def _state_of(told: PlacedOrder, contract: Contract) -> OrderState:
    if told.order_state not in _STATES:
        raise Malformed(f"order {told.order_id} is {told.order_state!r}")
    state = _STATES[told.order_state]
    if state is OrderState.OPEN and told.filled_amount > 0:
        return OrderState.PARTIAL
    expiry = contract.expiry
    expired = expiry is not None and told.last_update_timestamp >= epoch_ms(expiry)
    return OrderState.EXPIRED if state is OrderState.CANCELLED and expired else state
