"""The parts of the status screen, and the same as JSON."""

from math import isnan

from attrs import asdict
from rich.table import Table

from apps.cli import figures
from apps.cli.book_view import age_line, age_record, heading, heading_record
from apps.cli.console import table
from apps.cli.decisions import action_line
from apps.cli.reporting import wealth_table
from apps.settings.root import Settings
from apps.wiring.params import risk_limits, settings_hash
from apps.wiring.reading import BookState
from core.analysis.limit_usage import Usage, limit_usage
from core.risk.limits import in_force
from ports.decision_log import Decided, Opened
from ports.positions import Book


def screen(settings: Settings, state: BookState) -> list[str | Table]:
    """What `status` shows, from the top down: lines and tables."""
    book = state.book
    lines = [
        heading(settings, state.place),
        age_line(state),
        *(f"warning     {warning}" for warning in _warnings(settings, state)),
        f"kill switch {_kill(settings, state) or 'off'}",
        f"halted      {book.halted or 'no'}",
        f"health      {_health(book)}",
        f"last tick   {figures.instant(book.ticked_at)}",
        *(f"reconciled  {line}" for line in _reconciliations(book)),
        f"drawdown    {_drawdown(book)}",
    ]
    tables = [_limits(usages(settings, state))]
    if book.wealth:
        tables.append(wealth_table(book.wealth))
    decisions = [line for each in last_decisions(state) for line in _decision_lines(each)]
    return [*lines, *tables, *decisions]


def record(settings: Settings, state: BookState) -> dict[str, object]:
    """The same as JSON."""
    book = state.book
    reason = _kill(settings, state)
    return {
        **heading_record(settings, state.place),
        **age_record(state),
        "warnings": _warnings(settings, state),
        "kill_switch": bool(reason),
        "kill_reason": reason,
        "halted": book.halted,
        "health": {
            "state": book.health,
            "cause": book.health_cause,
            "is_paused": book.is_paused,
        },
        "last_tick": book.ticked_at,
        "open_positions": len(book.open_positions()),
        "working_orders": len(book.working),
        "reconciliation": {coin: asdict(each) for coin, each in book.reconciliations.items()},
        "drawdown": None
        if book.drawdown is None
        else {**asdict(book.drawdown), "fall_pct": book.drawdown.fall_pct},
        "limits": [asdict(usage) for usage in usages(settings, state)],
        "wealth": {
            coin: {
                **asdict(wealth),
                "total_coin": wealth.total_coin,
                "total_usd": wealth.total_usd,
            }
            for coin, wealth in book.wealth.items()
        },
        "decisions": [
            {
                "at": decision.at,
                "strategy_id": decision.strategy_id,
                "underlying": decision.underlying,
                "actions": [
                    {
                        "type": action.type,
                        "reason": action.reason,
                        "detail": action.detail,
                        "refused": [asdict(breach) for breach in verdict.breaches],
                    }
                    for action, verdict in zip(decision.actions, decision.verdicts, strict=True)
                ],
            }
            for decision in last_decisions(state)
        ],
    }


def usages(settings: Settings, state: BookState) -> tuple[Usage, ...]:
    """The limits in force, settings and controls together, and what the book uses of them."""
    limits = in_force(risk_limits(settings), state.controls)
    return limit_usage(state.book, limits, tuple(settings.venue.underlyings), state.now)


def last_decisions(state: BookState) -> list[Decided]:
    """The newest decision of each strategy on each coin."""
    last = {}
    for each in state.recent:
        if isinstance(each.entry, Decided):
            last[each.entry.strategy_id, each.entry.underlying] = each.entry
    return [last[key] for key in sorted(last)]


def _warnings(settings: Settings, state: BookState) -> list[str]:
    warnings = []
    if state.damage:
        warnings.append(f"{state.damage}; shown is what the journal says")
    opened = [each.entry for each in state.recent if isinstance(each.entry, Opened)]
    if opened and opened[-1].settings_hash != settings_hash(settings):
        warnings.append("the book was last opened with other settings: limits may differ")
    age_s = state.age_s
    if state.holder and age_s is not None and age_s > 2 * settings.loop.loop_interval_sec:
        warnings.append(f"stale {figures.span(age_s)}: the agent writes nothing")
    return warnings


def _kill(settings: Settings, state: BookState) -> str:
    """Why the kill switch is on; empty if it is off."""
    if state.controls.kill_switch:
        return f"ON: {state.controls.kill_reason or 'no reason given'}"
    return "ON: risk.kill_switch_enabled is set" if settings.risk.kill_switch_enabled else ""


def _health(book: Book) -> str:
    pause = ", new risk is paused" if book.is_paused else ""
    return f"{book.health}{pause}{f': {book.health_cause}' if book.health_cause else ''}"


def _reconciliations(book: Book) -> list[str]:
    lines = []
    for coin, each in book.reconciliations.items():
        verdict = "clean" if each.clean else f"DIFFERS: {'; '.join(each.differences)}"
        lines.append(f"{coin} {figures.instant(each.at)} {verdict}")
    return lines or ["not yet"]


def _drawdown(book: Book) -> str:
    fall = book.drawdown
    if fall is None:
        return "nothing was marked yet"
    return (
        f"{fall.fall_pct:.2f} % below the peak of {fall.day}, "
        f"{figures.index(fall.equity_usd)} of {figures.index(fall.peak_usd)} USD"
    )


def _limits(each_usage: tuple[Usage, ...]) -> Table:
    made = table("limit", "coin", "used", "of", "unit", "share", numbers=("used", "of", "share"))
    for usage in each_usage:
        has_share = usage.limit and not isnan(usage.used)
        made.add_row(
            usage.name,
            usage.underlying or "all",
            "not known" if isnan(usage.used) else f"{usage.used:.4g}",
            "off" if usage.limit is None else f"{usage.limit:g}",
            usage.unit,
            f"{100.0 * usage.used / usage.limit:.0f} %" if has_share and usage.limit else "",
        )
    return made


def _decision_lines(decision: Decided) -> list[str]:
    head = (
        f"{figures.instant(decision.at)}  {decision.underlying} "
        f"{figures.index(decision.index_usd)} USD  {decision.strategy_id}"
    )
    pairs = zip(decision.actions, decision.verdicts, strict=True)
    return [head, *(f"  {action_line(action, verdict)}" for action, verdict in pairs)]
