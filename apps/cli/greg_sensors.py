"""`options-agent greg sensors`: the eleven sensors of each coin, and how they were worked out."""

from collections.abc import Sequence
from typing import Annotated

import typer

from apps.cli.console import show_json, show_table, show_text, table
from apps.cli.greg_options import (
    SpotFolder,
    VolIndexFolder,
    bundles,
    coins_asked,
    figure,
    first_line,
    moody,
    or_misuse,
    source_line,
)
from apps.cli.one_market import At
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.wiring.greg import Recordings
from apps.wiring.greg_params import sensor_params
from apps.wiring.greg_records import (
    bundle_record,
    debug_record,
    more_record,
    sensors_record,
)
from core.analysis.greg_view import mood_of
from core.context.sensor_values import SensorBundle
from core.context.sensors import SENSORS

_PLACES = {"chop_factor_7d": 3, "predicted_funding_rate": 6}


def command(
    coin: Annotated[list[str] | None, typer.Argument(metavar="[COIN]...", help="BTC, ETH.")] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Formulas, raw inputs and sources.")
    ] = False,
    at: At = None,
    dvol: VolIndexFolder = None,
    spot: SpotFolder = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    The eleven sensors of each coin, in the market of the settings.

    Volatilities, premiums, spread and skew in points, ratios plain, rank 0..1, distance from the
    mean in percent. Two dashes are unknown; * stands for a proxy.
    """
    settings = settings_from(config, overrides, venue).settings
    or_misuse(lambda: sensor_params(settings))
    coins = coins_asked(settings, coin)
    found = bundles(settings, coins, Recordings(vol_index=dvol, spot=spot), at)
    if as_json:
        record: dict[str, object] = {
            "ok": True,
            "sensors": {each.underlying: sensors_record(each) for each in found},
            "sources": {each.underlying: bundle_record(each) for each in found},
            "more": {each.underlying: more_record(each) for each in found},
        }
        if debug:
            record["debug_inputs"] = {each.underlying: debug_record(each) for each in found}
        show_json(record)
        return
    show_text(first_line(settings))
    for each in found:
        show_text(source_line(each))
    _show(found)
    if debug:
        for each in found:
            _show_ways(each)


def _show(found: Sequence[SensorBundle]) -> None:
    coins = tuple(each.underlying for each in found)
    made = table("sensor", *coins, numbers=coins, whole=("sensor",))
    for name in SENSORS:
        cells = []
        for each in found:
            value = getattr(each.sensors, name)
            is_proxy = any(one.name == name and one.is_proxy for one in each.readings)
            text = figure(value, _PLACES.get(name, 2)) + ("*" if is_proxy else "")
            cells.append(moody(text, mood_of(name, value)))
        made.add_row(name, *cells)
    for name in ("iv_30d", "rv_30d", "iv_7d", "rv_7d"):
        made.add_row(name, *(figure(getattr(each, name).value) for each in found))
    show_table(made)


def _show_ways(bundle: SensorBundle) -> None:
    made = table(f"{bundle.underlying} sensor", "value", "formula", "inputs", "source", "note")
    for each in (*bundle.readings, *bundle.more):
        inputs = ", ".join(f"{one.name} {figure(one.value)}" for one in each.inputs)
        made.add_row(each.name, figure(each.value, 4), each.formula, inputs, each.source, each.note)
    for name in ("spot", "iv_30d", "iv_7d", "rv_30d", "rv_7d"):
        told = getattr(bundle, name)
        made.add_row(name, figure(told.value), "", "", told.source, told.note)
    show_table(made)
