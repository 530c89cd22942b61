"""Orders, trades, settlements and the log in Deribit's words."""

from datetime import datetime

from apps.exchange.asked import AT_MARKET
from apps.exchange.exchange import ACCOUNT_ID, ACCOUNT_NAME
from apps.exchange.instruments import contracts_in
from apps.exchange.ledger import LogEntry, OrderRecord, TradeRecord
from apps.exchange.rpc import Fields
from apps.exchange.wire_market import public_trade
from ports.checks import epoch_ms
from ports.instruments import FutureContract
from ports.trading import Delivery, Fill, OrderState, Side
from ports.venue_log import FutureSettlement, TriggerOrder

NO_LABEL = "(no label)"  # what the venue keeps of an order without one

_STATES = {
    OrderState.OPEN: "open",
    OrderState.PARTIAL: "open",
    OrderState.FILLED: "filled",
    OrderState.REJECTED: "rejected",
    OrderState.CANCELLED: "cancelled",
    OrderState.EXPIRED: "cancelled",
}

_TRIGGER_STATES = {**_STATES, OrderState.OPEN: "new"}


def order_fields(record: OrderRecord) -> Fields:
    """The order object."""
    order, terms = record.order, record.terms
    fields: Fields = {
        "order_id": order.order_id,
        "user_id": ACCOUNT_ID,
        "instrument_name": order.contract.symbol,
        "direction": order.side.value,
        "order_type": terms.order_type,
        "time_in_force": terms.time_in_force.value,
        "order_state": _STATES[order.state],
        "price": "market_price" if terms.order_type in AT_MARKET else order.price,
        "amount": order.amount,
        "contracts": contracts_in(order.contract, order.amount),
        "filled_amount": order.filled_amount,
        "average_price": round(record.average_price, 8),
        "label": label_of(order.label),
        "post_only": terms.post_only,
        "reject_post_only": terms.reject_post_only,
        "reduce_only": order.reduce_only,
        "api": True,
        "web": False,
        "mmp": terms.mmp,
        "creation_timestamp": epoch_ms(order.created_at),
        "last_update_timestamp": epoch_ms(record.updated_at),
        "replaced": record.is_replaced,
        "is_liquidation": False,
        "is_rebalance": False,
        "risk_reducing": order.reduce_only,
    }
    if record.cancel_reason is not None:
        fields["cancel_reason"] = record.cancel_reason
    if terms.advanced is not None:
        fields |= {
            "advanced": terms.advanced,
            terms.advanced: terms.advanced_price,
            "auto_replaced": terms.is_auto_replaced,
        }
    if record.trigger is not None:
        fields |= _trigger_fields(record.trigger)
    if terms.display_amount is not None:
        shown = {"display_amount": terms.display_amount, "refresh_amount": terms.display_amount}
        fields |= shown
    return fields


def _trigger_fields(waiting: TriggerOrder) -> Fields:
    state = "untriggered" if waiting.order.state is OrderState.OPEN else None
    fields: Fields = {
        "trigger": waiting.reference,
        "trigger_price": waiting.trigger_price,
        "triggered": bool(waiting.placed_id),
    }
    if waiting.trigger_offset is not None:
        fields["trigger_offset"] = waiting.trigger_offset
    if waiting.placed_id:
        state = "triggered"
    return fields if state is None else fields | {"order_state": state}


def trigger_fields(waiting: TriggerOrder, updated_at: datetime) -> Fields:
    """The entry of an order that waits or waited, in the history of trigger orders."""
    order = waiting.order
    state = "triggered" if waiting.placed_id else _TRIGGER_STATES[order.state]
    at_market = waiting.terms.order_type in AT_MARKET
    return {
        "trigger": waiting.reference,
        "timestamp": epoch_ms(updated_at),
        "last_update_timestamp": epoch_ms(updated_at),
        "trigger_price": waiting.trigger_price,
        "trigger_order_id": order.order_id,
        "order_id": waiting.placed_id or None,
        "order_state": state,
        "order_type": "market" if at_market else "limit",  # of what is placed in the end
        "request": "trigger:cancel" if state == "cancelled" else "trigger:order",
        "price": "market_price" if at_market else order.price,
        "offset": waiting.trigger_offset,  # as documented; recorded is the name below
        "trigger_offset": waiting.trigger_offset,
        "instrument_name": order.contract.symbol,
        "amount": order.amount,
        "direction": order.side.value,
        "label": label_of(order.label),
        "post_only": waiting.terms.post_only,
        "reduce_only": order.reduce_only,
    }


def user_trade(trade: TradeRecord, record: OrderRecord) -> Fields:
    """The user trade object: the public one, and what concerns its owner only."""
    fill, terms = trade.fill, record.terms
    return {
        **public_trade(trade),
        "direction": fill.side.value,
        "order_id": fill.order_id,
        "order_type": terms.order_type,
        "state": _STATES[record.order.state],
        "label": label_of(fill.label),
        "liquidity": "M" if fill.is_maker else "T",
        "fee": fill.fee_coin,
        "fee_currency": fill.contract.underlying,
        "profit_loss": trade.profit_coin,
        "underlying_price": trade.seen.forward if trade.seen else None,
        "matching_id": None,
        "reduce_only": record.order.reduce_only,
        "post_only": terms.post_only,
        "mmp": terms.mmp,
        "api": True,
        "risk_reducing": record.order.reduce_only,
        "user_id": ACCOUNT_ID,
    }


def settlement_fields(delivery: Delivery) -> Fields:
    """The settlement record of a position that expired."""
    payoff_coin = delivery.contract.payoff_coin(delivery.delivery_price_usd)
    return {
        "type": "delivery",
        "timestamp": epoch_ms(delivery.at),
        "instrument_name": delivery.contract.symbol,
        "position": delivery.size,
        "index_price": delivery.delivery_price_usd,
        "mark_price": payoff_coin,
        "profit_loss": delivery.cash_coin - delivery.fee_coin,
        "session_profit_loss": delivery.cash_coin - delivery.fee_coin,
    }


def future_settlement_fields(settlement: FutureSettlement) -> Fields:
    """The settlement record of a future that is held on."""
    return {
        "type": "settlement",
        "timestamp": epoch_ms(settlement.at),
        "instrument_name": settlement.contract.symbol,
        "position": settlement.size_usd,
        "index_price": settlement.price,
        "mark_price": settlement.price,
        "profit_loss": settlement.profit_coin,
        "session_profit_loss": settlement.profit_coin,
        "funding": settlement.funding_coin,
    }


def log_fields(entry: LogEntry, coin: str) -> Fields:
    """One line of the transaction log."""
    fields: Fields = {
        "id": entry.number,
        "user_seq": entry.number,
        "user_id": ACCOUNT_ID,
        "username": ACCOUNT_NAME,
        "timestamp": epoch_ms(entry.at),
        "currency": coin,
        "change": entry.change_coin,
        "cashflow": entry.change_coin,
        "balance": entry.balance_coin,
        "equity": entry.equity_coin,
        "interest_pl": None,
    }
    if entry.trade is not None:
        return fields | _trade_entry(entry.trade)
    if entry.delivery is not None:
        return fields | _delivery_entry(entry.delivery)
    if entry.settlement is not None:
        return fields | _settlement_entry(entry.settlement)
    return fields | _DEPOSIT_ENTRY


def label_of(label: str | None) -> str:
    """A label as the client gave it: empty if it gave none."""
    return "" if label is None or label == NO_LABEL else label


_DEPOSIT_ENTRY: Fields = {
    "type": "deposit",
    "commission": 0.0,
    "side": "-",
    "instrument_name": None,
    "order_id": None,
    "trade_id": None,
    "price": None,
    "position": None,
    "info": {"deposit_type": "wallet"},
}


def _trade_entry(trade: TradeRecord) -> Fields:
    fill = trade.fill
    is_future = isinstance(fill.contract, FutureContract)
    return {
        "type": "trade",
        "commission": fill.fee_coin,
        "side": _side_words(fill, trade.position),
        "instrument_name": fill.contract.symbol,
        "order_id": fill.order_id,
        "trade_id": fill.trade_id,
        "user_role": "maker" if fill.is_maker else "taker",
        "fee_role": "maker" if fill.is_maker else "taker",
        "profit_as_cashflow": False,
        "session_rpl": trade.profit_coin if is_future else None,
        "price": fill.price,
        "price_currency": "USD" if is_future else fill.contract.underlying,
        "mark_price": trade.seen.mark if trade.seen else None,
        "index_price": fill.index_usd,
        "amount": fill.amount,
        "contracts": contracts_in(fill.contract, fill.amount),
        "position": trade.position,
        "info": "Source: api",
    }


def _settlement_entry(settlement: FutureSettlement) -> Fields:
    return {
        "type": "settlement",
        "commission": 0.0,
        "side": "-" if not settlement.size_usd else _long_or_short(settlement.size_usd),
        "instrument_name": settlement.contract.symbol,
        "order_id": None,
        "trade_id": None,
        "price": settlement.price,
        "price_currency": "USD",
        "mark_price": settlement.price,
        "index_price": settlement.price,
        "settlement_price": settlement.price,
        "amount": abs(settlement.size_usd),
        "contracts": contracts_in(settlement.contract, abs(settlement.size_usd)),
        "position": settlement.size_usd,
        "interest_pl": settlement.funding_coin,
        "total_interest_pl": settlement.funding_coin,
        "session_rpl": settlement.profit_coin,
        "session_upl": 0.0,
        "info": {"settlement_price": settlement.price},
    }


def _long_or_short(size: float) -> str:
    return "long" if size > 0 else "short"


def _delivery_entry(delivery: Delivery) -> Fields:
    return {
        "type": "delivery",
        "commission": delivery.fee_coin,
        "side": _long_or_short(delivery.size),
        "instrument_name": delivery.contract.symbol,
        "order_id": None,
        "trade_id": None,
        "price": delivery.contract.payoff_coin(delivery.delivery_price_usd),
        "price_currency": delivery.contract.underlying,
        "index_price": delivery.delivery_price_usd,
        "amount": abs(delivery.size),
        "contracts": abs(delivery.size),
        "position": 0.0,
        "session_rpl": delivery.cash_coin,
        "session_upl": 0.0,
        "info": {"settlement_price": delivery.delivery_price_usd},
    }


def _side_words(fill: Fill, position: float) -> str:
    """What Deribit calls it: a trade that ends beyond zero, or at a larger position, opens."""
    is_open = position * fill.side.sign > 0
    word = "open" if is_open else "close"
    return f"{word} {'buy' if fill.side is Side.BUY else 'sell'}"
