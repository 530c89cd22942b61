"""What a venue publishes of volatility and funding beside prices."""

from datetime import datetime, timedelta
from typing import Protocol

from attrs import field, frozen

from ports.columns import Floats, Ints, float_column, int_column


@frozen(eq=False)
class VolIndexSeries:
    """
    A volatility index, a row a closed bar, oldest first; columns (n,).

    closed_at_ms is the end of the bar in milliseconds from 1970; close percent per year.
    """

    underlying: str
    closed_at_ms: Ints = field(converter=int_column)
    close: Floats = field(converter=float_column)


@frozen(eq=False, kw_only=True)
class VolatilityReading:
    """
    What was known of a coin's volatility and funding at one instant; None is not known, and
    *faults* say why it could not be had. Volatilities percent, funding a fraction of eight hours.
    """

    daily: VolIndexSeries | None = None
    hourly: VolIndexSeries | None = None
    published: float | None = None
    funding: float | None = None
    faults: tuple[str, ...] = ()


class Volatility(Protocol):
    """The volatility index, published realised volatility, and the funding to come."""

    async def vol_index(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> VolIndexSeries:
        """
        Return the bars that closed in (*start*, *end*] and not after now.

        A source with rarer data answers with what it has. Safe to retry; empty where nothing
        is known.

        Raises:
            Unavailable: No answer.
        """
        ...

    async def published_vol(self, underlying: str) -> float | None:
        """
        Return the newest realised volatility that the venue publishes, percent; None for none.

        Raises:
            Unavailable: No answer.
        """
        ...

    async def predicted_funding(self, underlying: str) -> float | None:
        """
        Return the funding of the perpetual that is building up, a fraction of eight hours.

        Longs pay it where it is positive; None where it is not published. Safe to retry.

        Raises:
            Unavailable: No answer.
        """
        ...
