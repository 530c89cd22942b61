"""What `data` commands show: lines, tables and records of what was harvested."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.table import Table

from apps.cli import figures
from apps.cli.console import table
from core.health.coverage import Coverage
from core.health.quality import SnapshotReport
from core.usecases.harvest import HarvestPass
from core.usecases.survey import FamilyHealth, FamilyListing

_WORST = 20  # reports that are shown of a family


def pass_line(done: HarvestPass) -> str:
    """One pass in a line."""
    families = ", ".join(f"{each.family} {each.kept.rows}" for each in done.kept)
    seconds = f"{done.took.total_seconds():.1f} s"
    at = figures.instant(done.started_at)
    lost = f"; not kept: {', '.join(each.what for each in done.failed)}" if done.failed else ""
    return f"{at}  {families or 'nothing'}  in {seconds}{lost}"


def pass_record(done: HarvestPass) -> dict[str, object]:
    """One pass as JSON."""
    return {
        "started_at": done.started_at,
        "seconds": done.took.total_seconds(),
        "kept": [
            {
                "family": each.family,
                "taken_at": each.kept.taken_at,
                "file": each.kept.file,
                "rows": each.kept.rows,
                "index_usd": each.kept.index_usd,
                "sha256": each.kept.sha256,
                "notes": each.notes,
            }
            for each in done.kept
        ],
        "failed": [
            {
                "what": each.what,
                "reason": each.reason,
                "severity": each.severity,
                "tries": each.tries,
            }
            for each in done.failed
        ],
        "empty": done.empty,
    }


def listing_table(listings: Sequence[FamilyListing]) -> Table:
    """A row a family."""
    numbers = ("snapshots", "missing", "rows", "files", "MB", "skipped")
    made = table("family", "first", "last", "age", "longest gap", *numbers, numbers=numbers)
    for each in listings:
        cover = each.coverage
        made.add_row(
            each.family,
            _instant(cover.first),
            _instant(cover.last),
            f"{_span(cover.age)}{' STALE' if cover.is_stale else ''}",
            _longest(cover),
            str(cover.snapshots),
            str(cover.missing),
            str(each.rows),
            str(each.files),
            f"{each.size_bytes / 1e6:.1f}",
            str(each.skipped),
        )
    return made


def listing_record(listing: FamilyListing) -> dict[str, object]:
    """A family as JSON."""
    return {
        "family": listing.family,
        "rows": listing.rows,
        "files": listing.files,
        "size_bytes": listing.size_bytes,
        "skipped_files": listing.skipped,
        **_coverage_record(listing.coverage),
    }


def health_table(found: Sequence[FamilyHealth]) -> Table:
    """A row a family, and one for each flaw of it."""
    numbers = ("snapshots", "failed", "low", "repeats", "missing", "rows", "core %")
    made = table("family", "status", *numbers, "flaws, rows", numbers=numbers)
    for each in found:
        summary = each.summary
        flaws = [f"{flaw}: {rows}" for flaw, rows in summary.flawed_rows]
        made.add_row(
            each.family,
            summary.status,
            str(summary.num_snapshots),
            str(summary.num_schema_failures),
            str(summary.num_low_quality),
            str(summary.num_stale_repeats),
            str(each.coverage.missing),
            str(summary.total_rows),
            f"{100.0 * summary.core_fraction:.1f}",
            "\n".join([*flaws, *summary.schema_issues[:_WORST]]),
        )
    return made


def health_record(health: FamilyHealth) -> dict[str, object]:
    """A family as JSON; the worst reports in full."""
    summary = health.summary
    return {
        "family": health.family,
        "status": summary.status,
        "num_snapshots": summary.num_snapshots,
        "num_schema_failures": summary.num_schema_failures,
        "num_low_quality_snapshots": summary.num_low_quality,
        "num_stale_repeats": summary.num_stale_repeats,
        "non_null_core_fraction": summary.core_fraction,
        "total_rows": summary.total_rows,
        "schema_issues": summary.schema_issues,
        "flawed_rows": {flaw.name: rows for flaw, rows in summary.flawed_rows},
        "coverage": _coverage_record(health.coverage),
        "worst": [_report_record(each) for each in health.worst[:_WORST]],
        "quarantined": [
            {"file": each.file, "moved_to": each.moved_to, "reason": each.reason}
            for each in health.quarantined
        ],
    }


def _report_record(report: SnapshotReport) -> dict[str, object]:
    return {
        "file": report.file,
        "status": report.status,
        "total_rows": report.total_rows,
        "non_null_core_fraction": report.core_fraction,
        "flawed_fraction": report.flawed_fraction,
        "schema_issues": report.schema_issues,
        "quality_issues": [
            {"flaw": issue.flaw.name, "rows": issue.rows, "example": issue.example}
            for issue in report.quality_issues
        ],
    }


def _coverage_record(cover: Coverage) -> dict[str, object]:
    return {
        "snapshots": cover.snapshots,
        "expected": cover.expected,
        "missing": cover.missing,
        "first": cover.first,
        "last": cover.last,
        "age_s": None if cover.age is None else cover.age.total_seconds(),
        "is_stale": cover.is_stale,
        "interval_s": cover.interval.total_seconds(),
        "gaps": [
            {"start": gap.start, "end": gap.end, "missing": gap.missing} for gap in cover.gaps
        ],
    }


def _longest(cover: Coverage) -> str:
    gap = cover.longest_gap
    return "none" if gap is None else f"{_span(gap.end - gap.start)} from {_instant(gap.start)}"


def _instant(instant: datetime | None) -> str:
    return "" if instant is None else figures.instant(instant)


def _span(span: timedelta | None) -> str:
    return "" if span is None else figures.span(span.total_seconds())
