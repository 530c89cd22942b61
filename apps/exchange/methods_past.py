"""Public methods about the past: trades, charts, marks, funding."""

from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import numpy as np
from pydantic import Field

from apps.exchange.bars import bars_of, span_of, starts_in
from apps.exchange.exchange import Exchange
from apps.exchange.instruments import instrument_named, kind_of
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
from apps.exchange.past import mark_at, past_snapshot, price_at, require_traded
from apps.exchange.rpc import Fields, RpcError, invalid_params
from apps.exchange.wire_market import public_trade
from core.simulation.listing import listed_since
from core.simulation.perpetual import EIGHT_HOURS, perpetual_quote
from ports.checks import epoch_ms, from_epoch_ms
from ports.history import Candles
from ports.instruments import FutureContract, OptionContract

RESOLUTIONS = ("1", "3", "5", "10", "15", "30", "60", "120", "180", "360", "720", "1D")
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_MOST_BARS = 500  # of one answer, where each is worked out from the whole chain
_MOST_CANDLES = 5_000
_MS = timedelta(milliseconds=1)
_MARK_STEP = timedelta(minutes=5)
_MOST_FUNDING = 744  # hours that one list of funding tells
_FUNDING_CHARTS = {  # how far back each goes, and in which steps
    "8h": (timedelta(hours=8), timedelta(minutes=10)),
    "24h": (timedelta(days=1), timedelta(minutes=30)),
    "1m": (timedelta(days=30), timedelta(hours=8)),
}
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
    if params.resolution not in RESOLUTIONS:
        raise invalid_params("resolution", "wrong format")
    found = instrument_named(params.instrument_name)
    step = resolution_step(params.resolution)
    if isinstance(found, FutureContract) and step >= _HOUR:
        require_traded(call.exchange, found.underlying)
        return await _index_chart(call.exchange, found, step, params)
    starts = starts_in(params, step, call.exchange.now, _MOST_BARS)
    if isinstance(found, OptionContract):  # nobody knows a mark before it was listed
        starts = [each for each in starts if _is_listed(found, each, each + step)]
    bars = await bars_of(partial(price_at, call.exchange, found), starts, step)
    levels = [
        [bar.open for bar in bars],
        [bar.high for bar in bars],
        [bar.low for bar in bars],
        [bar.close for bar in bars],
    ]
    return _chart_fields([epoch_ms(bar.start) for bar in bars], levels)


async def get_funding_rate_history(call: Call, params: InstrumentSpan) -> list[Fields]:
    """The funding of whole hours, oldest first."""
    exchange, coin = call.exchange, _perpetual(call.exchange, params.instrument_name)
    start, end = span_of(params, exchange.now)
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
    start, end = span_of(params, call.exchange.now)
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
    instants = starts_in(params, _MARK_STEP, call.exchange.now, _MOST_BARS)
    prices = [await mark_at(call.exchange, found, at) for at in instants]
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
    "public/get_funding_chart_data": Method(get_funding_chart_data, FundingChart),
    "public/get_funding_rate_value": Method(get_funding_rate_value, InstrumentSpan),
    "public/get_mark_price_history": Method(get_mark_price_history, InstrumentSpan),
}


def is_kind(trade: TradeRecord, kind: str | None) -> bool:
    """Whether *trade* is of *kind*; None asks for every kind."""
    return kind in (None, "any", kind_of(trade.fill.contract))


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


def resolution_step(resolution: str) -> timedelta:
    """How long a bar of *resolution*, which is one of RESOLUTIONS, is."""
    return _DAY if resolution == "1D" else timedelta(minutes=int(resolution))


def _is_listed(contract: OptionContract, since: datetime, until: datetime) -> bool:
    """Whether *contract* is listed at some time between."""
    return listed_since(contract.expiry) < until and since < contract.expiry


async def _index_chart(
    exchange: Exchange, perpetual: FutureContract, step: timedelta, params: Chart
) -> Fields:
    """
    Bars of the index, of an hour or more, up to the one that is being made.

    Where only the close of a bar is known it is all four.
    """
    start, end = span_of(params, exchange.now)
    start = max(start, end - _MOST_CANDLES * step)
    bars: Candles = await exchange.world.history.candles(
        perpetual.underlying, step, start, end + step + _REST_OF_MS
    )
    levels = np.stack([bars.open, bars.high, bars.low, bars.close])
    known = np.where(np.isnan(levels), bars.close, levels).tolist()
    ticks_ms = (bars.closed_at_ms - step // _MS).tolist()
    now_ms = epoch_ms(exchange.now) // (step // _MS) * (step // _MS)
    if now_ms <= epoch_ms(end) and now_ms not in ticks_ms:
        look = partial(price_at, exchange, perpetual)
        for bar in await bars_of(look, [from_epoch_ms(now_ms)], step):
            ticks_ms.append(now_ms)
            for column, level in zip(known, (bar.open, bar.high, bar.low, bar.close), strict=True):
                column.append(level)
    return _chart_fields(ticks_ms, known)


def _chart_fields(ticks_ms: list[int], levels: list[list[float]]) -> Fields:
    """The chart of bars that begin at *ticks_ms*; *levels* are open, high, low and close."""
    opened, high, low, close = levels
    return {
        "status": "ok" if ticks_ms else "no_data",
        "ticks": ticks_ms,
        "open": opened,
        "high": high,
        "low": low,
        "close": close,
        "volume": [0.0] * len(ticks_ms),
        "cost": [0.0] * len(ticks_ms),
    }
