"""`options-agent greg log`: what was suggested, and what became of it."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, TypeAlias

import typer
from attrs import evolve

from apps.cli.book_view import end
from apps.cli.console import show_json, show_table, show_text, table, tell
from apps.cli.exits import ExitCode
from apps.cli.greg_options import Coin, figure, first_line
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.wiring.greg_log import greg_history
from apps.wiring.greg_records import decision_record, stats_record, timeline_record
from ports.greg_log import GregFilter, GregRecord, GregStats

FromDay: TypeAlias = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="Such as 2026-01-01.")
]
ToDay: TypeAlias = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Included.")]


def command(
    underlying: Coin = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", metavar="CODE", help="Such as STRATEGY_A_STRADDLE.")
    ] = None,
    position: Annotated[
        str | None,
        typer.Option("--position", metavar="ID", help="The course of one, oldest first."),
    ] = None,
    first: FromDay = None,
    last: ToDay = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 100,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    The decision log, newest first, and what it adds up to.

    What the journal has and the log has not is copied first. Where the database is away the
    journal answers, and the command says so.
    """
    settings = settings_from(config, overrides, venue).settings
    wanted = evolve(filter_of(underlying, strategy, first, last), position_id=position)
    found = asyncio.run(greg_history(settings, wanted, limit))
    if found.warning:
        tell(f"warning: {found.warning}")
    if position is not None:
        found = evolve(found, records=found.records[::-1])
    if as_json and position is not None:
        logs = [timeline_record(each) for each in found.records]
        show_json({"ok": True, "position_id": position, "logs": logs, "count": len(logs)})
        return
    if as_json:
        show_json(
            {
                "ok": True,
                "decisions": [decision_record(each) for each in found.records],
                "count": len(found.records),
                "stats": stats_record(found.stats),
                "warning": found.warning,
            }
        )
        return
    show_text(first_line(settings))
    if not found.records:
        show_text("no decision is logged")
        return
    _show(found.records, found.stats)


def filter_of(
    underlying: str | None, strategy: str | None, first: str | None, last: str | None
) -> GregFilter:
    """The filter of those options, whole days; ends with MISUSE where one is no day."""
    start, final = _day(first), _day(last)
    if start is not None and final is not None and start > final:
        end(f"--from {first} is after --to {last}", ExitCode.MISUSE)
    whole_day = timedelta(days=1) - timedelta(microseconds=1)
    return GregFilter(
        underlying=underlying,
        strategy_type=strategy,
        start=start,
        end=None if final is None else final + whole_day,
    )


def _day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError as error:
        end(f"{text!r} is not a day: {error}", ExitCode.MISUSE)


def _show(records: tuple[GregRecord, ...], stats: GregStats) -> None:
    numbers = ("P&L %", "net delta")
    whole = ("time", "strategy", "action", "became")
    made = table(
        "time",
        "coin",
        "strategy",
        "action",
        "became",
        *numbers,
        "why",
        "position",
        numbers=numbers,
        whole=whole,
    )
    for record in records:
        entry = record.entry
        pnl = None if entry.pnl_pct is None else 100.0 * entry.pnl_pct
        made.add_row(
            f"{entry.timestamp:%Y-%m-%d %H:%M:%S}",
            entry.underlying,
            entry.strategy_type.removeprefix("STRATEGY_"),
            entry.action_type,
            became(record),
            figure(pnl, 1),
            figure(entry.net_delta, 3),
            entry.reason,
            entry.position_id,
        )
    show_table(made)
    told = ", ".join(f"{name} {each.suggestions}" for name, each in stats.by_action.items())
    show_text(
        f"{stats.total_suggestions} suggestions, {stats.total_executed} executed, "
        f"{stats.total_dry_run} in dry runs; {told or 'no action'}"
    )


def became(record: GregRecord) -> str:
    """What became of an entry, in a word."""
    entry = record.entry
    if entry.extra_info.get("refused") is True:
        return "refused"
    if entry.is_dry_run:
        return "dry run"
    return "executed" if entry.executed else "suggested"
