"""Validators of values: a wrong one is refused where it is built."""

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from attrs import Attribute


def positive(_: object, attribute: "Attribute[float]", value: float) -> None:
    """Refuse what is not a finite number above zero."""
    if not (isfinite(value) and value > 0):
        raise ValueError(f"{attribute.name} must be positive, was {value}")


def not_zero(_: object, attribute: "Attribute[float]", value: float) -> None:
    """Refuse zero, NaN and infinity."""
    if not isfinite(value) or value == 0.0:
        raise ValueError(f"{attribute.name} must be a number other than zero, was {value}")


def finite(_: object, attribute: "Attribute[float]", value: float) -> None:
    """Refuse NaN and infinity."""
    if not isfinite(value):
        raise ValueError(f"{attribute.name} must be finite, was {value}")


def not_negative(_: object, attribute: "Attribute[float]", value: float) -> None:
    """Refuse what is not a finite number of zero or more."""
    if not (isfinite(value) and value >= 0):
        raise ValueError(f"{attribute.name} must not be negative, was {value}")


def utc(_: object, attribute: "Attribute[Any]", value: datetime) -> None:
    """Refuse an instant that is naive or not in UTC."""
    if value.tzinfo is not UTC and value.utcoffset() != timedelta(0):
        raise ValueError(f"{attribute.name} must be an aware UTC instant, was {value!r}")


def label(_: object, attribute: "Attribute[str]", value: str) -> None:
    """Refuse what the venue would not carry: 1 to 64 printable ASCII characters."""
    if not (1 <= len(value) <= 64 and value.isascii() and value.isprintable()):
        raise ValueError(f"{attribute.name} must be 1 to 64 ASCII characters, was {value!r}")


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def epoch_ms(instant: datetime) -> int:
    """Milliseconds from 1970 to *instant*, as the venue counts."""
    return (instant - EPOCH) // _MS


def from_epoch_ms(milliseconds: float) -> datetime:
    """The UTC instant *milliseconds* after 1970."""
    return EPOCH + timedelta(milliseconds=milliseconds)
