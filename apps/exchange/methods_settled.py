"""Public methods about expiries: what they were delivered at, and what came of contracts."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from apps.exchange.exchange import Exchange
from apps.exchange.frames import known
from apps.exchange.instruments import instrument_named
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.params import Currency, Instant, Params, Whole
from apps.exchange.past import Expired, expired_at
from apps.exchange.rpc import Fields
from apps.exchange.wire_market import index_frame
from ports.checks import epoch_ms
from ports.instruments import FutureContract, OptionContract

_ALL = 10**12  # more than were ever told
NO_MORE = "none"  # what the venue says instead of a continuation

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_DAY_MS = _DAY // timedelta(milliseconds=1)
_MOST_DAYS = 100  # back that daily settlements are told


class DeliveryPrices(Params):
    """Of public/get_delivery_prices."""

    index_name: str
    offset: Whole = Field(default=0, ge=0)
    count: Whole = Field(default=10, ge=1, le=1000)


class Settlements(Params):
    """What all lists of settlements take."""

    type: Literal["settlement", "delivery", "bankruptcy", "exercise"] | None = None
    count: Whole = Field(default=20, ge=1, le=1000)
    continuation: str | None = Field(default=None, pattern=r"^(\d{1,12}|none)$")
    search_start_timestamp: Instant | None = None

    @property
    def skip(self) -> int:
        """How many were told already: that is what a continuation says."""
        if self.continuation == NO_MORE:
            return _ALL
        return 0 if self.continuation is None else int(self.continuation)


class SettlementsByCurrency(Settlements):
    """Of public/get_last_settlements_by_currency."""

    currency: Currency


class SettlementsByInstrument(Settlements):
    """Of public/get_last_settlements_by_instrument."""

    instrument_name: str


async def get_delivery_prices(call: Call, params: DeliveryPrices) -> Fields:
    """What days were delivered at, newest first."""
    frame = await index_frame(call.exchange, params.index_name)
    every = await call.exchange.deliveries(frame.coin)
    page = every[params.offset : params.offset + params.count]
    return {
        "data": [
            {"date": f"{at:%Y-%m-%d}", "delivery_price": price.price_usd} for at, price in page
        ],
        "records_total": len(every),
    }


async def get_last_settlements_by_currency(call: Call, params: SettlementsByCurrency) -> Fields:
    """What expired, newest first: every listed contract of every day; or the perpetual's days."""
    if params.type == "settlement":
        return await _daily(call.exchange, FutureContract(params.currency), params)
    return await _settlements(call.exchange, params.currency, None, params)


async def get_last_settlements_by_instrument(call: Call, params: SettlementsByInstrument) -> Fields:
    """What one contract was settled at."""
    found = instrument_named(params.instrument_name)
    if isinstance(found, FutureContract):
        return await _daily(call.exchange, found, params)
    return await _settlements(call.exchange, found.underlying, found, params)


SETTLED_METHODS: Methods = {
    "public/get_delivery_prices": Method(get_delivery_prices, DeliveryPrices),
    "public/get_last_settlements_by_currency": Method(
        get_last_settlements_by_currency, SettlementsByCurrency
    ),
    "public/get_last_settlements_by_instrument": Method(
        get_last_settlements_by_instrument, SettlementsByInstrument
    ),
}


async def _settlements(
    exchange: Exchange, coin: str, only: OptionContract | None, params: Settlements
) -> Fields:
    """Day by day, newest first, as far as the page needs."""
    if params.type not in (None, "delivery", "exercise"):
        return {"settlements": [], "continuation": NO_MORE}
    until = params.search_start_timestamp
    days = [
        (at, price)
        for at, price in (await exchange.deliveries(coin) if coin in exchange.params.coins else [])
        if (until is None or epoch_ms(at) <= until) and (only is None or at == only.expiry)
    ]
    skip = params.skip
    found: list[Fields] = []
    for at, price in days:
        found.extend(
            _expired_row(each, price.price_usd)
            for each in await expired_at(exchange, coin, at)
            if only is None or each.contract == only
        )
        if len(found) > skip + params.count:
            break
    more = str(skip + params.count) if len(found) > skip + params.count else NO_MORE
    return {"settlements": found[skip : skip + params.count], "continuation": more}


async def _daily(exchange: Exchange, contract: FutureContract, params: Settlements) -> Fields:
    """The daily settlements of the perpetual, newest first; what others earned is not known."""
    if params.type not in (None, "settlement") or contract.underlying not in exchange.params.coins:
        return {"settlements": [], "continuation": NO_MORE}
    newest, until = epoch_ms(exchange.last_settlement), params.search_start_timestamp
    start = exchange.last_settlement - (_MOST_DAYS - 1) * _DAY
    bars = await exchange.world.history.candles(contract.underlying, _HOUR, start, exchange.now)
    closed = zip(bars.closed_at_ms.tolist(), bars.close.tolist(), strict=True)
    found = [
        _settled_row(contract, at_ms, price)
        for at_ms, price in reversed(list(closed))
        if (newest - at_ms) % _DAY_MS == 0 and (until is None or at_ms <= until)
    ]
    more = params.skip + params.count
    return {
        "settlements": found[params.skip : more],
        "continuation": str(more) if len(found) > more else NO_MORE,
    }


def _settled_row(contract: FutureContract, at_ms: int, price: float) -> Fields:
    return {
        "type": "settlement",
        "timestamp": at_ms,
        "instrument_name": contract.symbol,
        "position": 0.0,
        "index_price": price,
        "mark_price": price,
        "profit_loss": 0.0,
        "session_profit_loss": 0.0,
        "funding": 0.0,
    }


def _expired_row(expired: Expired, price_usd: float) -> Fields:
    """What all who held the contract have of it together: nothing, since each has another side."""
    contract = expired.contract
    return {
        "type": "exercise",
        "timestamp": epoch_ms(contract.expiry),
        "instrument_name": contract.symbol,
        "position": known(float(expired.snapshot.chain.open_interest[expired.row])),
        "index_price": price_usd,
        "mark_price": contract.payoff_coin(price_usd),
        "profit_loss": 0.0,
        "session_profit_loss": 0.0,
    }
