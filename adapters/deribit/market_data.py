"""DeribitMarketData: the chain of a coin in one call, with sharper quotes where they are needed."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
from attrs import Factory, define, evolve, field, frozen

from adapters.deribit.book_columns import read_books
from adapters.deribit.chains import Listing, chain_of, listing_of, with_ticker
from adapters.deribit.client import DeribitClient
from adapters.deribit.models import IndexPrice, Ticker
from adapters.deribit.parse import COINS, read_as
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.errors import Malformed, Unavailable
from ports.market_data import MarketSnapshot

Focus = Callable[[ChainTable], Sequence[int]]  # rows of which a ticker is wanted, first first

_LISTING_LASTS = timedelta(minutes=15)
_LISTING_RESTS = timedelta(minutes=1)  # new names are looked up no more often than this


def nothing(chain: ChainTable) -> Sequence[int]:  # noqa: ARG001
    """No row: the amounts at bid and ask stay unknown."""
    return ()


@frozen
class IndexQuote:
    """The index, and the venue's time of it."""

    price_usd: float
    at: datetime


class Quotes(Protocol):
    """Single quotes, sharper than those of the chain. *now* is the venue's time."""

    async def tickers(self, underlying: str, names: list[str], now: datetime) -> list[Ticker]:
        """
        Return the tickers of the options *names* on *underlying*.

        Raises:
            Unavailable, Malformed, Refused: One of them could not be had.
        """
        ...

    async def index(self, underlying: str, now: datetime) -> IndexQuote:
        """
        Return the index of *underlying*.

        Raises:
            Unavailable, Malformed, Refused: It could not be had.
        """
        ...


@frozen(eq=False)
class AskedQuotes:
    """Quotes that are asked for one by one."""

    client: DeribitClient

    async def tickers(
        self,
        underlying: str,  # noqa: ARG002
        names: list[str],
        now: datetime,  # noqa: ARG002
    ) -> list[Ticker]:
        """See Quotes."""
        return list(await asyncio.gather(*(self._ticker(name) for name in names)))

    async def index(self, underlying: str, now: datetime) -> IndexQuote:  # noqa: ARG002
        """See Quotes."""
        answer = await self.client.read(
            "public/get_index_price", index_name=f"{underlying.lower()}_usd"
        )
        return IndexQuote(read_as(IndexPrice, answer).index_price, answer.answered_at)

    async def _ticker(self, instrument_name: str) -> Ticker:
        answer = await self.client.read("public/ticker", instrument_name=instrument_name)
        ticker = read_as(Ticker, answer)
        if ticker.instrument_name != instrument_name:
            raise Malformed(f"asked for {instrument_name}, told of {ticker.instrument_name}")
        return ticker


@define(eq=False, kw_only=True)
class DeribitMarketData:
    """
    MarketData of inverse options, by the venue's public methods.

    One call brings the whole chain, without amounts. *focus* chooses rows, of which *quotes*
    bring the ticker too, for the first *most_tickers*: amounts, and quotes as fresh as the
    index. By default each is asked for. The list of instruments is kept for a quarter of an
    hour, or until the venue quotes what is not on it.
    """

    client: DeribitClient
    quotes: Quotes = field(default=Factory(lambda self: AskedQuotes(self.client), takes_self=True))
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
        book = read_books(answer.result, answer.method).families.get(underlying)
        if book is None:
            raise Malformed(f"{answer.method}: no inverse option on {underlying}")
        listing = await self._listing(underlying, book.names, answer.answered_at)
        chain = chain_of(book, listing, answer.answered_at)
        focused = self._focused(chain)
        for ticker in await self.quotes.tickers(underlying, focused, answer.answered_at):
            chain = with_ticker(chain, ticker, listing)
        index = await self.quotes.index(underlying, answer.answered_at)
        taken_at = max(answer.answered_at, index.at)
        return MarketSnapshot(
            underlying=underlying,
            taken_at=taken_at,
            index_usd=index.price_usd,
            chain=_as_of(chain, taken_at),
            rules=listing.rules,
        )

    async def _listing(self, underlying: str, names: Iterable[str], now: datetime) -> Listing:
        known = self._listings.get(underlying)
        if known is not None:
            age = now - known.read_at
            is_new = age > _LISTING_RESTS and not known.names.issuperset(names)
            if age <= _LISTING_LASTS and not is_new:
                return known
        answer = await self.client.read(
            "public/get_instruments", currency=underlying, kind="option", expired=False
        )
        listing = listing_of(underlying, answer)
        self._listings[underlying] = listing
        return listing

    def _focused(self, chain: ChainTable) -> list[str]:
        rows = self.focus(chain)[: self.most_tickers]
        return [chain.contract(row).symbol for row in rows]


def _as_of(chain: ChainTable, taken_at: datetime) -> ChainTable:
    """*chain* without what has expired meanwhile, and no quote later than *taken_at*."""
    taken_ms = epoch_ms(taken_at)
    if chain.expiry_ms[0] <= taken_ms:
        chain = chain.where(chain.expiry_ms > taken_ms)
    if (chain.quoted_at_ms <= taken_ms).all():
        return chain
    return evolve(chain, quoted_at_ms=np.minimum(chain.quoted_at_ms, taken_ms))
