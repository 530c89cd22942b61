"""Recorded markets: snapshots of whole chains by instant, and what was harvested with them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from math import nan
from typing import Protocol

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ports.checks import positive, utc
from ports.columns import Floats, float_column
from ports.instruments import Settlement
from ports.market_data import MarketSnapshot

_LINEAR = "_USDC"


@frozen
class Skipped:
    """A file that is not read, or what of it is not, and why."""

    file: str
    reason: str


class SnapshotArchive(Protocol):
    """
    Market snapshots of the past, by family of options and instant.

    *underlying* is the text before the first dash of the options' names: BTC for those settled
    in coin, BTC_USDC for those settled in USDC.
    """

    async def instants(self, underlying: str) -> tuple[datetime, ...]:
        """
        Return when snapshots of *underlying* were taken, oldest first; empty if never.

        Raises:
            StoreDamaged: The archive cannot be read; names the file.
        """
        ...

    async def load(self, underlying: str, taken_at: datetime) -> MarketSnapshot:
        """
        Return the snapshot taken at exactly *taken_at*.

        Raises:
            Unavailable: There is none.

            StoreDamaged: It cannot be read; names the file and what is wrong.
        """
        ...

    async def index_prices(self, underlying: str) -> tuple[tuple[datetime, float], ...]:
        """
        Return every snapshot's instant with its index in USD, oldest first.

        Raises:
            StoreDamaged: The archive cannot be read; names the file.
        """
        ...

    async def skipped(self, underlying: str) -> tuple[Skipped, ...]:
        """
        Return what is passed over of the files of *underlying*, by file; empty if nothing.

        Raises:
            StoreDamaged: A folder of the archive cannot be read.
        """
        ...

    async def save(self, snapshot: MarketSnapshot) -> None:
        """
        Keep *snapshot*; one of the same underlying and instant is replaced.

        Raises:
            StoreUnwritable: It could not be written; nothing was changed.
        """
        ...


class Source(StrEnum):
    """Where a column's figures come from."""

    NONE = ""  # there are none
    VENUE = "venue"
    COMPUTED = "computed"  # by Black-76 on the row's forward
    IMPORTED = "imported"  # from somebody else's recording
    PROXY = "proxy"  # of an index: the forward of the nearest expiry


@frozen(kw_only=True)
class FutureQuote:
    """A future or perpetual by its name; USD per coin, rates as fractions, NaN is not told."""

    symbol: str
    bid: float = nan
    ask: float = nan
    mark: float = nan
    open_interest: float = nan
    volume_usd: float = nan
    current_funding: float = nan  # of eight hours; perpetuals only
    funding_8h: float = nan  # what the last eight hours came to

    @property
    def is_perpetual(self) -> bool:
        """Whether it has no expiry."""
        return self.symbol.endswith("-PERPETUAL")


@frozen
class Delivered:
    """What the expiry of a UTC day, such as 2026-03-27, was delivered at."""

    day: str
    price_usd: float = field(validator=positive)


@frozen(kw_only=True)
class MarketLevels:
    """What stands beside a chain at the same instant; *dvol* in percent, NaN is not told."""

    dvol: float = nan
    futures: tuple[FutureQuote, ...] = ()
    delivered: tuple[Delivered, ...] = ()  # the newest, newest first


@frozen(kw_only=True, eq=False)
class Harvest:
    """
    All that one pass read of one family of options, at one instant.

    *interest_rate* has a row for each of the chain, a fraction a year. *notes* name what could
    not be read; the levels lack it.
    """

    market: MarketSnapshot
    interest_rate: Floats = field(converter=float_column)
    levels: MarketLevels = MarketLevels()
    index_source: Source = Source.VENUE
    notes: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if len(self.interest_rate) != len(self.market.chain):
            raise ValueError(
                f"{len(self.interest_rate)} interest rates for {len(self.market.chain)} contracts"
            )

    @classmethod
    def bare(cls, market: MarketSnapshot, index_source: Source = Source.VENUE) -> "Harvest":
        """Return a harvest of *market* and nothing beside it."""
        unknown = np.full(len(market.chain), nan)
        return cls(market=market, interest_rate=unknown, index_source=index_source)

    @property
    def family(self) -> str:
        """The text before the first dash of the options' names."""
        return family_of(self.market)


@frozen(kw_only=True, eq=False)
class DerivedColumns:
    """
    What follows from a chain's prices, a row a contract; NaN where nothing does.

    Units: bid_iv, ask_iv fractions; delta coin of forward; gamma per USD; theta USD per day;
    vega USD per vol point.
    """

    source: Source = Source.COMPUTED
    bid_iv: Floats = field(converter=float_column)
    ask_iv: Floats = field(converter=float_column)
    delta: Floats = field(converter=float_column)
    gamma: Floats = field(converter=float_column)
    theta: Floats = field(converter=float_column)
    vega: Floats = field(converter=float_column)


@frozen(kw_only=True)
class Kept:
    """One snapshot of the archive: which file has it, and what the file must be."""

    taken_at: datetime = field(validator=utc)
    file: str  # below the archive's root
    rows: int
    index_usd: float
    size_bytes: int
    sha256: str  # of the whole file; empty in a file of many snapshots


class ColumnKind(StrEnum):
    """What the cells of a column are."""

    INSTANT = "datetime"  # milliseconds from 1970
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    OTHER = "other"


@frozen(eq=False)
class RawColumn:
    """
    A column as a file has it, (n,).

    Instants are milliseconds from 1970 and numbers float64, NaN is empty; texts have dtype U,
    and the empty text is empty.
    """

    kind: ColumnKind
    values: "NDArray[np.float64] | NDArray[np.str_]"


@frozen(eq=False)
class RawTable:
    """The rows of one snapshot as a file has them, of whatever quality; columns by name."""

    file: str
    rows: int
    columns: Mapping[str, RawColumn]


class HarvestArchive(SnapshotArchive, Protocol):
    """Harvested snapshots, each with its levels and derived columns, and the files they are in."""

    async def keep(self, harvest: Harvest, derived: DerivedColumns) -> Kept:
        """
        Keep *harvest*, safe from a loss of power on return; one of the same instant is replaced.

        Raises:
            StoreUnwritable: It could not be written; what was there before is as it was.
        """
        ...

    async def families(self) -> tuple[str, ...]:
        """Return the families that anything was kept of, sorted."""
        ...

    async def kept(self, family: str) -> tuple[Kept, ...]:
        """
        Return the snapshots of *family*, each once, oldest first.

        A file that cannot be read is left out; skipped names it.
        """
        ...

    async def levels(self, family: str, taken_at: datetime) -> MarketLevels:
        """
        Return what was kept beside the chain of exactly *taken_at*.

        Raises:
            Unavailable: There is no such snapshot.

            StoreDamaged: Its file cannot be read.
        """
        ...

    async def table(self, family: str, taken_at: datetime) -> RawTable:
        """
        Return the rows of the snapshot of exactly *taken_at* as they are.

        Raises:
            Unavailable: There is no such snapshot.

            StoreDamaged: Its file cannot be read.
        """
        ...

    async def quarantine(self, family: str, file: str, reason: str) -> str:
        """
        Move *file*, one of kept or skipped, out of the archive with *reason* beside it.

        Returns where it lies now. Nothing is deleted.

        Raises:
            StoreUnwritable: It could not be moved; it is where it was.
        """
        ...


class HarvestSource(Protocol):
    """A venue that tells everything about a currency in one pass."""

    async def harvest(self, currency: str) -> tuple[Harvest, ...]:
        """
        Return what is traded in *currency*, BTC, ETH or USDC: a harvest for each family.

        Empty where no option is listed. Safe to retry. Quotes are as told, crossed ones too; a
        row without a mark is there.

        Raises:
            Unavailable: No answer, or no such currency.

            Malformed: The answer is not a list of options.
        """
        ...


def nothing_derived(rows: int) -> DerivedColumns:
    """The derived columns of a chain of *rows* of which nothing was worked out."""
    nothing = np.full(rows, nan)
    return DerivedColumns(
        source=Source.NONE,
        bid_iv=nothing,
        ask_iv=nothing,
        delta=nothing,
        gamma=nothing,
        theta=nothing,
        vega=nothing,
    )


def family_of(market: MarketSnapshot) -> str:
    """The family of the options in *market*: the text before the first dash of their names."""
    is_linear = market.chain.settlement is Settlement.LINEAR
    return f"{market.underlying}{_LINEAR}" if is_linear else market.underlying


def coin_of(family: str) -> str:
    """The coin that the options of *family* are on."""
    return family.removesuffix(_LINEAR)


def settlement_of(family: str) -> Settlement:
    """How the options of *family* are settled."""
    return Settlement.LINEAR if family.endswith(_LINEAR) else Settlement.INVERSE
