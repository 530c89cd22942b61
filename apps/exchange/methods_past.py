"""Public methods about the past: trades, charts, volatility, funding."""

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import Field

from apps.exchange.exchange import Exchange
from apps.exchange.frames import known
from apps.exchange.instruments import instrument_named, kind_of
from apps.exchange.ledger import TradeRecord
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.methods_market import require_traded
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
from apps.exchange.rpc import Fields, RpcError, invalid_params
from apps.exchange.wire_market import public_trade
from core.simulation.dvol import dvol_percent
from core.simulation.perpetual import EIGHT_HOURS, perpetual_quote
from core.stats.volatility import realised_vol
from ports.checks import epoch_ms, from_epoch_ms
from ports.errors import Unavailable
from ports.history import Candles
from ports.instruments import Contract, FutureContract
from ports.market_data import MarketSnapshot

_RESOLUTIONS = ("1", "3", "5", "10", "15", "30", "60", "120", "180", "360", "720", "1D")
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_MOST_BARS = 500  # of one answer, where each is worked out from the whole chain
_MOST_CANDLES = 5_000
_VOLATILITY_HOURS = 16 * 24  # how far historical volatility goes back
_VOLATILITY_WINDOW = 30 * 24  # hours that each of its figures looks at
_MARK_STEP = timedelta(minutes=5)
_MOST_FUNDING = 744  # hours that one list of funding tells
_FUNDING_CHARTS = {  # how far back each goes, and in which steps
    "8h": (timedelta(hours=8), timedelta(minutes=10)),
    "24h": (timedelta(days=1), timedelta(minutes=30)),
    "1m": (timedelta(days=30), timedelta(hours=8)),
}


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


class VolIndex(OfCurrency, Span):
    """Of public/get_volatility_index_data."""

    resolution: Literal["1", "60", "3600", "43200", "1D"]


class FundingChart(OfInstrument):
    """Of public/get_funding_chart_data."""

    length: Literal["8h", "24h", "1m"]


class InstrumentSpan(OfInstrument, Span):
    """Of the funding methods and of public/get_mark_price_history."""


async def get_last_trades_by_currency(call: Call, params: TradesByCurrency) -> Fields:
    """The newest trades of a coin: those made here, since nobody else trades."""
    trades = call.exchange.books(params.currency).trades
    return _told([each for each in trades if is_kind(each, params.kind)], params)


async def get_last_trades_by_instrument(call: Call, params: TradesByInstrument) -> Fields:
    """The newest trades of one instrument."""
    found = instrument_named(params.instrument_name)
    trades = call.exchange.books(found.underlying).trades
    return _told([each for each in trades if each.fill.contract == found], params)


async def get_tradingview_chart_data(call: Call, params: Chart) -> Fields:
    """Bars of the index for a perpetual, of marks for an option; nothing is known of volumes."""
    if params.resolution not in _RESOLUTIONS:
        raise invalid_params("resolution", "wrong format")
    found = instrument_named(params.instrument_name)
    step = _DAY if params.resolution == "1D" else timedelta(minutes=int(params.resolution))
    if isinstance(found, FutureContract) and step >= _HOUR:
        return await _hourly_chart(
            call.exchange, require_traded(call.exchange, found.underlying), step, params
        )
    starts = _grid(params, step, call.exchange.now, _MOST_BARS)
    edges = [*starts, starts[-1] + step] if starts else []
    prices = [await _price(call.exchange, found, edge) for edge in edges]
    return _chart_fields(starts, _bars(prices))


async def get_volatility_index_data(call: Call, params: VolIndex) -> Fields:
    """Bars of the volatility index, worked out from the chain as it stood then."""
    exchange, coin = call.exchange, require_traded(call.exchange, params.currency)
    step = _DAY if params.resolution == "1D" else timedelta(seconds=int(params.resolution))
    every = _grid(params, step, exchange.now, 10**5)
    starts = every[-_MOST_BARS:]
    edges = [*starts, starts[-1] + step] if starts else []
    levels = [await dvol_at(exchange, coin, edge) for edge in edges]
    rows = [
        [epoch_ms(start), *bar]
        for start, bar in zip(starts, _bars(levels), strict=True)
        if None not in bar
    ]
    more = epoch_ms(starts[0]) if len(every) > len(starts) else None
    return {"data": rows, "continuation": more}


async def get_historical_volatility(call: Call, params: OfCurrency) -> list[list[float]]:
    """The realised volatility of thirty days, hourly for the last sixteen, in percent."""
    exchange, coin = call.exchange, require_traded(call.exchange, params.currency)
    span = (_VOLATILITY_HOURS + _VOLATILITY_WINDOW) * _HOUR
    bars = await exchange.world.history.candles(coin, _HOUR, exchange.now - span, exchange.now)
    told: list[list[float]] = []
    for end in range(_VOLATILITY_WINDOW, len(bars.close) + 1):
        window = slice(max(end - _VOLATILITY_WINDOW, 0), end)
        vol = known(realised_vol(bars.closed_at_ms[window], bars.close[window]))
        if vol is not None:
            told.append([int(bars.closed_at_ms[end - 1]), 100.0 * vol])
    return told[-_VOLATILITY_HOURS:]


async def get_funding_rate_history(call: Call, params: InstrumentSpan) -> list[Fields]:
    """The funding of whole hours, oldest first."""
    exchange, coin = call.exchange, _perpetual(call.exchange, params.instrument_name)
    start, end = _span(params, exchange.now)
    start = max(start, end - _MOST_FUNDING * _HOUR)
    bars = await exchange.world.history.candles(coin, _HOUR, start - _HOUR, end)
    prices = bars.close.tolist()
    rows = zip(bars.closed_at_ms.tolist()[1:], prices, prices[1:], strict=False)
    return [
        await _funding_row(exchange, coin, from_epoch_ms(at_ms), before, price)
        for at_ms, before, price in rows
    ]


async def get_funding_rate_value(call: Call, params: InstrumentSpan) -> float:
    """What funding came to, as a fraction."""
    coin = _perpetual(call.exchange, params.instrument_name)
    start, end = _span(params, call.exchange.now)
    return await call.exchange.funding(coin, start, end)


async def get_funding_chart_data(call: Call, params: FundingChart) -> Fields:
    """The funding of eight hours over the last hours, day or month, with the index."""
    exchange, coin = call.exchange, _perpetual(call.exchange, params.instrument_name)
    span, step = _FUNDING_CHARTS[params.length]
    points: list[Fields] = []
    for back in range(span // step, -1, -1):
        at = exchange.now - back * step
        snapshot = await past_snapshot(exchange, coin, at)
        if snapshot is not None:
            interest_8h = await exchange.funding(coin, at - EIGHT_HOURS, at)
            points.append(
                {
                    "timestamp": epoch_ms(at),
                    "index_price": snapshot.index_usd,
                    "interest_8h": interest_8h,
                }
            )
    return {
        "current_interest": perpetual_quote((await exchange.frame(coin)).snapshot).funding_8h,
        "interest_8h": await exchange.funding(coin, exchange.now - EIGHT_HOURS, exchange.now),
        "data": points,
    }


async def get_mark_price_history(call: Call, params: InstrumentSpan) -> list[list[object]]:
    """Marks every five minutes, newest first."""
    found = instrument_named(params.instrument_name)
    instants = _grid(params, _MARK_STEP, call.exchange.now, _MOST_BARS)
    prices = [await _price(call.exchange, found, at) for at in instants]
    rows = zip(instants, prices, strict=True)
    told: list[list[object]] = [[epoch_ms(at), price] for at, price in rows if price is not None]
    return told[::-1]


async def dvol_at(exchange: Exchange, coin: str, at: datetime) -> float | None:
    """The volatility index of *coin* at *at* in percent; None where nothing is known."""
    snapshot = await past_snapshot(exchange, coin, at)
    return None if snapshot is None else known(dvol_percent(snapshot))


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
    "public/get_volatility_index_data": Method(get_volatility_index_data, VolIndex),
    "public/get_historical_volatility": Method(get_historical_volatility, OfCurrency),
    "public/get_funding_rate_history": Method(get_funding_rate_history, InstrumentSpan),
    "public/get_funding_chart_data": Method(get_funding_chart_data, FundingChart),
    "public/get_funding_rate_value": Method(get_funding_rate_value, InstrumentSpan),
    "public/get_mark_price_history": Method(get_mark_price_history, InstrumentSpan),
}


def is_kind(trade: TradeRecord, kind: str | None) -> bool:
    """Whether *trade* is of *kind*; None asks for every kind."""
    return kind in (None, "any", kind_of(trade.fill.contract))


Bar = tuple[float | None, float | None, float | None, float | None]


def _told(trades: list[TradeRecord], params: TradesByCurrency | TradesByInstrument) -> Fields:
    page = chosen(trades, Tape.of(params))
    return {"trades": [public_trade(each) for each in page.trades], "has_more": page.has_more}


def _perpetual(exchange: Exchange, name: str) -> str:
    found = instrument_named(name)
    if not isinstance(found, FutureContract):
        raise RpcError(10031, "invalid_args_for_instrument")
    return require_traded(exchange, found.underlying)


async def _funding_row(
    exchange: Exchange, coin: str, at: datetime, before: float, price: float
) -> Fields:
    return {
        "timestamp": epoch_ms(at),
        "index_price": price,
        "prev_index_price": before,
        "interest_1h": await exchange.funding(coin, at - _HOUR, at),
        "interest_8h": await exchange.funding(coin, at - EIGHT_HOURS, at),
    }


def _span(params: Span, now: datetime) -> tuple[datetime, datetime]:
    if params.start_timestamp > params.end_timestamp:
        raise invalid_params("start_timestamp", "must not be after end_timestamp")
    return from_epoch_ms(params.start_timestamp), min(from_epoch_ms(params.end_timestamp), now)


def _grid(params: Span, step: timedelta, now: datetime, most: int) -> list[datetime]:
    """The starts of the bars in the span that have begun, oldest first, the newest *most*."""
    start, end = _span(params, now)
    step_ms = step // timedelta(milliseconds=1)
    first, last = -(-epoch_ms(start) // step_ms), epoch_ms(end) // step_ms
    return [from_epoch_ms(bar * step_ms) for bar in range(max(first, last - most + 1), last + 1)]


async def past_snapshot(exchange: Exchange, coin: str, at: datetime) -> MarketSnapshot | None:
    """Return the market at *at*, at now if that is to come; None where nothing is known."""
    await asyncio.sleep(0)  # a long history lets others be answered between its rows
    try:
        return await exchange.world.past.snapshot(coin, min(at, exchange.now))
    except Unavailable:
        return None


async def _price(exchange: Exchange, found: Contract, at: datetime) -> float | None:
    snapshot = await past_snapshot(exchange, require_traded(exchange, found.underlying), at)
    if snapshot is None:
        return None
    if isinstance(found, FutureContract):
        return snapshot.index_usd
    row = snapshot.chain.row_of(found)
    return None if row is None else known(float(snapshot.chain.mark[row]))


def _bars(edges: list[float | None]) -> list[Bar]:
    """Open, high, low, close between neighbours; what lies between is not looked at."""
    return [_bar(first, last) for first, last in pairwise(edges)]


def _bar(first: float | None, last: float | None) -> Bar:
    if first is None or last is None:
        return None, None, None, None
    return first, max(first, last), min(first, last), last


async def _hourly_chart(exchange: Exchange, coin: str, step: timedelta, params: Chart) -> Fields:
    start, end = _span(params, exchange.now)
    start = max(start, end - _MOST_CANDLES * step)
    bars: Candles = await exchange.world.history.candles(coin, step, start, end + step)
    columns = [bars.open, bars.high, bars.low, bars.close]
    rows = np.where(np.isnan(np.stack(columns)), bars.close, np.stack(columns))
    starts = [from_epoch_ms(at_ms) - step for at_ms in bars.closed_at_ms.tolist()]
    return _chart_fields(starts, [tuple(row) for row in rows.T.tolist()])


def _chart_fields(starts: list[datetime], bars: list[Bar]) -> Fields:
    whole = [(at, bar) for at, bar in zip(starts, bars, strict=True) if None not in bar]
    return {
        "status": "ok" if whole else "no_data",
        "ticks": [epoch_ms(at) for at, _ in whole],
        "open": [bar[0] for _, bar in whole],
        "high": [bar[1] for _, bar in whole],
        "low": [bar[2] for _, bar in whole],
        "close": [bar[3] for _, bar in whole],
        "volume": [0.0] * len(whole),
        "cost": [0.0] * len(whole),
    }
