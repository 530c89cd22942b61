"""Public methods about the market as it is: instruments, tickers, books, summaries."""

from typing import Literal

from pydantic import Field

from apps.exchange.exchange import Exchange
from apps.exchange.frames import Frame
from apps.exchange.instruments import (
    instrument_named,
    option_fields,
    perpetual_fields,
)
from apps.exchange.limits import Cost
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.params import (
    Currency,
    CurrencyOrAny,
    Kind,
    OfCurrency,
    OfInstrument,
    Params,
    Whole,
)
from apps.exchange.past import expired_contract, lately_expired, require_traded
from apps.exchange.rpc import Fields, invalid_params
from apps.exchange.wire_market import (
    index_level,
    index_name,
    option_book,
    option_summary,
    option_view,
    view_on,
)
from apps.exchange.wire_perpetual import (
    perpetual_book,
    perpetual_summary,
    perpetual_view,
    ticker_of,
)
from ports.instruments import FutureContract

_DEPTHS = (1, 5, 10, 20, 50, 100, 1000, 10000)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_COIN_WORDS = {"BTC": ("Bitcoin", "BITCOIN", 8), "ETH": ("Ethereum", "ETHER", 6)}


class Nothing(Params):
    """No parameters."""


class Index(Params):
    """Of public/get_index_price."""

    index_name: str


class IndexNames(Params):
    """Of public/get_index_price_names."""

    extended: bool = False


class Instruments(Params):
    """Of public/get_instruments."""

    currency: CurrencyOrAny = "any"
    kind: Kind | None = None
    expired: bool = False


class Expirations(Params):
    """Of public/get_expirations."""

    currency: CurrencyOrAny | Literal["grouped"]
    kind: Kind
    currency_pair: str | None = None


class Book(OfInstrument):
    """Of public/get_order_book."""

    depth: Whole = Field(default=5)


class Summaries(Params):
    """Of public/get_book_summary_by_currency."""

    currency: Currency
    kind: Kind | None = None


async def get_currencies(call: Call, params: Nothing) -> list[Fields]:  # noqa: ARG001
    """The coins that are traded here."""
    return [
        {
            "currency": coin,
            "currency_long": _COIN_WORDS[coin][0],
            "coin_type": _COIN_WORDS[coin][1],
            "decimals": _COIN_WORDS[coin][2],
            "fee_precision": 4,
            "min_confirmations": 1,
            "min_withdrawal_fee": 0.0,
            "withdrawal_fee": 0.0,
            "withdrawal_priorities": [],
            "in_cross_collateral_pool": False,
            "network_currency": coin,
            "network_fee": 0.0,
        }
        for coin in call.exchange.params.coins
    ]


async def get_index_price(call: Call, params: Index) -> Fields:
    """The index, and what is expected of a delivery."""
    level = await index_level(call.exchange, params.index_name)
    return {"index_price": level, "estimated_delivery_price": level}


async def get_index(call: Call, params: OfCurrency) -> Fields:
    """The index by its coin: of older interfaces, and still asked for."""
    index_usd = (await call.exchange.frame(params.currency)).index_usd
    return {params.currency: index_usd, "edp": index_usd}


async def get_index_price_names(call: Call, params: IndexNames) -> list[object]:
    """The names of the indices."""
    names = [index_name(coin) for coin in call.exchange.params.coins]
    if not params.extended:
        return list(names)
    return [
        {"name": name, "future_combo_enabled": False, "option_combo_enabled": False}
        for name in names
    ]


async def get_instruments(call: Call, params: Instruments) -> list[Fields]:
    """What is listed, or what expired within the last days."""
    if params.expired:
        return await _expired_options(call.exchange, params)
    found: list[Fields] = []
    for coin in _coins(call.exchange, params.currency):
        frame = await call.exchange.frame(coin)
        if params.kind in (None, "any", "future"):
            found.append(perpetual_fields(FutureContract(coin), call.exchange.now))
        if params.kind in (None, "any", "option"):
            now, rules = call.exchange.now, frame.snapshot.rules
            found.extend(option_fields(each, rules, now) for each in frame.listing.contracts)
    return found


async def get_instrument(call: Call, params: OfInstrument) -> Fields:
    """One instrument, as get_instruments has it."""
    found = instrument_named(params.instrument_name)
    if isinstance(found, FutureContract):
        require_traded(call.exchange, found.underlying)
        return perpetual_fields(found, call.exchange.now)
    expired = await expired_contract(call.exchange, found)
    if expired is not None:
        return option_fields(found, expired.snapshot.rules, call.exchange.now)
    view = await option_view(call.exchange, found)
    return option_fields(found, view.frame.snapshot.rules, call.exchange.now)


async def get_expirations(call: Call, params: Expirations) -> Fields:
    """The expiries as in names, by coin and kind; `any` leaves the coin out."""
    by_coin: Fields = {}
    together: dict[str, set[str]] = {}
    for coin in _coins(call.exchange, "any" if params.currency == "grouped" else params.currency):
        kinds = _expirations(await call.exchange.frame(coin), params.kind)
        by_coin[coin.lower()] = kinds
        for kind, names in kinds.items():
            together.setdefault(kind, set()).update(names)
    if params.currency != "any":
        return by_coin
    return {kind: sorted(names, key=_by_date) for kind, names in together.items()}


async def ticker(call: Call, params: OfInstrument) -> Fields:
    """The ticker of one instrument."""
    return await ticker_of(call.exchange, params.instrument_name)


async def get_order_book(call: Call, params: Book) -> Fields:
    """The ticker with both sides of the book."""
    if params.depth not in _DEPTHS:
        raise invalid_params("depth", "wrong format")
    found = instrument_named(params.instrument_name)
    if isinstance(found, FutureContract):
        return perpetual_book(await perpetual_view(call.exchange, found), params.depth)
    return option_book(await option_view(call.exchange, found), params.depth)


async def get_book_summary_by_currency(call: Call, params: Summaries) -> list[Fields]:
    """The whole chain of a coin in one answer."""
    exchange = call.exchange
    found: list[Fields] = []
    for coin in _coins(exchange, params.currency):
        frame, marks = await exchange.frame(coin), await exchange.settlement_marks(coin)
        if params.kind in (None, "any", "future"):
            found.append(perpetual_summary(await perpetual_view(exchange, FutureContract(coin))))
        if params.kind in (None, "any", "option"):
            found.extend(
                option_summary(view_on(exchange, frame, contract, marks))
                for contract in frame.listing.contracts
            )
    return found


async def get_book_summary_by_instrument(call: Call, params: OfInstrument) -> list[Fields]:
    """The summary of one instrument, in a list."""
    found = instrument_named(params.instrument_name)
    if isinstance(found, FutureContract):
        return [perpetual_summary(await perpetual_view(call.exchange, found))]
    return [option_summary(await option_view(call.exchange, found))]


async def get_contract_size(call: Call, params: OfInstrument) -> Fields:
    """The size of one contract."""
    return {"contract_size": (await get_instrument(call, params))["contract_size"]}


MARKET_METHODS: Methods = {
    "public/get_currencies": Method(get_currencies, Nothing),
    "public/get_index": Method(get_index, OfCurrency),
    "public/get_index_price": Method(get_index_price, Index),
    "public/get_index_price_names": Method(get_index_price_names, IndexNames),
    "public/get_instruments": Method(get_instruments, Instruments, cost=Cost.INSTRUMENTS),
    "public/get_instrument": Method(get_instrument, OfInstrument),
    "public/get_expirations": Method(get_expirations, Expirations),
    "public/ticker": Method(ticker, OfInstrument),
    "public/get_order_book": Method(get_order_book, Book),
    "public/get_book_summary_by_currency": Method(get_book_summary_by_currency, Summaries),
    "public/get_book_summary_by_instrument": Method(get_book_summary_by_instrument, OfInstrument),
    "public/get_contract_size": Method(get_contract_size, OfInstrument),
}


def _coins(exchange: Exchange, currency: str) -> tuple[str, ...]:
    """The coins of *currency* that are traded here; nothing is listed in the others."""
    return tuple(coin for coin in exchange.params.coins if currency in ("any", coin))


async def _expired_options(exchange: Exchange, params: Instruments) -> list[Fields]:
    if params.kind not in (None, "any", "option"):
        return []
    return [
        option_fields(each.contract, each.snapshot.rules, exchange.now)
        for coin in _coins(exchange, params.currency)
        for each in await lately_expired(exchange, coin)
    ]


def _expirations(frame: Frame, kind: str) -> dict[str, list[str]]:
    names = list(dict.fromkeys(name.split("-")[1] for name in frame.listing.names))
    kinds: dict[str, list[str]] = {}
    if kind in ("any", "option"):
        kinds["option"] = names
    if kind in ("any", "future"):
        kinds["future"] = ["PERPETUAL"]
    return kinds


def _by_date(name: str) -> tuple[int, int, int]:
    """Sort key of 27MAR26; the perpetual comes last."""
    if name == "PERPETUAL":
        return (99, 0, 0)
    return int(name[-2:]), _MONTHS.index(name[-5:-2]), int(name[:-5])
