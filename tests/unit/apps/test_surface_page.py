"""The page of a surface: whole in itself, and a valid form of what was fitted."""

import json
import re

import numpy as np
from attrs import evolve

from apps.cli.chart_page import plotly_script
from apps.cli.surface_page import page
from core.analysis.surface_view import surface_view
from tests.support.smiles import market, skewed

MARKET = market({7.0: skewed(0.55), 30.0: skewed(0.5)})


def test_a_page_needs_no_network() -> None:
    """The script is in the page, and nothing is fetched."""
    made = page(surface_view(MARKET), "PAPER")
    ours = made.replace(plotly_script(), "")

    assert len(ours) < len(made)
    assert "http" not in ours
    assert "src=" not in ours


def test_every_chart_is_drawn_from_json() -> None:
    """Four charts, each with data and layout that JSON can read back."""
    made = page(surface_view(MARKET), "PAPER")
    drawn = re.findall(r"Plotly\.newPlot\('(\w+)', (.*)\);", made)

    assert [name for name, _ in drawn] == ["smiles", "surface", "term", "residuals"]
    for _, arguments in drawn:
        data, layout = json.loads(f"[{arguments}]")
        assert data
        assert layout["title"]["text"]


def test_bars_run_from_bid_to_ask() -> None:
    """Each quote's bar ends at its bid and ask volatility, in points."""
    view = surface_view(MARKET)
    made = page(view, "PAPER")
    arguments = re.findall(r"Plotly\.newPlot\('smiles', (.*)\);", made)[0]
    quotes = json.loads(f"[{arguments}]")[0][0]
    each = view.expiries[0]

    top = np.array(quotes["y"]) + np.array(quotes["error_y"]["array"])
    bottom = np.array(quotes["y"]) - np.array(quotes["error_y"]["arrayminus"])
    assert np.allclose(top, 100.0 * each.ask_iv)
    assert np.allclose(bottom, 100.0 * each.bid_iv)


def test_an_empty_market_has_a_page() -> None:
    """Without quotes the page says so by empty charts, and does not fail."""
    nothing = evolve(MARKET, chain=evolve(MARKET.chain, bid=np.full(len(MARKET.chain), np.nan)))

    assert page(surface_view(nothing), "PAPER").endswith("</html>\n")


def test_titles_cannot_become_markup() -> None:
    """What stands in a title is text."""
    made = page(surface_view(MARKET), "<b>PAPER").replace(plotly_script(), "")

    assert "<b>" not in made
    assert "&lt;b&gt;PAPER" in made
