"""`options-agent greg advise`: which strategy each coin's market calls for, and why."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from apps.cli.console import show_json, show_table, show_text, table
from apps.cli.greg_options import (
    SpotFolder,
    VolIndexFolder,
    bundles,
    coins_asked,
    figure,
    first_line,
    or_misuse,
    source_line,
    warn_of,
)
from apps.cli.one_market import At
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.wiring.greg import Recordings
from apps.wiring.greg_params import sensor_params
from apps.wiring.greg_records import calibration_record, evaluation_record, selector_record
from apps.wiring.greg_rules import GregRules, greg_rules
from core.greg.catalogue import StrategyCode
from core.greg.environment import EnvMode
from core.greg.evaluations import Evaluation, Status
from core.greg.reading import EntryReading, entry_reading

_STYLES = {Status.PASS: "green", Status.BLOCKED: "", Status.NO_DATA: "dim"}


def command(
    coin: Annotated[list[str] | None, typer.Argument(metavar="[COIN]...", help="BTC, ETH.")] = None,
    criteria: Annotated[
        bool, typer.Option("--criteria", help="Every criterion of every strategy.")
    ] = False,
    env: Annotated[
        EnvMode | None, typer.Option("--env", help="The rules of test or live; default: settings.")
    ] = None,
    at: At = None,
    dvol: VolIndexFolder = None,
    spot: SpotFolder = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    The strategy that the entry engine chooses for each coin, and why none of the others.

    Advice only: nothing is sent by it.
    """
    settings = settings_from(config, overrides, venue).settings
    or_misuse(lambda: sensor_params(settings))
    rules = greg_rules(settings, env)
    coins = coins_asked(settings, coin)
    seen = bundles(settings, coins, Recordings(vol_index=dvol, spot=spot), at)
    readings = [entry_reading(bundle, rules.entry) for bundle in seen]
    warn_of(rules)
    if as_json:
        show_json(_record(rules, readings))
        return
    show_text(first_line(settings, f"rules {rules.entry.version} {rules.mode}"))
    for each in readings:
        _show(each, criteria)


def _record(rules: GregRules, readings: Sequence[EntryReading]) -> dict[str, object]:
    return {
        "ok": True,
        "env_mode": str(rules.mode),
        "warning": rules.warning,
        "selections": {each.bundle.underlying: selector_record(each) for each in readings},
        "strategies": [
            evaluation_record(row, each.bundle.underlying)
            for each in readings
            for row in each.evaluations
        ],
        "calibration": calibration_record(rules.entry),
        "calibration_by_underlying": {
            coin: calibration_record(rules.entry.of(coin)) for coin in rules.entry.by_underlying
        },
    }


def _show(reading: EntryReading, shows_criteria: bool) -> None:
    selection, coin = reading.selection, reading.bundle.underlying
    show_text(source_line(reading.bundle))
    show_text(f"{coin}: {selection.strategy} at {selection.step_name}: {selection.reasoning}")
    if selection.safety_degraded:
        show_text(f"{coin}: the safety filter lacks a sensor: no entry may be executed")
    made = table(coin, "status", "why", whole=(coin, "status"))
    for row in reading.evaluations:
        made.add_row(row.label, _status(row), row.summary)
    show_table(made)
    if shows_criteria:
        _show_criteria(reading)


def _status(row: Evaluation) -> Text:
    is_caution = row.code is StrategyCode.NO_TRADE and row.status is Status.PASS
    style = "dark_orange" if is_caution else _STYLES[row.status]
    return Text("CAUTION" if is_caution else row.status.upper(), style=style)


def _show_criteria(reading: EntryReading) -> None:
    numbers = ("value", "min", "max")
    made = table("strategy", "metric", *numbers, "note", numbers=numbers)
    for row in reading.evaluations:
        for each in row.criteria:
            made.add_row(
                row.label,
                each.metric,
                figure(each.value),
                figure(each.least),
                figure(each.most),
                Text(each.note, style="green" if each.is_ok else "red"),
            )
    show_table(made)
