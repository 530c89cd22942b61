"""DeribitStreams: what the venue says by itself, kept as it was last said."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from attrs import define, field, frozen

from adapters.deribit.models import AccountSummary, Ticker
from adapters.deribit.parse import fill_of, order_of, position_of, read_as
from adapters.deribit.rpc import Answer
from adapters.deribit.sockets import DeribitSocket
from adapters.deribit.stream_books import Book, KeptBook
from adapters.deribit.stream_models import BookSaid, ChangesSaid, IndexSaid, VolIndexSaid
from ports.errors import Malformed, PortError, Unavailable
from ports.trading import Fill, FuturePosition, Order, Position

_ASKED_AGAIN_S = 1.0
_MOST_UNREAD = 1_000  # changes of the account that nobody has looked at yet

_Said = Ticker | IndexSaid | VolIndexSaid | AccountSummary
_Word = TypeVar("_Word", bound=_Said | BookSaid)
_SAID: dict[str, type[_Said]] = {
    "ticker": Ticker,
    "deribit_price_index": IndexSaid,
    "deribit_volatility_index": VolIndexSaid,
    "user.portfolio": AccountSummary,
}


def ticker_channel(instrument_name: str) -> str:
    """The channel of a ticker."""
    return f"ticker.{instrument_name}.100ms"


def book_channel(instrument_name: str) -> str:
    """The channel of an order book."""
    return f"book.{instrument_name}.100ms"


def index_channel(underlying: str) -> str:
    """The channel of an index."""
    return f"deribit_price_index.{underlying.lower()}_usd"


def vol_index_channel(underlying: str) -> str:
    """The channel of DVOL."""
    return f"deribit_volatility_index.{underlying.lower()}_usd"


def portfolio_channel(underlying: str) -> str:
    """The channel of the balances in a coin."""
    return f"user.portfolio.{underlying.lower()}"


def changes_channel(underlying: str) -> str:
    """The channel of what happens to our options on a coin."""
    return f"user.changes.option.{underlying}.100ms"


@frozen(kw_only=True)
class AccountChange:
    """What happened to our orders and positions in one option."""

    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    positions: tuple[Position | FuturePosition, ...]


@define(eq=False)
class DeribitStreams:
    """
    The newest word in each channel that is followed.

    All is forgotten when the connection is lost, and one word when the next one of its channel
    cannot be read: None means ask, never that nothing has changed.
    """

    socket: DeribitSocket
    _said: dict[str, _Said] = field(factory=dict, init=False)
    _books: dict[str, KeptBook] = field(factory=dict, init=False)
    _readers: dict[str, "set[asyncio.Queue[AccountChange | None]]"] = field(
        factory=dict, init=False
    )
    _mending: dict[str, "asyncio.Task[None]"] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.socket.listener = self

    async def follow(self, *channels: str) -> None:
        """See DeribitSocket.subscribe."""
        await self.socket.subscribe(channels)

    def follows(self, channel: str) -> bool:
        """See DeribitSocket.follows."""
        return self.socket.follows(channel)

    async def leave(self, *channels: str) -> None:
        """See DeribitSocket.unsubscribe."""
        for channel in channels:
            self._forget(channel)
        await self.socket.unsubscribe(channels)

    def ticker(self, instrument_name: str) -> Ticker | None:
        """The ticker as it was last said."""
        return self._as(Ticker, ticker_channel(instrument_name))

    def index(self, underlying: str) -> IndexSaid | None:
        """The index as it was last said."""
        return self._as(IndexSaid, index_channel(underlying))

    def vol_index(self, underlying: str) -> VolIndexSaid | None:
        """DVOL as it was last said."""
        return self._as(VolIndexSaid, vol_index_channel(underlying))

    def portfolio(self, underlying: str) -> AccountSummary | None:
        """The balances as they were last said."""
        return self._as(AccountSummary, portfolio_channel(underlying))

    def book(self, instrument_name: str) -> Book | None:
        """The order book as it is; None from a gap in its changes to the next snapshot."""
        kept = self._books.get(book_channel(instrument_name))
        return None if kept is None else kept.book

    async def changes(self, underlying: str) -> AsyncIterator[AccountChange]:
        """
        Return what happens to our options on *underlying*, from now on and without a gap.

        Raises:
            Unavailable: Something may have been missed; reconcile, and begin again.
        """
        channel = changes_channel(underlying)
        unread: asyncio.Queue[AccountChange | None] = asyncio.Queue(_MOST_UNREAD)
        self._readers.setdefault(channel, set()).add(unread)
        try:
            if channel not in await self.socket.subscribe([channel]):
                raise Unavailable(f"{channel}: the venue does not have it")
            while (change := await unread.get()) is not None:
                yield change
        finally:
            self._readers[channel].discard(unread)
        raise Unavailable(f"{channel}: something may have been missed")

    def heard(self, channel: str, data: object) -> None:
        """See Listener; channels that are not followed, or not any more, are let pass."""
        if not self.socket.follows(channel):
            return
        kind = ".".join(channel.split(".")[: 2 if channel.startswith("user.") else 1])
        told = Answer(method=channel, status=200, result=data)
        try:
            if kind in _SAID:
                self._said[channel] = _about(channel, read_as(_SAID[kind], told))
            elif kind == "book":
                self._take_book(channel, _about(channel, read_as(BookSaid, told)))
            elif kind == "user.changes":
                self._tell(channel, _change_of(read_as(ChangesSaid, told)))
        except Malformed:
            self._forget(channel)

    def lost(self) -> None:
        """See Listener."""
        self._said.clear()
        self._books.clear()
        for channel in self._readers:
            self._tell(channel, None)

    async def close(self) -> None:
        """Leave nothing running."""
        for task in tuple(self._mending.values()):
            task.cancel()
            await asyncio.wait([task])

    def _as(self, model: type[_Word], channel: str) -> _Word | None:
        said = self._said.get(channel)
        return said if isinstance(said, model) else None

    def _take_book(self, channel: str, said: BookSaid) -> None:
        if self._books.setdefault(channel, KeptBook()).take(said) or channel in self._mending:
            return
        task = asyncio.create_task(self._begin_again(channel))
        self._mending[channel] = task
        task.add_done_callback(lambda _: self._mending.pop(channel))

    async def _begin_again(self, channel: str) -> None:
        """Have a book told from its snapshot on, as soon as the venue lets us."""
        while self.socket.follows(channel):
            try:
                await self.socket.renew(channel)
                return
            except PortError:
                await self.socket.sleep(_ASKED_AGAIN_S)

    def _forget(self, channel: str) -> None:
        self._said.pop(channel, None)
        self._books.pop(channel, None)
        self._tell(channel, None)

    def _tell(self, channel: str, change: AccountChange | None) -> None:
        """Tell all who read *channel*; None, or more than they have room for, ends it for them."""
        for unread in self._readers.get(channel, ()):
            if unread.full():
                while not unread.empty():
                    unread.get_nowait()
                unread.put_nowait(None)
            else:
                unread.put_nowait(change)


def _about(channel: str, word: _Word) -> _Word:
    """*word*, if it is about what *channel* is about."""
    if isinstance(word, AccountSummary):
        name = word.currency.lower()
    else:
        name = (
            word.index_name if isinstance(word, IndexSaid | VolIndexSaid) else word.instrument_name
        )
    if name not in channel.split("."):
        raise Malformed(f"{channel}: told of {name}")
    return word


def _change_of(said: ChangesSaid) -> AccountChange:
    return AccountChange(
        orders=tuple(order_of(row) for row in said.orders),
        fills=tuple(fill_of(row) for row in said.trades),
        positions=tuple(position_of(row) for row in said.positions),
    )
