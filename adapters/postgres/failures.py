"""What databases fail with, in our words."""

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ports.errors import PortError, StoreDamaged, StoreForeign

Failure = DBAPIError | PoolTimeout
FAILURES = (DBAPIError, PoolTimeout)

_SQLITE_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_POSTGRES_DAMAGE = ("XX001", "XX002")  # data_corrupted, index_corrupted
_POSTGRES_SCHEMA = ("42P01", "42703")  # undefined_table, undefined_column


def failure_of(error: Failure, where: str, what: str, kind: type[PortError]) -> PortError:
    """
    Return *error* as a PortError: *kind* unless it says that the data or the schema is wrong.

    The sentence names the database, what was being done, and the database's own reason.
    """
    sentence = f"{where}: cannot {what}: {_reason(error)}"
    original = getattr(error, "orig", None)
    if _is_damage(original):
        return StoreDamaged(sentence)
    if _is_schema(original):
        return StoreForeign(f"{sentence}; its tables are not those of this program")
    return kind(sentence)


def _reason(error: Failure) -> str:
    """The first line of what the driver says: the rest is the statement and its values."""
    original = getattr(error, "orig", None)
    lines = str(original or error).strip().splitlines()
    return lines[0] if lines else type(original or error).__name__


def _is_damage(original: object) -> bool:
    # the low byte of an extended code is the code itself
    code = getattr(original, "sqlite_errorcode", 0) & 0xFF
    return code in _SQLITE_DAMAGE or getattr(original, "sqlstate", None) in _POSTGRES_DAMAGE


def _is_schema(original: object) -> bool:
    is_missing = isinstance(original, sqlite3.Error) and str(original).startswith("no such ")
    return is_missing or getattr(original, "sqlstate", None) in _POSTGRES_SCHEMA
