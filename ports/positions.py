"""The book: what the journal adds up to, and the store of its snapshots."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Protocol

from attrs import field, frozen

from ports.checks import utc
from ports.codec import Codec
from ports.controls import RuntimeControls
from ports.decision_log import Action, HealthState, RollStarted
from ports.greg_log import GregEntry
from ports.instruments import FutureContract, OptionContract
from ports.trading import OrderIntent, OrderState


@frozen(kw_only=True)
class Leg:
    """
    One contract inside a position, with every flow it caused.

    *size* is what is held now, negative short. Flows in coin (and in USD at the index of their
    moment): sold and settled received, bought and fees paid.
    """

    contract: OptionContract
    opened_at: datetime = field(validator=utc)
    size: float = 0.0
    contracts_sold: float = 0.0
    sold_coin: float = 0.0
    sold_usd: float = 0.0
    bought_coin: float = 0.0
    bought_usd: float = 0.0
    settled_coin: float = 0.0
    settled_usd: float = 0.0
    fees_coin: float = 0.0
    fees_usd: float = 0.0
    mark_coin: float | None = None  # last mark while held
    closed_at: datetime | None = None

    @property
    def option_coin(self) -> float:
        """Coin earned by the option itself: flows so far and what is held, at its last mark."""
        held = self.size * self.mark_coin if self.mark_coin is not None else 0.0
        return self.sold_coin - self.bought_coin + self.settled_coin + held

    @property
    def pnl_coin(self) -> float:
        """Profit in coin after fees."""
        return self.option_coin - self.fees_coin


SANDBOX_ORIGIN = "GREG_SANDBOX"


@frozen(kw_only=True)
class FutureLeg:
    """
    The future that belongs to a position: what takes its delta off, or coin that was taken up.

    *size_usd* is what is held now, negative short, entered at *average_price* USD per coin, a mean
    of coin. Flows in coin (and in USD at the index of their moment): *realised* by trades that
    closed, *funding* as far as it is noted, until *funded_at*.
    """

    contract: FutureContract
    opened_at: datetime = field(validator=utc)
    funded_at: datetime = field(validator=utc)
    size_usd: float = 0.0
    average_price: float = 0.0  # zero while nothing is held
    realised_coin: float = 0.0
    realised_usd: float = 0.0
    funding_coin: float = 0.0
    funding_usd: float = 0.0
    fees_coin: float = 0.0
    fees_usd: float = 0.0
    mark_usd: float | None = None  # last mark while held, USD per coin

    @property
    def gained_coin(self) -> float:
        """Coin earned before fees: realised, funding, and what is held at its last mark."""
        open_coin = 0.0
        if self.size_usd != 0.0 and self.mark_usd is not None:
            open_coin = self.contract.profit_coin(self.size_usd, self.average_price, self.mark_usd)
        return self.realised_coin + self.funding_coin + open_coin

    @property
    def pnl_coin(self) -> float:
        """Profit in coin after fees."""
        return self.gained_coin - self.fees_coin


@frozen(kw_only=True)
class TrackedPosition:
    """
    A chain of legs that one strategy opened and rolled, and the *future* that hedges it, if any;
    open while any of it is held. It is of the sandbox if the flag or the origin says so.
    """

    position_id: str
    strategy_id: str
    underlying: str
    opened_at: datetime = field(validator=utc)
    legs: tuple[Leg, ...]
    closed_at: datetime | None = None
    exit_style: str = ""
    origin: str = "AGENT"
    sandbox: bool = False
    run_id: str = ""
    worst_pnl_coin: float = 0.0
    future: FutureLeg | None = None

    def __attrs_post_init__(self) -> None:
        if self.origin == SANDBOX_ORIGIN:
            object.__setattr__(self, "sandbox", True)

    @property
    def pnl_coin(self) -> float:
        """Profit in coin after fees, all legs and the future."""
        of_future = 0.0 if self.future is None else self.future.pnl_coin
        return sum(leg.pnl_coin for leg in self.legs) + of_future

    @property
    def future_usd(self) -> float:
        """USD held in its future, negative short."""
        return 0.0 if self.future is None else self.future.size_usd

    @property
    def open_legs(self) -> tuple[Leg, ...]:
        """The legs still held."""
        return tuple(leg for leg in self.legs if leg.size != 0.0)

    @property
    def num_rolls(self) -> int:
        """How often it was rolled."""
        return max(len(self.legs) - 1, 0)


@frozen(kw_only=True)
class OrderRecord:
    """
    An order of ours as far as we know it.

    *filled_amount* is what the venue says was filled, *booked_amount* what its trades told us;
    the difference is provisional.
    """

    intent: OrderIntent
    state: OrderState
    sent_at: datetime = field(validator=utc)
    updated_at: datetime = field(validator=utc)
    order_id: str | None = None
    filled_amount: float = 0.0
    booked_amount: float = 0.0
    reason: str = ""

    @property
    def reached_venue(self) -> bool:
        """Whether the venue saw it, as far as we know."""
        return self.state not in (OrderState.NOT_PLACED, OrderState.DENIED)

    @property
    def is_settled(self) -> bool:
        """Whether it has ended and every contract filled is booked."""
        return self.state.is_terminal and self.booked_amount >= self.filled_amount

    @property
    def working_amount(self) -> float:
        """Contracts that may still be traded or are traded and not yet booked."""
        open_amount = self.intent.amount if self.state.is_working else self.filled_amount
        return max(open_amount - self.booked_amount, 0.0)


@frozen(kw_only=True)
class Wealth:
    """
    Equity of one coin and where its change since the first mark came from.

    total = coin (holding through index moves) + option + hedge (futures, with their funding) +
    fees + other (transfers, trades of a person); the same split in coin has no coin part.
    """

    first_equity_coin: float
    first_index_usd: float
    equity_coin: float
    index_usd: float
    marked_at: datetime = field(validator=utc)
    option_coin: float = 0.0
    fees_coin: float = 0.0
    other_coin: float = 0.0
    coin_usd: float = 0.0
    option_usd: float = 0.0
    fees_usd: float = 0.0
    other_usd: float = 0.0
    hedge_coin: float = 0.0
    hedge_usd: float = 0.0

    @property
    def total_coin(self) -> float:
        """Change of equity in coin."""
        return self.equity_coin - self.first_equity_coin

    @property
    def total_usd(self) -> float:
        """Change of equity in USD."""
        return self.equity_coin * self.index_usd - self.first_equity_coin * self.first_index_usd


@frozen(kw_only=True)
class Drawdown:
    """The peak of equity within one UTC day, or since a person last reset it."""

    day: str
    peak_usd: float
    equity_usd: float

    @property
    def fall_pct(self) -> float:
        """Percent below the peak of the day."""
        return 100.0 * (1.0 - self.equity_usd / self.peak_usd) if self.peak_usd > 0 else 0.0


@frozen(kw_only=True)
class Reconciliation:
    """The last comparison with the venue for one underlying, and how many in a row differed."""

    at: datetime = field(validator=utc)
    clean: bool
    differing: int
    differences: tuple[str, ...] = ()


@frozen(kw_only=True)
class Undertaking:
    """What a strategy decided in the tick due at *due_at* and has not finished carrying out."""

    at: datetime = field(validator=utc)
    due_at: datetime = field(validator=utc)
    actions: tuple[Action, ...]


@frozen(kw_only=True)
class Book:
    """Everything the agent knows, folded from its journal; nothing else is remembered."""

    environment: str = ""
    counter: int = 0  # labels given so far
    orders: Mapping[str, OrderRecord] = field(factory=dict)  # by label; old terminal ones pruned
    positions: Mapping[str, TrackedPosition] = field(factory=dict)  # by position_id
    trade_ids: Mapping[str, datetime] = field(factory=dict)  # booked lately, with their instant
    delivery_ids: Mapping[str, datetime] = field(factory=dict)
    rolls: Mapping[str, RollStarted] = field(factory=dict)  # under way, by position_id
    controls: RuntimeControls = field(factory=RuntimeControls)
    wealth: Mapping[str, Wealth] = field(factory=dict)  # by underlying
    drawdown: Drawdown | None = None
    reconciliations: Mapping[str, Reconciliation] = field(factory=dict)  # by underlying
    undertakings: Mapping[str, Undertaking] = field(factory=dict)  # by "strategy/underlying"
    turns: Mapping[str, datetime] = field(factory=dict)  # last Executed, likewise
    advised: Mapping[str, GregEntry] = field(factory=dict)  # Greg's newest, by position_id
    ticked_at: datetime | None = None  # when the last finished tick was due
    halted: str = ""  # the reason, empty while not halted
    health: HealthState = HealthState.OK
    health_cause: str = ""
    is_paused: bool = False  # by its health: new risk waits

    @cached_property
    def working(self) -> tuple[OrderRecord, ...]:
        """Orders the venue holds or may hold."""
        return tuple(record for record in self.orders.values() if record.state.is_working)

    @cached_property
    def unsettled(self) -> tuple[OrderRecord, ...]:
        """Orders that work, and those that were filled by trades we were not told of yet."""
        return tuple(record for record in self.orders.values() if not record.is_settled)

    def open_positions(
        self, underlying: str | None = None, *, includes_sandbox: bool = False
    ) -> tuple[TrackedPosition, ...]:
        """Positions held, of one coin or all, oldest first; without those of the sandbox."""
        held = (
            position
            for position in self.positions.values()
            if position.closed_at is None
            and (includes_sandbox or not position.sandbox)
            and underlying in (None, position.underlying)
        )
        return tuple(sorted(held, key=lambda each: (each.opened_at, each.position_id)))


@frozen(kw_only=True)
class BookSnapshot:
    """The book as of one record of the journal, which its number and checksum name."""

    environment: str
    seq: int
    checksum: str
    saved_at: datetime = field(validator=utc)
    book: Book


BOOKS = Codec.of([Book, BookSnapshot])


class PositionStore(Protocol):
    """Where the newest snapshot of the book lies; the journal is the truth, this saves time."""

    async def load(self) -> BookSnapshot | None:
        """
        Return the newest snapshot, or None if there is none.

        Raises:
            StoreDamaged: There is one and it cannot be read; it was moved aside, its new name
                is in the message, and a later load finds none.

            StoreForeign: It belongs to another environment or a newer program; it stays.
        """
        ...

    async def save(self, snapshot: BookSnapshot) -> None:
        """
        Keep *snapshot* in place of the one before, whole or not at all.

        Raises:
            StoreUnwritable: It is not safely written; the one before is still there.
        """
        ...

    def free_bytes(self) -> int | None:
        """
        Return the room left where snapshots are kept; None if that is not a disk.

        Raises:
            StoreDamaged: The disk does not say.
        """
        ...
