"""The perpetual in Deribit's words: ticker, book, summary."""

from datetime import timedelta

from attrs import frozen

from apps.exchange.exchange import Exchange
from apps.exchange.frames import Frame
from apps.exchange.instruments import instrument_named
from apps.exchange.ledger import TradeRecord
from apps.exchange.rpc import Fields
from apps.exchange.wire_market import (
    Level,
    option_ticker,
    option_view,
    price_change,
    with_own,
)
from core.simulation.perpetual import (
    EIGHT_HOURS,
    SHOWN_USD,
    PerpetualQuote,
    perpetual_quote,
)
from ports.instruments import FutureContract

_DAY = timedelta(days=1)


@frozen(eq=False)
class PerpetualView:
    """The perpetual of a coin on the frame that is shown, with our orders and trades in it."""

    contract: FutureContract
    frame: Frame
    quote: PerpetualQuote
    bids: list[Level]  # best first
    asks: list[Level]
    last: TradeRecord | None
    day: list[TradeRecord]  # of the last 24 hours, oldest first
    settlement_price: float | None
    funding_8h: float  # what the last eight hours came to
    interest: float  # what the session has come to


async def perpetual_view(exchange: Exchange, contract: FutureContract) -> PerpetualView:
    """
    Return how the perpetual *contract* is shown now.

    Raises:
        RpcError: 13020, its coin is not traded here.

        Unavailable: The market or its past does not answer.
    """
    coin = contract.underlying
    frame = await exchange.frame(coin)
    quote, books = perpetual_quote(frame.snapshot), exchange.books(coin)
    bids, asks = with_own([(quote.bid, SHOWN_USD)], [(quote.ask, SHOWN_USD)], books, contract)
    since = exchange.last_settlement
    return PerpetualView(
        contract=contract,
        frame=frame,
        quote=quote,
        bids=bids,
        asks=asks,
        last=books.last_trade(contract),
        day=books.trades_since(contract, exchange.now - _DAY),
        settlement_price=await exchange.settlement_index(coin),
        funding_8h=await exchange.funding(coin, exchange.now - EIGHT_HOURS, exchange.now),
        interest=await exchange.funding(coin, since, exchange.now),
    )


async def ticker_of(exchange: Exchange, name: str) -> Fields:
    """
    Return the ticker of *name*.

    Raises:
        RpcError: -32602 or 13020, there is no such instrument.
    """
    found = instrument_named(name)
    if isinstance(found, FutureContract):
        return perpetual_ticker(await perpetual_view(exchange, found))
    return option_ticker(await option_view(exchange, found))


def perpetual_ticker(view: PerpetualView) -> Fields:
    """The ticker object of a perpetual."""
    return {
        "timestamp": view.frame.at_ms,
        "instrument_name": view.contract.symbol,
        "state": "open",
        "best_bid_price": view.bids[0][0],
        "best_bid_amount": view.bids[0][1],
        "best_ask_price": view.asks[0][0],
        "best_ask_amount": view.asks[0][1],
        "last_price": view.last.fill.price if view.last else None,
        "mark_price": round(view.quote.mark, 4),
        "min_price": view.quote.least,
        "max_price": view.quote.most,
        "index_price": view.frame.index_usd,
        "estimated_delivery_price": view.frame.index_usd,
        "open_interest": 0.0,
        "settlement_price": view.settlement_price,
        "current_funding": view.quote.funding_8h,
        "funding_8h": view.funding_8h,
        "interest_value": view.interest,
        "stats": _stats(view),
    }


def perpetual_book(view: PerpetualView, depth: int) -> Fields:
    """The order book object of a perpetual."""
    return {
        **perpetual_ticker(view),
        "bids": view.bids[:depth],
        "asks": view.asks[:depth],
        "change_id": view.frame.at_ms,
    }


def perpetual_summary(view: PerpetualView) -> Fields:
    """The summary object of a perpetual."""
    bid, ask = view.bids[0][0], view.asks[0][0]
    stats = _stats(view)
    return {
        "instrument_name": view.contract.symbol,
        "base_currency": view.frame.coin,
        "quote_currency": "USD",
        "bid_price": bid,
        "ask_price": ask,
        "mid_price": (bid + ask) / 2,
        "mark_price": round(view.quote.mark, 4),
        "last": view.last.fill.price if view.last else None,
        "high": stats["high"],
        "low": stats["low"],
        "price_change": stats["price_change"],
        "open_interest": 0.0,
        "volume": stats["volume"],
        "volume_usd": stats["volume_usd"],
        "volume_notional": stats["volume_notional"],
        "current_funding": view.quote.funding_8h,
        "funding_8h": view.funding_8h,
        "creation_timestamp": view.frame.at_ms,
        "estimated_delivery_price": view.frame.index_usd,
    }


def _stats(view: PerpetualView) -> Fields:
    prices = [trade.fill.price for trade in view.day]
    volume_usd = sum((trade.fill.amount for trade in view.day), 0.0)
    return {
        "high": max(prices) if prices else None,
        "low": min(prices) if prices else None,
        "price_change": price_change(prices),
        "volume": sum((each.fill.amount / each.fill.price for each in view.day), 0.0),
        "volume_usd": volume_usd,
        "volume_notional": volume_usd,
    }
