"""Instruments as Deribit describes them: options by their terms, and the perpetual."""

from datetime import datetime, timedelta
from zlib import crc32

from attrs import frozen

from apps.exchange.rpc import Fields, RpcError, invalid_params
from core.simulation.listing import listed_since
from ports.checks import epoch_ms
from ports.instruments import ContractRules, OptionContract

_COINS = ("BTC", "ETH")
_INDEX_IDS = {"BTC": 1000033, "ETH": 1000034}
_PERPETUAL_IDS = {"BTC-PERPETUAL": 210838, "ETH-PERPETUAL": 210839}
_NO_END_MS = 32_503_708_800_000  # the year 3000
_PERPETUAL_SINCE_MS = {"BTC": 1_534_242_287_000, "ETH": 1_552_568_454_000}


@frozen
class Perpetual:
    """The perpetual of a coin: shown at its index; it cannot be traded yet."""

    coin: str

    @property
    def name(self) -> str:
        """The venue's name."""
        return f"{self.coin}-PERPETUAL"

    @property
    def tick_usd(self) -> float:
        """The price step."""
        return 0.5 if self.coin == "BTC" else 0.05

    @property
    def contract_usd(self) -> float:
        """USD in one contract."""
        return 10.0 if self.coin == "BTC" else 1.0


def instrument_named(name: str) -> OptionContract | Perpetual:
    """
    Return what *name* names.

    Raises:
        RpcError: -32602, it does not read as a name.
    """
    coin, _, rest = name.partition("-")
    if rest == "PERPETUAL" and coin in _COINS:
        return Perpetual(coin)
    try:
        return OptionContract.from_symbol(name)
    except ValueError as error:
        raise invalid_params("instrument_name", "wrong format") from error


def option_named(name: str) -> OptionContract:
    """
    Return the option that *name* names.

    Raises:
        RpcError: -32602, it does not read as a name; 10033, it is a perpetual.
    """
    found = instrument_named(name)
    if isinstance(found, Perpetual):
        raise RpcError(10033, "not_implemented", {"reason": "the perpetual is not traded here"})
    return found


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


def perpetual_fields(perpetual: Perpetual) -> Fields:
    """The instrument object of a perpetual."""
    coin = perpetual.coin
    return {
        **_common(coin),
        "instrument_name": perpetual.name,
        "instrument_id": instrument_id(perpetual.name),
        "kind": "future",
        "future_type": "reversed",
        "quote_currency": "USD",
        "expiration_timestamp": _NO_END_MS,
        "creation_timestamp": _PERPETUAL_SINCE_MS[coin],
        "settlement_period": "perpetual",
        "is_active": True,
        "state": "open",
        "contract_size": perpetual.contract_usd,
        "min_trade_amount": perpetual.contract_usd,
        "lot_size": 1,
        "tick_size": perpetual.tick_usd,
        "tick_size_steps": [],
        "maker_commission": 0.0,
        "taker_commission": 0.0005,
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
