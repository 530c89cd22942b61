"""Public methods about levels that have a past: volatility, realised and implied, and the index."""

from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from apps.exchange.bars import bars_of, starts_in
from apps.exchange.exchange import Exchange
from apps.exchange.frames import known
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.methods_market import Index
from apps.exchange.params import OfCurrency, Span
from apps.exchange.past import past_snapshot, require_traded
from apps.exchange.rpc import Fields
from apps.exchange.wire_market import index_frame
from core.simulation.dvol import dvol_percent
from core.stats.volatility import realised_vol
from ports.checks import epoch_ms

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_MOST_BARS = 500  # of one answer, where each is worked out from whole chains
_FAR = 10**5  # bars that are counted to see whether there are more
_VOLATILITY_HOURS = 16 * 24  # how far historical volatility goes back
_VOLATILITY_WINDOW = 30 * 24  # hours that each of its figures looks at
_RANGES = {  # how far an index chart goes back, and in which steps
    "1h": (_HOUR, timedelta(minutes=1)),
    "1d": (_DAY, timedelta(minutes=10)),
    "2d": (2 * _DAY, timedelta(minutes=20)),
    "1m": (30 * _DAY, _HOUR),
    "1y": (365 * _DAY, _DAY),
    "all": (10 * 365 * _DAY, _DAY),
}


class VolIndex(OfCurrency, Span):
    """Of public/get_volatility_index_data."""

    resolution: Literal["1", "60", "3600", "43200", "1D"]


class IndexChart(Index):
    """Of public/get_index_chart_data."""

    range: Literal["1h", "1d", "2d", "1m", "1y", "all"]


async def get_volatility_index_data(call: Call, params: VolIndex) -> Fields:
    """
    Bars of the volatility index, worked out from the chain as it stood then.

    A continuation is the end_timestamp to ask for next.
    """
    exchange, coin = call.exchange, require_traded(call.exchange, params.currency)
    step = _DAY if params.resolution == "1D" else timedelta(seconds=int(params.resolution))
    every = starts_in(params, step, exchange.now, _FAR)
    starts = every[-_MOST_BARS:]
    bars = await bars_of(partial(dvol_at, exchange, coin), starts, step)
    return {
        "data": [
            [epoch_ms(bar.start), *_rounded(bar.open, bar.high, bar.low, bar.close)] for bar in bars
        ],
        "continuation": epoch_ms(starts[0] - step) if len(every) > len(starts) else None,
    }


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


async def get_index_chart_data(call: Call, params: IndexChart) -> list[list[float]]:
    """The index from some time ago to now, oldest first."""
    exchange, coin = call.exchange, (await index_frame(call.exchange, params.index_name)).coin
    back, step = _RANGES[params.range]
    if step >= _HOUR:
        since = exchange.now - back
        bars = await exchange.world.history.candles(coin, step, since, exchange.now)
        rows = zip(bars.closed_at_ms.tolist(), bars.close.tolist(), strict=True)
        return [list(row) for row in rows]
    instants = [exchange.now - left * step for left in range(back // step, -1, -1)]
    found = [(at, await past_snapshot(exchange, coin, at)) for at in instants]
    return [[epoch_ms(at), seen.index_usd] for at, seen in found if seen is not None]


async def dvol_at(exchange: Exchange, coin: str, at: datetime) -> float | None:
    """The volatility index of *coin* at *at* in percent; None where nothing is known."""
    snapshot = await past_snapshot(exchange, coin, at)
    return None if snapshot is None else known(dvol_percent(snapshot))


VOLATILITY_METHODS: Methods = {
    "public/get_volatility_index_data": Method(get_volatility_index_data, VolIndex),
    "public/get_historical_volatility": Method(get_historical_volatility, OfCurrency),
    "public/get_index_chart_data": Method(get_index_chart_data, IndexChart),
}


def _rounded(*levels: float) -> list[float]:
    """With the two decimals that the venue tells."""
    return [round(level, 2) for level in levels]
