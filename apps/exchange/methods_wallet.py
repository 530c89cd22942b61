"""Private methods about coin coming and going, and subaccounts: there is little of either."""

from apps.exchange.exchange import Exchange
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.params import OfCurrency, Params, Whole
from apps.exchange.rpc import Fields
from apps.exchange.wire_account import opened_ms, owner_fields
from ports.checks import epoch_ms


class Movements(OfCurrency):
    """Of the lists of deposits, withdrawals and transfers."""

    count: Whole | None = None
    offset: Whole | None = None


class Subaccounts(Params):
    """Of private/get_subaccounts."""

    with_portfolio: bool = False


async def get_subaccounts(call: Call, params: Subaccounts) -> list[Fields]:  # noqa: ARG001
    """The one account."""
    return [{**owner_fields(call.exchange, opened_ms(call.exchange)), "is_password": False}]


async def get_deposits(call: Call, params: Movements) -> Fields:
    """What the account was opened with."""
    found = _deposits(call.exchange, params.currency)
    return {"count": len(found), "data": found}


async def get_none(call: Call, params: Movements) -> Fields:  # noqa: ARG001
    """Coin never leaves."""
    return {"count": 0, "data": []}


_SCOPE = "wallet:read"
WALLET_METHODS: Methods = {
    "private/get_subaccounts": Method(get_subaccounts, Subaccounts, scope="account:read"),
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
