"""`options-agent greg thresholds`: what a coin's own past would have the entry limits be."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from attrs import asdict

from apps.cli.console import show_json, show_table, show_text, table
from apps.cli.greg_history import Chains, FromDay, ToDay, days_of, span_asked
from apps.cli.greg_options import SpotFolder, VolIndexFolder, figure, first_line
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.wiring.greg import Recordings
from apps.wiring.greg_rules import greg_rules
from apps.wiring.greg_terms import save_proposals
from core.greg.rolling import LEAST_SAMPLE, ThresholdProposal, proposals


def command(
    chains: Chains,
    first: FromDay,
    last: ToDay,
    dvol: VolIndexFolder = None,
    spot: SpotFolder = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="For somebody to review.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Thresholds out of the distribution of each sensor over recorded days, beside those in force.

    They count once somebody has put a name to the file and settings name it, and in test alone.
    """
    settings = settings_from(config, overrides).settings
    rules, span = greg_rules(settings), span_asked(first, last)
    recordings = Recordings(vol_index=dvol, spot=spot)
    days = asyncio.run(days_of(settings, chains, recordings, ("BTC", "ETH"), span, rules.entry))
    found = {
        coin: proposals(
            [each.bundle.sensors for each in days if each.bundle.underlying == coin],
            rules.entry.of(coin).thresholds,
        )
        for coin in ("BTC", "ETH")
    }
    if out is not None:
        save_proposals(out, found, span[1])
    if as_json:
        record = {coin: [asdict(each) for each in lines] for coin, lines in found.items()}
        show_json({"ok": True, "as_of": span[1], "thresholds": record})
        return
    show_text(first_line(settings, f"rules {rules.entry.version} {rules.mode}"))
    for coin, lines in found.items():
        _show(coin, lines)


def _show(coin: str, lines: tuple[ThresholdProposal, ...]) -> None:
    if not lines:
        show_text(f"{coin}: no sensor is known on {LEAST_SAMPLE} days")
        return
    numbers = ("in force", "proposed", "percentile", "days")
    made = table(f"{coin} threshold", "sensor", *numbers, numbers=numbers)
    for each in lines:
        made.add_row(
            each.key,
            each.sensor,
            figure(each.previous),
            figure(each.value),
            figure(each.percentile, 0),
            str(each.sample_size),
        )
    show_table(made)
