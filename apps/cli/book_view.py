"""What commands over a book have in common: which one it is, and their first lines."""

from pathlib import Path
from typing import Annotated, NoReturn, TypeAlias

import typer

from apps.cli import figures
from apps.cli.console import mode_line, problem
from apps.cli.exits import ExitCode
from apps.settings.root import Settings
from apps.wiring.book import BookPlace, place_of
from apps.wiring.reading import BookReader, BookState, place_at

BookFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option("--book", metavar="DIR", help="Folder of a book; default: that of the settings."),
]


def place_from(settings: Settings, folder: Path | None) -> BookPlace:
    """Return the place of a book, in *folder* or where *settings* lead; else end with FAILED."""
    directory = folder or place_of(settings).directory
    place = place_at(directory)
    if place is None:
        end(
            f"there is no book at {directory}: options-agent run begins one, --book names another",
            ExitCode.FAILED,
        )
    return place


def own_place(settings: Settings, folder: Path | None) -> BookPlace:
    """
    Return the place of a book that *settings* may trade; else end with MISUSE.

    The market of the settings must be that of the book.
    """
    place = place_from(settings, folder)
    wanted = place_of(settings).environment
    if place.environment != wanted:
        end(
            f"{place.directory} is a book of {place.environment}, the settings are of {wanted}; "
            "see venue.market",
            ExitCode.MISUSE,
        )
    return place


def heading(settings: Settings, place: BookPlace) -> str:
    """The first line of a screen about a book: mode, environment and folder."""
    return f"{mode_line(settings)} | {place.environment} | book {place.directory}"


def heading_record(settings: Settings, place: BookPlace) -> dict[str, object]:
    """The same for JSON."""
    return {
        "mode": mode_line(settings),
        "environment": place.environment,
        "book": str(place.directory),
    }


async def latest(reader: BookReader) -> BookState:
    """Return the book of *reader* as it is now, or end with FAILED if its journal is empty."""
    state = await reader.state()
    if state is None:
        end("the journal is empty: nothing was run yet", ExitCode.FAILED)
    return state


def age_line(state: BookState) -> str:
    """How old what is shown is, and whether somebody works on it."""
    age_s = state.age_s
    age = "time of the recording" if age_s is None else f"{figures.span(age_s)} ago"
    return f"as of {figures.instant(state.at)} UTC, {age}, entry {state.seq}; {agent_line(state)}"


def agent_line(state: BookState) -> str:
    """Whether an agent works on the book."""
    if state.holder is None:
        return "no agent is running"
    return f"the book is held by {state.holder}"


def age_record(state: BookState) -> dict[str, object]:
    """The same for JSON."""
    return {"as_of": state.at, "age_s": state.age_s, "seq": state.seq, "held_by": state.holder}


def end(message: str, code: ExitCode) -> NoReturn:
    """Say why a command cannot be done, and end it."""
    problem(message)
    raise typer.Exit(code)
