"""A database by its URL: connections, transactions in a thread, and its schema."""

import asyncio
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from adapters.postgres.failures import FAILURES, failure_of
from adapters.postgres.schema import REVISIONS, Schema, Standing, schema_of, upgrade
from ports.errors import PortError, StoreForeign, StoreUnwritable, Unavailable

_Answer = TypeVar("_Answer")
_CONNECT_S = 5
_STATEMENT_MS = 60_000


class Database:
    """
    SQLite or PostgreSQL. Every transaction runs in a thread, so that the loop stays free.

    *url* is sqlite:///PATH, the file made when it is missing, or postgresql://... *patience_s* is
    how long to wait for a writer in another process.

    Raises:
        ValueError: The URL is of no database that is known here.
    """

    def __init__(self, url: str, patience_s: float = 5.0) -> None:
        self._url = parsed(url)
        self._engine = _engine(self._url, patience_s)

    @property
    def name(self) -> str:
        """The URL without its password."""
        plain = self._url.set(drivername=self._url.get_backend_name())
        return plain.render_as_string(hide_password=True)

    @property
    def is_file(self) -> bool:
        """Whether it is a file of our own, and no server that others use too."""
        return self._url.get_backend_name() == "sqlite"

    @property
    def _path(self) -> Path:
        return Path(self._url.database or "")

    async def read(self, what: str, action: Callable[[Connection], _Answer]) -> _Answer:
        """
        Return what *action* answers, in one transaction; *what* says what for.

        Raises:
            Unavailable: The database does not answer, or went away in the middle.

            StoreDamaged, StoreForeign: The data cannot be read; the tables are not ours.
        """
        return await asyncio.to_thread(self._run, what, action, Unavailable)

    async def write(
        self,
        what: str,
        action: Callable[[Connection], _Answer],
        kind: type[PortError] = StoreUnwritable,
    ) -> _Answer:
        """
        Return what *action* answers, once all it wrote is kept; if it fails nothing is.

        Raises:
            PortError: Of *kind*: it could not be written; otherwise as read().
        """
        return await asyncio.to_thread(self._run, what, action, kind, is_writing=True)

    async def schema(self) -> Schema:
        """
        Return which schema the database has; a file that is missing has none and is not made.

        Raises:
            PortError: As read().
        """
        if self.is_file and not await asyncio.to_thread(self._path.exists):
            return Schema(Standing.EMPTY)
        return await self.read("look at its schema", schema_of)

    async def migrate(self, revision: str = REVISIONS[-1]) -> Schema:
        """
        Bring the schema up to *revision* and return what it was before.

        Raises:
            StoreForeign: It is newer than this program or not ours; nothing was changed.

            PortError: As write().
        """
        return await self.write("migrate", partial(_migrate, self.name, revision))

    async def check_schema(self) -> None:
        """
        Return if the schema is ours, once a file of our own has been brought up to it.

        A server's schema is not changed on the way: other programs may be using it.

        Raises:
            StoreForeign: It is another one; says what to do.

            PortError: As write().
        """
        found = await self.schema()
        if found.is_upgradable and self.is_file:
            await self.migrate()
        elif found.is_upgradable:
            raise StoreForeign(f"{self.name}: {found}: run `options-agent database migrate`")
        elif found.revision != REVISIONS[-1]:
            raise _foreign(self.name, found)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _run(
        self,
        what: str,
        action: Callable[[Connection], _Answer],
        kind: type[PortError],
        *,
        is_writing: bool = False,
    ) -> _Answer:
        if self.is_file:
            _make_file(self._path, kind)
        try:
            engine = self._engine.execution_options(is_writing=is_writing)
            with engine.begin() as connection:
                return action(connection)
        except FAILURES as error:
            raise failure_of(error, self.name, what, kind) from error


def parsed(url: str) -> URL:
    """
    Return *url* read, with the driver of ours in it.

    Raises:
        ValueError: It is no URL of SQLite or PostgreSQL, or a SQLite that is no file.
    """
    try:
        made = make_url(url)
    except ArgumentError as error:
        raise ValueError("not a URL such as sqlite:///PATH or postgresql://HOST/NAME") from error
    backend = made.get_backend_name()
    if backend == "sqlite" and made.database and made.database != ":memory:":
        return made.set(drivername="sqlite+pysqlite")
    if backend in ("postgresql", "postgres"):
        return made.set(drivername="postgresql+psycopg")
    raise ValueError(f"{backend} is not sqlite:///PATH or postgresql://HOST/NAME")


def _migrate(name: str, revision: str, connection: Connection) -> Schema:
    found = schema_of(connection)
    if found.is_upgradable:
        upgrade(connection, revision)
    elif found.revision != REVISIONS[-1]:
        raise _foreign(name, found)
    return found


def _foreign(name: str, found: Schema) -> StoreForeign:
    return StoreForeign(f"{name}: {found}: it is left as it is")


def _make_file(path: Path, kind: type[PortError]) -> None:
    """Make the file for its owner only, before SQLite makes it for everybody."""
    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise kind(f"cannot make {path}: {error.strerror}") from error


def _engine(url: URL, patience_s: float) -> Engine:
    to_json = partial(json.dumps, sort_keys=True, allow_nan=False)
    if url.get_backend_name() != "sqlite":
        return create_engine(
            url,
            json_serializer=to_json,
            pool_pre_ping=True,  # a server that was restarted is found again
            connect_args={
                "connect_timeout": _CONNECT_S,
                "options": f"-c lock_timeout={round(1000.0 * patience_s)} "
                f"-c statement_timeout={_STATEMENT_MS}",
            },
        )
    engine = create_engine(url, json_serializer=to_json, connect_args={"timeout": patience_s})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver begins nothing: _begin_sqlite does
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the file at once: one that began as a reader could only fail later."""
    is_writing = connection.get_execution_options().get("is_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")
