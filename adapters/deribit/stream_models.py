"""The venue's notifications as it writes them; tickers and portfolios are those of the answers."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from adapters.deribit.models import Foreign, HeldPosition, Milliseconds, PlacedOrder, UserTrade


class IndexSaid(Foreign):
    """Channel deribit_price_index.{index}; USD per coin."""

    timestamp: Milliseconds
    price: FiniteFloat = Field(gt=0)
    index_name: str


class VolIndexSaid(Foreign):
    """Channel deribit_volatility_index.{index}; DVOL in percent."""

    timestamp: Milliseconds
    volatility: FiniteFloat = Field(gt=0)
    index_name: str


# What to do, price, amount; in JSON a list.
BookMove = Annotated[
    tuple[Literal["new", "change", "delete"], FiniteFloat, FiniteFloat], Field(strict=False)
]


class BookSaid(Foreign):
    """
    Channel book.{instrument}.{interval}: the whole book, or what has changed since.

    Before 2020 neither told its *type*: a snapshot then is what follows nothing.
    """

    type: Literal["snapshot", "change"] | None = None
    timestamp: Milliseconds
    instrument_name: str
    change_id: int
    prev_change_id: int | None = None
    bids: list[BookMove]
    asks: list[BookMove]

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the book before it counts any more."""
        return self.type == "snapshot" or (self.type is None and self.prev_change_id is None)


class ChangesSaid(Foreign):
    """Channel user.changes.{kind}.{currency}.{interval}: what happened to one instrument."""

    instrument_name: str
    trades: list[UserTrade]
    orders: list[PlacedOrder]
    positions: list[HeldPosition]
