"""`options-agent kill`: nothing that raises risk is sent from now on."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from apps.cli.book_view import BookFolder, end, heading, heading_record
from apps.cli.console import problem, show_json, show_text, tell
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, read_settings
from apps.settings.faults import SettingsError
from apps.settings.root import Settings
from apps.wiring.book import BookPlace, place_of
from apps.wiring.reading import holder, place_at
from apps.wiring.switch import kill
from ports.errors import StoreDamaged


def command(
    reason: Annotated[str, typer.Option(help="Why; written into the audit.")] = "set by hand",
    book: BookFolder = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Set the kill switch, at once and without a question.

    A running agent opens and rolls nothing more and cancels its openings; closing stays
    allowed. It holds until options-agent release. If the controls cannot be written, a file
    KILL in the data folder does the same for every book there.
    """
    settings = _settings(config, overrides, venue, book)
    place = _place(book) if book else place_of(settings)
    killed = asyncio.run(kill(place, reason))
    held_by = holder(place)
    if as_json:
        show_json(
            {
                **heading_record(settings, place),
                "kill_switch": killed.controls.kill_switch,
                "kill_reason": killed.controls.kill_reason,
                "kill_file": str(killed.path) if killed.path else None,
                "failure": killed.failure,
                "held_by": held_by,
            }
        )
        return
    show_text(heading(settings, place))
    if killed.path:
        problem(f"the controls could not be written: {killed.failure}")
        show_text(f"instead {killed.path} was written: the kill switch of every book there is on")
    show_text(f"kill switch ON: {killed.controls.kill_reason}")
    if held_by:
        show_text(f"{held_by} opens nothing from here on; its openings are cancelled")
    else:
        tell("no agent holds this book; if one runs on another, name that with --book")


def _settings(
    config: list[Path] | None, overrides: list[str] | None, venue: str | None, book: Path | None
) -> Settings:
    """The settings; their defaults if they are at fault, which must not stop a kill by --book."""
    try:
        return read_settings(config, overrides, venue).settings
    except SettingsError as error:
        for fault in error.faults:
            problem(str(fault))
        if book is None:
            end("which book is meant is not known: name it with --book", ExitCode.MISUSE)
        return Settings()


def _place(book: Path) -> BookPlace:
    """The place of the book in the folder *book*, even if the folder is damaged."""
    if not book.is_dir():
        end(f"there is no folder {book}: nothing was set", ExitCode.FAILED)
    try:
        found = place_at(book)
    except StoreDamaged as error:
        problem(str(error))
        found = None
    return found or BookPlace("not known", book, book.resolve().parent)
