"""What a simulated venue did: its own memory, so that paper books outlive a process."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from attrs import field, frozen

from ports.checks import positive, utc
from ports.codec import Codec
from ports.trading import Delivery, Fill, Order


@frozen
class Deposit:
    """Coin put into the account."""

    underlying: str
    amount_coin: float = field(validator=positive)


@frozen(kw_only=True)
class VenueStep:
    """
    All that one event at the venue changed, together: a placement and the trades it made
    are never half remembered. *orders* replace what was known of the same order_id.
    """

    at: datetime = field(validator=utc)
    deposits: tuple[Deposit, ...] = ()
    orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
    deliveries: tuple[Delivery, ...] = ()


VENUE_STEPS = Codec.of([VenueStep])


class VenueLog(Protocol):
    """The venue's memory, append-only."""

    async def append(self, step: VenueStep) -> None:
        """
        Keep *step*, safe on its medium on return.

        Raises:
            StoreUnwritable: It is not safely written; the log takes nothing more.
        """
        ...

    def steps(self) -> AsyncIterator[VenueStep]:
        """
        Yield every step, oldest first.

        Raises:
            StoreDamaged: A line is missing or is not as it was written; names its number.
        """
        ...
