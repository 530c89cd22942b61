"""What the venue says and the product does not read: every field of it, by method or channel."""

from typing import Any, Literal

from attrs import frozen

from adapters.deribit import models
from tests.support import deribit_records as words


@frozen
class LeftAlone:
    """The whole of an answer or notification, as a type, and why the product does not read it."""

    kind: Any
    why: str


_OTHER_PEOPLE = "trades of other people decide nothing"
_COMBOS = "legs are traded one by one, never as a combo"
_UNTOUCHED = "settings of the account are a person's"
_ONE_BY_ONE = "orders are cancelled one by one, each seen terminal"
_QUOTES = "the agent makes no markets"
_STEADY = "the client learns the same from the answers it gets"
_MARGIN = "margin is simulated by us, in standard mode"
_NO_PERPETUAL = "no perpetual is held"
_PERMANENT = "what is asked for on a connection stays until it ends"

LEFT_ALONE: dict[str, LeftAlone] = {
    "public/get_announcements": LeftAlone(words.many(words.Announcement), "news for people"),
    "public/get_apr_history": LeftAlone(
        words.record("Yields", data=words.many(words.Yield), continuation=int),
        "yields of other coins",
    ),
    "public/get_combo_details": LeftAlone(words.Combo, _COMBOS),
    "public/get_combo_ids": LeftAlone(list[str], _COMBOS),
    "public/get_combos": LeftAlone(words.many(words.Combo), _COMBOS),
    "private/create_combo": LeftAlone(words.Combo, _COMBOS),
    "private/get_leg_prices": LeftAlone(
        words.record("LegPrices", legs=words.many(words.LegPrice), amount=words.Number),
        _COMBOS,
    ),
    "public/get_contract_size": LeftAlone(
        words.record("ContractSize", contract_size=words.Number), "the instrument says it"
    ),
    "public/get_expirations": LeftAlone(
        words.ExpiriesByKind | dict[str, words.ExpiriesByKind], "the instruments say them"
    ),
    "public/get_currencies": LeftAlone(words.many(words.Currency), "the coins are fixed"),
    "public/get_index_price_names": LeftAlone(list[str], "the two names are fixed"),
    "public/get_supported_index_names": LeftAlone(list[str], "the two names are fixed"),
    "public/get_index_chart_data": LeftAlone(
        list[tuple[int, words.Number]], "bars come from the perpetual"
    ),
    "public/get_funding_rate_history": LeftAlone(words.many(words.Funding), _NO_PERPETUAL),
    "public/get_funding_rate_value": LeftAlone(words.Number, _NO_PERPETUAL),
    "public/get_historical_volatility": LeftAlone(
        list[tuple[int, words.Number]], "volatility is computed from bars"
    ),
    "public/get_mark_price_history": LeftAlone(
        list[tuple[int, words.Number]], "marks come with the chain"
    ),
    "public/get_trade_volumes": LeftAlone(words.many(words.Volumes), _OTHER_PEOPLE),
    "public/get_last_trades_by_currency": LeftAlone(words.Trades, _OTHER_PEOPLE),
    "public/get_last_trades_by_currency_and_time": LeftAlone(words.Trades, _OTHER_PEOPLE),
    "public/get_last_trades_by_instrument": LeftAlone(words.Trades, _OTHER_PEOPLE),
    "public/get_last_trades_by_instrument_and_time": LeftAlone(words.Trades, _OTHER_PEOPLE),
    "public/get_time": LeftAlone(int, _STEADY),
    "public/status": LeftAlone(
        words.record(
            "Status",
            locked=bool | Literal["true", "partial", "false"],
            locked_currencies=(list[str] | None, None),
        ),
        _STEADY,
    ),
    "public/test": LeftAlone(words.Version, "that it came is all that counts"),
    "public/hello": LeftAlone(words.Version, _STEADY),
    "public/disable_heartbeat": LeftAlone(words.Ok, _PERMANENT),
    "private/disable_cancel_on_disconnect": LeftAlone(words.Ok, _PERMANENT),
    "private/get_cancel_on_disconnect": LeftAlone(
        words.record("OnDisconnect", scope=Literal["connection", "account"], enabled=bool),
        _PERMANENT,
    ),
    "public/unsubscribe_all": LeftAlone(words.Ok, _PERMANENT),
    "private/unsubscribe_all": LeftAlone(words.Ok, _PERMANENT),
    "private/change_margin_model": LeftAlone(words.many(words.MarginChange), _UNTOUCHED),
    "private/get_user_locks": LeftAlone(words.many(words.Lock), _UNTOUCHED),
    "private/set_self_trading_config": LeftAlone(words.Ok, _UNTOUCHED),
    "private/set_disabled_trading_products": LeftAlone(words.Ok, _UNTOUCHED),
    "private/pme/simulate": LeftAlone(words.PortfolioMargin, _MARGIN),
    "private/simulate_portfolio": LeftAlone(models.AccountSummary, _MARGIN),
    "private/get_margins": LeftAlone(
        words.record(
            "Margins",
            buy=words.Number,
            sell=words.Number,
            min_price=words.Number,
            max_price=words.Number,
        ),
        _MARGIN,
    ),
    "private/get_order_margin_by_ids": LeftAlone(
        words.many(
            words.record(
                "OrderMargin",
                order_id=str,
                initial_margin=words.Number,
                initial_margin_currency=str,
            )
        ),
        _MARGIN,
    ),
    "private/get_transaction_log": LeftAlone(
        words.record("Log", logs=words.many(words.LogEntry), continuation=int | None),
        "trades and settlements say what happened",
    ),
    "private/get_trigger_order_history": LeftAlone(
        words.record("Triggers", entries=words.many(words.Trigger), continuation=str),
        "no trigger orders are placed",
    ),
    "private/cancel_all": LeftAlone(int, _ONE_BY_ONE),
    "private/cancel_all_by_instrument": LeftAlone(int, _ONE_BY_ONE),
    "private/cancel_all_by_currency": LeftAlone(int, _ONE_BY_ONE),
    "private/cancel_all_by_currency_pair": LeftAlone(int, _ONE_BY_ONE),
    "private/cancel_all_by_kind_or_type": LeftAlone(int, _ONE_BY_ONE),
    "private/cancel_by_label": LeftAlone(int, _ONE_BY_ONE),
    "private/get_mmp_config": LeftAlone(words.many(words.Mmp), _QUOTES),
    "private/get_mmp_status": LeftAlone(words.many(words.MmpStatus), _QUOTES),
    "private/set_mmp_config": LeftAlone(words.Mmp, _QUOTES),
    "private/reset_mmp": LeftAlone(words.Ok, _QUOTES),
    "private/mass_quote": LeftAlone(
        words.record(
            "Quoted",
            errors=words.many(words.QuoteError),
            orders=list[models.PlacedOrder],
            trades=list[models.UserTrade],
        ),
        _QUOTES,
    ),
    "private/move_positions": LeftAlone(words.many(words.Moved), _UNTOUCHED),
    "trades": LeftAlone(words.many(words.Trade), _OTHER_PEOPLE),
    "quote": LeftAlone(words.Quote, "the ticker says it too"),
    "grouped book": LeftAlone(words.Depth, "the book says it too"),
    "chart": LeftAlone(words.Bar, "bars are asked for when they have closed"),
}
