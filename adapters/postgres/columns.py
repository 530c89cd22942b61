"""Kinds of column that hold the same in SQLite and in PostgreSQL."""

from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any

from sqlalchemy import DateTime, Double
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """
    An aware UTC instant to the microsecond: timestamptz, or ISO text that sorts.

    SQLite keeps no zone: what goes in is UTC without one, and comes out with it again.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant; drop the zone where the database has none."""
        if value is None:
            return None
        if value.utcoffset() != timedelta(0):
            raise ValueError(f"only UTC instants are kept, was {value!r}")
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The instant in UTC, whatever the zone of the connection."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Number(TypeDecorator[float]):
    """A double; NaN is NULL and -0 is 0, because SQLite makes them that."""

    impl = Double()
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:  # noqa: ARG002
        """A plain float, whatever numpy made of it."""
        return None if value is None or isnan(value) else float(value) + 0.0
