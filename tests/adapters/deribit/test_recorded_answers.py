"""Every recorded and documented answer is read as what it is, and each of its fields is known."""

import csv
import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any, get_args

from attrs import frozen

from adapters.deribit import models
from adapters.deribit.models import Foreign
from adapters.deribit.parse import limits_of, read_as
from adapters.deribit.rpc import Answer
from tests.support.recorded import recorded_data

Rows = Callable[[Any], list[Any]]


def whole(value: Any) -> list[Any]:
    """The result is one record."""
    return [value]


def rows(value: Any) -> list[Any]:
    """The result is a list of records."""
    return list(value)


def by_name(value: Any) -> list[Any]:
    """One record, or a map of records that the recorder made."""
    return [value] if "instrument_name" in value else list(value.values())


READ: dict[str, tuple[type[Foreign], Rows]] = {
    "public/auth": (models.GrantedToken, whole),
    "public/exchange_token": (models.GrantedToken, whole),
    "public/fork_token": (models.GrantedToken, whole),
    "public/get_index_price": (models.IndexPrice, whole),
    "public/get_instrument": (models.Instrument, whole),
    "public/get_instruments": (models.Instrument, rows),
    "public/get_book_summary_by_currency": (models.Summary, rows),
    "public/get_book_summary_by_instrument": (models.Summary, rows),
    "public/ticker": (models.Ticker, by_name),
    "public/get_order_book": (models.Ticker, whole),
    "public/get_order_book_by_instrument_id": (models.Ticker, whole),
    "public/get_tradingview_chart_data": (models.Chart, whole),
    "public/get_delivery_prices": (models.DeliveryPrices, whole),
    "public/get_last_settlements_by_currency": (models.Settlements, whole),
    "public/get_last_settlements_by_instrument": (models.Settlements, whole),
    "private/get_settlement_history_by_currency": (models.Settlements, whole),
    "private/get_settlement_history_by_instrument": (models.Settlements, whole),
    "private/get_account_summary": (models.AccountSummary, whole),
    "private/get_account_summaries": (models.AccountSummary, lambda value: value["summaries"]),
    "private/get_position": (models.HeldPosition, whole),
    "private/get_positions": (models.HeldPosition, rows),
    "private/buy": (models.PlacedAnswer, whole),
    "private/sell": (models.PlacedAnswer, whole),
    "private/edit": (models.PlacedAnswer, whole),
    "private/edit_by_label": (models.PlacedAnswer, whole),
    "private/close_position": (models.PlacedAnswer, whole),
    "private/cancel": (models.PlacedOrder, whole),
    "private/get_order_state": (models.PlacedOrder, whole),
    "private/get_order_state_by_label": (models.PlacedOrder, rows),
    "private/get_open_orders": (models.PlacedOrder, rows),
    "private/get_open_orders_by_currency": (models.PlacedOrder, rows),
    "private/get_open_orders_by_instrument": (models.PlacedOrder, rows),
    "private/get_open_orders_by_label": (models.PlacedOrder, rows),
    "private/get_order_history_by_currency": (models.PlacedOrder, rows),
    "private/get_order_history_by_instrument": (models.PlacedOrder, rows),
    "private/get_user_trades_by_currency": (models.UserTrades, whole),
    "private/get_user_trades_by_currency_and_time": (models.UserTrades, whole),
    "private/get_user_trades_by_instrument": (models.UserTrades, whole),
    "private/get_user_trades_by_instrument_and_time": (models.UserTrades, whole),
    "private/get_user_trades_by_order": (models.UserTrade, rows),
}
_OTHER_PEOPLE = "trades of other people decide nothing"
_COMBOS = "legs are traded one by one, never as a combo"
_SOCKET = "there is no connection to subscribe on, over HTTP"
_UNTOUCHED = "settings of the account are a person's"
_ONE_BY_ONE = "orders are cancelled one by one, each seen terminal"
_QUOTES = "the agent makes no markets"
_STEADY = "the client learns the same from the answers it gets"
NOT_READ: dict[str, str] = {
    "public/get_announcements": "news for people",
    "public/get_apr_history": "yields of other coins",
    "public/get_combo_details": _COMBOS,
    "public/get_combo_ids": _COMBOS,
    "public/get_combos": _COMBOS,
    "private/create_combo": _COMBOS,
    "private/get_leg_prices": _COMBOS,
    "public/get_contract_size": "the instrument says it",
    "public/get_expirations": "the instruments say them",
    "public/get_currencies": "the coins are fixed",
    "public/get_index_price_names": "the two names are fixed",
    "public/get_supported_index_names": "the two names are fixed",
    "public/get_index_chart_data": "bars come from the perpetual",
    "public/get_funding_rate_history": "no perpetual is held",
    "public/get_funding_rate_value": "no perpetual is held",
    "public/get_historical_volatility": "volatility is computed from bars",
    "public/get_volatility_index_data": "no decision looks at the index yet",
    "public/get_mark_price_history": "marks come with the chain",
    "public/get_trade_volumes": _OTHER_PEOPLE,
    "public/get_last_trades_by_currency": _OTHER_PEOPLE,
    "public/get_last_trades_by_currency_and_time": _OTHER_PEOPLE,
    "public/get_last_trades_by_instrument": _OTHER_PEOPLE,
    "public/get_last_trades_by_instrument_and_time": _OTHER_PEOPLE,
    "public/get_time": _STEADY,
    "public/status": _STEADY,
    "public/test": _STEADY,
    "public/hello": _SOCKET,
    "public/set_heartbeat": _SOCKET,
    "public/disable_heartbeat": _SOCKET,
    "private/enable_cancel_on_disconnect": _SOCKET,
    "private/disable_cancel_on_disconnect": _SOCKET,
    "private/get_cancel_on_disconnect": _SOCKET,
    "public/subscribe": _SOCKET,
    "public/unsubscribe": _SOCKET,
    "public/unsubscribe_all": _SOCKET,
    "private/subscribe": _SOCKET,
    "private/unsubscribe": _SOCKET,
    "private/unsubscribe_all": _SOCKET,
    "private/change_margin_model": _UNTOUCHED,
    "private/get_user_locks": _UNTOUCHED,
    "private/set_self_trading_config": _UNTOUCHED,
    "private/set_disabled_trading_products": _UNTOUCHED,
    "private/pme/simulate": "margin is simulated by us, in standard mode",
    "private/simulate_portfolio": "margin is simulated by us, in standard mode",
    "private/get_margins": "margin is simulated by us, in standard mode",
    "private/get_order_margin_by_ids": "margin is simulated by us, in standard mode",
    "private/get_transaction_log": "trades and settlements say what happened",
    "private/get_trigger_order_history": "no trigger orders are placed",
    "private/cancel_all": _ONE_BY_ONE,
    "private/cancel_all_by_instrument": _ONE_BY_ONE,
    "private/cancel_all_by_currency": _ONE_BY_ONE,
    "private/cancel_all_by_currency_pair": _ONE_BY_ONE,
    "private/cancel_all_by_kind_or_type": _ONE_BY_ONE,
    "private/cancel_by_label": _ONE_BY_ONE,
    "private/get_mmp_config": _QUOTES,
    "private/get_mmp_status": _QUOTES,
    "private/set_mmp_config": _QUOTES,
    "private/reset_mmp": _QUOTES,
    "private/mass_quote": _QUOTES,
    "private/move_positions": _UNTOUCHED,
}

# Fields that the venue sends and nobody here needs, by the model that lets them pass.
IGNORED = {
    models.GrantedToken: "enabled_features token_type",
    models.IndexPrice: "estimated_delivery_price",
    models.Instrument: """
        base_currency_uuid block_trade_commission block_trade_min_trade_amount
        block_trade_tick_size counter_currency creation_timestamp future_type index_id
        instrument_id lot_size maker_commission max_leverage max_liquidation_commission
        max_non_default_leverage price_index product_group quote_currency quote_currency_uuid rfq
        settlement_currency
        settlement_period underlying_type""",
    models.Summary: """
        base_currency current_funding estimated_delivery_price funding_8h high interest_rate last
        low mid_price price_change quote_currency underlying_index volume_notional volume_usd""",
    models.Ticker: """
        ask_iv asks bid_iv bids change_id current_funding estimated_delivery_price funding_8h
        greeks index_price interest_rate interest_value last_price max_price min_price
        settlement_price stats underlying_index""",
    models.Chart: "cost volume",
    models.SettlementRecord: "mark_price profit_loss session_profit_loss",
    models.AccountLimits: "limits_per_currency",
    models.MatchingLimits: "cancel_all guaranteed_quotes max_quotes quotes spot",
    models.AccountSummary: """
        additional_reserve available_funds available_withdrawal_funds
        block_rfq_self_match_prevention creation_timestamp cross_collateral_enabled delta_total
        delta_total_map email estimated_liquidation_ratio estimated_liquidation_ratio_map
        fee_balance fees futures_pl futures_session_rpl futures_session_upl id
        interuser_transfers_enabled login_enabled margin_balance margin_model mmp_enabled
        options_delta options_gamma options_gamma_map options_pl options_session_rpl
        options_session_upl options_theta options_theta_map options_value options_vega
        options_vega_map portfolio_margining_enabled projected_delta_total
        projected_initial_margin projected_maintenance_margin referrer_id security_keys_enabled
        self_trading_extended_to_subaccounts self_trading_reject_mode session_rpl session_upl
        spot_reserve system_name total_pl type username""",
    models.HeldPosition: """
        delta estimated_liquidation_price floating_profit_loss index_price initial_margin
        interest_value kind leverage maintenance_margin open_orders_margin realized_funding
        realized_profit_loss settlement_price size_currency total_profit_loss""",
    models.PlacedOrder: """
        api average_price cancel_reason contracts is_liquidation is_rebalance max_show mmp
        order_type post_only reject_post_only replaced risk_reducing time_in_force trigger
        trigger_price triggered user_id web""",
    models.UserTrade: """
        iv mark_price matching_id order_type post_only reduce_only state tick_direction trade_seq
        underlying_price""",
}


@frozen
class File:
    """A recorded answer and the method that it answered."""

    name: str
    method: str


def files() -> list[File]:
    """Every answer of the HTTP kind: all but what came over a subscription."""
    index = recorded_data() / "responses" / "INDEX.csv"
    with index.open(newline="") as lines:
        listed = [File(row["file"], row["endpoint_or_channel"]) for row in csv.DictReader(lines)]
    return [file for file in listed if not file.name.startswith("ws/") or "ws_order" in file.name]


def records(file: File) -> list[Any]:
    """The records in *file*, with or without an envelope around them."""
    path = recorded_data() / "responses" / file.name
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    content = json.loads(text)
    is_enveloped = isinstance(content, dict) and "jsonrpc" in content
    return READ[file.method][1](content["result"] if is_enveloped else content)


def strangers(model: type[Foreign], record: dict[str, Any]) -> Iterator[str]:
    """The fields of *record* that *model* neither names nor is known to ignore."""
    known = model.model_fields.keys() | set(IGNORED.get(model, "").split())
    yield from (f"{model.__name__}.{name}" for name in record.keys() - known)
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        value = record.get(name)
        if inner is not None and value is not None:
            for part in value if isinstance(value, list) else [value]:
                yield from strangers(inner, part)


def _model_in(annotation: Any) -> type[Foreign] | None:
    if isinstance(annotation, type) and issubclass(annotation, Foreign):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


def test_every_recorded_method_is_read_or_left_for_a_reason() -> None:
    """No answer in the recordings is simply overlooked, none is listed twice."""
    methods = {file.method for file in files()}

    assert methods == READ.keys() | NOT_READ.keys()
    assert not READ.keys() & NOT_READ.keys()


def test_every_recorded_answer_is_read() -> None:
    """Each record of each file fits its model."""
    read = 0
    for file in files():
        if file.method in READ:
            model = READ[file.method][0]
            for record in records(file):
                read_as(model, Answer(method=file.name, status=200, result=record))
                read += 1

    assert read > 1500


def test_every_field_of_the_venue_is_known() -> None:
    """Each field is named in a model or knowingly let pass."""
    unknown = {
        stranger
        for file in files()
        if file.method in READ
        for record in records(file)
        for stranger in strangers(READ[file.method][0], record)
    }

    assert unknown == set()


def test_the_limits_of_an_account_are_known_too() -> None:
    """They are read apart from the balances, and understood."""
    (file,) = (each for each in files() if each.method == "private/get_account_summary")
    (record,) = records(file)

    summary = models.AccountSummary.model_validate(record)
    limits = limits_of(summary)
    assert limits is not None
    assert (limits.matching_engine.trading.total.rate, limits.non_matching_engine.burst) == (
        200,
        1500,
    )
    assert set(strangers(models.AccountLimits, record["limits"])) == set()


def test_nothing_is_ignored_that_never_comes() -> None:
    """The lists of ignored fields hold what was seen, and no more."""
    seen = {(model, name) for model, name in _seen()}
    listed = {(model, name) for model, names in IGNORED.items() for name in names.split()}

    assert listed <= seen


def _seen() -> Iterator[tuple[type[Foreign], str]]:
    for file in files():
        if file.method in READ:
            for record in records(file):
                yield from _names(READ[file.method][0], record)


def _names(model: type[Foreign], record: dict[str, Any]) -> Iterator[tuple[type[Foreign], str]]:
    yield from ((model, name) for name in record)
    for name, field in model.model_fields.items():
        inner, value = _model_in(field.annotation), record.get(name)
        if model is models.AccountSummary and name == "limits" and value:
            inner = models.AccountLimits
        if inner is not None and value is not None:
            for part in value if isinstance(value, list) else [value]:
                yield from _names(inner, part)
