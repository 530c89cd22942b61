"""A market at Deribit in the venue's words: rows of its public lists."""

from datetime import datetime
from typing import Any

from adapters.deribit.market_data import DeribitMarketData
from ports.checks import epoch_ms
from ports.instruments import OptionContract
from ports.market_data import MarketSnapshot
from tests.support.deribit_venue import NOW, ScriptedVenue, result

CHAIN, LIST = "public/get_book_summary_by_currency", "public/get_instruments"
INDEX, TICKER = "public/get_index_price", "public/ticker"
CALL, PUT = "BTC-25SEP26-80000-C", "BTC-25SEP26-80000-P"
LATER = "BTC-30OCT26-90000-C"
Row = dict[str, Any]


def summary(name: str = CALL, **changed: Any) -> Row:
    row = {
        "instrument_name": name,
        "creation_timestamp": epoch_ms(NOW) - 5,
        "bid_price": 0.0155,
        "ask_price": 0.0165,
        "mark_price": 0.01583,
        "mark_iv": 51.25,
        "underlying_price": 80_250.5,
        "open_interest": 12.5,
        "volume": 3.5,
        "a_field_of_2027": {"tolerated": True},
    }
    return row | changed


def instrument(name: str = CALL, **changed: Any) -> Row:
    contract = OptionContract.from_symbol(name)
    row = {
        "instrument_name": name,
        "kind": "option",
        "base_currency": contract.underlying,
        "instrument_type": "reversed",
        "contract_size": 1.0,
        "min_trade_amount": 0.1,
        "tick_size": 0.0001,
        "tick_size_steps": [{"above_price": 0.005, "tick_size": 0.0005}],
        "expiration_timestamp": epoch_ms(contract.expiry),
        "strike": contract.strike,
        "option_type": contract.kind.value,
        "is_active": True,
        "state": "open",
        "taker_commission": 0.0003,
    }
    return row | changed


def ticker(name: str = CALL, **changed: Any) -> Row:
    row = {
        "instrument_name": name,
        "timestamp": epoch_ms(NOW),
        "state": "open",
        "best_bid_price": 0.016,
        "best_bid_amount": 4.0,
        "best_ask_price": 0.0165,
        "best_ask_amount": 0.7,
        "mark_price": 0.0161,
        "mark_iv": 52.0,
        "underlying_price": 80_260.0,
        "open_interest": 13.0,
    }
    return row | changed


def venue(
    *summaries: Row, listed: list[Row] | None = None, at: datetime = NOW, index: Any = 80_000.0
) -> ScriptedVenue:
    """A venue that quotes *summaries* and lists *listed*, by default what it quotes."""
    names = [row["instrument_name"] for row in summaries]
    rows = [instrument(name) for name in names] if listed is None else listed
    return (
        ScriptedVenue()
        .on(CHAIN, result(list(summaries), at=at))
        .on(LIST, result(rows, at=at))
        .on(INDEX, result({"index_price": index, "estimated_delivery_price": index}, at=at))
    )


async def snapshot(deribit: ScriptedVenue, underlying: str = "BTC") -> MarketSnapshot:
    market = DeribitMarketData(client=deribit.client(with_credentials=False))
    return await market.snapshot(underlying)
