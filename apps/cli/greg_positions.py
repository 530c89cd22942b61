"""`options-agent greg positions`: every open position of Greg's with its advice."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer
from attrs import asdict
from rich.text import Text

from apps.cli import figures
from apps.cli.console import show_json, show_table, show_text, table
from apps.cli.greg_options import Coin, figure, first_line, or_misuse, urgent
from apps.cli.left_out import tell_passed_over
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.greg_book import GregBook, advice_terms, greg_book, position_views
from apps.wiring.greg_params import mode_state
from apps.wiring.greg_records import position_record, suggestion_record
from apps.wiring.greg_rules import GregRules, greg_rules
from core.analysis.greg_view import PositionView, sandbox_summary
from core.greg.advice import Suggestion
from core.greg.demo import DEMO_POSITIONS
from core.greg.positions import advise_all


class SandboxFilter(StrEnum):
    """Which positions to show."""

    ALL = "all"
    SANDBOX_ONLY = "sandbox_only"
    NON_SANDBOX = "non_sandbox"


def command(
    sandbox_filter: Annotated[
        SandboxFilter, typer.Option("--sandbox", help="Which positions to show.")
    ] = SandboxFilter.ALL,
    underlying: Coin = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Four invented positions, to see what advice is.")
    ] = False,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Open positions of Greg's at their marks, each with what is advised for it, urgent first.

    Advice only: nothing is sent by it.
    """
    settings = settings_from(config, overrides, venue).settings
    rules = greg_rules(settings)
    or_misuse(lambda: advice_terms(settings, rules))
    if demo:
        _show_demo(settings, rules, as_json)
        return
    tell_passed_over(settings)
    book = asyncio.run(greg_book(settings, rules))
    views = [
        view
        for view in position_views(settings, rules, book)
        if underlying in (None, view.underlying)
        and (
            sandbox_filter is SandboxFilter.ALL
            or view.sandbox == (sandbox_filter is SandboxFilter.SANDBOX_ONLY)
        )
    ]
    if as_json:
        show_json({**_record(settings, views), **_management(rules, book, views)})
        return
    show_text(first_line(settings))
    if not views:
        show_text("no open positions of Greg's")
        return
    _show(views)


def _record(settings: Settings, views: list[PositionView]) -> dict[str, object]:
    state, summary = mode_state(settings), sandbox_summary(views)
    return {
        "ok": True,
        "positions": [position_record(view) for view in views],
        "count": len(views),
        "mode": str(state.mode),
        "enable_live_execution": state.enable_live,
        "deribit_env": settings.venue.deribit_env,
        "sandbox_summary": None if summary is None else asdict(summary),
    }


def _management(rules: GregRules, book: GregBook, views: list[PositionView]) -> dict[str, object]:
    """The same advice as the management screen asks for it."""
    seen_at = [each.taken_at for each in book.snapshots.values()]
    return {
        "suggestions": [suggestion_record(view.suggestion) for view in views],
        "updated_at": max(seen_at, default=None),
        "rules_version": rules.position.version,
    }


def _show(views: list[PositionView]) -> None:
    numbers = ("size", "P&L %", "P&L USD", "DTE", "net delta")
    whole = ("badge", "strategy", "action", "position")
    made = table(
        "badge",
        "coin",
        "strategy",
        *numbers,
        "action",
        "why",
        "position",
        numbers=numbers,
        whole=whole,
    )
    for view in views:
        made.add_row(
            view.badge,
            view.underlying,
            view.human_readable_name,
            figures.size(view.size),
            figure(view.pnl_pct, 1),
            figure(view.pnl_usd),
            figure(view.dte, 0),
            figure(view.net_delta, 3),
            urgent(view.suggested_action, view.urgency),
            _why(view.suggestion),
            view.position_id,
        )
    show_table(made)


def _why(suggestion: Suggestion) -> str:
    """The reason, and what guards in use say beside it."""
    guards = (
        f"{name.removeprefix('guard_').replace('_', ' ')}: {told}"
        for name, told in suggestion.metrics.items()
        if name.startswith("guard")
    )
    return "; ".join((suggestion.reason, *guards))


def _show_demo(settings: Settings, rules: GregRules, as_json: bool) -> None:
    found = advise_all(
        DEMO_POSITIONS,
        rules.position,
        convention=advice_terms(settings, rules).convention,
    )
    if as_json:
        records = [suggestion_record(each) for each in found]
        show_json({"ok": True, "suggestions": records, "count": len(records), "mock": True})
        return
    show_text(first_line(settings, "DEMO"))
    made = table("position", "action", "priority", "why", whole=("position", "action"))
    for each in found:
        made.add_row(each.position_id, _action(each), str(each.priority), each.reason)
    show_table(made)


def _action(suggestion: Suggestion) -> Text:
    return urgent(suggestion.action, suggestion.priority)
