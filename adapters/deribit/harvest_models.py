"""The venue's words about what stands beside an option chain, and about volatility."""

from typing import Annotated

from pydantic import Field

from adapters.deribit.models import Foreign, Milliseconds, Quoted

_NOT_TOLD = float("nan")


class FutureSummary(Foreign):
    """A row of public/get_book_summary_by_currency of futures; funding is the perpetual's."""

    instrument_name: str
    bid_price: Quoted = _NOT_TOLD
    ask_price: Quoted = _NOT_TOLD
    mark_price: Quoted = _NOT_TOLD
    open_interest: Quoted = _NOT_TOLD
    volume_usd: Quoted = _NOT_TOLD
    current_funding: Quoted = _NOT_TOLD
    funding_8h: Quoted = _NOT_TOLD


VolIndexBar = tuple[Milliseconds, Quoted, Quoted, Quoted, Quoted]  # start, open, high, low, close


class VolIndexBars(Foreign):
    """
    public/get_volatility_index_data; percent, strictly a list of lists.

    *continuation* is the end to ask for next, None where there is no more.
    """

    data: list[Annotated[VolIndexBar, Field(strict=False)]]
    continuation: Milliseconds | None = None
