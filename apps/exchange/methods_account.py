"""Private methods about the account: balances, positions, trades, settlements, the log."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from apps.exchange.exchange import Exchange
from apps.exchange.instruments import Perpetual, instrument_named, option_named
from apps.exchange.ledger import LogEntry, TradeRecord
from apps.exchange.limits import Cost
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.methods_past import TradesByCurrency, TradesByInstrument
from apps.exchange.methods_settled import (
    NO_MORE,
    SettlementsByCurrency,
    SettlementsByInstrument,
)
from apps.exchange.pages import Tape, chosen
from apps.exchange.params import (
    CurrencyOrAny,
    Kind,
    Number,
    OfCurrency,
    OfInstrument,
    Params,
    Sorting,
    Span,
    Whole,
)
from apps.exchange.rpc import Fields, RpcError, invalid_params
from apps.exchange.trading import record_named
from apps.exchange.wire_account import (
    account_fields,
    empty_account,
    holdings,
    no_position,
    opened_ms,
    owner_fields,
    position_fields,
)
from apps.exchange.wire_trading import log_fields, settlement_fields, user_trade
from core.pricing.marks import forward_of, mark_of
from core.risk.margin import initial_margin_coin
from ports.checks import epoch_ms
from ports.trading import Delivery

_DAY = timedelta(days=1)
_FEES_OF_ORDERS = ("buy_maker_fee", "buy_taker_fee", "sell_maker_fee", "sell_taker_fee")
_OTHERS = ("USDC", "USDT", "EURR")


class Summary(OfCurrency):
    """Of private/get_account_summary."""

    subaccount_id: Whole | None = None
    extended: bool = False


class Summaries(Params):
    """Of private/get_account_summaries."""

    subaccount_id: Whole | None = None
    extended: bool = False


class Positions(Params):
    """Of private/get_positions."""

    currency: CurrencyOrAny = "any"
    kind: Kind | None = None
    subaccount_id: Whole | None = None


class MyTradesByCurrency(TradesByCurrency):
    """Of private/get_user_trades_by_currency."""

    historical: bool = False
    subaccount_id: Whole | None = None


class MyTradesByInstrument(TradesByInstrument):
    """Of private/get_user_trades_by_instrument."""

    historical: bool = False


class TradesByOrder(Params):
    """Of private/get_user_trades_by_order."""

    order_id: str
    sorting: Sorting = "default"
    include_old: bool = False
    historical: bool = False


class Margins(OfInstrument):
    """Of private/get_margins."""

    amount: Number
    price: Number


class Log(OfCurrency, Span):
    """Of private/get_transaction_log."""

    query: str | None = None
    count: Whole = Field(default=100, ge=1, le=250)
    continuation: Whole | None = None
    subaccount_id: Whole | None = None


class SelfTrading(Params):
    """Of private/set_self_trading_config."""

    mode: Literal["reject_taker", "cancel_maker"]
    extended_to_subaccounts: bool
    block_rfq_self_match_prevention: bool | None = None


class Mmp(Params):
    """Of the methods about market maker protection."""

    index_name: str
    mmp_group: str | None = None
    interval: Whole | None = None
    frozen_time: Whole | None = None
    quantity_limit: Number | None = None
    delta_limit: Number | None = None
    vega_limit: Number | None = None
    max_quote_quantity: Number | None = None
    block_rfq: bool | None = None


class MmpQuery(Params):
    """Of private/get_mmp_config and get_mmp_status."""

    index_name: str | None = None
    mmp_group: str | None = None
    block_rfq: bool | None = None


async def get_account_summary(call: Call, params: Summary) -> Fields:
    """The account in one currency."""
    fields = await _account(call.exchange, params.currency)
    if not params.extended:
        return fields
    return {**owner_fields(call.exchange, opened_ms(call.exchange)), **fields}


async def get_account_summaries(call: Call, params: Summaries) -> Fields:  # noqa: ARG001
    """The account in all currencies."""
    exchange = call.exchange
    currencies = (*exchange.params.coins, *_OTHERS)
    summaries = [await _account(exchange, currency) for currency in currencies]
    return {**owner_fields(exchange, opened_ms(exchange)), "summaries": summaries}


async def get_positions(call: Call, params: Positions) -> list[Fields]:
    """What is held."""
    if params.kind not in (None, "any", "option"):
        return []
    coins = [coin for coin in call.exchange.params.coins if params.currency in ("any", coin)]
    found: list[Fields] = []
    for coin in coins:
        of = await holdings(call.exchange, coin)
        pairs = zip(of.account.positions, of.sensitivities, strict=True)
        found.extend(position_fields(held, sense, of) for held, sense in pairs)
    return found


async def get_position(call: Call, params: OfInstrument) -> Fields:
    """What is held of one instrument; a position of zero if nothing is."""
    contract = option_named(params.instrument_name)
    of = await holdings(call.exchange, contract.underlying)
    for held, sense in zip(of.account.positions, of.sensitivities, strict=True):
        if held.contract == contract:
            return position_fields(held, sense, of)
    if of.moment.snapshot.chain.row_of(contract) is None:
        raise RpcError(13020, "not_found")
    return no_position(contract, of)


async def get_user_trades_by_currency(call: Call, params: MyTradesByCurrency) -> Fields:
    """Trades of a coin, newest first."""
    await call.exchange.catch_up()
    trades = call.exchange.books(params.currency).trades
    if params.kind not in (None, "any", "option"):
        trades = []
    return _my_trades(call.exchange, trades, params)


async def get_user_trades_by_instrument(call: Call, params: MyTradesByInstrument) -> Fields:
    """Trades of an instrument, newest first."""
    await call.exchange.catch_up()
    found = instrument_named(params.instrument_name)
    if isinstance(found, Perpetual):
        return {"trades": [], "has_more": False}
    trades = call.exchange.books(found.underlying).trades
    return _my_trades(
        call.exchange, [each for each in trades if each.fill.contract == found], params
    )


async def get_user_trades_by_order(call: Call, params: TradesByOrder) -> list[Fields]:
    """Trades of one order."""
    await call.exchange.catch_up()
    record = record_named(call.exchange, params.order_id)
    trades = call.exchange.books(record.order.contract.underlying).trades
    found = [each for each in trades if each.fill.order_id == params.order_id]
    ordered = found[::-1] if params.sorting == "desc" else found
    return [_my_trade(call.exchange, each) for each in ordered]


async def get_settlement_history_by_currency(call: Call, params: SettlementsByCurrency) -> Fields:
    """Our deliveries in a coin, newest first."""
    await call.exchange.catch_up()
    return _my_settlements(call.exchange.books(params.currency).deliveries, params)


async def get_settlement_history_by_instrument(
    call: Call, params: SettlementsByInstrument
) -> Fields:
    """Our delivery of an instrument."""
    await call.exchange.catch_up()
    contract = option_named(params.instrument_name)
    deliveries = call.exchange.books(contract.underlying).deliveries
    return _my_settlements([each for each in deliveries if each.contract == contract], params)


async def get_margins(call: Call, params: Margins) -> Fields:
    """What an order would bind, bought or sold, and the band of its price."""
    contract = option_named(params.instrument_name)
    moment = await call.exchange.moment(contract.underlying)
    frame = await call.exchange.frame(contract.underlying)
    row = frame.listing.row_of.get(contract.symbol)
    if row is None:
        raise RpcError(13020, "not_found")
    forward = forward_of(moment.snapshot, contract, moment.at)
    mark = mark_of(moment.snapshot, contract, moment.at)
    fee_coin = moment.rules.trade_fee(params.price, params.amount)
    return {
        "buy": params.price * params.amount + fee_coin,
        "sell": initial_margin_coin(contract, forward, mark, -params.amount, call.exchange.rates),
        "min_price": frame.least_price(row),
        "max_price": frame.most_price(row),
        **dict.fromkeys(_FEES_OF_ORDERS, fee_coin),  # options cost makers what they cost takers
    }


async def get_transaction_log(call: Call, params: Log) -> Fields:
    """The account's log, newest first; a continuation is the number of the next line."""
    await call.exchange.catch_up()
    found = [
        entry
        for entry in reversed(call.exchange.books(params.currency).entries)
        if params.start_timestamp <= epoch_ms(entry.at) <= params.end_timestamp
        and (params.continuation is None or entry.number <= params.continuation)
        and _is_about(entry, params.query)
    ]
    page = found[: params.count]
    return {
        "logs": [log_fields(entry, params.currency) for entry in page],
        "continuation": found[params.count].number if len(found) > params.count else None,
    }


async def set_self_trading_config(call: Call, params: SelfTrading) -> str:
    """Only reject_taker is kept to here."""
    if params.mode != "reject_taker":
        raise RpcError(10033, "not_implemented", {"reason": f"mode {params.mode}"})
    call.exchange.self_trading_mode = params.mode
    return "ok"


async def get_mmp_config(call: Call, params: MmpQuery) -> list[Fields]:  # noqa: ARG001
    """No protection is ever set."""
    return []


async def set_mmp_config(call: Call, params: Mmp) -> Fields:  # noqa: ARG001
    """Taking protection away is granted; setting it is not, since nothing would guard it."""
    if params.interval != 0:
        raise RpcError(10033, "not_implemented", {"reason": "market maker protection"})
    return {"index_name": params.index_name, "interval": 0, "frozen_time": 0}


async def reset_mmp(call: Call, params: MmpQuery) -> str:  # noqa: ARG001
    """Nothing is frozen."""
    if params.index_name is None:
        raise invalid_params("index_name", "value required")
    return "ok"


_ACCOUNT, _TRADE = "account:read", "trade:read"
ACCOUNT_METHODS: Methods = {
    "private/get_account_summary": Method(get_account_summary, Summary, scope=_ACCOUNT),
    "private/get_account_summaries": Method(get_account_summaries, Summaries, scope=_ACCOUNT),
    "private/get_positions": Method(get_positions, Positions, scope=_TRADE),
    "private/get_position": Method(get_position, OfInstrument, scope=_TRADE),
    "private/get_user_trades_by_currency": Method(
        get_user_trades_by_currency, MyTradesByCurrency, scope=_TRADE
    ),
    "private/get_user_trades_by_currency_and_time": Method(
        get_user_trades_by_currency, MyTradesByCurrency, scope=_TRADE
    ),
    "private/get_user_trades_by_instrument": Method(
        get_user_trades_by_instrument, MyTradesByInstrument, scope=_TRADE
    ),
    "private/get_user_trades_by_instrument_and_time": Method(
        get_user_trades_by_instrument, MyTradesByInstrument, scope=_TRADE
    ),
    "private/get_user_trades_by_order": Method(
        get_user_trades_by_order, TradesByOrder, scope=_TRADE
    ),
    "private/get_settlement_history_by_currency": Method(
        get_settlement_history_by_currency, SettlementsByCurrency, scope=_TRADE
    ),
    "private/get_settlement_history_by_instrument": Method(
        get_settlement_history_by_instrument, SettlementsByInstrument, scope=_TRADE
    ),
    "private/get_margins": Method(get_margins, Margins, scope=_TRADE),
    "private/get_transaction_log": Method(
        get_transaction_log, Log, scope=_ACCOUNT, cost=Cost.TRANSACTION_LOG
    ),
    "private/set_self_trading_config": Method(
        set_self_trading_config, SelfTrading, scope="account:read_write"
    ),
    "private/get_mmp_config": Method(get_mmp_config, MmpQuery, scope=_TRADE),
    "private/get_mmp_status": Method(get_mmp_config, MmpQuery, scope=_TRADE),
    "private/set_mmp_config": Method(set_mmp_config, Mmp, scope="trade:read_write"),
    "private/reset_mmp": Method(reset_mmp, MmpQuery, scope="trade:read_write"),
}


async def _account(exchange: Exchange, currency: str) -> Fields:
    if currency not in exchange.params.coins:
        return empty_account(currency, exchange.params.allowed)
    return account_fields(await holdings(exchange, currency), exchange.params.allowed)


def _my_trades(
    exchange: Exchange,
    trades: list[TradeRecord],
    asked: MyTradesByCurrency | MyTradesByInstrument,
) -> Fields:
    """Trades of the last day, or with `historical` only those that are older."""
    edge = exchange.now - _DAY
    of_time = [each for each in trades if (each.fill.at < edge) == asked.historical]
    page = chosen(of_time, Tape.of(asked))
    return {
        "trades": [_my_trade(exchange, each) for each in page.trades],
        "has_more": page.has_more,
    }


def _my_trade(exchange: Exchange, trade: TradeRecord) -> Fields:
    record = record_named(exchange, trade.fill.order_id)
    return user_trade(trade, record, exchange.ledger.terms_of(record.order))


def _my_settlements(
    deliveries: list[Delivery], asked: SettlementsByCurrency | SettlementsByInstrument
) -> Fields:
    until, skip = asked.search_start_timestamp, asked.skip
    found = [
        each
        for each in reversed(deliveries)
        if asked.type in (None, "delivery", "exercise")
        and (until is None or epoch_ms(each.at) <= until)
    ]
    more = str(skip + asked.count) if len(found) > skip + asked.count else NO_MORE
    page = found[skip : skip + asked.count]
    return {"settlements": [settlement_fields(each) for each in page], "continuation": more}


def _is_about(entry: LogEntry, query: str | None) -> bool:
    """Whether *entry* is of a kind that *query* names; several words must all fit."""
    words = set() if query is None else set(query.split())
    kinds = {"deposit"}
    if entry.trade is not None:
        fill = entry.trade.fill
        role = "maker" if fill.is_maker else "taker"
        kinds = {"trade", "option", role, fill.side.value, fill.contract.symbol}
    elif entry.delivery is not None:
        kinds = {"delivery", "option", "settlement", entry.delivery.contract.symbol}
    return words <= kinds
