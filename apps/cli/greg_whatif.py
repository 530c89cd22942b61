"""`options-agent greg whatif`: how far suggestions were followed, and what ignoring them cost."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from attrs import asdict

from apps.cli.console import show_json, show_text, tell
from apps.cli.greg_log import FromDay, ToDay, filter_of
from apps.cli.greg_options import Coin, coins_asked
from apps.cli.greg_whatif_text import report_csv, report_text
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.cli.output_file import write_out
from apps.settings.root import Settings
from apps.wiring.greg_log import GregHistory, greg_history, greg_told
from core.analysis.greg_report import follow_report
from core.analysis.what_if import WhatIf, what_if
from core.rng import rng_at
from core.usecases.greg_what_if import Told, stored
from ports.checks import EPOCH
from ports.greg_log import GregFilter

_MOST = 1000  # rows


class ReportFormat(StrEnum):
    """How the report is written."""

    TEXT = "text"
    CSV = "csv"


def command(
    first: FromDay = None,
    last: ToDay = None,
    underlying: Coin = None,
    written: Annotated[ReportFormat, typer.Option("--format")] = ReportFormat.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Default: stdout.")
    ] = None,
    chains: Annotated[
        Path | None,
        typer.Option("--chains", metavar="DIR", help="Recorded chains, for marks of others."),
    ] = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    The decision report: counts, follow rate, and what ignored suggestions would have earned.

    Marks are those that the agent wrote down of what it held; --chains adds recorded markets.
    """
    settings = settings_from(config, overrides, venue).settings
    if underlying is not None:
        coins_asked(settings, [underlying])
    wanted = filter_of(underlying, None, first, last)
    log, told = asyncio.run(_read(settings, wanted, chains))
    if log.warning:
        tell(f"warning: {log.warning}")
    report = follow_report([each.entry for each in log.records])
    ours = [each for each in told.suggested if wanted.wants(each.entry)]
    found = what_if(ours, stored(told), rng_at(settings.venue.seed, "what if", EPOCH))
    if as_json:
        show_json({"ok": True, "report": asdict(report), "what_if": _record(found)})
        return
    span = f"{first or '...'} to {last or '...'}" if first or last else "N/A"
    head = (
        "GREG DECISION REPORT",
        f"date range {span}; underlying {underlying or 'ALL'}; {len(log.records)} records",
    )
    text = (
        report_csv(log.records)
        if written is ReportFormat.CSV
        else report_text(head, log.records, report, found)
    )
    if output is None:
        show_text(text.rstrip("\n"))
    else:
        write_out(output, text)


async def _read(
    settings: Settings, wanted: GregFilter, chains: Path | None
) -> tuple[GregHistory, Told]:
    return await greg_history(settings, wanted, _MOST), await greg_told(settings, chains)


def _record(found: WhatIf) -> dict[str, object]:
    return {
        "ignored": found.ignored,
        "unknown_outcomes": found.unknown,
        "comparisons": [asdict(each) for each in found.comparisons],
        "approximate": True,
    }
