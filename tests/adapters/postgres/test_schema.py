"""Migrations: up from empty and from every earlier schema, and what is not ours is left alone."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from adapters.postgres.backtest_runs import DatabaseBacktestRuns
from adapters.postgres.database import Database
from adapters.postgres.greg_decision_log import DatabaseGregLog
from adapters.postgres.schema import REVISIONS, Schema, Standing
from adapters.postgres.tables import METADATA
from ports.errors import StoreForeign
from tests.support import databases
from tests.support.runs import as_kept, run

EMPTY = [databases.sqlite, databases.empty_postgres]
AT = "2026-05-01 08:30:00.123456"
OLD_RUN = """
INSERT INTO backtest_runs (run_id, created_at, status, strategy_id, underlying, source, start_at,
    end_at, interval_minutes, exit_styles, seed, code_version, config, hashes, labels, progress,
    error, notes)
VALUES ('old', '{at}', 'finished', 'covered_call', 'BTC', 'recorded', '{at}', '{at}', 60,
    '["tp_and_roll"]', 7, '0.1.0', '{{}}', '{{}}', '{{}}', 1, '', 'kept')
"""
OLD_STYLE = """
INSERT INTO backtest_styles (run, position, exit_style, trades_hash, omissions, equity)
SELECT id, 0, 'tp_and_roll', 'hash', '[]', '' FROM backtest_runs
"""
OLD_TRADE = """
INSERT INTO backtest_trades (style, number, chain, strategy_id, contract, amount, opened_at,
    closed_at, entry_reason, exit_reason, settlement)
SELECT id, 1, 1, 'covered_call', 'BTC-8MAY26-100000-C', 1, '{at}', '{at}', 'best', 'assigned',
    '{settlement}' FROM backtest_styles
"""
OLD_DECISION = """
INSERT INTO greg_decision_log (timestamp, underlying, strategy_type, position_id, action_type, mode,
    suggested, executed, reason, order_ids, extra_info, vrp_30d)
VALUES ('{at}', 'BTC', 'STRATEGY_A_STRADDLE', 'p', 'HEDGE', 'advice_only', true, false, 'kept',
    '[]', '{{}}', 12.5)
"""


@pytest.fixture(params=EMPTY, ids=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    make: Callable[[Path], str] = request.param
    with databases.opened(make(tmp_path)) as opened:
        yield opened


def executed(sql: str) -> Callable[[Connection], None]:
    def run_it(connection: Connection) -> None:
        connection.execute(text(sql))

    return run_it


def test_the_revisions_are_those_of_the_migrations() -> None:
    """The list that a start looks at is the list that alembic finds, in its order."""
    script = ScriptDirectory("adapters/postgres/migrations")
    found = [each.revision for each in script.walk_revisions()]

    assert tuple(reversed(found)) == REVISIONS


async def test_migrations_lead_to_the_tables_of_the_program(database: Database) -> None:
    """From empty, table for table and column for column."""
    assert await database.schema() == Schema(Standing.EMPTY)
    await database.migrate()

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, METADATA)

    assert await database.read("compare", differences) == []
    assert await database.schema() == Schema(Standing.CURRENT, REVISIONS[-1])


@pytest.mark.parametrize("revision", REVISIONS[:-1])
async def test_every_earlier_schema_is_brought_up(database: Database, revision: str) -> None:
    """What was kept under it is there afterwards."""
    await database.migrate(revision)
    await database.write("fill", executed(OLD_RUN.format(at=AT)))
    if revision >= "0002":
        await database.write("fill", executed(OLD_DECISION.format(at=AT)))
    assert await database.schema() == Schema(Standing.OLDER, revision)

    assert await database.migrate() == Schema(Standing.OLDER, revision)

    runs, log = DatabaseBacktestRuns(database), DatabaseGregLog(database)
    assert [each.notes for each in await runs.summaries()] == ["kept"]
    await runs.save(run())
    assert as_kept(await runs.load(run().summary.run_id)) == as_kept(run())
    kept = [record.entry for record in await log.history()]
    assert [(entry.reason, entry.vrp_30d, entry.priority) for entry in kept] == (
        [("kept", 12.5, "")] if revision >= "0002" else []
    )


async def test_the_error_of_a_settlement_is_read_from_its_words(database: Database) -> None:
    """Trades kept when it was told in words have it as a number; those without have none."""
    await database.migrate("0004")
    await database.write("fill", executed(OLD_RUN.format(at=AT)))
    await database.write("fill", executed(OLD_STYLE))
    for settlement in ("interpolated, standard error 12.34 USD", "told"):
        await database.write("fill", executed(OLD_TRADE.format(at=AT, settlement=settlement)))

    await database.migrate()

    def found(connection: Connection) -> list[tuple[str, float]]:
        rows = connection.execute(
            text("SELECT settlement, settlement_error_usd FROM backtest_trades ORDER BY id")
        )
        return [tuple(row) for row in rows]

    assert await database.read("look", found) == [("interpolated", 12.34), ("told", 0.0)]


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    """A schema that is current is left as it is."""
    await database.migrate()

    assert await database.migrate() == Schema(Standing.CURRENT, REVISIONS[-1])


async def test_a_file_is_brought_up_on_the_way_and_a_server_is_not(database: Database) -> None:
    """The file is ours alone; a server waits for a person, and the sentence says for what."""
    await database.migrate("0001")
    if database.is_file:
        await database.check_schema()
        assert (await database.schema()).standing is Standing.CURRENT
        return
    with pytest.raises(StoreForeign, match=r"older schema, revision 0001.*database migrate"):
        await database.check_schema()
    assert await database.schema() == Schema(Standing.OLDER, "0001")


async def test_a_newer_schema_is_refused(database: Database) -> None:
    """It is named with ours, and nothing is changed."""
    await database.migrate()
    await database.write("age", executed("UPDATE alembic_version SET version_num = '9999'"))

    for act in (database.check_schema, database.migrate):
        with pytest.raises(StoreForeign, match="newer schema, revision 9999; this program has"):
            await act()
    assert await database.schema() == Schema(Standing.NEWER, "9999")


async def test_tables_of_somebody_else_are_refused(database: Database) -> None:
    """A table of our name that no migration made is left as it is."""
    await database.write("fill", executed("CREATE TABLE backtest_runs (mine text)"))

    for act in (database.check_schema, database.migrate):
        with pytest.raises(StoreForeign, match="foreign schema, no revision"):
            await act()
    names = await database.read("look", lambda connection: inspect(connection).get_table_names())
    assert names == ["backtest_runs"]


async def test_tables_that_were_dropped_are_named(database: Database) -> None:
    """A schema that says it is ours and is not fails with what is missing."""
    await database.migrate()
    await database.write("spoil", executed("DROP TABLE backtest_trials"))

    with pytest.raises(StoreForeign, match="backtest_trials"):
        await DatabaseBacktestRuns(database).trials("any")


def test_looking_makes_no_file(tmp_path: Path) -> None:
    """The schema of a file that is not there is asked for without making it."""
    with databases.opened(databases.sqlite(tmp_path)) as database:
        assert asyncio.run(database.schema()) == Schema(Standing.EMPTY)

    assert list(tmp_path.iterdir()) == []
