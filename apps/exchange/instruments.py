"""Instruments as Deribit describes them: options by their terms, and the perpetual."""

import re
from datetime import datetime, timedelta
from zlib import crc32

from apps.exchange.rpc import Fields, RpcError, invalid_params
from core.simulation.listing import COINS, listed_since
from core.simulation.perpetual import MAKER_FEE, future_rules, taker_fee
from ports.checks import epoch_ms
from ports.instruments import (
    Contract,
    ContractRules,
    FutureContract,
    OptionContract,
    contract_named,
)

_INDEX_IDS = {"BTC": 1000033, "ETH": 1000034}
_PERPETUAL_IDS = {"BTC-PERPETUAL": 210838, "ETH-PERPETUAL": 210839}
_NO_END_MS = 32_503_708_800_000  # the year 3000
_PERPETUAL_SINCE_MS = {"BTC": 1_534_242_287_000, "ETH": 1_552_568_454_000}
_LINEAR = re.compile(  # spot pairs, and futures and options that are settled in another currency
    r"[A-Z]+_(USDC|USDT|EURR|USDE)(-PERPETUAL|-\d{1,2}[A-Z]{3}\d\d(-\d+(d\d+)?-[CP])?)?"
)


def instrument_named(name: str) -> Contract:
    """
    Return what *name* names.

    Raises:
        RpcError: -32602, it does not read as a name; 13020, it is of a kind that is not listed.
    """
    if _LINEAR.fullmatch(name):
        raise RpcError(13020, "not_found")
    try:
        found = contract_named(name)
    except ValueError as error:
        raise invalid_params("instrument_name", "wrong format") from error
    if isinstance(found, FutureContract) and (
        found.expiry is not None or found.underlying not in COINS
    ):
        raise RpcError(13020, "not_found")
    return found


def kind_of(contract: Contract) -> str:
    """What the venue calls the kind of *contract*."""
    return "option" if isinstance(contract, OptionContract) else "future"


def contracts_in(contract: Contract, amount: float) -> float:
    """The *amount* in contracts: of a future they hold 10 or 1 USD, of an option one coin."""
    if isinstance(contract, OptionContract):
        return amount
    return amount / future_rules(contract.underlying).min_amount


def instrument_id(name: str) -> int:
    """The number of an instrument: of options ours, always the same for a name."""
    if name in _PERPETUAL_IDS:
        return _PERPETUAL_IDS[name]
    return 1_000_000 + crc32(name.encode()) % 1_000_000_000


def option_fields(contract: OptionContract, rules: ContractRules, now: datetime) -> Fields:
    """The instrument object of an option."""
    coin, is_open = contract.underlying, contract.expiry > now
    return {
        **_common(coin),
        "instrument_name": contract.symbol,
        "instrument_id": instrument_id(contract.symbol),
        "kind": "option",
        "option_type": contract.kind.value,
        "strike": contract.strike,
        "quote_currency": coin,
        "expiration_timestamp": epoch_ms(contract.expiry),
        "creation_timestamp": epoch_ms(listed_since(contract.expiry)),
        "settlement_period": _period(contract),
        "is_active": is_open,
        "state": "open" if is_open else "archivized",
        "contract_size": 1.0,
        "min_trade_amount": rules.min_amount,
        "lot_size": 1,
        "tick_size": rules.tick_size,
        "tick_size_steps": [
            {"above_price": step.above_price, "tick_size": step.tick_size}
            for step in rules.tick_steps
        ],
        "maker_commission": rules.trade_fee_coin,
        "taker_commission": rules.trade_fee_coin,
        "block_trade_commission": rules.trade_fee_coin,
        "block_trade_min_trade_amount": 25 if coin == "BTC" else 250,
        "block_trade_tick_size": 0.0001,
    }


def perpetual_fields(perpetual: FutureContract, now: datetime) -> Fields:
    """The instrument object of a perpetual."""
    coin, rules = perpetual.underlying, future_rules(perpetual.underlying)
    return {
        **_common(coin),
        "instrument_name": perpetual.symbol,
        "instrument_id": instrument_id(perpetual.symbol),
        "kind": "future",
        "future_type": "reversed",
        "quote_currency": "USD",
        "expiration_timestamp": _NO_END_MS,
        "creation_timestamp": _PERPETUAL_SINCE_MS[coin],
        "settlement_period": "perpetual",
        "is_active": True,
        "state": "open",
        "contract_size": rules.min_amount,
        "min_trade_amount": rules.min_amount,
        "lot_size": 1,
        "tick_size": rules.tick_size,
        "tick_size_steps": [],
        "maker_commission": MAKER_FEE,
        "taker_commission": taker_fee(now),
        "block_trade_commission": 0.00025,
        "block_trade_min_trade_amount": 200_000,
        "block_trade_tick_size": 0.01,
        "max_leverage": 50,
        "max_non_default_leverage": 5.0,
        "max_liquidation_commission": 0.01,
    }


def expiry_name(contract: OptionContract) -> str:
    """The date in the name: 27MAR26."""
    return contract.symbol.split("-")[1]


def _common(coin: str) -> Fields:
    return {
        "base_currency": coin,
        "counter_currency": "USD",
        "settlement_currency": coin,
        "instrument_type": "reversed",
        "price_index": f"{coin.lower()}_usd",
        "index_id": _INDEX_IDS[coin],
        "underlying_type": "crypto",
        "product_group": coin,
    }


def _period(contract: OptionContract) -> str:
    life = contract.expiry - listed_since(contract.expiry)
    if life <= timedelta(days=4):
        return "day"
    return "week" if life <= timedelta(days=22) else "month"
