"""Options that `data` commands share, and what they mean."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from apps.settings.root import Settings

Root: TypeAlias = Annotated[
    Path | None,
    typer.Option("--root", metavar="DIR", help="The archive; default: harvester_data_root."),
]
Families: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--coins", metavar="LIST", help="Such as BTC,BTC_USDC; default: all there are."),
]
Since: TypeAlias = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="First UTC day; default: of all.")
]
Until: TypeAlias = Annotated[
    str | None, typer.Option("--to", metavar="DAY", help="Last UTC day; default: of all.")
]


def place_of(settings: Settings, root: Path | None) -> Path:
    """The archive that is meant: *root*, else that of *settings*."""
    return root or settings.harvest.harvester_data_root


def names_of(texts: list[str] | None) -> list[str]:
    """The names in *texts*, each of which may list some: BTC,ETH."""
    return [
        name.strip().upper() for text in texts or () for name in text.split(",") if name.strip()
    ]


def day_of(text: str) -> datetime:
    """
    The first instant of the UTC day *text*.

    Raises:
        BadParameter: It is no day.
    """
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a day such as 2026-03-27") from error


def end_of(text: str) -> datetime:
    """The last instant of the UTC day *text*; raises as day_of."""
    return day_of(text) + timedelta(days=1) - timedelta(microseconds=1)


def require_order(since: str | None, until: str | None) -> None:
    """
    Return if the day *until* is not before *since*, or one of them is not given.

    Raises:
        BadParameter: It is, or one is no day.
    """
    if since and until and end_of(until) < day_of(since):
        raise typer.BadParameter(f"--to {until} is before --from {since}")
