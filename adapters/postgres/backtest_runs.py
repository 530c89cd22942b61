"""BacktestRuns in a database."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from adapters.postgres.backtest_rows import (
    Row,
    metric_rows,
    run_row,
    style_of,
    style_row,
    summary_of,
    trade_rows,
    trial_of,
    trial_row,
)
from adapters.postgres.database import Database
from adapters.postgres.tables import METRICS, RUNS, STYLES, TRADES, TRIALS
from ports.backtest_runs import BacktestRun, RunSummary, StyleResult, Trial
from ports.errors import Unavailable

_AT_ONCE = 1000  # rows of one INSERT


class DatabaseBacktestRuns:
    """Runs in their tables; see BacktestRuns. The curve is one compressed column a style."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, run: BacktestRun) -> None:
        """
        Keep *run*, instead of an earlier form of it.

        Raises:
            StoreUnwritable: It could not be written; nothing was changed.
        """
        await self._database.write(f"save run {run.summary.run_id}", partial(_save, run))

    async def load(self, run_id: str) -> BacktestRun:
        """
        Return the run of *run_id*.

        Raises:
            Unavailable: There is none, or the database does not answer.

            StoreDamaged: What is kept of it cannot be read.
        """
        return await self._database.read(f"load run {run_id}", partial(_load, run_id))

    async def summaries(
        self, *, underlying: str | None = None, limit: int | None = None
    ) -> tuple[RunSummary, ...]:
        """
        Return the runs kept, newest first.

        Raises:
            Unavailable: The database does not answer.
        """
        wanted = select(RUNS).order_by(RUNS.c.created_at.desc(), RUNS.c.run_id.desc()).limit(limit)
        if underlying is not None:
            wanted = wanted.where(RUNS.c.underlying == underlying)
        rows = await self._database.read("list runs", partial(_rows, wanted))
        return tuple(summary_of(row) for row in rows)

    async def metrics(self, run_id: str) -> Mapping[str, Mapping[str, float | None]]:
        """
        Return the metrics of a run by exit style, the primary one first.

        Raises:
            Unavailable: There is no such run, or the database does not answer.
        """
        what = f"read the metrics of {run_id}"
        return await self._database.read(what, partial(_metrics, run_id))

    async def annotate(self, run_id: str, notes: str) -> None:
        """
        Replace the notes of a run.

        Raises:
            Unavailable: There is no such run, or the database does not answer.
        """
        change = update(RUNS).where(RUNS.c.run_id == run_id).values(notes=notes)
        await self._database.write(
            f"annotate run {run_id}", partial(_change_one, change, run_id), Unavailable
        )

    async def delete(self, run_id: str) -> None:
        """
        Forget a run; its trials stay counted.

        Raises:
            Unavailable: There is no such run, or the database does not answer.
        """
        change = delete(RUNS).where(RUNS.c.run_id == run_id)
        await self._database.write(
            f"delete run {run_id}", partial(_change_one, change, run_id), Unavailable
        )

    async def register(self, trial: Trial) -> None:
        """
        Count *trial*, once.

        Raises:
            StoreUnwritable: It could not be written.
        """
        await self._database.write(f"count a trial of {trial.family}", partial(_register, trial))

    async def trials(self, family: str) -> tuple[Trial, ...]:
        """
        Return every trial of *family*, oldest first.

        Raises:
            Unavailable: The database does not answer.
        """
        wanted = select(TRIALS).where(TRIALS.c.family == family).order_by(TRIALS.c.at, TRIALS.c.id)
        rows = await self._database.read("list trials", partial(_rows, wanted))
        return tuple(trial_of(row) for row in rows)


def _save(run: BacktestRun, connection: Connection) -> None:
    row = run_row(run.summary)
    connection.execute(delete(RUNS).where(RUNS.c.run_id == run.summary.run_id))
    run_key = _insert_one(connection, RUNS, row)
    for position, result in enumerate(run.results):
        style_key = _insert_one(connection, STYLES, style_row(result, run_key, position))
        _insert_many(connection, METRICS, metric_rows(result.metrics, style_key))
        _insert_many(connection, TRADES, trade_rows(result.trades, style_key))


def _load(run_id: str, connection: Connection) -> BacktestRun:
    row = _run_named(run_id, connection)
    return BacktestRun(
        summary=summary_of(row),
        results=tuple(_style(each, connection) for each in _styles(row, connection)),
    )


def _style(row: RowMapping, connection: Connection) -> StyleResult:
    of_style = select(TRADES).where(TRADES.c.style == row["id"])
    trades = _rows(of_style.order_by(TRADES.c.id), connection)
    return style_of(row, trades, _metric_rows(row, connection))


def _metrics(run_id: str, connection: Connection) -> Mapping[str, Mapping[str, float | None]]:
    row = _run_named(run_id, connection)
    return {
        style["exit_style"]: {
            each["name"]: each["value"] for each in _metric_rows(style, connection)
        }
        for style in _styles(row, connection)
    }


def _metric_rows(style: RowMapping, connection: Connection) -> Sequence[RowMapping]:
    wanted = select(METRICS).where(METRICS.c.style == style["id"]).order_by(METRICS.c.id)
    return _rows(wanted, connection)


def _styles(run: RowMapping, connection: Connection) -> Sequence[RowMapping]:
    wanted = select(STYLES).where(STYLES.c.run == run["id"]).order_by(STYLES.c.position)
    return _rows(wanted, connection)


def _run_named(run_id: str, connection: Connection) -> RowMapping:
    rows = _rows(select(RUNS).where(RUNS.c.run_id == run_id), connection)
    if not rows:
        raise _absent(run_id)
    return rows[0]


def _rows(wanted: Select[Any], connection: Connection) -> Sequence[RowMapping]:
    return connection.execute(wanted).mappings().all()


def _change_one(change: Any, run_id: str, connection: Connection) -> None:
    if connection.execute(change).rowcount == 0:
        raise _absent(run_id)


def _absent(run_id: str) -> Unavailable:
    return Unavailable(f"there is no run {run_id}")


def _register(trial: Trial, connection: Connection) -> None:
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(make(TRIALS).values(trial_row(trial)).on_conflict_do_nothing())


def _insert_one(connection: Connection, table: Table, row: Row) -> int:
    key: int = connection.execute(insert(table).values(row).returning(table.c.id)).scalar_one()
    return key


def _insert_many(connection: Connection, table: Table, rows: list[Row]) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(table), rows[start : start + _AT_ONCE])
