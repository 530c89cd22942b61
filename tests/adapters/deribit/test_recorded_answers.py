"""Every recorded and documented word of the venue is read as what it is, and each field known."""

import csv
import gzip
import json
import re
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from attrs import frozen
from pydantic import BaseModel, ConfigDict, TypeAdapter

from adapters.deribit import models, stream_models, volatility
from adapters.deribit.models import Foreign, Milliseconds, Quoted
from adapters.deribit.parse import limits_of
from adapters.deribit.rpc import Envelope, ToldError, answer_of
from adapters.deribit.stream_books import KeptBook
from tests.support.deribit_words import LEFT_ALONE
from tests.support.recorded import recorded_data

_Ok = Literal["ok"]


class AccountSummaries(Foreign):
    """private/get_account_summaries, of which the summaries count."""

    summaries: list[models.AccountSummary]


class Summary(Foreign):
    """A row of public/get_book_summary_by_currency, of which whole columns are read."""

    instrument_name: str
    creation_timestamp: Milliseconds
    bid_price: Quoted
    ask_price: Quoted
    mark_price: Quoted
    mark_iv: Quoted = float("nan")
    underlying_price: Quoted = float("nan")
    open_interest: Quoted
    volume: Quoted


class Beat(Foreign):
    """The parameters of a heartbeat."""

    type: Literal["heartbeat", "test_request"]


READ: dict[str, Any] = {
    "public/auth": models.GrantedToken,
    "public/exchange_token": models.GrantedToken,
    "public/fork_token": models.GrantedToken,
    "public/get_index_price": models.IndexPrice,
    "public/get_instrument": models.Instrument,
    "public/get_instruments": list[models.Instrument],
    "public/get_book_summary_by_currency": list[Summary],
    "public/get_book_summary_by_instrument": list[Summary],
    "public/ticker": models.Ticker | dict[str, models.Ticker],  # the recorder made a map of many
    "public/get_order_book": models.Ticker,
    "public/get_order_book_by_instrument_id": models.Ticker,
    "public/get_tradingview_chart_data": models.Chart,
    "public/get_delivery_prices": models.DeliveryPrices,
    "public/get_volatility_index_data": volatility.IndexBars,
    "public/get_last_settlements_by_currency": models.Settlements,
    "public/get_last_settlements_by_instrument": models.Settlements,
    "private/get_settlement_history_by_currency": models.Settlements,
    "private/get_settlement_history_by_instrument": models.Settlements,
    "private/get_account_summary": models.AccountSummary,
    "private/get_account_summaries": AccountSummaries,
    "private/get_position": models.HeldPosition,
    "private/get_positions": list[models.HeldPosition],
    "private/buy": models.PlacedAnswer,
    "private/sell": models.PlacedAnswer,
    "private/edit": models.PlacedAnswer,
    "private/edit_by_label": models.PlacedAnswer,
    "private/close_position": models.PlacedAnswer,
    "private/cancel": models.PlacedOrder,
    "private/get_order_state": models.PlacedOrder,
    "private/get_order_state_by_label": list[models.PlacedOrder],
    "private/get_open_orders": list[models.PlacedOrder],
    "private/get_open_orders_by_currency": list[models.PlacedOrder],
    "private/get_open_orders_by_instrument": list[models.PlacedOrder],
    "private/get_open_orders_by_label": list[models.PlacedOrder],
    "private/get_order_history_by_currency": list[models.PlacedOrder],
    "private/get_order_history_by_instrument": list[models.PlacedOrder],
    "private/get_user_trades_by_currency": models.UserTrades,
    "private/get_user_trades_by_currency_and_time": models.UserTrades,
    "private/get_user_trades_by_instrument": models.UserTrades,
    "private/get_user_trades_by_instrument_and_time": models.UserTrades,
    "private/get_user_trades_by_order": list[models.UserTrade],
    "public/set_heartbeat": _Ok,
    "private/enable_cancel_on_disconnect": _Ok,
    "public/subscribe": list[str],
    "private/subscribe": list[str],
    "public/unsubscribe": list[str],
    "private/unsubscribe": list[str],
    "error envelope": ToldError,
    "heartbeat": Beat,
    "ticker": models.Ticker,
    "book": stream_models.BookSaid,
    "deribit_volatility_index": stream_models.VolIndexSaid,
    "user.portfolio": models.AccountSummary,
}
LEFT = {name: left.kind for name, left in LEFT_ALONE.items()}
KINDS = READ | LEFT

_ENVELOPE = {"jsonrpc", "id", "result", "error", "usIn", "usOut", "usDiff", "testnet"} | {
    "method"  # in one example of the document
}
_NOTIFICATION = {"jsonrpc", "method", "params"}

# Fields that the venue sends and nobody here needs, by the model that lets them pass.
IGNORED: dict[Any, str] = {
    ToldError: "data",
    models.GrantedToken: "enabled_features token_type",
    models.IndexPrice: "estimated_delivery_price",
    models.Instrument: """
        base_currency_uuid block_trade_commission block_trade_min_trade_amount
        block_trade_tick_size counter_currency creation_timestamp future_type index_id
        instrument_id lot_size maker_commission max_leverage max_liquidation_commission
        max_non_default_leverage price_index product_group quote_currency quote_currency_uuid rfq
        settlement_currency
        settlement_period underlying_type""",
    Summary: """
        base_currency current_funding estimated_delivery_price funding_8h high interest_rate last
        low mid_price price_change quote_currency underlying_index volume_notional volume_usd""",
    models.Ticker: """
        ask_iv asks bid_iv bids change_id current_funding delivery_price
        estimated_delivery_price funding_8h greeks index_price interest_rate
        interest_value last_price max_price min_price settlement_price stats
        underlying_index""",
    models.Chart: "cost volume",
    models.SettlementRecord: "mark_price profit_loss session_profit_loss",
    models.AccountLimits: "limits_per_currency",
    models.MatchingLimits: "cancel_all guaranteed_quotes max_quotes quotes spot",
    models.AccountSummary: """
        additional_reserve available_funds available_subaccount_transfer_funds
        available_withdrawal_funds block_rfq_self_match_prevention creation_timestamp
        cross_collateral_enabled delta_total delta_total_map email
        estimated_liquidation_ratio estimated_liquidation_ratio_map fee_balance fees
        futures_pl futures_session_rpl futures_session_upl id interuser_transfers_enabled
        locked_balance login_enabled margin_balance margin_model mmp_enabled options_delta
        options_gamma options_gamma_map options_pl options_session_rpl options_session_upl
        options_theta options_theta_map options_value options_vega options_vega_map
        portfolio_margining_enabled projected_delta_total projected_initial_margin
        projected_maintenance_margin referrer_id security_keys_enabled
        self_trading_extended_to_subaccounts self_trading_reject_mode session_rpl
        session_upl spot_reserve system_name total_delta_total_usd total_equity_usd
        total_initial_margin_usd total_maintenance_margin_usd total_margin_balance_usd
        total_pl type username""",
    AccountSummaries: """
        block_rfq_self_match_prevention creation_timestamp email id
        interuser_transfers_enabled login_enabled mmp_enabled referrer_id
        security_keys_enabled self_trading_extended_to_subaccounts
        self_trading_reject_mode system_name type username""",
    models.HeldPosition: """
        delta estimated_liquidation_price floating_profit_loss index_price initial_margin
        interest_value kind leverage maintenance_margin open_orders_margin realized_funding
        realized_profit_loss settlement_price size_currency total_profit_loss""",
    models.PlacedOrder: """
        api average_price cancel_reason contracts is_liquidation is_rebalance max_show mmp
        mmp_group order_type post_only quote quote_id quote_set_id reject_post_only
        replaced risk_reducing time_in_force trigger trigger_price triggered user_id web""",
    models.UserTrade: """
        iv mark_price matching_id order_type post_only reduce_only state tick_direction trade_seq
        underlying_price""",
}


@frozen
class File:
    """A recorded file and the method or channel that it is of."""

    name: str
    told_by: str


@frozen
class Word:
    """One thing that the venue said: the method or kind of channel, and what in it."""

    kind: str
    content: Any


def files() -> list[File]:
    """Every file of the index; none where there are no recordings."""
    try:
        index = recorded_data() / "responses" / "INDEX.csv"
    except pytest.skip.Exception:
        return []
    with index.open(newline="") as lines:
        return [File(row["file"], row["endpoint_or_channel"]) for row in csv.DictReader(lines)]


FILES = files()


def words(file: File) -> list[Word]:
    """All that is said in *file*, with or without an envelope around it."""
    path = recorded_data() / "responses" / file.name
    packed = path.read_bytes()
    text = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode()
    if path.suffix == ".txt":  # a session, a frame in a line
        frames = re.findall(r"^[\d.]+: (.*)$", text, re.MULTILINE)
        return [_word("public/subscribe", json.loads(frame)) for frame in frames]
    content = json.loads(text)
    if file.told_by == "ws notifications":
        return [_word("", each) for each in content]
    if isinstance(content, dict) and content.keys() == {"jsonObject", "response"}:
        content = content["response"]  # the document tells it twice
    return [_word(file.told_by, content)]


def _word(told_by: str, content: Any) -> Word:
    """What is in an envelope; *told_by* is the method where the envelope does not say."""
    is_message = isinstance(content, dict) and ("jsonrpc" in content or "result" in content)
    if not is_message:
        return Word(told_by, content)
    if "params" not in content:
        assert content.keys() <= _ENVELOPE
        answer = answer_of(told_by, Envelope.model_validate_json(json.dumps(content)))
        return Word(told_by, content["error"] if answer.error else answer.result)
    assert content.keys() <= _NOTIFICATION
    if content["method"] == "heartbeat":
        return Word("heartbeat", content["params"])
    return Word(_kind_of(content["params"]["channel"]), content["params"]["data"])


def _kind_of(channel: str) -> str:
    parts = channel.split(".")
    if parts[0] == "user":
        return ".".join(parts[:2])
    return "grouped book" if parts[0] == "book" and len(parts) > 3 else parts[0]


def records_in(kind: Any, value: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Every record in *value*, which is a *kind*, with its own model."""
    if _is_model(kind) and isinstance(value, dict):
        yield kind, value
        for name, field in kind.model_fields.items():
            yield from records_in(field.annotation, value.get(name))
        if kind is models.AccountSummary and value.get("limits"):  # read apart from the balances
            yield from records_in(models.AccountLimits, value["limits"])
    elif get_origin(kind) in (Union, UnionType):
        yield from records_in(_meant(kind, value), value)
    elif get_origin(kind) is list and isinstance(value, list):
        for each in value:
            yield from records_in(get_args(kind)[0], each)
    elif get_origin(kind) is dict and isinstance(value, dict):
        for each in value.values():
            yield from records_in(get_args(kind)[1], each)


def strangers(word: Word) -> set[str]:
    """The fields in *word* that no model names and none is known to ignore."""
    return {
        f"{model.__name__}.{name}"
        for model, record in records_in(KINDS[word.kind], word.content)
        for name in record.keys() - model.model_fields.keys() - set(IGNORED.get(model, "").split())
    }


def _meant(kind: Any, value: Any) -> Any:
    """The part of a union that *value* is."""
    for part in get_args(kind):
        if part is not NoneType and not _errors(part, value):
            return part
    return NoneType


def _errors(kind: Any, value: Any) -> str:
    """What is wrong with *value* as *kind*; empty if nothing is."""
    config = None if _is_model(kind) else ConfigDict(strict=True)
    try:
        TypeAdapter(kind, config=config).validate_json(json.dumps(value))
    except ValueError as error:
        return str(error)
    return ""


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_word_is_read(file: File) -> None:
    """Each fits its model, to the last whole number, and each of its fields is known."""
    said = words(file)
    assert said
    for word in said:
        assert _errors(KINDS[word.kind], word.content) == ""
        assert strangers(word) == set()


def test_the_index_lists_every_file() -> None:
    """Nothing lies beside the index, and nothing in it is missing."""
    folder = recorded_data() / "responses"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    assert found - {"INDEX.csv"} == {file.name for file in FILES}


def test_what_is_left_alone_is_not_read() -> None:
    """A word is read by the product or left alone for a reason, and comes in the recordings."""
    assert not READ.keys() & LEFT.keys()
    assert all(left.why for left in LEFT_ALONE.values())
    assert KINDS.keys() == {word.kind for file in FILES for word in words(file)}


def test_the_limits_of_an_account_are_known_too() -> None:
    """They are read apart from the balances, and understood."""
    (file,) = (each for each in FILES if each.told_by == "private/get_account_summary")
    (word,) = words(file)

    summary = models.AccountSummary.model_validate(word.content)
    limits = limits_of(summary)
    assert limits is not None
    assert (limits.matching_engine.trading.total.rate, limits.non_matching_engine.burst) == (
        200,
        1500,
    )


def test_nothing_is_ignored_that_never_comes() -> None:
    """The lists of ignored fields hold what was seen, and no more."""
    seen = {
        (model, name)
        for file in FILES
        for word in words(file)
        for model, record in records_in(KINDS[word.kind], word.content)
        for name in record
    }
    listed = {(model, name) for model, names in IGNORED.items() for name in names.split()}

    assert listed <= seen


def test_recorded_books_have_no_gap() -> None:
    """Every book of a real session can be followed from its snapshot to its end."""
    (file,) = (each for each in FILES if each.name.endswith(".txt"))
    books: dict[str, KeptBook] = {}
    known = [
        books.setdefault(said.instrument_name, KeptBook()).take(said)
        for word in words(file)
        if word.kind == "book"
        for said in [TypeAdapter(stream_models.BookSaid).validate_json(json.dumps(word.content))]
    ]

    assert len(known) == 46
    assert all(known)
    assert all(_is_in_order(kept) for kept in books.values())


def _is_in_order(kept: KeptBook) -> bool:
    book = kept.book
    assert book is not None
    bids, asks = [each.price for each in book.bids], [each.price for each in book.asks]
    return bids[::-1] + asks == sorted({*bids, *asks})
