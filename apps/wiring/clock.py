"""The clock of this computer."""

from datetime import datetime, timedelta

from adapters.system.clock import SystemClock


def system_clock(interval: timedelta = timedelta(seconds=1)) -> SystemClock:
    """A clock that ticks every *interval*."""
    return SystemClock(interval)


def system_now() -> datetime:
    """The current instant, for commands that live for a moment only."""
    return system_clock().now()
