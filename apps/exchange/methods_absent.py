"""Methods that Deribit has and this exchange does not: they say so."""

from pydantic import ConfigDict

from apps.exchange.methods import Call, Method, Methods
from apps.exchange.params import Params
from apps.exchange.rpc import Fields, RpcError

_ACCOUNT, _TRADE, _WALLET = "account:read_write", "trade:read_write", "wallet:read_write"
_ABSENT = {
    "account:read": (
        *("private/get_affiliate_program_info", "private/get_members"),
        *("private/get_reward_eligibility", "private/list_custody_accounts"),
    ),
    _ACCOUNT: (
        *("private/change_api_key_name", "private/change_margin_model"),
        *("private/change_scope_in_api_key", "private/change_subaccount_name"),
        *("private/create_api_key", "private/create_subaccount", "private/delete_member"),
        *("private/disable_api_key",),
        *("private/edit_api_key", "private/enable_affiliate_program", "private/enable_api_key"),
        *("private/pme/simulate", "private/remove_api_key", "private/remove_subaccount"),
        *("private/reset_api_key", "private/set_announcement_as_read"),
        *("private/set_disabled_trading_products", "private/set_email_for_subaccount"),
        *("private/set_email_language", "private/set_member", "private/simulate_portfolio"),
        *("private/toggle_notifications_from_subaccount", "private/toggle_subaccount_login"),
    ),
    _TRADE: (
        *("private/cancel_quotes", "private/create_combo", "private/get_leg_prices"),
        *("private/mass_quote", "private/move_positions"),
    ),
    "block_trade:read": (
        *("private/get_block_trade", "private/get_block_trade_requests"),
        *("private/get_block_trades", "private/get_broker_clients"),
        *("private/get_broker_trade_requests", "private/get_broker_trades"),
        *("private/simulate_block_trade", "private/verify_block_trade"),
    ),
    "block_trade:read_write": (
        *("private/approve_block_trade", "private/execute_block_trade"),
        *("private/invalidate_block_trade_signature", "private/reject_block_trade"),
    ),
    "block_rfq:read": (
        *("private/get_block_rfq_makers", "private/get_block_rfq_quotes"),
        *("private/get_block_rfq_user_info", "private/get_block_rfqs"),
    ),
    "block_rfq:read_write": (
        *("private/accept_block_rfq", "private/add_block_rfq_quote"),
        *("private/cancel_all_block_rfq_quotes", "private/cancel_block_rfq"),
        *("private/cancel_block_rfq_quote", "private/cancel_block_rfq_trigger"),
        *("private/create_block_rfq", "private/edit_block_rfq_quote"),
    ),
    _WALLET: (
        *("private/delete_address_beneficiary", "private/get_address_beneficiary"),
        *("private/list_address_beneficiaries", "private/remove_from_address_book"),
        *("private/save_address_beneficiary", "private/set_clearance_originator"),
        *("private/update_in_address_book",),
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
