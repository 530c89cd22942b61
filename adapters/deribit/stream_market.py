"""StreamedQuotes: tickers and index as the venue said them, or else as it answers."""

from datetime import datetime, timedelta

from attrs import define, field

from adapters.deribit.market_data import IndexQuote, Quotes
from adapters.deribit.models import Ticker
from adapters.deribit.streams import DeribitStreams, index_channel, ticker_channel
from ports.checks import from_epoch_ms
from ports.errors import PortError


@define(eq=False, kw_only=True)
class StreamedQuotes:
    """
    Quotes that the venue says by itself; what is not within *fresh_for* of now is *asked* for.

    The index and the tickers of the last question about a coin are followed, and no others. Age
    is by the venue's clock, against its own answer a moment ago: a word that is late, missing or
    unreadable is asked for like any other.
    """

    streams: DeribitStreams
    asked: Quotes
    fresh_for: timedelta = timedelta(seconds=2)  # the venue says a ticker about once a second
    _followed: dict[str, frozenset[str]] = field(factory=dict, init=False)

    async def tickers(self, underlying: str, names: list[str], now: datetime) -> list[Ticker]:
        """See Quotes."""
        await self._follow(underlying, names)
        said = [self.streams.ticker(name) for name in names]
        fresh = [each for each in said if each is not None and self._is_fresh(each.timestamp, now)]
        known = {ticker.instrument_name for ticker in fresh}
        missing = [name for name in names if name not in known]
        return [*fresh, *await self.asked.tickers(underlying, missing, now)]

    async def index(self, underlying: str, now: datetime) -> IndexQuote:
        """See Quotes."""
        said = self.streams.index(underlying)
        if said is None or not self._is_fresh(said.timestamp, now):
            return await self.asked.index(underlying, now)
        return IndexQuote(said.price, from_epoch_ms(said.timestamp))

    async def _follow(self, underlying: str, names: list[str]) -> None:
        """Follow what is asked about from here on; where the venue does not let us, no matter."""
        wanted = frozenset([index_channel(underlying), *map(ticker_channel, names)])
        before = self._followed.get(underlying, frozenset())
        self._followed[underlying] = before | wanted
        try:
            await self.streams.leave(*(before - wanted))
            await self.streams.follow(*(each for each in wanted if not self.streams.follows(each)))
        except PortError:
            return
        self._followed[underlying] = wanted

    def _is_fresh(self, timestamp_ms: int, now: datetime) -> bool:
        return abs(now - from_epoch_ms(timestamp_ms)) <= self.fresh_for
