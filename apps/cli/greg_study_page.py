"""The hedging study as one HTML page that needs nothing from the network."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any, TypeAlias

import orjson

from core.analysis.hedge_paths import HedgeOutcome, frontier
from core.usecases.study_hedges import HedgeStudy

Chart: TypeAlias = dict[str, Any]  # a figure in Plotly's own words


def page(studies: Sequence[HedgeStudy], plotly_script: str) -> str:
    """Return the page of *studies*, with *plotly_script* inside it."""
    title = "Hedging short straddles: what a band costs, and what variance it leaves"
    charts = {}
    for study in studies:
        charts[f"bands-{study.underlying}"] = _bands(study)
        charts[f"taken-{study.underlying}"] = _taken(study)
    drawn = "\n".join(
        f"Plotly.newPlot('{name}', {orjson.dumps(chart).decode()});"
        for name, chart in charts.items()
    )
    boxes = "\n".join(f'<div id="{name}"></div>' for name in charts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title>\n<script>{plotly_script}</script>\n"
        "<style>body{font-family:sans-serif;margin:1rem 2rem}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n{boxes}\n<script>\n{drawn}\n</script></body></html>\n"
    )


def _bands(study: HedgeStudy) -> Chart:
    """Every rule by its cost and the variance it leaves, and the frontier through the best."""
    by_name = sorted(study.outcomes, key=lambda one: one.params.name)
    traces = [
        _trace(name, list(group), "lines+markers")
        for name, group in groupby(by_name, key=lambda one: one.params.name)
    ]
    along = _trace("frontier", frontier(study.outcomes), "lines")
    along["line"] = {"color": "#999", "dash": "dot", "shape": "hv"}
    return {
        "data": [*traces, along],
        "layout": {
            "title": {
                "text": f"{study.underlying}: {study.straddles} straddles, "
                f"{study.first_day} to {study.last_day}"
            },
            "xaxis": {"title": {"text": "cost of hedging, coin a straddle"}},
            "yaxis": {"title": {"text": "variance over six hours, coin²"}, "type": "log"},
            "height": 560,
        },
    }


def _trace(name: str, outcomes: Sequence[HedgeOutcome], mode: str) -> Chart:
    ordered = sorted(outcomes, key=lambda one: one.params.width) if name != "frontier" else outcomes
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": [one.cost for one in ordered],
        "y": [one.variance for one in ordered],
        "text": [f"{one.params.name} {one.params.width:.3g}" for one in ordered],
    }


def _taken(study: HedgeStudy) -> Chart:
    """The share of variance that a hedge takes off single options, by delta and by net delta."""
    names = [each.name for each in study.reductions]
    bars = (
        ("delta", [each.by_delta_pct for each in study.reductions]),
        ("net delta", [each.by_net_delta_pct for each in study.reductions]),
    )
    return {
        "data": [{"type": "bar", "name": name, "x": names, "y": values} for name, values in bars],
        "layout": {
            "title": {"text": f"{study.underlying}: variance that a hedge takes off, percent"},
            "yaxis": {"range": [0, 100]},
            "height": 420,
        },
    }
