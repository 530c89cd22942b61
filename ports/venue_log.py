"""What a simulated venue did: its own memory, so that paper books outlive a process."""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import evolve, field, frozen

from ports.checks import finite, positive, utc
from ports.codec import Codec
from ports.instruments import FutureContract
from ports.trading import Delivery, Fill, Order, OrderState


@frozen
class Deposit:
    """Coin put into the account."""

    underlying: str
    amount_coin: float = field(validator=positive)


class TimeInForce(StrEnum):
    """What becomes of that part of an order which does not trade at once."""

    GOOD_TIL_CANCELLED = "good_til_cancelled"
    GOOD_TIL_DAY = "good_til_day"
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    FILL_OR_KILL = "fill_or_kill"


@frozen(kw_only=True)
class OrderTerms:
    """
    How an order was worded: what its owner is told of it besides the Order itself.

    *advanced* is usd or implv for an option order whose price follows *advanced_price*, in USD
    or in percent; *display_amount* is what the book shows of an iceberg.
    """

    order_type: str = "limit"
    time_in_force: TimeInForce = TimeInForce.GOOD_TIL_CANCELLED
    post_only: bool = False
    reject_post_only: bool = False
    mmp: bool = False
    advanced: str | None = None
    advanced_price: float | None = None
    is_auto_replaced: bool = False  # its price followed the market, not its owner
    display_amount: float | None = None


@frozen(kw_only=True)
class TriggerOrder:
    """
    An order that waits outside the book until a *reference*, index_price, mark_price or
    last_price, reaches *trigger_price*.

    *order* is open while it waits; its price is zero at the market. Once placed it is closed
    and goes on as *placed_id*. *trigger_offset* is the distance of a trailing stop.
    """

    order: Order
    terms: OrderTerms
    reference: str
    trigger_price: float = field(validator=finite)
    trigger_offset: float | None = None
    placed_id: str = ""

    def ended(self, state: OrderState, placed_id: str = "") -> "TriggerOrder":
        """The order once it waits no more; *placed_id* is the order that it became, if any."""
        return evolve(self, order=evolve(self.order, state=state), placed_id=placed_id)


@frozen(kw_only=True)
class Funding:
    """
    What a position in a perpetual was paid, negative if it paid, until an instant.

    *rate* is the sum since the funding before, as a fraction of the coin held.
    """

    contract: FutureContract
    until: datetime = field(validator=utc)
    rate: float = field(validator=finite)
    amount_coin: float = field(validator=finite)


@frozen(kw_only=True)
class FutureSettlement:
    """
    The daily settlement of a future at *price*, USD per coin.

    *profit_coin* is all that moves to the balance: the session's profit, realised or not, with
    *funding_coin* in it.
    """

    contract: FutureContract
    at: datetime = field(validator=utc)
    size_usd: float = field(validator=finite)
    price: float = field(validator=positive)
    funding_coin: float = field(validator=finite)
    profit_coin: float = field(validator=finite)


@frozen(kw_only=True)
class VenueStep:
    """
    All that one event at the venue changed, together: a placement and the trades it made
    are never half remembered. *orders* replace what was known of the same order_id, *terms*,
    by order_id, what was known of theirs; funding comes before the trades, settlements last.
    *triggers* replace those of the same order_id: they are no business of the book. *reason*
    is why orders were cancelled, empty where they say it themselves.
    """

    at: datetime = field(validator=utc)
    deposits: tuple[Deposit, ...] = ()
    orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    terms: dict[str, OrderTerms] = field(factory=dict)
    reason: str = ""
    fundings: tuple[Funding, ...] = ()
    settlements: tuple[FutureSettlement, ...] = ()
    triggers: tuple[TriggerOrder, ...] = ()


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
