"""DeribitMarketData: the chain of a coin in one call, with sharper quotes where they are needed."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
from attrs import define, evolve, field

from adapters.deribit.chains import Listing, chain_of, listing_of, summaries_of, with_ticker
from adapters.deribit.client import DeribitClient
from adapters.deribit.models import IndexPrice, Summary, Ticker
from adapters.deribit.parse import COINS, read_as
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.columns import Bools
from ports.errors import Malformed, Unavailable
from ports.market_data import MarketSnapshot

Focus = Callable[[ChainTable], Bools]  # (n,) rows of which a ticker is wanted

_LISTING_LASTS = timedelta(minutes=15)
_LISTING_RESTS = timedelta(minutes=1)  # new names are looked up no more often than this


def nothing(chain: ChainTable) -> Bools:
    """No row: the amounts at bid and ask stay unknown."""
    return np.zeros(len(chain), dtype=np.bool_)


@define(eq=False, kw_only=True)
class DeribitMarketData:
    """
    MarketData of inverse options, by the venue's public methods.

    One call brings the whole chain, without amounts. *focus* chooses rows, at most
    *most_tickers* in chain order, of which the ticker is asked too: amounts, and quotes as
    fresh as the index. The list of instruments is kept for a quarter of an hour, or until the
    venue quotes what is not on it.
    """

    client: DeribitClient
    focus: Focus = nothing
    most_tickers: int = 10
    _listings: dict[str, Listing] = field(factory=dict, init=False)

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """See MarketData; Unauthorised or Refused if the venue turns us away."""
        if underlying not in COINS:
            raise Unavailable(f"the venue has no inverse options on {underlying}")
        answer = await self.client.read(
            "public/get_book_summary_by_currency", currency=underlying, kind="option"
        )
        summaries = summaries_of(answer)
        listing = await self._listing(underlying, summaries, answer.answered_at)
        chain = chain_of(underlying, summaries, listing, answer.answered_at)
        for ticker in await self._tickers(chain):
            chain = with_ticker(chain, ticker, listing)
        index_answer = await self.client.read(
            "public/get_index_price", index_name=f"{underlying.lower()}_usd"
        )
        taken_at = max(answer.answered_at, index_answer.answered_at)
        return MarketSnapshot(
            underlying=underlying,
            taken_at=taken_at,
            index_usd=read_as(IndexPrice, index_answer).index_price,
            chain=_as_of(chain, taken_at),
            rules=listing.rules,
        )

    async def _listing(
        self, underlying: str, summaries: dict[str, Summary], now: datetime
    ) -> Listing:
        known = self._listings.get(underlying)
        if known is not None:
            age = now - known.read_at
            is_new = age > _LISTING_RESTS and not summaries.keys() <= known.names
            if age <= _LISTING_LASTS and not is_new:
                return known
        answer = await self.client.read(
            "public/get_instruments", currency=underlying, kind="option", expired=False
        )
        listing = listing_of(underlying, answer)
        self._listings[underlying] = listing
        return listing

    async def _tickers(self, chain: ChainTable) -> list[Ticker]:
        rows = np.flatnonzero(self.focus(chain))[: self.most_tickers]
        names = [chain.contract(int(row)).symbol for row in rows]
        return list(await asyncio.gather(*(self._ticker(name) for name in names)))

    async def _ticker(self, instrument_name: str) -> Ticker:
        answer = await self.client.read("public/ticker", instrument_name=instrument_name)
        ticker = read_as(Ticker, answer)
        if ticker.instrument_name != instrument_name:
            raise Malformed(f"asked for {instrument_name}, told of {ticker.instrument_name}")
        return ticker


def _as_of(chain: ChainTable, taken_at: datetime) -> ChainTable:
    """*chain* without what has expired meanwhile, and no quote later than *taken_at*."""
    taken_ms = epoch_ms(taken_at)
    listed = chain.where(chain.expiry_ms > taken_ms)
    return evolve(listed, quoted_at_ms=np.minimum(listed.quoted_at_ms, taken_ms))
