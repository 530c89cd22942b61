"""`options-agent health`: does everything that trading needs work, at this moment?"""

import asyncio
import os

import typer
from attrs import asdict, frozen

from apps.cli.book_view import BookFolder, heading, heading_record
from apps.cli.console import show_json, show_table, show_text, table
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.book import BookPlace, place_of
from apps.wiring.gates import gates_of
from apps.wiring.inspection import inspected_desk
from apps.wiring.params import health_params
from apps.wiring.reading import place_at
from core.health.checks import CheckStatus, HealthReport
from core.risk.gates import Gates
from core.usecases.check_health import check_health
from ports.positions import Book


@frozen
class _Health:
    """What the checks found now, and what the agent wrote down last."""

    report: HealthReport
    book: Book
    gates: dict[str, Gates]


def command(
    book: BookFolder = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Check market, account, clock, controls, orders and stores once; 1 if any check fails.

    Nothing is locked or changed: it may be asked while the agent runs. Shown besides are the
    state of health that the agent wrote down last, and the gates that keep real orders in.
    """
    settings = settings_from(config, overrides, venue).settings
    place = (place_at(book) if book else None) or place_of(settings)
    found = asyncio.run(_look(settings, place))
    if as_json:
        show_json({**heading_record(settings, place), **_record(found)})
    else:
        show_text(heading(settings, place))
        _show(found)
    if found.report.status is CheckStatus.FAIL:
        raise typer.Exit(ExitCode.FAILED)


async def _look(settings: Settings, place: BookPlace) -> _Health:
    async with inspected_desk(settings, place) as desk:
        report = await check_health(desk, health_params(settings))
        return _Health(report, desk.keeper.book, gates_of(settings, os.environ))


def _record(found: _Health) -> dict[str, object]:
    report, book, failure = found.report, found.book, found.report.failure
    return {
        "ok": report.status is not CheckStatus.FAIL,
        "status": report.status,
        "severity": failure.severity if failure else None,
        "checks": [asdict(result) for result in report.results],
        "agent": {
            "state": book.health,
            "cause": book.health_cause,
            "is_paused": book.is_paused,
            "halted": book.halted,
        },
        "gates": {name: gates.reasons for name, gates in found.gates.items()},
    }


def _show(found: _Health) -> None:
    book = found.book
    made = table("check", "status", "severity", "found")
    for result in found.report.results:
        made.add_row(result.name, result.status, result.severity or "", result.detail)
    show_table(made)
    pause = ", new risk is paused" if book.is_paused else ""
    cause = f": {book.health_cause}" if book.health_cause else ""
    show_text(f"agent: {book.health}{pause}{cause}")
    for name, gates in found.gates.items():
        reasons = "; ".join(gates.reasons)
        show_text(f"real orders of {name}: {f'no, {reasons}' if reasons else 'every gate is open'}")
