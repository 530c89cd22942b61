"""The schema of a database: which one it has, and bringing it up to ours."""

from enum import StrEnum

from attrs import frozen
from sqlalchemy import Connection, inspect, text

from adapters.postgres.tables import METADATA

# Oldest first; the migrations of these names lie in adapters/postgres/migrations/versions.
REVISIONS = ("0001", "0002", "0003", "0004", "0005")
_MIGRATIONS = "adapters.postgres:migrations"
_LOCK = 6_170_427_311  # any number that no other program locks


class Standing(StrEnum):
    """How a schema compares with ours."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"  # made by a newer program, or by another one that uses alembic
    FOREIGN = "foreign"  # tables of our names that no migration of ours made


@frozen
class Schema:
    """What a database has: *revision* is empty where none is written down."""

    standing: Standing
    revision: str = ""

    @property
    def is_upgradable(self) -> bool:
        """Whether our migrations can make it current."""
        return self.standing in (Standing.EMPTY, Standing.OLDER)

    def __str__(self) -> str:
        at = f"revision {self.revision}" if self.revision else "no revision"
        return f"{self.standing} schema, {at}; this program has {REVISIONS[-1]}"


def schema_of(connection: Connection) -> Schema:
    """Return what the database behind *connection* has."""
    names = set(inspect(connection).get_table_names())
    revision = ""
    if "alembic_version" in names:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        revision = str(found or "")
    if revision:
        return Schema(_standing(revision), revision)
    is_taken = bool(names & set(METADATA.tables))
    return Schema(Standing.FOREIGN if is_taken else Standing.EMPTY)


def _standing(revision: str) -> Standing:
    if revision == REVISIONS[-1]:
        return Standing.CURRENT
    return Standing.OLDER if revision in REVISIONS else Standing.NEWER


def upgrade(connection: Connection, revision: str = REVISIONS[-1]) -> None:
    """Run the migrations up to *revision*, one process at a time, all of them or none."""
    # Half of the time of a short command would go into this import.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    if connection.dialect.name == "postgresql":  # SQLite locks the whole file anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
