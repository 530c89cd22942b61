"""Public methods to look things up: indices, volumes, announcements, and what is not here."""

from datetime import timedelta
from typing import Literal

import numpy as np
from pydantic import Field

from apps.exchange.exchange import Exchange
from apps.exchange.instruments import instrument_id
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.methods_market import Book, get_order_book
from apps.exchange.params import CurrencyOrAny, Instant, Params, Whole
from apps.exchange.past import past_snapshot
from apps.exchange.rpc import Fields, RpcError
from apps.exchange.wire_account import opened_ms
from apps.exchange.wire_market import index_name, volatility_index_name
from ports.instruments import FutureContract

_DAY = timedelta(days=1)


class IndexNames(Params):
    """Of public/get_supported_index_names."""

    type: Literal["all", "spot", "derivative"] = "all"
    extended: bool = False


class Volumes(Params):
    """Of public/get_trade_volumes."""

    extended: bool = False


class Announcements(Params):
    """Of public/get_announcements."""

    start_timestamp: Instant | None = None
    count: Whole = Field(default=5, ge=1, le=50)


class AprHistory(Params):
    """Of public/get_apr_history."""

    currency: str
    limit: Whole = Field(default=365, ge=1, le=365)
    before: Whole | None = None


class Combos(Params):
    """Of public/get_combos and public/get_combo_ids."""

    currency: CurrencyOrAny
    state: Literal["rfq", "active", "inactive"] | None = None


class ComboId(Params):
    """Of public/get_combo_details."""

    combo_id: str


class BlockTrades(Params):
    """Of public/get_block_rfq_trades."""

    currency: CurrencyOrAny
    count: Whole = Field(default=20, ge=1, le=1000)
    continuation: str | None = None


class BookById(Params):
    """Of public/get_order_book_by_instrument_id."""

    instrument_id: Whole
    depth: Whole = 5


async def get_supported_index_names(call: Call, params: IndexNames) -> list[object]:
    """The names of the indices: of coins, and of their volatility."""
    coins = call.exchange.params.coins
    spot = [index_name(coin) for coin in coins]
    derivative = [volatility_index_name(coin) for coin in coins]
    names = {"all": [*spot, *derivative], "spot": spot, "derivative": derivative}[params.type]
    if not params.extended:
        return list(names)
    return [
        {"name": name, "future_combo_enabled": False, "option_combo_enabled": False}
        for name in names
    ]


async def get_trade_volumes(call: Call, params: Volumes) -> list[Fields]:
    """What was traded of options in a day, and with *extended* in a week and a month."""
    exchange = call.exchange
    told: list[Fields] = []
    for coin in exchange.params.coins:
        fields = _volumes(coin, await _traded(exchange, coin, 1), "")
        if params.extended:
            fields |= _volumes(coin, await _traded(exchange, coin, 7), "_7d")
            fields |= _volumes(coin, await _traded(exchange, coin, 30), "_30d")
        told.append(fields)
    return told


async def get_announcements(call: Call, params: Announcements) -> list[Fields]:
    """The one thing there is to say."""
    at_ms = opened_ms(call.exchange)
    if params.start_timestamp is not None and at_ms > params.start_timestamp:
        return []
    return [
        {
            "id": at_ms,
            "title": "This is a paper exchange",
            "body": "What is traded here is not coin and never becomes any.",
            "important": False,
            "confirmation": False,
            "publication_timestamp": at_ms,
        }
    ]


async def get_apr_history(call: Call, params: AprHistory) -> Fields:  # noqa: ARG001
    """No coin bears interest here."""
    return {"data": [], "continuation": None}


async def get_no_combos(call: Call, params: Combos) -> list[object]:  # noqa: ARG001
    """No combinations are traded here."""
    return []


async def get_combo_details(call: Call, params: ComboId) -> Fields:  # noqa: ARG001
    """No combinations are traded here."""
    raise RpcError(13020, "not_found")


async def get_block_rfq_trades(call: Call, params: BlockTrades) -> Fields:  # noqa: ARG001
    """Nobody trades in blocks here."""
    return {"block_rfqs": [], "continuation": None}


async def get_order_book_by_instrument_id(call: Call, params: BookById) -> Fields:
    """The book of an instrument, known by its number."""
    for coin in call.exchange.params.coins:
        listed = (await call.exchange.frame(coin)).listing.names
        for name in (FutureContract(coin).symbol, *listed):
            if instrument_id(name) == params.instrument_id:
                return await get_order_book(call, Book(instrument_name=name, depth=params.depth))
    raise RpcError(13020, "not_found")


REFERENCE_METHODS: Methods = {
    "public/get_supported_index_names": Method(get_supported_index_names, IndexNames),
    "public/get_trade_volumes": Method(get_trade_volumes, Volumes),
    "public/get_announcements": Method(get_announcements, Announcements),
    "public/get_apr_history": Method(get_apr_history, AprHistory),
    "public/get_combos": Method(get_no_combos, Combos),
    "public/get_combo_ids": Method(get_no_combos, Combos),
    "public/get_combo_details": Method(get_combo_details, ComboId),
    "public/get_block_rfq_trades": Method(get_block_rfq_trades, BlockTrades),
    "public/get_order_book_by_instrument_id": Method(get_order_book_by_instrument_id, BookById),
}


def _volumes(coin: str, traded: tuple[float, float], period: str) -> Fields:
    calls, puts = traded
    return {
        "currency": coin,
        f"calls_volume{period}": calls,
        f"puts_volume{period}": puts,
        f"futures_volume{period}": 0.0,
        f"spot_volume{period}": 0.0,
    }


async def _traded(exchange: Exchange, coin: str, days: int) -> tuple[float, float]:
    """Calls and puts traded in *days*, in coin: a chain knows what its last day brought."""
    calls = puts = 0.0
    for back in range(days):
        snapshot = await past_snapshot(exchange, coin, exchange.now - back * _DAY)
        if snapshot is not None:
            is_call = snapshot.chain.is_call
            calls += float(np.nansum(snapshot.chain.volume[is_call]))
            puts += float(np.nansum(snapshot.chain.volume[~is_call]))
    return round(calls, 2), round(puts, 2)
