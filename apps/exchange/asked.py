"""Orders as clients word them: the parameters, and what no market is needed to refuse."""

from typing import Annotated, Literal

from pydantic import Field

from apps.exchange.instruments import contracts_in
from apps.exchange.params import Instant, Number, OfInstrument, Params
from apps.exchange.rpc import Fields, RpcError, invalid_params
from core.simulation.perpetual import future_rules
from ports.instruments import Contract, FutureContract
from ports.venue_log import OrderTerms, TimeInForce

Label = Annotated[str, Field(max_length=64, pattern=r"^[ -~]*$")]
AT_MARKET = ("market", "stop_market", "take_market", "trailing_stop")  # they have no limit
WAITING = ("stop_limit", "stop_market", "take_limit", "take_market", "trailing_stop")
STAYING = (TimeInForce.GOOD_TIL_CANCELLED, TimeInForce.GOOD_TIL_DAY)
_LEAST_DISPLAY = 100  # minimum amounts that an iceberg has to show


class Place(OfInstrument):
    """Of private/buy and private/sell."""

    amount: Number | None = None
    contracts: Number | None = None
    type: Literal[
        "limit",
        "market",
        "market_limit",
        "stop_limit",
        "stop_market",
        "take_limit",
        "take_market",
        "trailing_stop",
    ] = "limit"
    price: Number | None = None
    time_in_force: TimeInForce = TimeInForce.GOOD_TIL_CANCELLED
    label: Label = ""
    post_only: bool = False
    reject_post_only: bool = False
    reduce_only: bool = False
    mmp: bool = False
    valid_until: Instant | None = None
    advanced: Literal["usd", "implv"] | None = None
    display_amount: Number | None = None
    refresh_amount: Number | None = None
    max_show: Number | None = None
    trigger: Literal["index_price", "mark_price", "last_price"] | None = None
    trigger_price: Number | None = None
    trigger_offset: Number | None = None
    linked_order_type: str | None = None
    trigger_fill_condition: str | None = None
    otoco_config: list[Fields] | None = None


class Change(Params):
    """What an edit may change."""

    amount: Number | None = None
    contracts: Number | None = None
    price: Number | None = None
    post_only: bool | None = None
    reject_post_only: bool | None = None
    reduce_only: bool | None = None
    mmp: bool | None = None
    valid_until: Instant | None = None
    advanced: Literal["usd", "implv"] | None = None
    display_amount: Number | None = None
    refresh_amount: Number | None = None
    trigger_price: Number | None = None
    trigger_offset: Number | None = None


def terms_of(asked: Place, contract: Contract) -> OrderTerms:
    """
    Return the terms of the order that *asked* words.

    Raises:
        RpcError: Its parameters do not go together.
    """
    if asked.linked_order_type is not None or asked.otoco_config is not None:
        raise RpcError(10033, "not_implemented", {"reason": "linked orders"})
    is_passing = asked.type in AT_MARKET or asked.time_in_force not in STAYING
    if asked.post_only and (is_passing or asked.type == "market_limit"):
        raise RpcError(11055, "post_only_not_allowed")
    _require_advanced_fits(asked, contract)
    shown = asked.max_show if asked.display_amount is None else asked.display_amount
    require_display_fits(shown, contract)
    is_at_once = asked.type in AT_MARKET and asked.time_in_force in STAYING
    return OrderTerms(
        order_type=asked.type,
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL if is_at_once else asked.time_in_force,
        post_only=asked.post_only,
        reject_post_only=asked.reject_post_only,
        mmp=asked.mmp,
        advanced=asked.advanced,
        advanced_price=asked.price if asked.advanced else None,
        display_amount=shown,
    )


def amount_of(amount: float | None, contracts: float | None, contract: Contract) -> float:
    """
    Return the amount that the two words for it say.

    Raises:
        RpcError: -32602, neither is given or they contradict each other.
    """
    if amount is None and contracts is None:
        raise invalid_params("amount", "value required")
    if contracts is None:
        return amount or 0.0
    is_future = isinstance(contract, FutureContract)
    said = contracts * (future_rules(contract.underlying).min_amount if is_future else 1.0)
    if amount is not None and contracts_in(contract, amount) != contracts:
        raise invalid_params("contracts", "must agree with amount")
    return said


def _require_advanced_fits(asked: Place, contract: Contract) -> None:
    if asked.advanced is None:
        return
    if isinstance(contract, FutureContract):
        raise RpcError(11038, "no_adv_for_futures")
    if asked.post_only:
        raise RpcError(11039, "no_adv_postonly")
    if asked.type != "limit":
        raise RpcError(11047, "unsupported_arg_combination")


def require_display_fits(shown: float | None, contract: Contract) -> None:
    """
    Let an order on *contract* pass that shows *shown* of itself; None shows it whole.

    Raises:
        RpcError: 11048, an option does not hide; 10036, it is too little or not whole contracts.
    """
    if shown is None:
        return
    if not isinstance(contract, FutureContract):
        raise RpcError(11048, "wrong_max_show_for_option")
    rules = future_rules(contract.underlying)
    if shown < _LEAST_DISPLAY * rules.min_amount or contracts_in(contract, shown) % 1:
        raise RpcError(10036, "invalid_max_show_amount")
