"""The market as it was: what was shown at an instant, and contracts before they expired."""

import asyncio
from datetime import datetime, timedelta

import numpy as np
from attrs import frozen

from apps.exchange.exchange import Exchange
from apps.exchange.frames import known
from apps.exchange.rpc import RpcError
from core.simulation.perpetual import perpetual_quote
from ports.checks import epoch_ms
from ports.errors import Unavailable
from ports.instruments import Contract, FutureContract, OptionContract
from ports.market_data import MarketSnapshot

_DAYS_LISTED = 7  # back that expired contracts are listed
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


@frozen(eq=False)
class Expired:
    """A contract, and the market when it was last listed there, in *row* of the chain."""

    contract: OptionContract
    snapshot: MarketSnapshot
    row: int


async def past_snapshot(exchange: Exchange, coin: str, at: datetime) -> MarketSnapshot | None:
    """Return the market at *at*, at now if that is to come; None where nothing is known."""
    await asyncio.sleep(0)  # a long history lets others be answered between its rows
    try:
        return await exchange.world.past.snapshot(coin, min(at, exchange.now))
    except Unavailable:
        return None


async def price_at(exchange: Exchange, found: Contract, at: datetime) -> float | None:
    """
    What a chart shows of *found* at *at*; None where nothing is known.

    Of an option that is its mark, of the perpetual the index, as in the bars of the history.
    """
    if isinstance(found, OptionContract):
        return await mark_at(exchange, found, at)
    snapshot = await past_snapshot(exchange, require_traded(exchange, found.underlying), at)
    return None if snapshot is None else snapshot.index_usd


async def mark_at(exchange: Exchange, found: Contract, at: datetime) -> float | None:
    """The mark of *found* at *at*; None where none is known."""
    snapshot = await past_snapshot(exchange, require_traded(exchange, found.underlying), at)
    if snapshot is None:
        return None
    if isinstance(found, FutureContract):
        return round(perpetual_quote(snapshot).mark, 4)
    row = snapshot.chain.row_of(found)
    return None if row is None else known(float(snapshot.chain.mark[row]))


async def expired_at(exchange: Exchange, coin: str, expiry: datetime) -> list[Expired]:
    """What of *coin* expired at *expiry*, in the order of the chain; nothing if none is known."""
    snapshot = await past_snapshot(exchange, coin, expiry - _MINUTE)
    if snapshot is None:
        return []
    rows = np.flatnonzero(snapshot.chain.expiry_ms == epoch_ms(expiry)).tolist()
    return [Expired(snapshot.chain.contract(row), snapshot, row) for row in rows]


async def lately_expired(exchange: Exchange, coin: str) -> list[Expired]:
    """What of *coin* expired within the last days, oldest first."""
    newest = exchange.last_settlement
    days = [newest - back * _DAY for back in range(_DAYS_LISTED - 1, -1, -1)]
    return [each for day in days for each in await expired_at(exchange, coin, day)]


async def expired_contract(exchange: Exchange, contract: OptionContract) -> Expired | None:
    """*contract* as it was, if it has expired and was listed; None if not."""
    if contract.expiry > exchange.now:
        return None
    found = await expired_at(exchange, contract.underlying, contract.expiry)
    return next((each for each in found if each.contract == contract), None)


def require_traded(exchange: Exchange, currency: str) -> str:
    """
    Return *currency* if it is traded here.

    Raises:
        RpcError: 13020, it is not.
    """
    if currency not in exchange.params.coins:
        raise RpcError(13020, "not_found")
    return currency
