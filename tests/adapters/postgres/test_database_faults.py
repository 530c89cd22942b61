"""Databases that are away, locked, full, damaged, or no databases at all."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from sqlalchemy import Connection, text

from adapters.postgres.backtest_runs import DatabaseBacktestRuns
from adapters.postgres.database import Database, parsed
from adapters.postgres.greg_decision_log import DatabaseGregLog
from ports.errors import StoreDamaged, StoreUnwritable, Unavailable
from tests.support import databases
from tests.support.runs import as_kept, run, style, trial


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "research.sqlite"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with databases.opened(databases.sqlite(tmp_path)) as opened:
        yield opened


async def test_a_server_that_goes_away_is_named_and_found_again(tmp_path: Path) -> None:
    """Reading is unavailable, writing is refused, nothing is lost; then all goes on."""
    with databases.opened(databases.postgres(tmp_path)) as database:
        runs = DatabaseBacktestRuns(database)
        await runs.save(run())
        with databases.server_stopped():
            with pytest.raises(Unavailable, match="cannot list runs"):
                await runs.summaries()
            with pytest.raises(StoreUnwritable, match="cannot save run"):
                await runs.save(run("later"))
            with pytest.raises(StoreUnwritable, match="cannot count a trial"):
                await runs.register(trial())
            with pytest.raises(Unavailable, match="cannot annotate run"):
                await runs.annotate(run().summary.run_id, "lost")

        assert as_kept(await runs.load(run().summary.run_id)) == as_kept(run())
        await runs.save(run("later"))
        assert len(await runs.summaries()) == 2


async def test_a_server_that_goes_away_in_a_write_keeps_none_of_it(tmp_path: Path) -> None:
    """The connection is cut between two statements: the run before it stays whole."""

    def cut(connection: Connection) -> None:
        connection.execute(text("DELETE FROM backtest_runs"))
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        databases.statement(databases.server(), f"SELECT pg_terminate_backend({pid})")
        connection.execute(text("DELETE FROM backtest_trials"))

    with databases.opened(databases.postgres(tmp_path)) as database:
        runs = DatabaseBacktestRuns(database)
        await runs.save(run())
        with pytest.raises(StoreUnwritable, match=r"cannot clean: .*terminat"):
            await database.write("clean", cut)

        assert as_kept(await runs.load(run().summary.run_id)) == as_kept(run())


async def test_a_password_is_never_shown() -> None:
    """Neither in the name of the database nor in what it fails with."""
    with databases.opened("postgresql://me:sesame@127.0.0.1:1/none") as database:
        with pytest.raises(Unavailable) as raised:
            await DatabaseBacktestRuns(database).summaries()

        assert "sesame" not in database.name + str(raised.value)
        assert "127.0.0.1" in str(raised.value)


async def test_a_locked_file_can_be_read_and_not_written(database: Database, file: Path) -> None:
    """Another process is writing: after its patience the write fails, and nothing was changed."""
    await database.check_schema()
    runs = DatabaseBacktestRuns(database)
    await runs.save(run())
    other = sqlite3.connect(file, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert len(await runs.summaries()) == 1
        with pytest.raises(StoreUnwritable, match="database is locked"):
            await database.write("wait briefly", _impatient)
    finally:
        other.close()
    await runs.save(run("later"))

    assert len(await runs.summaries()) == 2


def _impatient(connection: Connection) -> None:
    raise AssertionError("a writer holds the file before it does anything")


async def test_a_full_disk_keeps_the_run_before(database: Database) -> None:
    """A run that does not fit is refused whole: its earlier form is still there."""
    await database.check_schema()
    runs = DatabaseBacktestRuns(database)
    await runs.save(run())
    await database.write("fill the disk", lambda connection: _allow_pages(connection, 0))
    larger = attrs.evolve(run(), results=(style(trades=3_000),))
    with pytest.raises(StoreUnwritable, match="database or disk is full"):
        await runs.save(larger)

    assert as_kept(await runs.load(run().summary.run_id)) == as_kept(run())
    await database.write("make room", lambda connection: _allow_pages(connection, 1_000_000))
    await runs.save(larger)
    assert as_kept(await runs.load(run().summary.run_id)) == as_kept(larger)


def _allow_pages(connection: Connection, more: int) -> None:
    """Let the file grow by *more* pages; the limit is the connection's, and the pool keeps one."""
    used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {used + more}")


def test_a_file_that_is_no_database_is_damage(database: Database, file: Path) -> None:
    """It is named and left as it is."""
    content = b"all but a database, and long enough to be looked at" * 40
    file.write_bytes(content)

    with pytest.raises(StoreDamaged, match="file is not a database"):
        asyncio.run(database.check_schema())
    assert file.read_bytes() == content


async def test_a_damaged_file_is_told_from_one_that_is_away(database: Database, file: Path) -> None:
    """A page that was overwritten is damage."""
    await database.check_schema()
    runs = DatabaseBacktestRuns(database)
    await runs.save(attrs.evolve(run(), results=(style(trades=2_000),)))
    database.close()  # what lay beside the file is in it now
    overwrite(file)

    with pytest.raises(StoreDamaged, match="malformed"):
        await runs.load(run().summary.run_id)


def overwrite(file: Path) -> None:
    """Spoil every page but the first and the last ones."""
    content = bytearray(file.read_bytes())
    content[8 * 4096 : -4096] = b"\xff" * (len(content) - 9 * 4096)
    file.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("backtest_styles", "equity = x'00'"),
        ("backtest_styles", "equity = x''"),
        ("backtest_styles", "omissions = '[{}]'"),
        ("backtest_trades", "contract = 'nothing'"),
        ("backtest_trades", "exit_reason = 'nobody knows'"),
        ("backtest_trades", "amount = 0"),
        ("backtest_runs", "status = 'odd'"),
    ],
)
async def test_what_was_not_written_by_us_is_damage(
    database: Database, table: str, change: str
) -> None:
    """A field that makes no sense is named, and never becomes a figure."""
    await database.check_schema()
    runs = DatabaseBacktestRuns(database)
    await runs.save(run())
    sql = text(f"UPDATE {table} SET {change}")  # noqa: S608  ours
    await database.write("spoil", lambda connection: connection.execute(sql))

    with pytest.raises(StoreDamaged):
        await runs.load(run().summary.run_id)


async def test_a_decision_that_cannot_be_read_is_damage(database: Database) -> None:
    """The line is named by its number."""
    await database.check_schema()
    log = DatabaseGregLog(database)
    sql = (
        "INSERT INTO greg_decision_log (timestamp, underlying, strategy_type, position_id, "
        "action_type, mode, suggested, executed, reason, order_ids, extra_info) VALUES "
        "('2026-05-01 08:00:00.000000', 'BTC', 's', 'p', 'HEDGE', 'm', 1, 0, '', 'no', '{}')"
    )
    await database.write("spoil", lambda connection: connection.execute(text(sql)))

    with pytest.raises(StoreDamaged, match="decision 1 cannot be read"):
        await log.history()


async def test_a_folder_that_cannot_be_made_is_unwritable(tmp_path: Path) -> None:
    """The path is named with the reason."""
    (tmp_path / "file").touch()
    with (
        databases.opened(f"sqlite:///{tmp_path}/file/research.sqlite") as database,
        pytest.raises(StoreUnwritable, match="cannot make"),
    ):
        await database.migrate()


async def test_the_file_is_for_its_owner_only(database: Database, file: Path) -> None:
    """And so is what SQLite puts beside it."""
    await database.check_schema()
    await DatabaseBacktestRuns(database).save(run())

    assert {each.stat().st_mode & 0o777 for each in file.parent.iterdir()} == {0o600}


@pytest.mark.parametrize(
    "url", ["", "nothing", "mysql://host/x", "sqlite://", "sqlite:///:memory:"]
)
def test_other_databases_are_refused(url: str) -> None:
    """So is one that is gone with its connection."""
    with pytest.raises(ValueError, match="sqlite:///PATH"):
        parsed(url)


def test_a_url_needs_no_driver() -> None:
    """People write the URL as their provider does."""
    for url in ("postgresql://h/x", "postgres://h/x", "postgresql+psycopg://h/x"):
        assert parsed(url).drivername == "postgresql+psycopg"
