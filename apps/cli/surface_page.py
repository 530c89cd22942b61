"""A surface as one HTML page with charts that needs nothing from the network."""

import numpy as np

from apps.cli import figures
from apps.cli.chart_page import Chart, chart_page
from core.analysis.surface_view import ExpiryView, SurfaceView
from ports.columns import Floats

_COLUMNS = 3  # of smiles side by side
_GRID_K = np.linspace(-0.6, 0.6, 61)
_GRID_POINTS = 40  # maturities of the 3-D surface
_DAY_MS = 86_400_000
_HEAT_STEPS = np.linspace(-2.5, 2.5, 21)  # moneyness in deviations


def page(view: SurfaceView, title: str) -> str:
    """Return the page of *view*, with *title* below its coin and instant."""
    snapshot = view.snapshot
    head = (
        f"{snapshot.underlying} {figures.index(snapshot.index_usd)} USD at "
        f"{figures.instant(snapshot.taken_at)} UTC"
    )
    charts = {
        "smiles": _smiles(view),
        "surface": _surface(view),
        "term": _term(view),
        "residuals": _residuals(view),
    }
    return chart_page(head, [title], charts)


def _smiles(view: SurfaceView) -> Chart:
    """Quotes as bars from bid to ask, and the smile, a panel an expiry."""
    shown = [each for each in view.expiries if len(each.k)]
    rows = -(-len(shown) // _COLUMNS)
    traces, notes = [], []
    for at, each in enumerate(shown):
        number = "" if at == 0 else str(at + 1)  # the first axis of Plotly has none
        axes = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        traces += [{**trace, **axes} for trace in _smile_traces(each)]
        notes.append(_panel_note(each, number))
    return {
        "data": traces,
        "layout": {
            "title": {"text": "Smiles: bid to ask and fit, points over log-moneyness"},
            "grid": {"rows": max(rows, 1), "columns": _COLUMNS, "pattern": "independent"},
            "annotations": notes,
            "showlegend": False,
            "height": 120 + 260 * rows,
        },
    }


def _smile_traces(each: ExpiryView) -> list[Chart]:
    quotes = {
        "type": "scatter",
        "mode": "markers",
        "x": _list(each.k),
        "y": _list(100.0 * each.iv),
        "text": [f"{strike:g}" for strike in each.strike.tolist()],
        "marker": {"size": 3, "color": "#444"},
        "error_y": {
            "type": "data",
            "array": _list(100.0 * (each.ask_iv - each.iv)),
            "arrayminus": _list(100.0 * (each.iv - each.bid_iv)),
            "color": "#888",
            "thickness": 1,
            "width": 2,
        },
    }
    curve = {
        "type": "scatter",
        "mode": "lines",
        "x": _list(each.curve_k),
        "y": _list(100.0 * each.curve_iv),
        "line": {"color": "#c33"},
    }
    return [quotes, curve]


def _panel_note(each: ExpiryView, number: str) -> Chart:
    """The name of a panel, above it."""
    miss = "-" if each.rmse is None else f"{100.0 * each.rmse:.2f}"
    return {
        "text": f"{each.name}, {each.days:.1f} d, {each.status.name}, RMSE {miss}",
        "xref": f"x{number} domain",
        "yref": f"y{number} domain",
        "x": 0.5,
        "y": 1.12,
        "showarrow": False,
        "font": {"size": 11},
    }


def _surface(view: SurfaceView) -> Chart:
    traces = []
    surface = view.surface
    if surface is not None:
        last_days = float(surface.expiry_ms[-1] - surface.taken_ms) / _DAY_MS
        first_days = float(surface.expiry_ms[0] - surface.taken_ms) / _DAY_MS
        days = np.geomspace(first_days, max(last_days, 1.001 * first_days), _GRID_POINTS)
        at_ms = [surface.taken_ms + round(each * _DAY_MS) for each in days.tolist()]
        heights = [_list(100.0 * surface.section(instant).iv(_GRID_K)) for instant in at_ms]
        traces.append({"type": "surface", "x": _list(_GRID_K), "y": _list(days), "z": heights})
    return {
        "data": traces,
        "layout": {
            "title": {"text": "Surface, points"},
            "height": 650,
            "scene": {
                "xaxis": {"title": {"text": "log-moneyness"}},
                "yaxis": {"title": {"text": "days"}, "type": "log"},
                "zaxis": {"title": {"text": "volatility"}},
            },
        },
    }


def _term(view: SurfaceView) -> Chart:
    read = [each for each in view.expiries if each.reading is not None]
    lines = {
        "ATM": [each.reading.atm_iv for each in read if each.reading],
        "RR 25": [each.reading.wing_25.risk_reversal for each in read if each.reading],
        "BF 25": [each.reading.wing_25.butterfly for each in read if each.reading],
        "RR 10": [each.reading.wing_10.risk_reversal for each in read if each.reading],
        "BF 10": [each.reading.wing_10.butterfly for each in read if each.reading],
    }
    days = [each.days for each in read]
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": days,
            "y": _list(100.0 * np.array(values)),
            "yaxis": "y" if name == "ATM" else "y2",
        }
        for name, values in lines.items()
    ]
    return {
        "data": traces,
        "layout": {
            "title": {"text": "Term structure, points"},
            "xaxis": {"title": {"text": "days"}, "type": "log"},
            "yaxis": {"title": {"text": "at the money"}},
            "yaxis2": {
                "title": {"text": "wings"},
                "overlaying": "y",
                "side": "right",
                "showgrid": False,
                "tickformat": ".1f",
            },
            "legend": {"orientation": "h", "y": -0.2},  # beside the plot it covers the axis
            "height": 450,
        },
    }


def _residuals(view: SurfaceView) -> Chart:
    """Quote less smile in half-spreads, the mean over cells of moneyness in deviations."""
    fitted = [each for each in view.expiries if each.rmse is not None]
    heat = {
        "type": "heatmap",
        "x": _list(0.5 * (_HEAT_STEPS[1:] + _HEAT_STEPS[:-1])),
        "y": [each.name for each in fitted],
        "z": [_list(_cells(each)) for each in fitted],
        "zmin": -2.0,
        "zmax": 2.0,
        "colorscale": "RdBu",
        "hoverongaps": False,
    }
    return {
        "data": [heat],
        "layout": {
            "title": {"text": "Quote less fit, half-spreads, by moneyness in deviations"},
            "yaxis": {"type": "category"},
            "height": 120 + 32 * len(fitted),
        },
    }


def _cells(each: ExpiryView) -> Floats:
    at_money = each.reading.atm_iv if each.reading is not None else np.nan
    deviations = each.k / (at_money * np.sqrt(each.days / 365.0))
    cell = np.digitize(deviations, _HEAT_STEPS) - 1
    inside = (cell >= 0) & (cell < len(_HEAT_STEPS) - 1)
    count = np.bincount(cell[inside], minlength=len(_HEAT_STEPS) - 1)
    total = np.bincount(cell[inside], weights=each.residual[inside], minlength=len(_HEAT_STEPS) - 1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _list(values: Floats) -> list[float]:
    listed: list[float] = np.asarray(values, dtype=np.float64).tolist()
    return listed
