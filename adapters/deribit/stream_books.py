"""Order books, kept by what the venue says has changed."""

from attrs import define, field, frozen

from adapters.deribit.stream_models import BookMove, BookSaid


@frozen
class Level:
    """A price and the amount at it, in the venue's units."""

    price: float
    amount: float


@frozen(kw_only=True)
class Book:
    """An order book as it was after *change_id*, at *timestamp_ms*; best prices first."""

    instrument_name: str
    timestamp_ms: int
    change_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@define(eq=False)
class KeptBook:
    """
    One order book from its snapshot on, change by change.

    A change that does not follow the one before leaves it unknown until the next snapshot.
    """

    _last: BookSaid | None = field(default=None, init=False)
    _bids: dict[float, float] = field(factory=dict, init=False)
    _asks: dict[float, float] = field(factory=dict, init=False)

    def take(self, said: BookSaid) -> bool:
        """Follow *said* and return whether the book is known now."""
        if said.is_whole:
            self._bids, self._asks = {}, {}
        elif self._last is None or said.prev_change_id != self._last.change_id:
            self._last = None
            return False
        _move(self._bids, said.bids)
        _move(self._asks, said.asks)
        self._last = said
        return True

    @property
    def book(self) -> Book | None:
        """The book as it is; None while it is not known."""
        if self._last is None:
            return None
        bids, asks = sorted(self._bids.items(), reverse=True), sorted(self._asks.items())
        return Book(
            instrument_name=self._last.instrument_name,
            timestamp_ms=self._last.timestamp,
            change_id=self._last.change_id,
            bids=tuple(Level(price, amount) for price, amount in bids),
            asks=tuple(Level(price, amount) for price, amount in asks),
        )


def _move(side: dict[float, float], moves: list[BookMove]) -> None:
    for action, price, amount in moves:
        if action == "delete":
            side.pop(price, None)
        else:
            side[price] = amount
