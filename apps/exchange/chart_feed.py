"""The bar that is being made now, for those who follow a chart."""

from datetime import timedelta
from functools import partial

from apps.exchange.bars import bars_of
from apps.exchange.exchange import Exchange
from apps.exchange.instruments import instrument_named
from apps.exchange.methods_past import resolution_step
from apps.exchange.past import price_at
from apps.exchange.rpc import Fields, RpcError
from apps.exchange.wire_perpetual import ticker_of
from ports.checks import epoch_ms, from_epoch_ms
from ports.instruments import FutureContract


async def bar_now(exchange: Exchange, name: str, resolution: str, told: object) -> Fields:
    """
    Return the bar of *name* in which now lies; it goes on from *told*, what was last said.

    Raises:
        RpcError: There is no such instrument, or nothing is known of its price.
    """
    step = resolution_step(resolution)
    step_ms = step // timedelta(milliseconds=1)
    tick = epoch_ms(exchange.now) // step_ms * step_ms
    if not isinstance(told, dict) or told["tick"] != tick:
        return await _begun(exchange, name, tick, step)
    is_future = isinstance(instrument_named(name), FutureContract)
    price = (await ticker_of(exchange, name))["index_price" if is_future else "mark_price"]
    if not isinstance(price, float):
        return told
    low, high = min(told["low"], price), max(told["high"], price)
    return {**told, "low": low, "high": high, "close": price}


async def _begun(exchange: Exchange, name: str, tick: int, step: timedelta) -> Fields:
    """The bar as far as it has come, from its beginning."""
    look = partial(price_at, exchange, instrument_named(name))
    bars = await bars_of(look, [from_epoch_ms(tick)], step)
    if not bars:
        raise RpcError(13020, "not_found")
    (bar,) = bars
    return {
        "tick": tick,
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "volume": 0.0,
        "cost": 0.0,
    }
