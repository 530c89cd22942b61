"""Methods that Deribit has and this exchange does not: they say so."""

from pydantic import ConfigDict

from apps.exchange.methods import Call, Method, Methods
from apps.exchange.params import Params
from apps.exchange.rpc import Fields, RpcError

_ACCOUNT, _TRADE, _WALLET = "account:read_write", "trade:read_write", "wallet:read_write"
_ABSENT = {
    None: ("public/get_block_rfq_trades",),
    "account:read": ("private/get_affiliate_program_info", "private/get_email_language"),
    _ACCOUNT: (
        *("private/change_api_key_name", "private/change_margin_model"),
        *("private/change_scope_in_api_key", "private/change_subaccount_name"),
        *("private/create_api_key", "private/create_subaccount", "private/disable_api_key"),
        *("private/edit_api_key", "private/enable_affiliate_program", "private/enable_api_key"),
        *("private/pme/simulate", "private/remove_api_key", "private/remove_subaccount"),
        *("private/reset_api_key", "private/set_announcement_as_read"),
        *("private/set_disabled_trading_products", "private/set_email_for_subaccount"),
        *("private/set_email_language", "private/simulate_portfolio"),
        *("private/toggle_notifications_from_subaccount", "private/toggle_subaccount_login"),
    ),
    _TRADE: (
        *("private/cancel_quotes", "private/create_combo", "private/get_leg_prices"),
        *("private/mass_quote", "private/move_positions"),
    ),
    _WALLET: (
        *("private/add_to_address_book", "private/cancel_transfer_by_id"),
        *("private/cancel_withdrawal", "private/create_deposit_address"),
        *("private/submit_transfer_between_subaccounts", "private/submit_transfer_to_subaccount"),
        *("private/submit_transfer_to_user", "private/withdraw"),
    ),
}


class Anything(Params):
    """Whatever such a method is given."""

    model_config = ConfigDict(extra="ignore", frozen=True)


async def not_here(call: Call, params: Anything) -> Fields:  # noqa: ARG001
    """Not at this exchange."""
    raise RpcError(10033, "not_implemented")


ABSENT_METHODS: Methods = {
    name: Method(not_here, Anything, scope=scope)
    for scope, names in _ABSENT.items()
    for name in names
}
