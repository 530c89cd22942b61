"""Backtests kept: a run, what it did in each exit style, and what was tried before it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from attrs import field, frozen

from ports.checks import not_negative, not_zero, utc
from ports.columns import Floats, Ints, float_column, int_column
from ports.instruments import OptionContract


class RunStatus(StrEnum):
    """How far a run came."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"  # by a person: what it has is kept, and it can go on
    FAILED = "failed"


class ExitReason(StrEnum):
    """Why a trade ended."""

    EXPIRED = "expired"  # out of the money
    ASSIGNED = "assigned"  # delivered in the money
    TAKE_PROFIT = "take_profit"
    DEFENSIVE_ROLL = "defensive_roll"
    ROLL = "roll"  # any other roll
    TIME = "time"
    DELTA = "delta"
    STOP = "stop"
    GREG = "greg"
    LEFT_OPEN = "left_open"  # marked, not closed, at the end of the run


@frozen(kw_only=True)
class BacktestTrade:
    """
    One option from sale to end. Prices are premiums in coin per contract.

    *amount* contracts are negative where the option was bought, as a leg of a structure: the
    formulas below hold for both. *chain* numbers the campaign: a sale and the rolls that follow,
    or the legs of a structure, share it. *exit_coin* is the
    buy-back price, the payoff, or the last mark of a trade left open. *pnl_coin* is the option
    alone after fees: amount x (entry_coin - exit_coin) - fees_coin; in USD each flow at the index
    of its instant. Excursions are the best and the worst that pnl_coin stood at, at marks.
    *settlement* says how the delivery price is known, empty where none was needed, and
    *settlement_error_usd* how far it may be from the venue's own: one standard error.
    """

    number: int
    chain: int
    strategy_id: str
    contract: OptionContract
    amount: float = field(validator=not_zero)
    opened_at: datetime = field(validator=utc)
    closed_at: datetime = field(validator=utc)
    entry_reason: str
    exit_reason: ExitReason
    entry_index_usd: float
    exit_index_usd: float
    entry_coin: float
    exit_coin: float
    entry_mark_coin: float
    exit_mark_coin: float
    entry_delta: float
    entry_iv: float
    entry_dte: float
    entry_forward_usd: float
    fees_coin: float
    fees_usd: float
    pnl_coin: float
    pnl_usd: float
    favorable_coin: float
    adverse_coin: float
    margin_coin: float  # initial margin at the sale
    settlement: str = field(default="")
    settlement_error_usd: float = field(default=0.0, validator=not_negative)


@frozen(eq=False)
class EquityCurve:
    """
    The account at every mark, oldest first; columns (n,).

    equity_coin = cash_coin + option_coin, the first the coin balance, the second the marked value
    of options (negative for short). Greeks are of all options held, per account: delta (Black) and
    net_delta in coin, gamma in delta per USD, vega in USD per vol point, theta in USD per day; NaN
    where a mark was missing. margin_coin is the initial margin in use. low_coin and high_coin are
    the least and greatest equity_coin known within the bar that ends at the mark.
    """

    at_ms: Ints = field(converter=int_column)
    index_usd: Floats = field(converter=float_column)
    cash_coin: Floats = field(converter=float_column)
    option_coin: Floats = field(converter=float_column)
    delta: Floats = field(converter=float_column)
    net_delta: Floats = field(converter=float_column)
    gamma: Floats = field(converter=float_column)
    vega: Floats = field(converter=float_column)
    theta: Floats = field(converter=float_column)
    mark_iv: Floats = field(converter=float_column)  # of what is held, vega-weighted
    margin_coin: Floats = field(converter=float_column)
    low_coin: Floats = field(converter=float_column)
    high_coin: Floats = field(converter=float_column)

    @property
    def equity_coin(self) -> Floats:
        """Cash and marked options, coin (n,)."""
        return float_column(self.cash_coin + self.option_coin)

    @property
    def equity_usd(self) -> Floats:
        """The same at each instant's index, USD (n,)."""
        return float_column(self.equity_coin * self.index_usd)


@frozen(kw_only=True)
class Omission:
    """Something a run left out: when, what, and why."""

    at: datetime = field(validator=utc)
    subject: str
    reason: str


@frozen(kw_only=True, eq=False)
class StyleResult:
    """What a run did under one exit style; *metrics* by stable name, None where undefined."""

    exit_style: str
    trades: tuple[BacktestTrade, ...]
    equity: EquityCurve
    metrics: dict[str, float | None]
    trades_hash: str  # SHA-256 of the trades: the same inputs give the same
    omissions: tuple[Omission, ...] = field(default=())


@frozen(kw_only=True)
class RunSummary:
    """
    What is known of a run without its trades.

    *config* holds every parameter by its dotted name, as text or number; *hashes* the inputs'
    SHA-256 by name; *labels* what the result must say of itself: price model, fill model, fees,
    data source, synthetic or recorded.
    """

    run_id: str
    created_at: datetime = field(validator=utc)
    status: RunStatus
    strategy_id: str
    underlying: str
    source: str
    start: datetime = field(validator=utc)
    end: datetime = field(validator=utc)
    interval_minutes: float
    exit_styles: tuple[str, ...]  # the first is the primary one
    seed: int
    code_version: str
    config: dict[str, Any]
    hashes: dict[str, str] = field(factory=dict)
    labels: dict[str, str] = field(factory=dict)
    progress: float = field(default=0.0)  # 0 to 1
    error: str = field(default="")
    notes: str = field(default="")


@frozen(kw_only=True, eq=False)
class BacktestRun:
    """A run with its results, by exit style in the order of the summary."""

    summary: RunSummary
    results: tuple[StyleResult, ...]


@frozen(kw_only=True)
class Trial:
    """
    One configuration that was ever tried, for the count that deflates a Sharpe ratio.

    *family* names what was searched (strategy, underlying, source); *sharpe* is per period of
    *periods* returns, with their skew and (non-excess) kurtosis.
    """

    family: str
    config_hash: str
    at: datetime = field(validator=utc)
    sharpe: float
    periods: int
    skew: float
    kurtosis: float
    run_id: str = field(default="")


class BacktestRuns(Protocol):
    """The store of runs and the registry of trials."""

    async def save(self, run: BacktestRun) -> None:
        """
        Keep *run*; an earlier form of the same run_id is replaced whole, or not at all.

        Raises:
            StoreUnwritable: It could not be written; nothing was changed.
        """
        ...

    async def load(self, run_id: str) -> BacktestRun:
        """
        Return the run of *run_id*.

        Raises:
            Unavailable: There is none, or the store does not answer.

            StoreDamaged: What is kept of it cannot be read.
        """
        ...

    async def summaries(
        self, *, underlying: str | None = None, limit: int | None = None
    ) -> tuple[RunSummary, ...]:
        """
        Return the runs kept, newest first.

        Raises:
            Unavailable: The store does not answer.
        """
        ...

    async def metrics(self, run_id: str) -> Mapping[str, Mapping[str, float | None]]:
        """
        Return the metrics of a run by exit style, the primary one first; NaN comes back as None.

        Raises:
            Unavailable: There is no such run, or the store does not answer.
        """
        ...

    async def annotate(self, run_id: str, notes: str) -> None:
        """
        Replace the notes of a run.

        Raises:
            Unavailable: There is no such run, or the store does not answer.
        """
        ...

    async def delete(self, run_id: str) -> None:
        """
        Forget a run; its trials stay counted.

        Raises:
            Unavailable: There is no such run, or the store does not answer.
        """
        ...

    async def register(self, trial: Trial) -> None:
        """
        Count *trial*; one of the same family and config_hash is not counted twice.

        Raises:
            StoreUnwritable: It could not be written.
        """
        ...

    async def trials(self, family: str) -> tuple[Trial, ...]:
        """
        Return every trial of *family*, oldest first.

        Raises:
            Unavailable: The store does not answer.
        """
        ...
