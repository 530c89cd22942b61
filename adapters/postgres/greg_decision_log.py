"""GregDecisionLog in a database."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import attrs
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    func,
    insert,
    select,
    update,
)

from adapters.postgres.database import Database
from adapters.postgres.tables import GREG_DECISIONS as LOG
from ports.errors import StoreDamaged
from ports.greg_log import GregEntry, GregFilter, GregRecord, GregStats

_FIELDS = [each.name for each in attrs.fields(GregEntry)]
_NEWEST_FIRST = (LOG.c.timestamp.desc(), LOG.c.id.desc())


class DatabaseGregLog:
    """The table greg_decision_log; see GregDecisionLog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, entry: GregEntry) -> GregRecord:
        """
        Keep *entry* and return it with its number.

        Raises:
            StoreUnwritable: It could not be written.
        """
        return await self._database.write("log a decision", partial(_append, entry))

    async def suggest(self, entry: GregEntry) -> GregRecord | None:
        """
        Keep *entry* if it says more than the last suggestion of its position.

        Raises:
            StoreUnwritable: It could not be written.
        """
        return await self._database.write("log a suggestion", partial(_suggest, entry))

    async def execute(self, entry: GregEntry) -> GregRecord:
        """
        Note that *entry* was executed, in the line of its suggestion where there is one.

        Raises:
            StoreUnwritable: It could not be written.
        """
        return await self._database.write("log an execution", partial(_execute, entry))

    async def copied(self, journal: str) -> int:
        """
        Return the number of the last record of *journal* that has a line here, 0 for none.

        Raises:
            Unavailable: The database does not answer.
        """
        return await self._database.read("look how far it is", partial(_copied, journal))

    async def history(
        self, wanted: GregFilter | None = None, limit: int | None = 100
    ) -> tuple[GregRecord, ...]:
        """
        Return the entries *wanted*, newest first.

        Raises:
            Unavailable: The database does not answer.
        """
        chosen = _chosen(wanted or GregFilter()).order_by(*_NEWEST_FIRST).limit(limit)
        return await self._database.read("read the decisions", partial(_records, chosen))

    async def stats(self, wanted: GregFilter | None = None) -> GregStats:
        """
        Return what the entries *wanted* add up to.

        Raises:
            Unavailable: The database does not answer.
        """
        return GregStats.of(record.entry for record in await self.history(wanted, limit=None))


def _append(entry: GregEntry, connection: Connection) -> GregRecord:
    made = insert(LOG).values(_row(entry)).returning(LOG.c.id)
    return GregRecord(connection.execute(made).scalar_one(), entry)


def _suggest(entry: GregEntry, connection: Connection) -> GregRecord | None:
    before = next((record.entry for record in _suggestions(_same(entry), connection)), None)
    return _append(entry, connection) if entry.says_more_than(before) else None


def _execute(entry: GregEntry, connection: Connection) -> GregRecord:
    same = _same(entry) & (LOG.c.action_type == entry.action_type) & LOG.c.executed.is_(False)
    waiting = next(_suggestions(same, connection), None)
    if waiting is None:
        return _append(entry, connection)
    done = GregRecord(waiting.id, waiting.entry.executed_as(entry))
    connection.execute(update(LOG).where(LOG.c.id == done.id).values(_row(done.entry)))
    return done


def _same(entry: GregEntry) -> ColumnElement[bool]:
    """Lines about the position of *entry* that came from its journal."""
    return (LOG.c.position_id == entry.position_id) & (LOG.c.journal == entry.journal)


def _suggestions(condition: ColumnElement[bool], connection: Connection) -> Iterator[GregRecord]:
    """The suggestions of *condition*, newest first; what answers one is left out."""
    rows = connection.execute(select(LOG).where(condition).order_by(*_NEWEST_FIRST))
    return (record for row in rows.mappings() if (record := _record(row)).entry.is_suggestion)


def _copied(journal: str, connection: Connection) -> int:
    newest = select(func.max(LOG.c.journal_seq)).where(LOG.c.journal == journal)
    return connection.execute(newest).scalar() or 0


def _chosen(wanted: GregFilter) -> Select[Any]:
    chosen = select(LOG)
    for name in ("underlying", "strategy_type", "position_id"):
        value = getattr(wanted, name)
        if value is not None:
            chosen = chosen.where(LOG.c[name] == value)
    if wanted.start is not None:
        chosen = chosen.where(LOG.c.timestamp >= wanted.start)
    if wanted.end is not None:
        chosen = chosen.where(LOG.c.timestamp <= wanted.end)
    return chosen


def _records(wanted: Select[Any], connection: Connection) -> tuple[GregRecord, ...]:
    return tuple(_record(row) for row in connection.execute(wanted).mappings())


def _row(entry: GregEntry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in _FIELDS}
    row["order_ids"] = json.dumps(entry.order_ids)
    row["extra_info"] = json.dumps(entry.extra_info, sort_keys=True, allow_nan=False)
    return row


def _record(row: RowMapping) -> GregRecord:
    try:
        fields = {name: row[name] for name in _FIELDS}
        fields["order_ids"] = tuple(json.loads(row["order_ids"]))
        fields["extra_info"] = json.loads(row["extra_info"])
        return GregRecord(row["id"], GregEntry(**fields))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreDamaged(f"decision {row.get('id')} cannot be read: {error!r}") from error
