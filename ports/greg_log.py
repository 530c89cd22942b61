"""Greg's decision log: every suggestion, and whether anybody followed it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite
from typing import Any, Protocol

from attrs import evolve, field, frozen
from attrs.validators import max_len

from ports.checks import utc

SYSTEM, NO_POSITION = "SYSTEM", "N/A"  # underlying and position of what is about no position
REPEAT_AFTER = timedelta(hours=6)


class GregAction(StrEnum):
    """What is suggested for a position, and what a person does to the settings."""

    OPEN = "OPEN"
    HEDGE = "HEDGE"
    TAKE_PROFIT = "TAKE_PROFIT"
    ASSIGN = "ASSIGN"
    ROLL = "ROLL"
    CLOSE = "CLOSE"
    HOLD = "HOLD"
    IGNORE = "IGNORE"
    MODE_SWITCH = "MODE_SWITCH"
    LIVE_SWITCH_TOGGLE = "LIVE_SWITCH_TOGGLE"
    STRATEGY_FLAGS_UPDATE = "STRATEGY_FLAGS_UPDATE"
    NOTIONAL_LIMITS_UPDATE = "NOTIONAL_LIMITS_UPDATE"


def _finite_or_none(value: float | None) -> float | None:
    return None if value is None or not isfinite(value) else float(value)


def _figure() -> float | None:
    """A field that is None where the figure is unknown, NaN or infinite."""
    made: float | None = field(default=None, converter=_finite_or_none)
    return made


@frozen(kw_only=True)
class GregEntry:
    """
    One line of the log.

    *pnl_pct* is a fraction. Sensors and figures are None where unknown. *extra_info* is what
    JSON holds: of an execution dry_run and environment, of a refusal `refused`, of the hedge
    scheduler `scheduled`. *action_type* is a word rather than a GregAction: a refusal of an
    unknown action is logged too. *journal* and *journal_seq* say which record of which journal it
    is a copy of.
    """

    timestamp: datetime = field(validator=utc)
    underlying: str = field(validator=max_len(10))
    strategy_type: str = field(validator=max_len(50))
    position_id: str = field(validator=max_len(100))
    action_type: str = field(validator=max_len(32))
    mode: str = field(validator=max_len(20))
    suggested: bool = field(default=True)
    executed: bool = field(default=False)
    reason: str = field(default="")
    priority: str = field(default="", validator=max_len(10))
    vrp_30d: float | None = _figure()
    chop_factor_7d: float | None = _figure()
    adx_14d: float | None = _figure()
    term_structure_spread: float | None = _figure()
    skew_25d: float | None = _figure()
    rsi_14d: float | None = _figure()
    pnl_pct: float | None = _figure()
    pnl_usd: float | None = _figure()
    net_delta: float | None = _figure()
    spot_price: float | None = _figure()
    order_ids: tuple[str, ...] = field(default=())
    extra_info: dict[str, Any] = field(factory=dict)
    journal: str = field(default="", validator=max_len(64))
    journal_seq: int = field(default=0)

    @property
    def is_system(self) -> bool:
        """Whether it is about the settings and not about a position."""
        return self.underlying == SYSTEM

    @property
    def is_dry_run(self) -> bool:
        """Whether it was executed without an order."""
        return self.executed and self.extra_info.get("dry_run") is True

    @property
    def is_scheduled(self) -> bool:
        """Whether the hedge scheduler wrote it: nobody asked."""
        return self.extra_info.get("scheduled") is True

    @property
    def is_suggestion(self) -> bool:
        """Whether an engine said it: a refusal or a dismissal answers one."""
        is_answer = self.action_type == GregAction.IGNORE or self.extra_info.get("refused") is True
        return self.suggested and not is_answer

    def says_more_than(self, before: "GregEntry | None") -> bool:
        """Whether this suggestion is news behind *before*, the last one of the same position."""
        return (
            before is None
            or self.action_type != before.action_type
            or self.priority != before.priority
            or self.timestamp - before.timestamp >= REPEAT_AFTER
        )

    def executed_as(self, done: "GregEntry") -> "GregEntry":
        """This suggestion once *done* was executed for it; its own figures stay."""
        return evolve(
            self,
            executed=True,
            mode=done.mode,
            order_ids=done.order_ids,
            extra_info={**self.extra_info, **done.extra_info},
            journal=done.journal,
            journal_seq=done.journal_seq,
        )


@frozen
class GregRecord:
    """An entry as it is kept; a later entry has a higher *id*."""

    id: int
    entry: GregEntry


@frozen(kw_only=True)
class GregFilter:
    """Which entries are meant; None is any. Both instants are included."""

    underlying: str | None = None
    strategy_type: str | None = None
    position_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def wants(self, entry: GregEntry) -> bool:
        """Whether *entry* is meant."""
        return (
            self.underlying in (None, entry.underlying)
            and self.strategy_type in (None, entry.strategy_type)
            and self.position_id in (None, entry.position_id)
            and (self.start is None or entry.timestamp >= self.start)
            and (self.end is None or entry.timestamp <= self.end)
        )


@frozen(kw_only=True)
class StrategyStats:
    """Counts of one strategy; *avg_pnl_pct* over known figures, None if there are none."""

    suggestions: int
    executions: int
    dry_run_executions: int
    avg_pnl_pct: float | None


@frozen(kw_only=True)
class ActionStats:
    """Counts of one action."""

    suggestions: int
    executions: int
    dry_run_executions: int


@frozen(kw_only=True)
class GregStats:
    """
    What the log adds up to, without its SYSTEM entries.

    Executions sent orders; what was executed in a dry run is counted apart.
    """

    total_suggestions: int
    total_executed: int
    total_dry_run: int
    by_strategy: dict[str, StrategyStats]
    by_action: dict[str, ActionStats]

    @classmethod
    def of(cls, entries: Iterable[GregEntry]) -> "GregStats":
        """Add up *entries*."""
        counted = [entry for entry in entries if not entry.is_system]
        strategies = sorted({entry.strategy_type for entry in counted})
        actions = sorted({entry.action_type for entry in counted})
        return cls(
            total_suggestions=_suggested(counted),
            total_executed=_executed(counted),
            total_dry_run=_dry(counted),
            by_strategy={
                name: _of_strategy([entry for entry in counted if entry.strategy_type == name])
                for name in strategies
            },
            by_action={
                name: _of_action([entry for entry in counted if entry.action_type == name])
                for name in actions
            },
        )


def _of_strategy(entries: list[GregEntry]) -> StrategyStats:
    known = [entry.pnl_pct for entry in entries if entry.pnl_pct is not None]
    return StrategyStats(
        suggestions=_suggested(entries),
        executions=_executed(entries),
        dry_run_executions=_dry(entries),
        avg_pnl_pct=sum(known) / len(known) if known else None,
    )


def _of_action(entries: list[GregEntry]) -> ActionStats:
    return ActionStats(
        suggestions=_suggested(entries),
        executions=_executed(entries),
        dry_run_executions=_dry(entries),
    )


def _suggested(entries: list[GregEntry]) -> int:
    return sum(entry.suggested for entry in entries)


def _executed(entries: list[GregEntry]) -> int:
    return sum(entry.executed and not entry.is_dry_run for entry in entries)


def _dry(entries: list[GregEntry]) -> int:
    return sum(entry.is_dry_run for entry in entries)


class GregSink(Protocol):
    """Where the events of Greg's desk go."""

    async def append(self, entry: GregEntry) -> GregRecord:
        """
        Keep *entry* and return it with its number.

        Raises:
            StoreUnwritable: It could not be written.
        """
        ...

    async def suggest(self, entry: GregEntry) -> GregRecord | None:
        """
        Keep the suggestion *entry* if it says more than its journal's last one of the position.

        Returns None if it does not: same action and priority within REPEAT_AFTER.

        Raises:
            StoreUnwritable: It could not be written.
        """
        ...

    async def execute(self, entry: GregEntry) -> GregRecord:
        """
        Note that a person executed *entry*: executed, mode, order_ids and extra_info go to the
        newest unexecuted suggestion of its journal, position and action, whose figures stay;
        where there is none, *entry* is kept as it is.

        Raises:
            StoreUnwritable: It could not be written.
        """
        ...


class GregDecisionLog(GregSink, Protocol):
    """The table greg_decision_log: a copy of what the journals say, to be asked questions."""

    async def copied(self, journal: str) -> int:
        """
        Return the number of the last record of *journal* that has a line here, 0 for none.

        Raises:
            Unavailable: The store does not answer.
        """
        ...

    async def history(
        self, wanted: GregFilter | None = None, limit: int | None = 100
    ) -> tuple[GregRecord, ...]:
        """
        Return the entries *wanted*, newest first by instant and then by number; at most *limit*.

        Raises:
            Unavailable: The store does not answer.
        """
        ...

    async def stats(self, wanted: GregFilter | None = None) -> GregStats:
        """
        Return what the entries *wanted* add up to.

        Raises:
            Unavailable: The store does not answer.
        """
        ...
