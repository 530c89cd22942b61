"""Time, as the agent lives it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, and waiting for later."""

    def now(self) -> datetime:
        """The current instant, aware, UTC; never earlier than an answer before."""
        ...

    def next_tick(self, after: datetime | None) -> datetime | None:
        """
        When the next tick is due, given that the last finished one was due at *after*.

        None for *after* asks for the first tick; None as the answer says there will be no more.
        A live clock answers now or a later point of its interval, never a missed one in the past;
        a recorded one answers the next instant of its recording, wherever now is.
        """
        ...

    async def sleep_until(self, instant: datetime) -> None:
        """Return at *instant* or as soon after as can be; at once if it has passed."""
        ...
