"""Public methods about the past: trades, charts, marks, funding."""

from datetime import datetime, timedelta
from functools import partial

import numpy as np
from pydantic import Field

from apps.exchange.bars import Bar, bars_of, span_of, starts_in
from apps.exchange.exchange import Exchange
from apps.exchange.instruments import Perpetual, instrument_named
from apps.exchange.ledger import TradeRecord
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.pages import Tape, chosen
from apps.exchange.params import (
    Instant,
    Kind,
    OfCurrency,
    OfInstrument,
    Sorting,
    Span,
    Whole,
)
from apps.exchange.past import price_at, require_traded
from apps.exchange.rpc import Fields, RpcError, invalid_params
from apps.exchange.wire_market import public_trade
from core.simulation.listing import listed_since
from ports.checks import epoch_ms, from_epoch_ms
from ports.history import Candles
from ports.instruments import OptionContract

RESOLUTIONS = ("1", "3", "5", "10", "15", "30", "60", "120", "180", "360", "720", "1D")
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_MOST_BARS = 500  # of one answer, where each is worked out from the whole chain
_MOST_CANDLES = 5_000
_MARK_STEP = timedelta(minutes=5)
_REST_OF_MS = timedelta(microseconds=999)  # a recorded bar closes within a millisecond


class TradesByCurrency(OfCurrency):
    """Of public/get_last_trades_by_currency."""

    kind: Kind | None = None
    start_id: str | None = None
    end_id: str | None = None
    start_timestamp: Instant | None = None
    end_timestamp: Instant | None = None
    count: Whole = Field(default=10, ge=1, le=1000)
    sorting: Sorting = "default"
    include_old: bool = False  # of older interfaces: everything is told here anyway


class TradesByInstrument(OfInstrument):
    """Of public/get_last_trades_by_instrument."""

    start_seq: Whole | None = None
    end_seq: Whole | None = None
    start_timestamp: Instant | None = None
    end_timestamp: Instant | None = None
    count: Whole = Field(default=10, ge=1, le=1000)
    sorting: Sorting = "default"
    include_old: bool = False  # of older interfaces: everything is told here anyway


class Chart(OfInstrument, Span):
    """Of public/get_tradingview_chart_data."""

    resolution: str


class InstrumentSpan(OfInstrument, Span):
    """Of the funding methods and of public/get_mark_price_history."""


async def get_last_trades_by_currency(call: Call, params: TradesByCurrency) -> Fields:
    """The newest trades of a coin: those made here, since nobody else trades."""
    trades = call.exchange.books(params.currency).trades
    if params.kind not in (None, "any", "option"):
        trades = []
    return _told(trades, params)


async def get_last_trades_by_instrument(call: Call, params: TradesByInstrument) -> Fields:
    """The newest trades of one instrument."""
    found = instrument_named(params.instrument_name)
    if isinstance(found, Perpetual):
        return {"trades": [], "has_more": False}
    trades = call.exchange.books(found.underlying).trades
    return _told([each for each in trades if each.fill.contract == found], params)


async def get_tradingview_chart_data(call: Call, params: Chart) -> Fields:
    """Bars of the index for a perpetual, of marks for an option; nothing is known of volumes."""
    if params.resolution not in RESOLUTIONS:
        raise invalid_params("resolution", "wrong format")
    found = instrument_named(params.instrument_name)
    step = resolution_step(params.resolution)
    if isinstance(found, Perpetual) and step >= _HOUR:
        coin = require_traded(call.exchange, found.coin)
        return _chart_fields(await _hourly_bars(call.exchange, coin, step, params))
    starts = starts_in(params, step, call.exchange.now, _MOST_BARS)
    if isinstance(found, OptionContract):  # nobody knows a mark before it was listed
        starts = [each for each in starts if _is_listed(found, each, each + step)]
    return _chart_fields(await bars_of(partial(price_at, call.exchange, found), starts, step))


async def get_funding_rate_history(call: Call, params: InstrumentSpan) -> list[Fields]:
    """Hours of funding: none is ever due, since the perpetual stands at its index."""
    coin = _perpetual(call.exchange, params.instrument_name)
    start, end = span_of(params, call.exchange.now)
    bars = await call.exchange.world.history.candles(coin, _HOUR, start - _HOUR, end)
    prices = bars.close.tolist()
    rows = zip(bars.closed_at_ms.tolist()[1:], prices, prices[1:], strict=False)
    return [
        {
            "timestamp": at_ms,
            "index_price": price,
            "prev_index_price": before,
            "interest_1h": 0.0,
            "interest_8h": 0.0,
        }
        for at_ms, before, price in rows
    ][-_MOST_CANDLES:]


async def get_funding_rate_value(call: Call, params: InstrumentSpan) -> float:
    """What funding came to: nothing."""
    _perpetual(call.exchange, params.instrument_name)
    return 0.0


async def get_mark_price_history(call: Call, params: InstrumentSpan) -> list[list[object]]:
    """Marks every five minutes, newest first."""
    found = instrument_named(params.instrument_name)
    instants = starts_in(params, _MARK_STEP, call.exchange.now, _MOST_BARS)
    prices = [await price_at(call.exchange, found, at) for at in instants]
    rows = zip(instants, prices, strict=True)
    told: list[list[object]] = [[epoch_ms(at), price] for at, price in rows if price is not None]
    return told[::-1]


PAST_METHODS: Methods = {
    "public/get_last_trades_by_currency": Method(get_last_trades_by_currency, TradesByCurrency),
    "public/get_last_trades_by_currency_and_time": Method(
        get_last_trades_by_currency, TradesByCurrency
    ),
    "public/get_last_trades_by_instrument": Method(
        get_last_trades_by_instrument, TradesByInstrument
    ),
    "public/get_last_trades_by_instrument_and_time": Method(
        get_last_trades_by_instrument, TradesByInstrument
    ),
    "public/get_tradingview_chart_data": Method(get_tradingview_chart_data, Chart),
    "public/get_funding_rate_history": Method(get_funding_rate_history, InstrumentSpan),
    "public/get_funding_rate_value": Method(get_funding_rate_value, InstrumentSpan),
    "public/get_mark_price_history": Method(get_mark_price_history, InstrumentSpan),
}


def _told(trades: list[TradeRecord], params: TradesByCurrency | TradesByInstrument) -> Fields:
    page = chosen(trades, Tape.of(params))
    return {"trades": [public_trade(each) for each in page.trades], "has_more": page.has_more}


def _perpetual(exchange: Exchange, name: str) -> str:
    found = instrument_named(name)
    if not isinstance(found, Perpetual):
        raise RpcError(10031, "invalid_args_for_instrument")
    return require_traded(exchange, found.coin)


def resolution_step(resolution: str) -> timedelta:
    """How long a bar of *resolution*, which is one of RESOLUTIONS, is."""
    return _DAY if resolution == "1D" else timedelta(minutes=int(resolution))


def _is_listed(contract: OptionContract, since: datetime, until: datetime) -> bool:
    """Whether *contract* is listed at some time between."""
    return listed_since(contract.expiry) < until and since < contract.expiry


async def _hourly_bars(exchange: Exchange, coin: str, step: timedelta, params: Chart) -> list[Bar]:
    start, end = span_of(params, exchange.now)
    start = max(start, end - _MOST_CANDLES * step)
    bars: Candles = await exchange.world.history.candles(
        coin, step, start, end + step + _REST_OF_MS
    )
    columns = [bars.open, bars.high, bars.low, bars.close]
    rows = np.where(np.isnan(np.stack(columns)), bars.close, np.stack(columns)).T.tolist()
    starts = [from_epoch_ms(at_ms) - step for at_ms in bars.closed_at_ms.tolist()]
    return [Bar(at, *row) for at, row in zip(starts, rows, strict=True)]


def _chart_fields(bars: list[Bar]) -> Fields:
    return {
        "status": "ok" if bars else "no_data",
        "ticks": [epoch_ms(bar.start) for bar in bars],
        "open": [bar.open for bar in bars],
        "high": [bar.high for bar in bars],
        "low": [bar.low for bar in bars],
        "close": [bar.close for bar in bars],
        "volume": [0.0] * len(bars),
        "cost": [0.0] * len(bars),
    }
