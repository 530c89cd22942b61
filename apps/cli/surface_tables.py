"""The report on fitted surfaces as Markdown."""

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
from attrs import frozen

from apps.cli import figures
from core.analysis.surface_scores import CarryScore, SliceScore
from core.analysis.surface_summary import (
    BUCKETS,
    FitSummary,
    IndexComparison,
    bucket_of,
    pooled,
    summarise,
)
from ports.columns import Floats

_MARK_TENORS = ((7.0, 30.0, 0.01, 0.35), (30.0, 10_000.0, 0.005, 0.12))  # days, median, p99
_INSIDE = {"BTC": ("95 %", "96.5 %"), "ETH": ("98.5 %", "99.3 %")}
_DVOL = {"BTC": "0.45", "ETH": "0.60"}


@frozen(kw_only=True, eq=False)
class CoinReport:
    """All that was measured on one coin; index is None without closes to compare with."""

    coin: str
    taken_at: tuple[datetime, ...]
    milliseconds: Floats
    scores: tuple[SliceScore, ...]
    carries: tuple[CarryScore, ...]
    mark_days: Floats
    mark_miss: Floats
    left_out: Floats
    rows: tuple[tuple[str, int], ...]
    slices: tuple[tuple[str, int], ...]
    index: IndexComparison | None


def document(reports: Sequence[CoinReport]) -> str:
    """Return the whole report."""
    parts = [
        "# Fitted surfaces against recorded chains",
        "",
        "Made by `options-agent surface-report FOLDER --dvol FOLDER --out FILE`. Volatilities in "
        "points (0.01 of iv). RMSE: of the quotes fitted, median over expiries. Miss: absolute, "
        "vega-weighted. Inside: of all two-sided quotes out of the money from 0.01 delta.",
    ]
    for report in reports:
        parts += ["", *_coin(report)]
    return "\n".join(parts) + "\n"


def _coin(report: CoinReport) -> list[str]:
    if not report.taken_at:
        return [f"## {report.coin}", "", "No snapshots."]
    first, last = report.taken_at[0], report.taken_at[-1]
    span = f"{figures.day(first)} to {figures.day(last)}"
    return [
        f"## {report.coin}: {len(report.taken_at)} snapshots, {span}",
        "",
        *_targets(report),
        "",
        *_by_month("RMSE, median", report, lambda each: f"{each.rmse:.2f}"),
        "",
        *_by_month("Miss, vega-weighted mean", report, lambda each: f"{each.miss:.2f}"),
        "",
        *_by_month("Inside bid and ask, %", report, lambda each: f"{each.inside_pct:.1f}"),
        "",
        *_by_month("Expiries fitted", report, lambda each: str(each.slices)),
        "",
        *_table(("row", "count"), [(name, str(count)) for name, count in report.rows]),
        "",
        *_table(("expiry", "count"), [(name, str(count)) for name, count in report.slices]),
    ]


def _targets(report: CoinReport) -> list[str]:
    rows = []
    for low, high, median, tail in _MARK_TENORS:
        tenor = (report.mark_days >= low) & (report.mark_days < high)
        if tenor.any():
            miss = 100.0 * report.mark_miss[tenor]
            name = f"mark IV from mark price, {'> 30 d' if low >= 30.0 else '7-30 d'}: median, p99"
            found = f"{np.median(miss):.4f}, {np.quantile(miss, 0.99):.3f}"
            rows.append((name, f"{median}, {tail}", "", found))
    fit = summarise(report.scores)
    if fit is not None:
        rows += _fit_targets(report.coin, fit)
    if len(report.left_out):
        left_out = f"{np.median(report.left_out):.3f}"
        rows.append(("one strike left out, half-spreads, median", "0.6", "0.4", left_out))
    carry = pooled(report.carries)
    if carry.quotes:
        surface, plain = 100.0 * carry.surface_miss, 100.0 * carry.moneyness_miss
        limit = f"below {100.0 * carry.strike_miss:.3f}, each strike's own"
        found = f"{surface:.3f} ({plain:.3f} if the level does not slide along the smile)"
        rows.append(("next snapshot, surface carried in moneyness", limit, "", found))
    if report.index is not None:
        index = report.index
        found = (
            f"{index.mean_absolute:.2f} (bias {index.bias:+.2f}, correlation "
            f"{index.correlation:.4f}, {index.days} days)"
        )
        required = _DVOL.get(report.coin, "-")
        rows.append(("index with the wing cut against DVOL closes, MAE", required, "", found))
    time = report.milliseconds
    found = f"{np.median(time):.1f} ms, p99 {np.quantile(time, 0.99):.1f} ms"
    rows.append(("one chain, median", "150 ms", "30 ms", found))
    return _table(("figure", "required", "good", "measured"), rows)


def _fit_targets(coin: str, fit: FitSummary) -> list[tuple[str, str, str, str]]:
    inside, inside_good = _INSIDE.get(coin, ("-", "-"))
    return [
        ("RMSE, median over expiries", "0.30", "0.24", f"{fit.rmse:.3f}"),
        ("miss, vega-weighted", "0.15", "0.12", f"{fit.miss:.3f}"),
        ("inside bid and ask", inside, inside_good, f"{fit.inside_pct:.2f} %"),
        ("expiries with a butterfly", "0", "", str(fit.butterflies)),
        ("expiries that cross the one before", "0", "", str(fit.crossings)),
    ]


def _by_month(title: str, report: CoinReport, show: Callable[[FitSummary], str]) -> list[str]:
    months = sorted({score.month for score in report.scores})
    rows = []
    for month in (*months, "all"):
        of_month = [score for score in report.scores if month in (score.month, "all")]
        cells = [month]
        for bucket in (*BUCKETS, "all"):
            summary = summarise(
                [score for score in of_month if bucket in (bucket_of(score.days), "all")]
            )
            cells.append("-" if summary is None else show(summary))
        rows.append(tuple(cells))
    return [f"**{title}**", "", *_table(("month", *BUCKETS, "all"), rows)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
