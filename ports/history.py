"""The past of an underlying: prices, and what its expiries were delivered at."""

from datetime import datetime, timedelta
from typing import Protocol

from attrs import field, frozen

from ports.checks import not_negative, positive
from ports.columns import Floats, Ints, float_column, int_column


@frozen(eq=False)
class Candles:
    """
    Prices of one underlying, a row a closed bar, oldest first; columns (n,).

    closed_at_ms is the end of the bar in milliseconds from 1970: what a row says was
    known at that instant and not before. Prices USD per coin; open, high and low are NaN where
    only the close is known. Bars may be missing: use closed_at_ms, not the row number.
    """

    underlying: str
    closed_at_ms: Ints = field(converter=int_column)
    open: Floats = field(converter=float_column)
    high: Floats = field(converter=float_column)
    low: Floats = field(converter=float_column)
    close: Floats = field(converter=float_column)


@frozen
class DeliveryPrice:
    """
    What an expiry was delivered at; *source* says how it is known.

    *error_usd* is one standard error of a proxy, zero for the venue's own figure.
    """

    price_usd: float = field(validator=positive)
    source: str
    error_usd: float = field(default=0.0, validator=not_negative)


class History(Protocol):
    """What was, never later than now."""

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """
        Return the bars that closed in (*start*, *end*] and not after now.

        *step* is the bar asked for; a source with rarer data answers with what it has.
        Safe to retry; empty where nothing is known.

        Raises:
            Unavailable: No answer, or no such underlying.
        """
        ...

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """
        Return what the perpetual's funding came to in (*start*, *end*] and not after now.

        A fraction of the coin held: longs paid it where it is positive. Parts of a span add up
        to the whole. Safe to retry.

        Raises:
            Unavailable: No answer, or no such underlying.
        """
        ...

    async def delivery_price(self, underlying: str, expiry: datetime) -> DeliveryPrice | None:
        """
        Return what *expiry* was delivered at, or None as long as it is not known.

        Safe to retry; the answer for an expiry never changes.

        Raises:
            Unavailable: No answer, or no such underlying.
        """
        ...
