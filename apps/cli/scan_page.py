"""Scans as pages of charts."""

from collections.abc import Sequence

import numpy as np

from apps.cli.chart_page import bars, chart_page, heatmap
from apps.cli.scan_views import scan_head, short
from core.analysis.scan import STRATEGIES, FrequencyScan
from core.analysis.threshold_grid import ThresholdGrid


def frequency_page(head: str, scans: Sequence[FrequencyScan]) -> str:
    """The page of *scans*: shares of each strategy, and what followed what."""
    names = [short(code) for code in STRATEGIES]
    charts = {}
    for scan in scans:
        passing = 100.0 * np.array([each.passing.share for each in scan.strategies])
        choosing = 100.0 * np.array([each.selecting.share for each in scan.strategies])
        shares = {"criteria hold": passing, "selected": choosing}
        charts[f"shares-{scan.underlying}"] = bars(
            f"{scan.underlying}: percent of steps", names, shares
        )
        total = scan.transitions.sum(axis=1, keepdims=True)
        followed = 100.0 * scan.transitions / np.where(total, total, np.nan)
        charts[f"then-{scan.underlying}"] = heatmap(
            f"{scan.underlying}: percent of the steps after each choice",
            names,
            names,
            followed,
            "then / chosen",
        )
    notes = [head, *(scan_head(scan) for scan in scans)]
    return chart_page("Selector frequency", notes, charts)


def grid_page(head: str, grid: ThresholdGrid) -> str:
    """The page of *grid*: where the strategy passes, and where it is selected."""
    x = [f"{value:g}" for value in grid.x.values]
    y = [f"{value:g}" for value in grid.y.values]
    axes = f"{grid.x.name} / {grid.y.name}"
    charts = {
        "passing": heatmap("Percent of steps that pass", x, y, 100.0 * grid.passing, axes),
        "selecting": heatmap("Percent of steps selected", x, y, 100.0 * grid.selecting, axes),
    }
    return chart_page("Selector heatmap", [head], charts)
