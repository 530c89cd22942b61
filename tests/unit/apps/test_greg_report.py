"""The decision report: counts, follow rate, and followed against ignored, by hand."""

from datetime import UTC, datetime

import numpy as np
import pytest

from apps.cli.greg_whatif_text import CSV_COLUMNS, report_csv, report_text
from core.analysis.greg_report import follow_report, share_pct
from core.analysis.what_if import what_if
from ports.greg_log import SYSTEM, GregEntry, GregRecord

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def entry(action: str = "HEDGE", **told: object) -> GregEntry:
    """A suggestion for a straddle."""
    whole: dict[str, object] = {
        "timestamp": NOW,
        "underlying": "BTC",
        "strategy_type": "STRATEGY_A_STRADDLE",
        "position_id": "p1",
        "action_type": action,
        "mode": "paper",
    }
    return GregEntry(**{**whole, **told})  # type: ignore[arg-type]


DONE = entry("CLOSE", executed=True, pnl_pct=0.3)
DRY = entry("CLOSE", executed=True, pnl_pct=0.9, extra_info={"dry_run": True})
REFUSED = entry("CLOSE", extra_info={"refused": True}, pnl_pct=0.9)
CHANGED = entry("MODE_SWITCH", underlying=SYSTEM, suggested=False, executed=True)
LOG = (
    entry(pnl_pct=0.0),
    entry(pnl_pct=0.2),
    entry(strategy_type="STRATEGY_C_SHORT_PUT"),
    DONE,
    DRY,
    REFUSED,
    entry("IGNORE", pnl_pct=0.9),
    CHANGED,
)


def test_only_suggestions_are_counted() -> None:
    """Refusals, dismissals and changes of mode are none; a dry run is one that nobody followed."""
    report = follow_report(LOG)

    assert (report.records, report.whole.suggestions, report.whole.executed) == (8, 5, 1)
    assert report.dry_runs == 1
    assert report.follow_rate_pct == 20.0
    assert follow_report(()).follow_rate_pct == 0.0


def test_followed_and_ignored() -> None:
    """Executed, and suggested without execution; averages are fractions over what is known."""
    report = follow_report(LOG)

    assert (report.followed.suggestions, report.ignored.suggestions) == (1, 3)
    assert report.followed.avg_pnl_pct == pytest.approx(0.3)
    assert report.ignored.avg_pnl_pct == pytest.approx(0.1)
    assert follow_report([entry(pnl_pct=0.0)]).ignored.avg_pnl_pct == 0.0
    assert follow_report([entry()]).ignored.avg_pnl_pct is None


def test_groups_are_sorted_and_share_the_whole() -> None:
    """By the name of the strategy or the action."""
    report = follow_report(LOG)

    assert [each.name for each in report.by_strategy] == [
        "STRATEGY_A_STRADDLE",
        "STRATEGY_C_SHORT_PUT",
    ]
    assert [each.name for each in report.by_action] == ["CLOSE", "HEDGE"]
    shares = [share_pct(each, report.whole) for each in report.by_action]
    assert shares == [40.0, 60.0]
    assert [each.follow_rate_pct for each in report.by_action] == [50.0, 0.0]


def test_the_text_has_its_sections_in_order() -> None:
    """Header, summary, strategies, actions, followed and ignored, and the last decisions."""
    records = [GregRecord(number, each) for number, each in enumerate(LOG, 1)]
    nothing = what_if((), {}, np.random.default_rng(1))
    text = report_text(("HEAD",), records, follow_report(LOG), nothing)
    sections = (
        *("HEAD", "SUMMARY", "BY STRATEGY", "BY ACTION", "FOLLOW VERSUS IGNORE"),
        "LAST 20 DECISIONS",
    )
    places = [text.index(each) for each in sections]

    assert places == sorted(places)
    assert "suggestions 5, executed 1, follow rate 20.0 %; 1 in dry runs" in text
    assert "followed: 1, average P&L 30.0 %" in text
    assert "followed is better by 20.0 points" in text
    assert text.count(" SKIP ") == 6
    assert text.count(" EXEC ") == 2


def test_the_csv_has_its_columns() -> None:
    """A row a decision; what is unknown is empty."""
    header, row = report_csv([GregRecord(1, entry(pnl_pct=0.0))]).splitlines()

    assert header == ",".join(CSV_COLUMNS)
    assert header == (
        "timestamp,underlying,strategy_type,position_id,action_type,mode,suggested,executed,"
        "reason,pnl_pct,pnl_usd,net_delta,vrp_30d"
    )
    assert row.split(",")[6:] == ["True", "False", "", "0.0", "", "", ""]
