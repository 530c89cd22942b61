"""`options-agent doctor`: is everything there that a run needs?"""

import asyncio

import typer
from attrs import asdict

from apps.cli.book_view import BookFolder
from apps.cli.console import mode_line, show_json, show_table, show_text, table
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, read_settings
from apps.settings.faults import SettingsError
from apps.settings.root import Settings
from apps.wiring.book import BookPlace, place_of
from apps.wiring.diagnosis import diagnose
from apps.wiring.findings import Finding, Status
from apps.wiring.reading import place_at
from ports.errors import StoreDamaged


def command(
    book: BookFolder = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Check settings, Python, data folder, book, clock, kernels and market; 1 if any check fails.

    Nothing is locked or changed: it may be asked while the agent runs.
    """
    try:
        settings = read_settings(config, overrides, venue).settings
    except SettingsError as error:
        _show(None, [_fault(str(fault)) for fault in error.faults], as_json)
        raise typer.Exit(ExitCode.FAILED) from error
    found = [Finding(name="settings", status=Status.OK, detail="valid")]
    place: BookPlace | None = None
    try:
        place = place_at(book or place_of(settings).directory)
    except StoreDamaged as error:
        fix = "restore environment.json from a copy"
        found.append(Finding(name="book", status=Status.FAIL, detail=str(error), fix=fix))

    async def examine() -> list[Finding]:
        return [finding async for finding in diagnose(settings, place)]

    found += asyncio.run(examine())
    _show(settings, found, as_json)
    if any(finding.status is Status.FAIL for finding in found):
        raise typer.Exit(ExitCode.FAILED)


def _fault(text: str) -> Finding:
    return Finding(
        name="settings", status=Status.FAIL, detail=text, fix="options-agent config explain KEY"
    )


def _show(settings: Settings | None, found: list[Finding], as_json: bool) -> None:
    mode = mode_line(settings) if settings else "settings are not valid"
    if as_json:
        ok = not any(finding.status is Status.FAIL for finding in found)
        show_json({"mode": mode, "ok": ok, "checks": [asdict(finding) for finding in found]})
        return
    made = table("check", "status", "found", "what to do")
    for finding in found:
        made.add_row(finding.name, finding.status, finding.detail, finding.fix)
    show_text(mode)
    show_table(made)
