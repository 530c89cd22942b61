"""Private methods about protection from oneself and from the market: self-trading, MMP."""

from typing import Literal

from apps.exchange.exchange import Exchange
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.params import Number, Params, Whole
from apps.exchange.protection import Protection
from apps.exchange.rpc import Fields, invalid_params
from apps.exchange.wire_market import index_name
from ports.checks import epoch_ms


class SelfTrading(Params):
    """Of private/set_self_trading_config."""

    mode: Literal["reject_taker", "cancel_maker"]
    extended_to_subaccounts: bool
    block_rfq_self_match_prevention: bool | None = None


class Mmp(Params):
    """Of private/set_mmp_config."""

    index_name: str
    mmp_group: str | None = None
    interval: Whole
    frozen_time: Whole = 0
    quantity_limit: Number | None = None
    delta_limit: Number | None = None
    vega_limit: Number | None = None
    max_quote_quantity: Number | None = None
    block_rfq: bool | None = None


class MmpQuery(Params):
    """Of the other methods about market maker protection."""

    index_name: str | None = None
    mmp_group: str | None = None
    block_rfq: bool | None = None


async def set_self_trading_config(call: Call, params: SelfTrading) -> str:
    """Which of two own orders gives way: the one that comes, or the one that rests."""
    call.exchange.self_trading_mode = params.mode
    return "ok"


async def set_mmp_config(call: Call, params: Mmp) -> Fields:
    """Protect a coin from too many trades at once; an interval of 0 takes the protection away."""
    exchange, coin = call.exchange, _coin(call.exchange, params.index_name)
    if params.interval == 0:
        exchange.protections.pop(coin, None)
        return {"index_name": params.index_name, "interval": 0, "frozen_time": 0}
    exchange.protections[coin] = Protection(
        interval_s=params.interval,
        frozen_time_s=params.frozen_time,
        quantity_limit=params.quantity_limit,
        delta_limit=params.delta_limit,
        vega_limit=params.vega_limit,
        max_quote_quantity=params.max_quote_quantity,
        settled=len(exchange.books(coin).trades),
    )
    return _config(coin, exchange.protections[coin])


async def get_mmp_config(call: Call, params: MmpQuery) -> list[Fields]:
    """The protections that are set."""
    found = call.exchange.protections
    return [_config(coin, found[coin]) for coin in _asked(call.exchange, params)]


async def get_mmp_status(call: Call, params: MmpQuery) -> list[Fields]:
    """The protections that were triggered; frozen_until 0 waits for a reset."""
    exchange = call.exchange
    told: list[Fields] = []
    for coin in _asked(exchange, params):
        protection = exchange.protections[coin]
        if protection.is_frozen(exchange.now):
            until = protection.frozen_until
            until_ms = 0 if until is None else epoch_ms(until)
            told.append({"index_name": index_name(coin), "frozen_until": until_ms})
    return told


async def reset_mmp(call: Call, params: MmpQuery) -> str:
    """Let protected orders in again; trades until now count no more."""
    if params.index_name is None:
        raise invalid_params("index_name", "value required")
    exchange, coin = call.exchange, _coin(call.exchange, params.index_name)
    if coin in exchange.protections:
        exchange.protections[coin] = exchange.protections[coin].reset(
            len(exchange.books(coin).trades)
        )
    return "ok"


_READ, _WRITE = "trade:read", "trade:read_write"
PROTECTION_METHODS: Methods = {
    "private/set_self_trading_config": Method(
        set_self_trading_config, SelfTrading, scope="account:read_write"
    ),
    "private/get_mmp_config": Method(get_mmp_config, MmpQuery, scope=_READ),
    "private/get_mmp_status": Method(get_mmp_status, MmpQuery, scope=_READ),
    "private/set_mmp_config": Method(set_mmp_config, Mmp, scope=_WRITE),
    "private/reset_mmp": Method(reset_mmp, MmpQuery, scope=_WRITE),
}


def _coin(exchange: Exchange, name: str) -> str:
    for coin in exchange.params.coins:
        if index_name(coin) == name:
            return coin
    raise invalid_params("index_name", "wrong format")


def _asked(exchange: Exchange, params: MmpQuery) -> list[str]:
    if params.index_name is None:
        return list(exchange.protections)
    coin = _coin(exchange, params.index_name)
    return [coin] if coin in exchange.protections else []


def _config(coin: str, protection: Protection) -> Fields:
    return {
        "index_name": index_name(coin),
        "mmp_group": None,
        "interval": protection.interval_s,
        "frozen_time": protection.frozen_time_s,
        "quantity_limit": protection.quantity_limit,
        "delta_limit": protection.delta_limit,
        "vega_limit": protection.vega_limit,
        "max_quote_quantity": protection.max_quote_quantity,
    }
