"""Private methods about coin coming and going: there is little of it."""

from apps.exchange.exchange import Exchange
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.params import OfCurrency, Whole
from apps.exchange.rpc import Fields
from ports.checks import epoch_ms


class Movements(OfCurrency):
    """Of the lists of deposits, withdrawals and transfers."""

    count: Whole | None = None
    offset: Whole | None = None


async def get_deposits(call: Call, params: Movements) -> Fields:
    """What the account was opened with."""
    found = _deposits(call.exchange, params.currency)
    return {"count": len(found), "data": found}


async def get_none(call: Call, params: Movements) -> Fields:  # noqa: ARG001
    """Coin never leaves."""
    return {"count": 0, "data": []}


_SCOPE = "wallet:read"
WALLET_METHODS: Methods = {
    "private/get_deposits": Method(get_deposits, Movements, scope=_SCOPE),
    "private/get_withdrawals": Method(get_none, Movements, scope=_SCOPE),
    "private/get_transfers": Method(get_none, Movements, scope=_SCOPE),
}


def _deposits(exchange: Exchange, currency: str) -> list[Fields]:
    return [
        {
            "address": "paper",
            "amount": entry.deposit.amount_coin,
            "currency": currency,
            "received_timestamp": epoch_ms(entry.at),
            "updated_timestamp": epoch_ms(entry.at),
            "state": "completed",
            "transaction_id": None,
        }
        for entry in exchange.books(currency).entries
        if entry.deposit is not None
    ]
