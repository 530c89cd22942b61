"""An account at Deribit in the venue's words, where nothing happens unless a test says so."""

from datetime import timedelta
from typing import Any

from adapters.deribit.trading import DeribitTrading
from ports.checks import epoch_ms
from ports.instruments import OptionContract
from ports.trading import OrderIntent, Side
from tests.support.deribit_venue import NOW, Reply, ScriptedVenue, result

NAME = "BTC-25SEP26-80000-C"
CONTRACT = OptionContract.from_symbol(NAME)
SUMMARY, POSITIONS = "private/get_account_summary", "private/get_positions"
BUY, SELL, CANCEL = "private/buy", "private/sell", "private/cancel"
OPEN, HISTORY = "private/get_open_orders_by_currency", "private/get_order_history_by_currency"
BY_LABEL, OPEN_BY_LABEL = "private/get_order_state_by_label", "private/get_open_orders_by_label"
TRADES = "private/get_user_trades_by_currency"
SETTLEMENTS = "private/get_settlement_history_by_currency"
SECOND = timedelta(seconds=1)
Row = dict[str, Any]

INTENT = OrderIntent(
    label="covered_call_v1.20260918T120000000000Z.000007.open",
    strategy_id="covered_call_v1",
    position_id="p1",
    contract=CONTRACT,
    side=Side.SELL,
    amount=0.3,
    price=0.0165,
    reduce_only=False,
    post_only=False,
    valid_until=NOW + timedelta(seconds=5),
    expires_at=NOW + timedelta(seconds=120),
)


def order(order_id: str = "BTC-1", **changed: Any) -> Row:
    """An order in the words of 2026."""
    row = {
        "order_id": order_id,
        "instrument_name": NAME,
        "direction": "sell",
        "order_state": "open",
        "time_in_force": "good_til_cancelled",
        "price": 0.0165,
        "amount": 0.3,
        "filled_amount": 0.0,
        "average_price": 0.0,
        "label": INTENT.label,
        "reduce_only": False,
        "post_only": False,
        "creation_timestamp": epoch_ms(NOW),
        "last_update_timestamp": epoch_ms(NOW),
    }
    return row | changed


def trade(trade_id: str = "445682190", **changed: Any) -> Row:
    row = {
        "trade_id": trade_id,
        "order_id": "BTC-1",
        "instrument_name": NAME,
        "direction": "sell",
        "amount": 0.3,
        "price": 0.0165,
        "fee": 0.00009,
        "fee_currency": "BTC",
        "index_price": 80_000.0,
        "timestamp": epoch_ms(NOW),
        "liquidity": "T",
        "label": INTENT.label,
    }
    return row | changed


def trades(*rows: Row, has_more: bool = False) -> Reply:
    return result({"trades": list(rows), "has_more": has_more})


def settlements(*rows: Row, continuation: str | None = None) -> Reply:
    return result({"settlements": list(rows), "continuation": continuation})


def recent_or_old(recent: Reply, old: Reply) -> Reply:
    """Another answer to historical=true than to historical=false."""
    return lambda asked: (old if asked["params"]["historical"] else recent)(asked)


def quiet() -> ScriptedVenue:
    """A venue where nothing ever happened."""
    venue = ScriptedVenue().on(TRADES, trades()).on(SETTLEMENTS, settlements())
    for method in (OPEN, HISTORY, BY_LABEL, OPEN_BY_LABEL, POSITIONS):
        venue.on(method, result([]))
    return venue


def trading(venue: ScriptedVenue) -> DeribitTrading:
    return DeribitTrading(client=venue.client())


def answering(method: str, *rows: Any) -> ScriptedVenue:
    return quiet().on(method, *(result(row) for row in rows))


def delivery(name: str = NAME, **changed: Any) -> Row:
    row = {
        "type": "exercise",
        "timestamp": epoch_ms(NOW),
        "instrument_name": name,
        "position": -0.5,
        "index_price": 100_000.0,
        "mark_price": 0.2,
        "profit_loss": -0.09,
        "session_profit_loss": 0.0,
    }
    return row | changed
