"""The hedging study as one HTML page that needs nothing from the network."""

from collections.abc import Sequence
from itertools import groupby

from apps.cli.chart_page import Chart, chart_page
from core.analysis.hedge_paths import HedgeOutcome, frontier
from core.usecases.study_hedges import HedgeStudy

_TITLE = "Hedging short straddles: what a band costs, and what variance it leaves"


def page(studies: Sequence[HedgeStudy]) -> str:
    """Return the page of *studies*."""
    charts: dict[str, Chart] = {}
    for study in studies:
        charts[f"bands-{study.underlying}"] = _bands(study)
        charts[f"taken-{study.underlying}"] = _taken(study)
    return chart_page(_TITLE, (), charts)


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
