"""Occupancy and sweet spots as tables, CSV, Markdown, pages and JSON records."""

from collections.abc import Sequence
from itertools import pairwise

from attrs import asdict

from apps.cli.chart_page import chart_page, heatmap
from apps.cli.console import show_table, show_text, table
from apps.cli.file_tables import csv_text, markdown_table
from apps.cli.scan_views import short
from core.analysis.occupancy import Bins, Occupancy, SweetSpot, smoothed

_SHOWN = 40  # spots on the screen; files and JSON have all
_SPOT_COLUMNS = (
    "coin",
    "strategy",
    "where",
    "steps",
    "time %",
    "pass %",
    "Wilson %",
    "score",
    "P&L",
)


def show_map(found: Occupancy, passes: int) -> None:
    """Print the cells of *found*, smoothed in so many *passes*, the highest of y on top."""
    columns = _cells_of(found.x)
    corner = f"{found.y.metric} \\ {found.x.metric}"
    made = table(corner, *columns, numbers=tuple(columns), whole=(corner,))
    rows = zip(_cells_of(found.y), smoothed(found, passes).tolist(), strict=True)
    for name, shares in reversed(list(rows)):
        made.add_row(name, *(f"{100.0 * share:.2f}" if share else "." for share in shares))
    show_table(made)
    show_text(_left_out(found, passes))


def map_csv(found: Occupancy, passes: int) -> str:
    """A line a cell; the count is as it was found, the share smoothed in so many *passes*."""
    shares = smoothed(found, passes)
    return csv_text(
        [
            {
                "underlying": found.underlying,
                f"{found.x.metric}_low": float(found.x.edges[column]),
                f"{found.x.metric}_high": float(found.x.edges[column + 1]),
                f"{found.y.metric}_low": float(found.y.edges[row]),
                f"{found.y.metric}_high": float(found.y.edges[row + 1]),
                "count": int(found.counts[row, column]),
                "occupancy_frac": float(shares[row, column]),
            }
            for row in range(found.y.count)
            for column in range(found.x.count)
        ]
    )


def map_record(found: Occupancy, passes: int) -> dict[str, object]:
    """*found* as JSON tells it: values[y][x] in percent of the steps inside, smoothed; counts."""
    return {
        "underlying": found.underlying,
        "x": {"metric": found.x.metric, "edges": found.x.edges.tolist()},
        "y": {"metric": found.y.metric, "edges": found.y.edges.tolist()},
        "smoothing_passes": passes,
        "values": (100.0 * smoothed(found, passes)).tolist(),
        "counts": found.counts.tolist(),
        "steps": found.steps,
        "inside": found.inside,
        "outside": found.outside,
        "unknown": found.unknown,
    }


def map_page(head: str, found: Occupancy, passes: int) -> str:
    """The page of *found*, smoothed in so many *passes*."""
    chart = heatmap(
        "Percent of the steps inside",
        _cells_of(found.x),
        _cells_of(found.y),
        100.0 * smoothed(found, passes),
        f"{found.x.metric} / {found.y.metric}",
    )
    title = f"Environment of {found.underlying}"
    return chart_page(title, [head, _left_out(found, passes)], {"occupancy": chart})


def show_spots(spots: Sequence[SweetSpot]) -> None:
    """Print the spots with the highest scores."""
    best = sorted(spots, key=lambda spot: -spot.score)[:_SHOWN]
    made = table(*_SPOT_COLUMNS, numbers=_SPOT_COLUMNS[3:], whole=("where",))
    for spot in best:
        made.add_row(*_spot_cells(spot))
    show_table(made)
    if len(spots) > len(best):
        show_text(f"{len(spots)} spots, of which these {len(best)}; --json or --csv has all")


def spots_csv(spots: Sequence[SweetSpot]) -> str:
    """A line a spot."""
    return csv_text([spot_record(spot) for spot in spots])


def spots_markdown(head: str, spots: Sequence[SweetSpot]) -> str:
    """All spots in one table under *head*."""
    rows = [_spot_cells(spot) for spot in spots]
    return "\n".join(["# Sweet spots", "", head, "", *markdown_table(_SPOT_COLUMNS, rows)])


def spot_record(spot: SweetSpot) -> dict[str, object]:
    """*spot* as JSON tells it."""
    return {**asdict(spot), "code": str(spot.code)}


def _spot_cells(spot: SweetSpot) -> tuple[str, ...]:
    x = f"{spot.x_metric} {spot.x_low:.3g} to {spot.x_high:.3g}"
    y = f"{spot.y_metric} {spot.y_low:.3g} to {spot.y_high:.3g}"
    return (
        spot.underlying,
        short(spot.code),
        f"{x}, {y}",
        str(spot.count),
        f"{100.0 * spot.occupancy:.2f}",
        f"{100.0 * spot.pass_share:.1f}",
        f"{100.0 * spot.pass_low:.1f} - {100.0 * spot.pass_high:.1f}",
        f"{spot.score:.4f}",
        "-" if spot.pnl is None else f"{spot.pnl:.5g}",
    )


def _cells_of(bins: Bins) -> list[str]:
    edges = bins.edges.tolist()
    return [f"{low:.3g}..{high:.3g}" for low, high in pairwise(edges)]


def _left_out(found: Occupancy, passes: int) -> str:
    share = 100.0 / found.steps
    spread = f", smoothed in {passes} passes" if passes else ""
    return (
        f"{found.underlying} {found.source}: {found.steps} steps, "
        f"{share * found.outside:.2f} % outside, {share * found.unknown:.2f} % unknown{spread}"
    )
