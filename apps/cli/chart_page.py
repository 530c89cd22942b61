"""Charts as one HTML page that needs nothing from the network."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any, TypeAlias

import numpy as np
import orjson

from ports.columns import Floats

Chart: TypeAlias = dict[str, Any]  # a figure in Plotly's own words


def chart_page(head: str, notes: Sequence[str], charts: Mapping[str, Chart]) -> str:
    """Return a page under the line *head* with *notes* and then *charts*, each by its id."""
    drawn = "\n".join(
        f"Plotly.newPlot('{name}', {_json(chart)});" for name, chart in charts.items()
    )
    said = "\n".join(f"<p>{escape(note)}</p>" for note in notes)
    boxes = "\n".join(f'<div id="{name}"></div>' for name in charts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(head)}'
        f"</title>\n<script>{plotly_script()}</script>\n"
        "<style>body{font-family:sans-serif;margin:1rem 2rem}</style></head>\n"
        f"<body><h1>{escape(head)}</h1>\n{said}\n{boxes}\n"
        f"<script>\n{drawn}\n</script></body></html>\n"
    )


def heatmap(title: str, x: Sequence[str], y: Sequence[str], percent: Floats, note: str) -> Chart:
    """A grid of percentages with its numbers in the cells; *note* names the two axes."""
    across, _, up = note.partition(" / ")
    shown = np.round(percent, 1)
    return {
        "data": [
            {
                "type": "heatmap",
                "x": list(x),
                "y": list(y),
                "z": shown.tolist(),
                "text": shown.tolist(),
                "texttemplate": "%{text}" if percent.size <= 120 else "",
                "colorscale": "Viridis",
                "hoverongaps": False,
            }
        ],
        "layout": {
            "title": {"text": title},
            "xaxis": {"title": {"text": across}, "type": "category"},
            "yaxis": {"title": {"text": up}, "type": "category"},
            "height": 560,
        },
    }


def bars(title: str, names: Sequence[str], series: Mapping[str, Floats]) -> Chart:
    """Bars in groups, one a name, a group of *series*."""
    return {
        "data": [
            {"type": "bar", "name": name, "x": list(names), "y": np.round(values, 2).tolist()}
            for name, values in series.items()
        ],
        "layout": {"title": {"text": title}, "barmode": "group", "height": 450},
    }


def plotly_script() -> str:
    """Plotly's own script, so that a page needs no network."""
    script = resources.files("plotly") / "package_data" / "plotly.min.js"
    return script.read_text(encoding="utf-8")


def _json(chart: Chart) -> str:
    """The arguments of Plotly.newPlot; NaN becomes null, and no text can end the script."""
    parts = [orjson.dumps(chart[name]).decode() for name in ("data", "layout")]
    return ", ".join(parts).replace("</", "<\\/")
