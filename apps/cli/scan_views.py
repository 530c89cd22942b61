"""Scans as tables, CSV, Markdown and JSON records."""

from collections.abc import Iterable
from math import isnan

from apps.cli.console import show_table, show_text, table
from apps.cli.file_tables import csv_text, markdown_table
from core.analysis.scan import STRATEGIES, Band, FrequencyScan, StrategyFrequency
from core.analysis.threshold_grid import ThresholdGrid

_COLUMNS = (
    "strategy",
    "passes",
    "pass %",
    "band %",
    "Wilson %",
    "selected",
    "selected %",
    "band % ",
    "mean dwell",
    "longest",
)


def show_frequency(scan: FrequencyScan) -> None:
    """Print the strategies of *scan*, and what followed what."""
    show_text(scan_head(scan))
    made = table(*_COLUMNS, numbers=_COLUMNS[1:], whole=_COLUMNS[:1])
    for each in scan.strategies:
        made.add_row(*_cells(each))
    show_table(made)
    names = [short(code) for code in STRATEGIES]
    followed = table("then", *names, numbers=tuple(names), whole=("then",))
    for name, row in zip(names, scan.transitions.tolist(), strict=True):
        followed.add_row(name, *(str(count) for count in row))
    show_table(followed)


def scan_head(scan: FrequencyScan) -> str:
    """One line about *scan*: how much there was to see, and what was missing."""
    missing = f"; never known: {', '.join(scan.missing)}" if scan.missing else ""
    return (
        f"{scan.underlying} {scan.source}: {scan.paths} paths of {scan.steps} steps, "
        f"{100.0 * scan.degraded:.1f} % without a safety sensor{missing}"
    )


def short(code: str) -> str:
    """The code of a strategy without what all of them begin with."""
    return code.removeprefix("STRATEGY_")


def frequency_csv(scans: Iterable[FrequencyScan]) -> str:
    """A line a coin and strategy."""
    lines = [{**_scan_fields(scan), **_fields(each)} for scan in scans for each in scan.strategies]
    return csv_text(lines)


def frequency_markdown(head: str, scans: Iterable[FrequencyScan]) -> str:
    """The tables of *scans* under *head*."""
    lines = ["# Selector frequency", "", head, ""]
    for scan in scans:
        lines += [f"## {scan.underlying}", "", scan_head(scan), ""]
        lines += markdown_table(_COLUMNS, [_cells(each) for each in scan.strategies])
    return "\n".join(lines)


def frequency_record(scan: FrequencyScan) -> dict[str, object]:
    """*scan* as JSON tells it."""
    return {
        **_scan_fields(scan),
        "missing": scan.missing,
        "degraded": scan.degraded,
        "strategies": [_fields(each) for each in scan.strategies],
        "transitions": {
            str(code): dict(zip(map(str, STRATEGIES), row, strict=True))
            for code, row in zip(STRATEGIES, scan.transitions.tolist(), strict=True)
        },
    }


def show_grid(grid: ThresholdGrid) -> None:
    """Print the shares of *grid*: passes, and selections behind the stroke."""
    names = [f"{value:g}" for value in grid.x.values]
    corner = f"{grid.y.name} \\ {grid.x.name}"
    made = table(corner, *names, numbers=tuple(names), whole=(corner,))
    for row in range(grid.y.points):
        cells = [
            f"{100.0 * passing:.1f} / {100.0 * chosen:.1f}"
            for passing, chosen in zip(grid.passing[row], grid.selecting[row], strict=True)
        ]
        made.add_row(f"{grid.y.values[row]:g}", *cells)
    show_table(made)
    show_text("percent of steps at which it passes / is selected")


def grid_csv(grid: ThresholdGrid) -> str:
    """A line a cell."""
    return csv_text(_grid_cells(grid))


def grid_record(grid: ThresholdGrid) -> dict[str, object]:
    """*grid* as JSON tells it: values[y][x] in percent."""
    return {
        "strategy": str(grid.code),
        "x": {"threshold": grid.x.name, "values": grid.x.values.tolist()},
        "y": {"threshold": grid.y.name, "values": grid.y.values.tolist()},
        "values": (100.0 * grid.passing).tolist(),
        "selected": (100.0 * grid.selecting).tolist(),
        "wilson_low": (100.0 * grid.bounds.low).tolist(),
        "wilson_high": (100.0 * grid.bounds.high).tolist(),
    }


def _cells(each: StrategyFrequency) -> tuple[str, ...]:
    low, high = each.pass_bounds
    return (
        short(each.code),
        str(each.pass_count),
        _percent(each.passing.share),
        _between(each.passing),
        f"{_percent(low)} - {_percent(high)}",
        str(each.selected_count),
        _percent(each.selecting.share),
        _between(each.selecting),
        "-" if isnan(each.mean_dwell) else f"{each.mean_dwell:.2f}",
        str(each.longest_dwell),
    )


def _between(band: Band) -> str:
    return "-" if isnan(band.low) else f"{_percent(band.low)} - {_percent(band.high)}"


def _percent(share: float) -> str:
    return f"{100.0 * share:.2f}"


def _scan_fields(scan: FrequencyScan) -> dict[str, object]:
    return {
        "underlying": scan.underlying,
        "source": scan.source,
        "paths": scan.paths,
        "steps": scan.steps,
        "total_steps": scan.total_steps,
    }


def _fields(each: StrategyFrequency) -> dict[str, object]:
    return {
        "strategy": str(each.code),
        "pass_count": each.pass_count,
        "pass_pct": 100.0 * each.passing.share,
        "pass_pct_low": 100.0 * each.passing.low,
        "pass_pct_high": 100.0 * each.passing.high,
        "pass_wilson_low": 100.0 * each.pass_bounds[0],
        "pass_wilson_high": 100.0 * each.pass_bounds[1],
        "selected_count": each.selected_count,
        "selected_pct": 100.0 * each.selecting.share,
        "selected_pct_low": 100.0 * each.selecting.low,
        "selected_pct_high": 100.0 * each.selecting.high,
        "mean_dwell": each.mean_dwell,
        "longest_dwell": each.longest_dwell,
    }


def _grid_cells(grid: ThresholdGrid) -> list[dict[str, object]]:
    return [
        {
            "strategy": str(grid.code),
            grid.x.name: float(grid.x.values[column]),
            grid.y.name: float(grid.y.values[row]),
            "pass_share": float(grid.passing[row, column]),
            "wilson_low": float(grid.bounds.low[row, column]),
            "wilson_high": float(grid.bounds.high[row, column]),
            "selected_share": float(grid.selecting[row, column]),
        }
        for row in range(grid.y.points)
        for column in range(grid.x.points)
    ]
