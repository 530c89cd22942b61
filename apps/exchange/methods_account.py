"""Private methods about the account: balances, positions, trades, settlements, the log."""

from datetime import timedelta

from pydantic import Field

from apps.exchange.bounds import bounds_of
from apps.exchange.exchange import Exchange
from apps.exchange.instruments import instrument_named, kind_of
from apps.exchange.ledger import LogEntry, TradeRecord
from apps.exchange.limits import Cost
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.methods_past import TradesByCurrency, TradesByInstrument, is_kind
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
from apps.exchange.rpc import Fields, RpcError
from apps.exchange.trading import record_named
from apps.exchange.wire_account import account_fields, empty_account, opened_ms, owner_fields
from apps.exchange.wire_positions import (
    all_positions,
    holdings,
    margin_of,
    no_position,
    positions_on,
)
from apps.exchange.wire_trading import (
    future_settlement_fields,
    log_fields,
    settlement_fields,
    user_trade,
)
from ports.checks import epoch_ms
from ports.instruments import OptionContract
from ports.trading import Delivery, Side
from ports.venue_log import FutureSettlement

_DAY = timedelta(days=1)
_OTHERS = ("USDC", "USDT", "EURR")
_LEAST = 1e-8  # of a price or an amount that binds anything


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

    amount: Number = Field(ge=_LEAST)
    price: Number = Field(ge=_LEAST)


class Log(OfCurrency, Span):
    """Of private/get_transaction_log."""

    query: str | None = None
    count: Whole = Field(default=100, ge=1, le=250)
    continuation: Whole | None = None
    subaccount_id: Whole | None = None


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
    coins = [coin for coin in call.exchange.params.coins if params.currency in ("any", coin)]
    found: list[Fields] = []
    for coin in coins:
        told = all_positions(await holdings(call.exchange, coin))
        found.extend(each for each in told if params.kind in (None, "any", each["kind"]))
    return found


async def get_position(call: Call, params: OfInstrument) -> Fields:
    """What is held of one instrument; a position of zero if nothing is."""
    contract = instrument_named(params.instrument_name)
    of = await holdings(call.exchange, contract.underlying)
    held = positions_on(contract, of)
    if held:
        return held[0]
    if isinstance(contract, OptionContract) and of.moment.snapshot.chain.row_of(contract) is None:
        raise RpcError(13020, "not_found")
    return no_position(contract, of)


async def get_user_trades_by_currency(call: Call, params: MyTradesByCurrency) -> Fields:
    """Trades of a coin, newest first."""
    await call.exchange.catch_up()
    trades = call.exchange.books(params.currency).trades
    return _my_trades(
        call.exchange, [each for each in trades if is_kind(each, params.kind)], params
    )


async def get_user_trades_by_instrument(call: Call, params: MyTradesByInstrument) -> Fields:
    """Trades of an instrument, newest first."""
    await call.exchange.catch_up()
    found = instrument_named(params.instrument_name)
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
    """Our deliveries and daily settlements in a coin, newest first."""
    await call.exchange.catch_up()
    books = call.exchange.books(params.currency)
    return _my_settlements([*books.deliveries, *books.settlements], params)


async def get_settlement_history_by_instrument(
    call: Call, params: SettlementsByInstrument
) -> Fields:
    """Our delivery, or our daily settlements, of an instrument."""
    await call.exchange.catch_up()
    contract = instrument_named(params.instrument_name)
    books = call.exchange.books(contract.underlying)
    ended: list[Delivery | FutureSettlement] = [*books.deliveries, *books.settlements]
    return _my_settlements([each for each in ended if each.contract == contract], params)


async def get_margins(call: Call, params: Margins) -> Fields:
    """What an order would bind, bought or sold, and the band of its price."""
    contract = instrument_named(params.instrument_name)
    moment = await call.exchange.moment(contract.underlying)
    bounds = bounds_of(await call.exchange.frame(contract.underlying), contract)
    maker_coin, taker_coin = (
        moment.fee_coin(contract, params.price, params.amount, is_maker=is_maker)
        for is_maker in (True, False)
    )
    return {
        "buy": margin_of(contract, Side.BUY, params.amount, params.price, moment),
        "sell": margin_of(contract, Side.SELL, params.amount, params.price, moment),
        "min_price": bounds.least,
        "max_price": bounds.most,
        **dict.fromkeys(("buy_maker_fee", "sell_maker_fee"), maker_coin),
        **dict.fromkeys(("buy_taker_fee", "sell_taker_fee"), taker_coin),
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
    return user_trade(trade, record)


def _my_settlements(
    ended: list[Delivery | FutureSettlement],
    asked: SettlementsByCurrency | SettlementsByInstrument,
) -> Fields:
    until, skip = asked.search_start_timestamp, asked.skip
    found = [
        each
        for each in sorted(ended, key=lambda each: each.at, reverse=True)
        if asked.type in (None, *_ENDS[type(each)])
        and (until is None or epoch_ms(each.at) <= until)
    ]
    more = str(skip + asked.count) if len(found) > skip + asked.count else NO_MORE
    page = found[skip : skip + asked.count]
    return {"settlements": [_my_settlement(each) for each in page], "continuation": more}


_ENDS: dict[type, tuple[str, ...]] = {
    Delivery: ("delivery", "exercise"),
    FutureSettlement: ("settlement",),
}


def _my_settlement(ended: Delivery | FutureSettlement) -> Fields:
    if isinstance(ended, FutureSettlement):
        return future_settlement_fields(ended)
    return settlement_fields(ended)


def _is_about(entry: LogEntry, query: str | None) -> bool:
    """Whether *entry* is of a kind that *query* names; several words must all fit."""
    words = set() if query is None else set(query.split())
    kinds = {"deposit"}
    if entry.trade is not None:
        fill = entry.trade.fill
        role = "maker" if fill.is_maker else "taker"
        kinds = {"trade", kind_of(fill.contract), role, fill.side.value, fill.contract.symbol}
    elif entry.delivery is not None:
        kinds = {"delivery", "option", "settlement", entry.delivery.contract.symbol}
    elif entry.settlement is not None:
        kinds = {"settlement", "future", entry.settlement.contract.symbol}
    return words <= kinds
