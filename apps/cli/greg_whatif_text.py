"""The report on Greg's decisions as text and as CSV."""

import csv
import io
from collections.abc import Sequence

from apps.cli.greg_log import became
from apps.cli.greg_options import figure
from core.analysis.greg_report import FollowReport, Group, share_pct
from core.analysis.what_if import Comparison, WhatIf
from ports.greg_log import GregRecord

CSV_COLUMNS = (
    *("timestamp", "underlying", "strategy_type", "position_id", "action_type", "mode"),
    *("suggested", "executed", "reason", "pnl_pct", "pnl_usd", "net_delta", "vrp_30d"),
)
_LAST = 20


def report_text(
    head: Sequence[str], records: Sequence[GregRecord], report: FollowReport, found: WhatIf
) -> str:
    """The sections in their order, behind the lines of *head*."""
    whole = report.whole
    parts = [
        *head,
        "",
        "SUMMARY",
        f"suggestions {whole.suggestions}, executed {whole.executed}, "
        f"follow rate {report.follow_rate_pct:.1f} %; {report.dry_runs} in dry runs",
        "",
        "BY STRATEGY",
        *(_line(each, whole) for each in report.by_strategy),
        "",
        "BY ACTION",
        *(_line(each, whole) for each in report.by_action),
        "",
        "FOLLOW VERSUS IGNORE (at the moment of the suggestion: no merit of following)",
        *_versus(report),
        "",
        "HAD WE FOLLOWED (approximate, from stored marks, before costs)",
        *_followed(found),
        "",
        f"LAST {_LAST} DECISIONS",
        *(_decision(each) for each in records[:_LAST]),
    ]
    return "\n".join(parts) + "\n"


def report_csv(records: Sequence[GregRecord]) -> str:
    """A row a decision, newest first; empty where unknown."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for record in records:
        entry = record.entry
        writer.writerow(
            [entry.timestamp.isoformat(), *(getattr(entry, name) for name in CSV_COLUMNS[1:])]
        )
    return text.getvalue()


def _line(group: Group, whole: Group) -> str:
    return (
        f"{group.name:<28} suggestions {group.suggestions:>4}, executed {group.executed:>4}, "
        f"share {share_pct(group, whole):5.1f} %, followed {group.follow_rate_pct:5.1f} %, "
        f"average P&L {_percent(group.avg_pnl_pct)}"
    )


def _versus(report: FollowReport) -> list[str]:
    followed, ignored = report.followed, report.ignored
    lines = [
        f"{each.name}: {each.suggestions}, average P&L {_percent(each.avg_pnl_pct)}"
        for each in (followed, ignored)
    ]
    if followed.avg_pnl_pct is not None and ignored.avg_pnl_pct is not None:
        difference = 100.0 * (followed.avg_pnl_pct - ignored.avg_pnl_pct)
        word = "better" if difference > 0 else "worse" if difference < 0 else "equal"
        lines.append(f"followed is {word} by {abs(difference):.1f} points")
    return lines


def _followed(found: WhatIf) -> list[str]:
    if not found.comparisons:
        return [f"{found.ignored} suggestions were ignored; no marks were stored for them"]
    total = dict.fromkeys(dict.fromkeys(one.horizon for one in found.comparisons), 0.0)
    for each in found.comparisons:
        total[each.horizon] += each.total_usd
    return [
        *(_compared(each) for each in found.comparisons),
        *(f"in all after {name}: {usd:+,.2f} USD had we followed" for name, usd in total.items()),
        f"{found.unknown} of {3 * found.ignored} outcomes have no marks, or the position had ended",
    ]


def _compared(each: Comparison) -> str:
    bounds = each.bounds
    told = (
        "too few for an interval"
        if bounds is None
        else (f"90 % interval {bounds.low:+,.2f} to {bounds.high:+,.2f}")
    )
    return (
        f"{each.action:<12} {each.strategy.removeprefix('STRATEGY_'):<20} "
        f"after {each.horizon:<14} n {each.count:>3}: following is worth {each.mean_usd:+,.2f} USD "
        f"each, {told}; {each.total_usd:+,.2f} in all"
    )


def _decision(record: GregRecord) -> str:
    entry = record.entry
    done = "EXEC" if became(record) == "executed" else "SKIP"
    return (
        f"{entry.timestamp:%Y-%m-%d %H:%M} {entry.underlying:<6} {entry.action_type:<22} "
        f"{done} {entry.mode:<12} P&L {_percent(entry.pnl_pct)}"
    )


def _percent(fraction: float | None) -> str:
    return f"{figure(None if fraction is None else 100.0 * fraction, 1)} %"
