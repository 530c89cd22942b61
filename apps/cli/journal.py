"""`options-agent journal`: verify, show and replay the journal of a book."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from attrs import asdict

from apps.cli import figures
from apps.cli.book_view import end
from apps.cli.console import mode_line, problem, show_json, show_json_line, show_table, show_text
from apps.cli.exits import ExitCode
from apps.cli.group import command_group
from apps.cli.journal_lines import journal_line, labels_of
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.cli.reporting import wealth_table
from apps.settings.root import Settings
from apps.wiring import journals
from apps.wiring.book import place_of
from apps.wiring.journals import JournalPlace
from ports.decision_log import ENTRIES, Record

app = command_group("Verify, show and replay the journal of a book; nothing is locked or changed.")

JournalPath = Annotated[
    Path | None,
    typer.Argument(metavar="PATH", help="Folder of a book or a journal; default: the settings'."),
]


@app.command()
def verify(
    path: JournalPath = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Check every line, its seal and its number; 1 names the first that is not as written."""
    settings = settings_from(config, overrides, venue).settings
    place = _place(settings, path)
    found = asyncio.run(journals.verify(place))
    if as_json:
        show_json({**_heading_record(settings, place), **asdict(found), "ok": not found.damage})
    else:
        show_text(_heading(settings, place))
        show_text(f"{found.lines} lines in {found.files} files, last number {found.lines}")
        if found.torn:
            show_text(f"an unfinished append is left out: {found.torn}")
        if not found.damage:
            show_text(f"chain ok, last checksum {found.checksum}")
    if found.damage:
        problem(f"DAMAGED: {found.damage.what}")
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def show(
    path: JournalPath = None,
    kind: Annotated[str | None, typer.Option(help="Only entries of this kind: Decided.")] = None,
    last: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    label: Annotated[str | None, typer.Option(help="Only what is about this order.")] = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Show entries, oldest first, a line each; with --json as JSON lines."""
    settings = settings_from(config, overrides, venue).settings
    place = _place(settings, path)
    if kind is not None and kind not in ENTRIES.types:
        end(f"{kind} is no kind; there are {', '.join(ENTRIES.types)}", ExitCode.MISUSE)

    def is_wanted(record: Record) -> bool:
        is_of_kind = kind is None or type(record.entry).__name__ == kind
        return is_of_kind and (label is None or label in labels_of(record.entry))

    async def read() -> list[Record]:
        return [record async for record in journals.records(place) if is_wanted(record)]

    chosen = asyncio.run(read())[-last:]
    if as_json:
        for record in chosen:
            entry = ENTRIES.encode(record.entry)
            show_json_line({"seq": record.seq, "checksum": record.checksum, "entry": entry})
        return
    show_text(_heading(settings, place))
    for record in chosen:
        show_text(journal_line(record))


@app.command()
def replay(
    path: JournalPath = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Fold the journal from nothing and compare it with positions.json; 1 if they differ."""
    settings = settings_from(config, overrides, venue).settings
    place = _place(settings, path)
    found = asyncio.run(journals.replay(place))
    if as_json:
        show_json(
            {
                **_heading_record(settings, place),
                "seq": found.seq,
                "state_hash": found.state_hash,
                "snapshot_seq": found.snapshot_seq,
                "snapshot_agrees": found.snapshot_agrees,
                "wealth": {coin: asdict(wealth) for coin, wealth in found.book.wealth.items()},
            }
        )
    else:
        show_text(_heading(settings, place))
        at = figures.instant(found.book.ticked_at)
        show_text(f"{found.seq} entries, last tick {at}, state {found.state_hash}")
        show_table(wealth_table(found.book.wealth))
        if found.snapshot_agrees is None:
            show_text("there is no positions.json to compare with")
        elif found.snapshot_agrees:
            show_text(f"positions.json agrees, entry {found.snapshot_seq}")
    if found.snapshot_agrees is False:
        problem(f"positions.json, entry {found.snapshot_seq}, is not what the journal adds up to")
        raise typer.Exit(ExitCode.FAILED)


def _place(settings: Settings, path: Path | None) -> JournalPlace:
    """The journal at *path* or of the settings; ends with FAILED if there is none."""
    directory = path or place_of(settings).directory
    place = journals.journal_in(directory)
    if place is None:
        end(f"there is no journal in {directory}: name a book's folder", ExitCode.FAILED)
    return place


def _heading(settings: Settings, place: JournalPlace) -> str:
    environment = place.book.environment if place.book else "no book"
    return f"{mode_line(settings)} | {environment} | journal {place.directory}"


def _heading_record(settings: Settings, place: JournalPlace) -> dict[str, object]:
    return {
        "mode": mode_line(settings),
        "environment": place.book.environment if place.book else None,
        "journal": str(place.directory),
    }
