"""What the agent saw, decided, sent and learned: the entries of the journal, and their log."""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen

from ports.checks import finite, positive, utc
from ports.codec import Codec
from ports.controls import RuntimeControls
from ports.greg_journal import GregJournal
from ports.instruments import OptionContract
from ports.marks import FutureMark, PositionMark
from ports.trading import Delivery, Fill, FuturePosition, OrderIntent, OrderState, Position


class ActionType(StrEnum):
    """What a strategy may want."""

    DO_NOTHING = "DO_NOTHING"
    OPEN_COVERED_CALL = "OPEN_COVERED_CALL"
    ROLL_COVERED_CALL = "ROLL_COVERED_CALL"
    CLOSE_COVERED_CALL = "CLOSE_COVERED_CALL"


@frozen(kw_only=True)
class Candidate:
    """
    A contract that was considered, with what it was judged by.

    Units: dte days; delta Black-Scholes; prices coin per contract; premium_usd USD per coin of
    notional at the bid; iv, rv fractions; spread_pct percent of mid; open_interest contracts.
    NaN is not known.
    """

    contract: OptionContract
    dte: float
    delta: float
    bid: float
    ask: float
    mark: float
    premium_usd: float
    iv: float
    rv: float
    ivrv: float
    spread_pct: float
    open_interest: float
    score: float


@frozen
class Skipped:
    """Contracts passed over for one reason; the sentence of *code* is core.selectors.filters'."""

    code: str
    symbols: tuple[str, ...]


@frozen(kw_only=True)
class Choice:
    """How one of several candidates was chosen: what learning from the choice needs."""

    rank: int  # 0 is the best score
    pool: int  # how many could have been drawn
    epsilon: float
    propensity: float = field(validator=positive)  # probability of this choice
    explored: bool


@frozen(kw_only=True)
class Action:
    """
    What a strategy wants done with one position.

    *contract* is what is sold (OPEN, ROLL), *from_contract* what is bought back (CLOSE, ROLL);
    None where there is nothing. *reason* is a code, *detail* its sentence.
    """

    type: ActionType
    strategy_id: str
    underlying: str
    reason: str
    detail: str
    amount: float = 0.0
    position_id: str | None = None
    contract: OptionContract | None = None
    from_contract: OptionContract | None = None
    choice: Choice | None = None


@frozen
class Breach:
    """A control that says no: its number in the table of controls, a code, and the figures."""

    control: int
    code: str
    detail: str


@frozen
class Verdict:
    """Whether risk lets an action or order through, with every reason why not."""

    breaches: tuple[Breach, ...] = ()

    @property
    def approved(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.breaches


@frozen(kw_only=True)
class MarketContext:
    """
    Trend and volatility of one underlying; None where the history is too short to say.

    Returns and distances in percent; realised volatility as a fraction per year.
    """

    regime: str
    return_1d_pct: float | None
    return_7d_pct: float | None
    return_30d_pct: float | None
    realized_vol_7d: float | None
    realized_vol_30d: float | None
    pct_from_50d_ma: float | None
    pct_from_200d_ma: float | None


@frozen(kw_only=True)
class Opened:
    """A process took up the book: which environment, which program, which parameters."""

    at: datetime = field(validator=utc)
    environment: str
    program_version: str
    seed: int
    strategies: tuple[str, ...]
    settings_hash: str


@frozen(kw_only=True)
class ControlsSeen:
    """The controls as the agent first saw this revision of them."""

    at: datetime = field(validator=utc)
    controls: RuntimeControls


@frozen(kw_only=True)
class Decided:
    """One strategy's decision on one underlying, written before anything is sent."""

    at: datetime = field(validator=utc)
    due_at: datetime = field(validator=utc)  # when the clock wanted the tick
    strategy_id: str
    underlying: str
    market_at: datetime = field(validator=utc)
    index_usd: float = field(validator=positive)
    context: MarketContext
    candidates: tuple[Candidate, ...]  # best first
    skipped: tuple[Skipped, ...]
    actions: tuple[Action, ...]
    verdicts: tuple[Verdict, ...]  # one per action
    decision_source: str
    policy_version: str

    @property
    def approved(self) -> tuple[Action, ...]:
        """The actions that are to be carried out."""
        return tuple(
            action
            for action, verdict in zip(self.actions, self.verdicts, strict=True)
            if verdict.approved and action.type is not ActionType.DO_NOTHING
        )


@frozen(kw_only=True)
class Sent:
    """An order about to leave: written and synced before the request is made."""

    at: datetime = field(validator=utc)
    intent: OrderIntent


@frozen(kw_only=True)
class Denied:
    """An order that a control stopped at the last moment; nothing was sent."""

    at: datetime = field(validator=utc)
    intent: OrderIntent
    breaches: tuple[Breach, ...]


@frozen(kw_only=True)
class OrderUpdated:
    """What became known of an order of ours; *fills* are trades first seen with it."""

    at: datetime = field(validator=utc)
    label: str
    state: OrderState
    order_id: str | None
    filled_amount: float = field(validator=finite)
    fills: tuple[Fill, ...]
    reason: str


@frozen(kw_only=True)
class RollStarted:
    """A roll under way: *amount* of *contract* is to be sold as *from_contract* is bought back."""

    at: datetime = field(validator=utc)
    strategy_id: str
    position_id: str
    from_contract: OptionContract
    contract: OptionContract
    amount: float = field(validator=positive)
    expires_at: datetime = field(validator=utc)


@frozen(kw_only=True)
class RollEnded:
    """The end of a roll: *outcome* is done, partial or abandoned; *opened* contracts were sold."""

    at: datetime = field(validator=utc)
    position_id: str
    outcome: str
    opened: float = field(validator=finite)
    reason: str


@frozen(kw_only=True)
class Delivered:
    """A position that ended by expiry."""

    at: datetime = field(validator=utc)
    delivery: Delivery
    index_usd: float = field(validator=positive)


@frozen(kw_only=True)
class Executed:
    """The end of one strategy's turn: status is skipped, executed, partial or error."""

    at: datetime = field(validator=utc)
    strategy_id: str
    underlying: str
    status: str
    labels: tuple[str, ...]
    errors: tuple[str, ...]


@frozen(kw_only=True)
class Marked:
    """Equity of one underlying at the end of a tick, and the marks it was measured with."""

    at: datetime = field(validator=utc)
    underlying: str
    index_usd: float = field(validator=positive)
    equity_coin: float = field(validator=finite)
    marks: tuple[PositionMark, ...]
    futures: tuple[FutureMark, ...] = ()


@frozen(kw_only=True)
class Ticked:
    """The end of a whole tick, all underlyings; *due_at* is when the clock wanted it."""

    at: datetime = field(validator=utc)
    due_at: datetime = field(validator=utc)


@frozen(kw_only=True)
class Reconciled:
    """A comparison of our book with the venue's; clean when *differences* is empty."""

    at: datetime = field(validator=utc)
    underlying: str
    differences: tuple[str, ...]
    action: str


@frozen(kw_only=True)
class Healed:
    """Our book of one underlying was rebuilt from the venue's positions."""

    at: datetime = field(validator=utc)
    underlying: str
    index_usd: float = field(validator=positive)
    positions: tuple[Position, ...]
    futures: tuple[FuturePosition, ...] = ()


@frozen(kw_only=True)
class Halted:
    """No new risk from here on, until a person releases it."""

    at: datetime = field(validator=utc)
    reason: str


class HealthState(StrEnum):
    """How well everything outside works; DEGRADED and FATAL pause new risk."""

    OK = "ok"
    TRANSIENT = "transient"
    DEGRADED = "degraded"
    FATAL = "fatal"


@frozen(kw_only=True)
class HealthChanged:
    """Health is in another state from here on; *is_pausing* says whether new risk must wait."""

    at: datetime = field(validator=utc)
    state: HealthState
    cause: str
    is_pausing: bool


@frozen(kw_only=True)
class Alarm:
    """Something a person should know that stops nothing by itself."""

    at: datetime = field(validator=utc)
    subject: str
    detail: str


@frozen(kw_only=True)
class Closed:
    """The process put the book down in good order."""

    at: datetime = field(validator=utc)
    reason: str


Entry = (
    Opened
    | ControlsSeen
    | Decided
    | Sent
    | Denied
    | OrderUpdated
    | RollStarted
    | RollEnded
    | Delivered
    | Executed
    | Marked
    | Ticked
    | Reconciled
    | Healed
    | Halted
    | HealthChanged
    | Alarm
    | Closed
    | GregJournal
)

ENTRIES = Codec.of(Entry.__args__)


@frozen
class Record:
    """An entry where it stands in a log: its number, from 1 without gaps, and its checksum."""

    seq: int
    checksum: str
    entry: Entry


class DecisionLog(Protocol):
    """The journal: append-only, numbered without gaps, each line sealed to the one before."""

    async def append(self, entry: Entry) -> Record:
        """
        Write *entry* and return it with its number, once it is safe on its medium.

        Never safe to retry: after a failure the log takes nothing more.

        Raises:
            StoreUnwritable: It is not safely written.
        """
        ...

    def records(self, after: int = 0) -> AsyncIterator[Record]:
        """
        Yield the records numbered above *after*, in order.

        Raises:
            StoreDamaged: A line is missing or is not as it was written; names its number.
        """
        ...
