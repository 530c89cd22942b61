"""Orders, trades, settlements and the log in Deribit's words."""

from apps.exchange.exchange import ACCOUNT_ID, ACCOUNT_NAME
from apps.exchange.ledger import LogEntry, OrderRecord, Terms, TradeRecord
from apps.exchange.rpc import Fields
from apps.exchange.wire_market import public_trade
from core.simulation.matching import TimeInForce
from ports.checks import epoch_ms
from ports.trading import Delivery, Fill, OrderState, Side

NO_LABEL = "(no label)"  # what the venue keeps of an order without one

_STATES = {
    OrderState.OPEN: "open",
    OrderState.PARTIAL: "open",
    OrderState.FILLED: "filled",
    OrderState.REJECTED: "rejected",
    OrderState.CANCELLED: "cancelled",
    OrderState.EXPIRED: "cancelled",
}


_WAITING = (TimeInForce.GOOD_TIL_CANCELLED, TimeInForce.GOOD_TIL_DAY)


def order_fields(record: OrderRecord, terms: Terms) -> Fields:
    """The order object."""
    order = record.order
    fields: Fields = {
        "order_id": order.order_id,
        "user_id": ACCOUNT_ID,
        "instrument_name": order.contract.symbol,
        "direction": order.side.value,
        "order_type": terms.order_type,
        "time_in_force": terms.time_in_force.value,
        "order_state": _STATES[order.state],
        "price": "market_price" if terms.order_type == "market" else order.price,
        "amount": order.amount,
        "contracts": order.amount,
        "filled_amount": order.filled_amount,
        "average_price": record.average_price,
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
    if record.cancel_reason is not None and terms.time_in_force in _WAITING:
        fields["cancel_reason"] = record.cancel_reason
    return fields


def user_trade(trade: TradeRecord, record: OrderRecord, terms: Terms) -> Fields:
    """The user trade object: the public one, and what concerns its owner only."""
    fill = trade.fill
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


def log_fields(entry: LogEntry, coin: str) -> Fields:
    """One line of the transaction log. The equity of the past is not kept: null."""
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
        "equity": None,
        "interest_pl": None,
    }
    if entry.trade is not None:
        return fields | _trade_entry(entry.trade)
    if entry.delivery is not None:
        return fields | _delivery_entry(entry.delivery)
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
        "price": fill.price,
        "price_currency": fill.contract.underlying,
        "mark_price": trade.seen.mark if trade.seen else None,
        "index_price": fill.index_usd,
        "amount": fill.amount,
        "contracts": fill.amount,
        "position": trade.position,
        "info": "Source: api",
    }


def _delivery_entry(delivery: Delivery) -> Fields:
    return {
        "type": "delivery",
        "commission": delivery.fee_coin,
        "side": "long" if delivery.size > 0 else "short",
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
