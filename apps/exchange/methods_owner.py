"""Private methods about the owner: the account's key, locks and log-ins, and its subaccounts."""

from typing import Literal

from apps.exchange.exchange import ACCOUNT_ID
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.methods_account import Positions as PositionsOf
from apps.exchange.methods_account import Summary, get_account_summary, get_positions
from apps.exchange.methods_order_lists import Open, get_open_orders
from apps.exchange.params import Currency, CurrencyOrAny, Instant, Params, Whole
from apps.exchange.rpc import Fields
from apps.exchange.wire_account import opened_ms, owner_fields


class Nothing(Params):
    """No parameters."""


class Subaccounts(Params):
    """Of private/get_subaccounts."""

    with_portfolio: bool = False


class Details(Params):
    """Of private/get_subaccounts_details."""

    currency: CurrencyOrAny
    with_open_orders: bool = False


class AccessLog(Params):
    """Of private/get_access_log."""

    offset: Whole = 0
    count: Whole = 10


class AddressBook(Params):
    """Of private/get_address_book."""

    currency: Currency
    type: Literal["transfer", "withdrawal", "deposit_source", "all"] = "all"


class DepositAddress(Params):
    """Of private/get_current_deposit_address."""

    currency: Currency


class Announcements(Params):
    """Of private/get_new_announcements."""

    start_timestamp: Instant | None = None


async def get_subaccounts(call: Call, params: Subaccounts) -> list[Fields]:
    """The one account."""
    exchange = call.exchange
    account: Fields = {
        **owner_fields(exchange, opened_ms(exchange)),
        "is_password": False,
        "receive_notifications": False,
        "margin_model": "segregated_sm",
        "disabled_trading_products": [],
    }
    if params.with_portfolio:
        account["portfolio"] = {
            coin.lower(): await get_account_summary(call, Summary(currency=coin))
            for coin in exchange.params.coins
        }
    return [account]


async def get_subaccounts_details(call: Call, params: Details) -> list[Fields]:
    """What the one account holds, and with *with_open_orders* what it has working."""
    details: Fields = {
        "uid": ACCOUNT_ID,
        "positions": await get_positions(call, PositionsOf(currency=params.currency)),
    }
    if params.with_open_orders:
        details["open_orders"] = await get_open_orders(call, Open())
    return [details]


async def list_api_keys(call: Call, params: Nothing) -> list[Fields]:  # noqa: ARG001
    """The one key, without its secret."""
    exchange = call.exchange
    return [
        {
            "id": 1,
            "name": exchange.params.credentials.client_id,
            "client_id": exchange.params.credentials.client_id,
            "max_scope": exchange.params.credentials.access,
            "enabled": True,
            "default": False,
            "timestamp": opened_ms(exchange),
            "ip_whitelist": [],
            "enabled_features": [],
        }
    ]


async def get_user_locks(call: Call, params: Nothing) -> list[Fields]:  # noqa: ARG001
    """Nothing is ever locked."""
    return [{"currency": coin, "locked": False} for coin in call.exchange.params.coins]


async def get_access_log(call: Call, params: AccessLog) -> Fields:  # noqa: ARG001
    """Nobody's coming and going is written down."""
    return {"data": [], "records_total": 0}


async def get_address_book(call: Call, params: AddressBook) -> list[Fields]:  # noqa: ARG001
    """Coin has nowhere to go."""
    return []


async def get_current_deposit_address(call: Call, params: DepositAddress) -> None:
    """There is none: coin cannot be brought here."""


async def get_email_language(call: Call, params: Nothing) -> str:  # noqa: ARG001
    """No mail is ever sent."""
    return "en"


async def get_new_announcements(call: Call, params: Announcements) -> list[Fields]:  # noqa: ARG001
    """None that were not read."""
    return []


_ACCOUNT, _WALLET = "account:read", "wallet:read"
OWNER_METHODS: Methods = {
    "private/get_subaccounts": Method(get_subaccounts, Subaccounts, scope=_ACCOUNT),
    "private/get_subaccounts_details": Method(get_subaccounts_details, Details, scope=_ACCOUNT),
    "private/list_api_keys": Method(list_api_keys, Nothing, scope=_ACCOUNT),
    "private/get_user_locks": Method(get_user_locks, Nothing, scope=_ACCOUNT),
    "private/get_access_log": Method(get_access_log, AccessLog, scope=_ACCOUNT),
    "private/get_email_language": Method(get_email_language, Nothing, scope=_ACCOUNT),
    "private/get_new_announcements": Method(get_new_announcements, Announcements, scope=_ACCOUNT),
    "private/get_address_book": Method(get_address_book, AddressBook, scope=_WALLET),
    "private/get_current_deposit_address": Method(
        get_current_deposit_address, DepositAddress, scope=_WALLET
    ),
}
