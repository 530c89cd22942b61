"""The battery's report as Markdown, as a page, and as JSON."""

from collections.abc import Sequence
from html import escape
from math import isnan

import orjson
from attrs import asdict

from apps.cli import figures
from core.analysis.universe_bands import Range
from core.analysis.universe_battery import (
    GOOD_AUC,
    INNER_ROWS,
    JUDGED_ROWS,
    LEAST_P,
    MOST_AUC,
    BandResult,
    BatteryReport,
)
from core.simulation.universe.params import UniverseParams

_Rows = Sequence[Sequence[str]]
_HEAD = ("#", "figure", "median", "inner", "", "10-90 % of paths", "outer", "share", "", "recorded")


def markdown(universe: UniverseParams, reports: Sequence[BatteryReport]) -> str:
    """Return the report of one coin; the first of *reports* in full, the others by their rows."""
    lines: list[str] = []
    for head, rows in _tables(universe, reports):
        lines += ["", f"## {head}", ""]
        lines += [f"| {' | '.join(cells)} |" for cells in (rows[0], ["---"] * len(rows[0]))]
        lines += [f"| {' | '.join(cells)} |" for cells in rows[1:]]
    return "\n".join([f"# {_title(reports)}", *lines]) + "\n"


def webpage(universe: UniverseParams, reports: Sequence[BatteryReport]) -> str:
    """Return the same as one page that needs nothing else."""
    parts = []
    for head, rows in _tables(universe, reports):
        cells = [
            "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"
            for row, tag in zip(rows, ["th"] + ["td"] * len(rows), strict=False)
        ]
        parts.append(f"<h2>{escape(head)}</h2><table>{''.join(cells)}</table>")
    title = escape(_title(reports))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font-family:sans-serif;margin:1rem 2rem}td,th{padding:.1rem .6rem;"
        f"text-align:left}}</style></head>\n<body><h1>{title}</h1>\n{''.join(parts)}</body></html>\n"
    )


def record(universe: UniverseParams, reports: Sequence[BatteryReport]) -> dict[str, object]:
    """Return the report as JSON holds it; NaN is null."""
    first = reports[0]
    origin = universe.coin(first.underlying).provenance
    return {
        "underlying": first.underlying,
        "accepted": all(each.is_accepted for each in reports),
        "provenance": None if origin is None else asdict(origin),
        "recorded": None if first.recorded is None else asdict(first.recorded),
        "paths": first.params.paths,
        "days": first.params.days,
        "seeds": [_seed_record(each) for each in reports],
        "figures": [_figure_record(each) for each in first.results],
        "arbitrage": asdict(first.arbitrage),
        "row_21": None if first.distinct is None else asdict(first.distinct),
        "row_21_usual_auc": list(first.usual_auc),
        "row_22": None if first.trades is None else asdict(first.trades),
    }


def json_text(fields: dict[str, object]) -> str:
    """Return *fields* as indented JSON with sorted keys."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(fields, option=options).decode()


def _title(reports: Sequence[BatteryReport]) -> str:
    accepted = sum(each.is_accepted for each in reports)
    word = "accepted" if accepted == len(reports) else "not accepted"
    return f"Universe of {reports[0].underlying}: {word}, {accepted} of {len(reports)} seeds"


def _tables(
    universe: UniverseParams, reports: Sequence[BatteryReport]
) -> list[tuple[str, list[Sequence[str]]]]:
    first = reports[0]
    tables = [
        ("What it was fitted to and held against", _origin(universe, first)),
        (f"Rows 1 to 19, {first.params.paths} paths of {first.params.days} days", _figures(first)),
        ("Rows 20 to 22", _last_rows(first)),
    ]
    if first.trades is not None:
        tables.append(("Row 22: quartiles of weekly trades, coin per coin", _trades(first)))
    tables.append(("By seed", _seeds(reports)))
    return tables


def _origin(universe: UniverseParams, report: BatteryReport) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("", "from", "to", "n")]
    origin = universe.coin(report.underlying).provenance
    if origin is not None:
        index_days = (origin.vol_index_first_day, origin.vol_index_last_day)
        rows += [
            ("fitted: prices, hours", origin.first_day, origin.last_day, str(origin.hours)),
            ("fitted: DVOL, days", *index_days, str(origin.vol_index_days)),
            ("fitted: smiles, days", "", "", str(origin.smile_days)),
            ("fitted: checksum of the files", origin.inputs_sha256[:16], "", ""),
        ]
    seen = report.recorded
    if seen is not None:
        rows += [
            ("recorded: prices, days", seen.first_day, seen.last_day, str(seen.days)),
            ("recorded: DVOL, days", "", "", str(seen.vol_index_days)),
            ("recorded: smiles, days", "", "", str(seen.smile_days)),
        ]
    return rows


def _figures(report: BatteryReport) -> list[Sequence[str]]:
    return [_HEAD, *(_figure(each) for each in report.results)]


def _figure(result: BandResult) -> Sequence[str]:
    band = result.band
    return (
        str(band.row),
        band.label,
        _number(result.median),
        _range(band.inner),
        "yes" if result.is_inner else "NO",
        f"{_number(result.low)} .. {_number(result.high)}",
        _range(band.outer),
        f"{100.0 * result.outer_share:.0f} %",
        "yes" if result.is_outer else "NO",
        "-" if isnan(result.recorded) else f"{_number(result.recorded)}{_standing(result)}",
    )


def _standing(result: BandResult) -> str:
    """How the recording itself stands, where it is not in the inner band."""
    if result.band.is_inner(result.recorded):
        return ""
    return " (outer)" if result.band.is_outer(result.recorded) else " (OUTSIDE)"


def _last_rows(report: BatteryReport) -> list[Sequence[str]]:
    found = report.arbitrage
    rows: list[Sequence[str]] = [
        ("#", "figure", "value", "wanted"),
        (
            "20",
            f"arbitrage in {found.surfaces} surfaces and {found.quotes} quotes of {found.chains} "
            f"chains; {found.clipped} slices clipped",
            str(found.total),
            "0",
        ),
    ]
    rows += [_row_21(report), _row_22(report)]
    return rows


def _row_21(report: BatteryReport) -> Sequence[str]:
    wanted = f"at most {MOST_AUC}, good {GOOD_AUC}"
    told = report.distinct
    if told is None:
        return ("21", "AUC: no recording, or one of too few windows of 30 days", "-", wanted)
    usual = ", ".join(f"{auc:.2f}" for auc in report.usual_auc)
    figure = (
        f"AUC on {told.real_windows} recorded windows of 30 days and {told.invented_windows} "
        f"invented ones; paths in the recording's place: {usual}"
    )
    return ("21", figure, f"{told.auc:.3f}", wanted)


def _row_22(report: BatteryReport) -> Sequence[str]:
    wanted = f"above {LEAST_P}"
    told = report.trades
    if told is None:
        return ("22", "energy test: no recorded chains", "-", wanted)
    figure = f"energy test, {told.recorded} recorded days against {told.stretches} stretches"
    return ("22", figure, f"p {told.p:.3f}", wanted)


def _trades(report: BatteryReport) -> list[Sequence[str]]:
    told = report.trades
    if told is None:
        return []
    named = (
        ("covered call, recorded", told.call_recorded),
        ("covered call, invented", told.call_invented),
        ("straddle, recorded", told.straddle_recorded),
        ("straddle, invented", told.straddle_invented),
    )
    return [
        ("sold at the bid, to expiry", "25 %", "50 %", "75 %"),
        *((name, *(f"{value:+.4f}" for value in values)) for name, values in named),
    ]


def _seeds(reports: Sequence[BatteryReport]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [
        (
            "seed",
            f"inner, {INNER_ROWS} needed",
            f"outer, {JUDGED_ROWS} needed",
            "not inner",
            "not outer",
        )
    ]
    for report in reports:
        inner, outer = report.rows_inner(), report.rows_outer()
        missing = [
            ", ".join(str(row) for row in range(1, JUDGED_ROWS + 1) if row not in passed) or "-"
            for passed in (inner, outer)
        ]
        rows.append((str(report.params.seed), str(len(inner)), str(len(outer)), *missing))
    return rows


def _seed_record(report: BatteryReport) -> dict[str, object]:
    return {
        "seed": report.params.seed,
        "accepted": report.is_accepted,
        "rows_inner": list(report.rows_inner()),
        "rows_outer": list(report.rows_outer()),
        "medians": {each.band.name: each.median for each in report.results},
    }


def _figure_record(result: BandResult) -> dict[str, object]:
    return {
        **asdict(result),
        "is_inner": result.is_inner,
        "is_outer": result.is_outer,
    }


def _range(ends: Range) -> str:
    return f"{_number(ends[0])} .. {_number(ends[1])}"


def _number(value: float) -> str:
    return figures.decimals(value, 3 if abs(value) < 10.0 else 1)
