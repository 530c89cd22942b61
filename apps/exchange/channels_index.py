"""What the channels of an index say: its price, its day, its parts, and its volatility."""

from datetime import timedelta

import numpy as np

from apps.exchange.exchange import Exchange
from apps.exchange.frames import Frame
from apps.exchange.rpc import Fields
from apps.exchange.wire_market import index_frame
from core.simulation.dvol import dvol_percent

INDEX_WORDS = (  # what a channel of an index begins with
    "deribit_price_index",
    "deribit_price_ranking",
    "deribit_price_statistics",
    "deribit_volatility_index",
    "estimated_expiration_price",
)
SLOW_WORDS = frozenset({"deribit_price_statistics", "deribit_volatility_index"})
_HOUR, _DAY, _MEAN_TIME = timedelta(hours=1), timedelta(days=1), timedelta(minutes=30)
_WILD_SHARE = 0.05  # of the price in a day, from which it counts as volatile


async def said_of_index(exchange: Exchange, word: str, name: str) -> object:
    """
    Return what the channel *word* of the index *name* says now; *word* is one of INDEX_WORDS.

    Raises:
        RpcError: -32602, there is no such index.

        Unavailable: The history does not answer.
    """
    frame = await index_frame(exchange, name)
    if word == "deribit_price_ranking":
        return [_own_part(frame)]
    if word == "deribit_price_statistics":
        return await _statistics(exchange, frame, name)
    if word == "deribit_volatility_index":
        level = round(dvol_percent(frame.snapshot), 2)
        return {"timestamp": frame.at_ms, "volatility": level, "index_name": name}
    if word == "estimated_expiration_price":
        return _expiration(frame, name)
    return {"timestamp": frame.at_ms, "price": frame.index_usd, "index_name": name}


def _own_part(frame: Frame) -> Fields:
    """The one market that the index is made of here."""
    return {
        "identifier": "paper",
        "enabled": True,
        "timestamp": frame.at_ms,
        "price": frame.index_usd,
        "original_price": frame.index_usd,
        "weight": 100.0,
    }


async def _statistics(exchange: Exchange, frame: Frame, name: str) -> Fields:
    """The last 24 hours of the index, by its hourly bars and its price now."""
    bars = await exchange.world.history.candles(
        frame.coin, _HOUR, exchange.now - _DAY, exchange.now
    )
    levels = np.concatenate([bars.high, bars.low, bars.close, [frame.index_usd]])
    low, high = float(np.nanmin(levels)), float(np.nanmax(levels))
    first = float(bars.close[0]) if len(bars.close) else frame.index_usd
    return {
        "index_name": name,
        "low24h": low,
        "high24h": high,
        "change24h": frame.index_usd - first,
        "high_volatility": (high - low) / frame.index_usd > _WILD_SHARE,
    }


def _expiration(frame: Frame, name: str) -> Fields:
    """What the next expiry would be delivered at, and the seconds until it is."""
    price: Fields = {"price": frame.index_usd, "index_name": name}
    if not frame.listing.contracts:
        return {**price, "seconds": 0, "is_estimated": False}
    left = frame.listing.contracts[0].expiry - frame.snapshot.taken_at
    is_estimated = left <= _MEAN_TIME  # its forward has begun to turn into the mean
    return {
        "price": frame.forward[0] if is_estimated else frame.index_usd,
        "index_name": name,
        "seconds": max(0, left // timedelta(seconds=1)),
        "is_estimated": is_estimated,
    }
