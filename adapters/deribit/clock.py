"""The clock of a paper exchange whose time is stepped: waiting moves it."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

from adapters.deribit.client import DeribitClient
from ports.errors import PortError, Unavailable

_LONGEST_STEP = timedelta(hours=6)  # of one request: its answer must come before its time-out


class SteppedVenueClock:
    """
    A Clock over the wire: the exchange's own time, which passes only while somebody waits.

    Nobody else may move the exchange meanwhile.
    """

    def __init__(self, client: DeribitClient, ticks: Sequence[datetime], now: datetime) -> None:
        self._client = client
        self._ticks = sorted(set(ticks))
        self._now = now

    @classmethod
    async def opened(cls, client: DeribitClient, ticks: Sequence[datetime]) -> Self:
        """
        Return the clock of the exchange that *client* speaks to, ticking at *ticks*.

        Raises:
            PortError: It does not tell its time.
        """
        answer = await client.read("public/get_time")
        return cls(client, ticks, answer.answered_at)

    def now(self) -> datetime:
        """See Clock; the exchange's time as it was told last."""
        return self._now

    def now_s(self) -> float:
        """The same in seconds from 1970."""
        return self._now.timestamp()

    def next_tick(self, after: datetime | None) -> datetime | None:
        """See Clock: the first tick later than *after*, None behind the last."""
        row = 0 if after is None else bisect_right(self._ticks, after)
        return self._ticks[row] if row < len(self._ticks) else None

    async def sleep_until(self, instant: datetime) -> None:
        """
        Let the exchange's time pass until *instant*.

        Raises:
            Unavailable: The exchange cannot be moved; now is where it was last known to be.
        """
        while (left := instant - self._now) > timedelta(0):
            step = min(left, _LONGEST_STEP)
            try:
                await self._client.submit("paper/advance", seconds=step.total_seconds())
            except PortError as error:
                raise Unavailable(f"the time of the exchange cannot be moved: {error}") from error
            self._now += step
