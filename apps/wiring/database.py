"""The database of research: where it is, which schema it has, and the stores in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import frozen

from adapters.postgres.backtest_runs import DatabaseBacktestRuns
from adapters.postgres.database import Database
from adapters.postgres.greg_decision_log import DatabaseGregLog
from adapters.postgres.schema import REVISIONS, Schema
from apps.settings.faults import Fault, SettingsError
from apps.settings.root import Settings
from ports.backtest_runs import BacktestRuns
from ports.greg_log import GregDecisionLog

FILE = "research.sqlite"  # in the data folder, where no URL is given


@frozen(kw_only=True)
class DatabaseStanding:
    """The database of the settings: its URL without a password, and how its schema stands."""

    url: str
    standing: str
    revision: str
    wanted: str
    is_upgradable: bool
    is_file: bool

    @property
    def is_current(self) -> bool:
        """Whether it has this program's schema."""
        return self.revision == self.wanted

    @property
    def is_usable(self) -> bool:
        """Whether a command can use it: a file of our own is brought up to date on the way."""
        return self.is_current or (self.is_file and self.is_upgradable)


@asynccontextmanager
async def open_runs(settings: Settings) -> AsyncIterator[BacktestRuns]:
    """
    The store of backtests that *settings* name; a file is made, and brought up to our schema.

    Entering raises:
        SettingsError: The URL names no database that is known here.

        PortError: It cannot be reached, or its schema is not ours; says what to do.
    """
    async with _opened(settings) as database:
        await database.check_schema()
        yield DatabaseBacktestRuns(database)


@asynccontextmanager
async def open_greg_log(settings: Settings) -> AsyncIterator[GregDecisionLog]:
    """The decision log that *settings* name; otherwise as open_runs."""
    async with _opened(settings) as database:
        await database.check_schema()
        yield DatabaseGregLog(database)


async def database_standing(settings: Settings) -> DatabaseStanding:
    """
    Return how the database of *settings* stands; nothing is made or changed.

    Raises:
        SettingsError, PortError: As open_runs.
    """
    async with _opened(settings) as database:
        return _standing(database, await database.schema())


async def migrate_database(settings: Settings) -> DatabaseStanding:
    """
    Bring the schema of the database up to this program's and return how it stood before.

    Raises:
        SettingsError, PortError: As open_runs; nothing was changed.
    """
    async with _opened(settings) as database:
        return _standing(database, await database.migrate())


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    given = settings.database.database_url.get_secret_value()
    try:
        database = Database(given or f"sqlite:///{settings.venue.data_dir / FILE}")
    except ValueError as error:
        fault = Fault("database.database_url", "hidden", str(error), "")
        raise SettingsError((fault,)) from error
    try:
        yield database
    finally:
        database.close()


def _standing(database: Database, found: Schema) -> DatabaseStanding:
    return DatabaseStanding(
        url=database.name,
        standing=found.standing,
        revision=found.revision,
        wanted=REVISIONS[-1],
        is_upgradable=found.is_upgradable,
        is_file=database.is_file,
    )
