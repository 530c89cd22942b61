"""SplicedHistory: a recording with the bars of another market before it begins."""

from datetime import datetime, timedelta

import numpy as np
from attrs import frozen

from ports.checks import epoch_ms
from ports.history import Candles, DeliveryPrice, History

_COLUMNS = ("closed_at_ms", "open", "high", "low", "close")


@frozen(eq=False)
class SplicedHistory:
    """
    History that answers with *recording*, and with *earlier* bars up to its first one.

    The two may be of different venues: what is read across the seam is only as good as that.
    """

    recording: History
    earlier: dict[str, Candles]
    begins_at: datetime

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """See History; *earlier* bars come as they are, whatever the *step*."""
        own = await self.recording.candles(underlying, step, start, end)
        before = self.earlier.get(underlying)
        if before is None:
            return own
        closed = before.closed_at_ms
        rows = (closed > epoch_ms(start)) & (closed <= epoch_ms(end))
        rows &= closed < epoch_ms(self.begins_at)
        return Candles(
            underlying,
            **{
                name: np.concatenate([getattr(before, name)[rows], getattr(own, name)])
                for name in _COLUMNS
            },
        )

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """See History; of the recording."""
        return await self.recording.funding(underlying, start, end)

    async def delivery_price(self, underlying: str, expiry: datetime) -> DeliveryPrice | None:
        """See History; of the recording."""
        return await self.recording.delivery_price(underlying, expiry)
