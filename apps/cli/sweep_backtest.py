"""`options-agent sweep backtest`: one rule over a grid of its settings."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import product
from math import nan
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from attrs import frozen

from apps.cli.backtest_tables import metric_text
from apps.cli.book_view import end
from apps.cli.chart_page import chart_page, heatmap
from apps.cli.console import mode_line, show_json, show_table, show_text, table
from apps.cli.exits import ExitCode
from apps.cli.file_tables import csv_text
from apps.cli.left_out import tell_left_out
from apps.cli.options import AsJson, ConfigFiles, Overrides, read_settings, settings_from
from apps.cli.output_file import write_if_asked
from apps.cli.scan_options import CsvFile, HtmlFile
from apps.cli.sweep_run import Cluster, Fresh, SweepChoice, Workers, compute
from apps.settings.faults import SettingsError
from apps.settings.kinds import Coin
from apps.settings.presets import preset_flags
from apps.settings.root import Settings
from apps.wiring.backtest_past import Hooks
from apps.wiring.backtest_sweep import BacktestSweep, backtest_sweep
from apps.wiring.database import open_runs
from core.backtest.names import Numeraire
from core.backtest.names_table import METRIC, STORED_KEYS
from core.usecases.sweep import SweepOutcome
from core.usecases.sweep_backtests import search_of, trials_of

_SHOWN = (
    ("total_trades", "Trades", None),
    ("net_pnl", "Net P&L coin", Numeraire.COIN),
    ("net_pnl", "Net P&L USD", Numeraire.USD),
    ("max_drawdown_pct", "Drawdown %", Numeraire.COIN),
    ("sharpe_annual", "Sharpe", Numeraire.COIN),
    ("alpha_pct", "Alpha %", Numeraire.COIN),
)


def command(
    grid: Annotated[
        list[str],
        typer.Option("--grid", metavar="KEY=A,B,...", help="A setting and its values; repeat."),
    ],
    coin: Annotated[str, typer.Option("--coin", metavar="COIN")] = "BTC",
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Folder of recorded chains.")
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", help="fast, compiled; or tick, the agent's own.")
    ] = "fast",
    metric: Annotated[
        str, typer.Option("--metric", help="The figure of the page's heatmap.")
    ] = "net_pnl_coin",
    csv_file: CsvFile = None,
    html_file: HtmlFile = None,
    workers: Workers = None,
    cluster: Cluster = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Run the call rule at every point of a grid, such as
    --grid call_target_delta=0.15,0.25 --grid call_target_dte=7,14.

    The first exit style is run, by the fast engine; another strategy, such as
    --set backtest_strategy=covered_call_v1, by the tick alone: --engine tick. Every point counts
    as a trial of its family: the best of many is the best of many, and the figures of the search
    say how little that means.
    """
    flags = [*(overrides or ()), f"backtest.backtest_engine={engine}"]
    if data is not None:
        flags += ["venue.market=replay", f"venue.replay_data={data}"]
    settings_from(config, flags)  # which ends with every fault there is, before any grid
    base, asked, drawn = _settings(config, flags), _coin(coin), _stored(metric)
    axes = [_axis(text) for text in grid]
    try:
        made = asyncio.run(backtest_sweep(asked, base, _points(config, flags, axes), Hooks()))
    except ValueError as error:
        end(str(error), ExitCode.MISUSE)
    tell_left_out(made.omissions)
    outcome = compute(base, made.sweep, SweepChoice(workers=workers, cluster=cluster, fresh=fresh))
    values = outcome.values()
    _tell(base, made, outcome, as_json=as_json)
    write_if_asked(csv_file, lambda: csv_text(_lines(axes, values)))
    write_if_asked(html_file, lambda: _page(asked, axes, values, drawn))
    asyncio.run(_register(base, made, values))  # last: figures are not lost with the store


def _tell(base: Settings, made: BacktestSweep, outcome: SweepOutcome, *, as_json: bool) -> None:
    """Print every point, and what the search is worth."""
    values = outcome.values()
    search = search_of(values, base.venue.seed, made.mark.at)
    if as_json:
        told = ("metrics", "trades_hash")
        show_json(
            {
                "mode": mode_line(base),
                "family": made.mark.family,
                "sweep": made.sweep.name,
                "cells": [
                    {"key": key, **{name: value[name] for name in told}}
                    for key, value in values.items()
                ],
                "failed": {each.key: each.error for each in outcome.failures},
                "search": search,
            }
        )
        return
    show_text(f"{mode_line(base)} | {made.mark.family} | {made.sweep.name}")
    _show(values)
    _show_search(search, len(values))


@frozen
class _Axis:
    """A setting and the values it takes, as texts."""

    key: str
    values: tuple[str, ...]


def _axis(text: str) -> _Axis:
    key, _, values = text.partition("=")
    listed = [value.strip() for value in values.split(",") if value.strip()]
    if not key or not listed:
        end(f"--grid {text}: KEY=A,B,... is wanted", ExitCode.MISUSE)
    return _Axis(key, tuple(listed))


def _points(config: ConfigFiles, flags: list[str], axes: Sequence[_Axis]) -> dict[str, Settings]:
    """The settings at each point by its key; ends with MISUSE naming every fault of the first."""
    found = {}
    for values in product(*(axis.values for axis in axes)):
        chosen = [f"{axis.key}={value}" for axis, value in zip(axes, values, strict=True)]
        try:
            found[" ".join(chosen)] = _settings(config, [*flags, *chosen])
        except SettingsError as error:
            faults = "; ".join(str(fault) for fault in error.faults)
            end(f"{' '.join(chosen)}: {faults}", ExitCode.MISUSE)
    return found


def _settings(config: ConfigFiles, flags: list[str]) -> Settings:
    """The settings with what their preset sets, under everything that was given."""
    loaded = read_settings(config, flags)
    preset = [f"{path}={value}" for path, value in preset_flags(loaded).items()]
    return read_settings(config, [*preset, *flags]).settings if preset else loaded.settings


def _coin(text: str) -> Coin:
    if text not in ("BTC", "ETH"):
        end(f"{text} is not traded; there are BTC and ETH", ExitCode.MISUSE)
    return "BTC" if text == "BTC" else "ETH"


async def _register(settings: Settings, made: BacktestSweep, values: Mapping[str, Any]) -> None:
    async with open_runs(settings) as runs:
        for trial in trials_of(values, made.mark.family):
            await runs.register(trial)


def _stored(metric: str) -> str:
    if metric not in STORED_KEYS:
        end(f"{metric} is no figure; such as net_pnl_coin or sharpe_annual_coin", ExitCode.MISUSE)
    return metric


def _lines(axes: Sequence[_Axis], values: Mapping[str, Any]) -> list[dict[str, object]]:
    lines = []
    for key, value in values.items():
        settings = dict(part.split("=", 1) for part in key.split(" "))
        lines.append({**{axis.key: settings[axis.key] for axis in axes}, **value["metrics"]})
    return lines


def _show(values: Mapping[str, Any]) -> None:
    numbers = tuple(title for _, title, _ in _SHOWN)
    made = table("point", *numbers, numbers=numbers, whole=("point",))
    for key, value in values.items():
        cells = [
            metric_text(
                METRIC[name].unit, numeraire, value["metrics"].get(METRIC[name].stored(numeraire))
            )
            for name, _, numeraire in _SHOWN
        ]
        made.add_row(key, *cells)
    show_table(made)


def _show_search(search: Mapping[str, float | None], count: int) -> None:
    overfitting = search.get("overfitting_probability")
    ability = search.get("superior_ability_p")
    if overfitting is None or ability is None:
        show_text(f"{count} points on too few days to tell skill from luck")
        return
    show_text(
        f"{count} points: probability that the best is overfitted {overfitting:.2f}; p-value that "
        f"none beats its benchmark {ability:.3f}"
    )


def _page(coin: str, axes: Sequence[_Axis], values: Mapping[str, Any], metric: str) -> str:
    """A heatmap over the first two axes, one for each point of the others."""
    x = axes[0]
    y = axes[1] if len(axes) > 1 else _Axis("", ("",))
    charts = {}
    for number, rest in enumerate(product(*(axis.values for axis in axes[2:]))):
        fixed = [f"{axis.key}={value}" for axis, value in zip(axes[2:], rest, strict=True)]
        cells = [
            [_figure(values, [x, y], (a, b), fixed, metric) for a in x.values] for b in y.values
        ]
        title = " ".join([metric, *fixed])
        charts[f"grid-{number}"] = heatmap(
            title, x.values, y.values, np.array(cells), f"{x.key} / {y.key}"
        )
    note = f"{metric} at every point; what the search is worth is told by the command"
    return chart_page(f"Backtest sweep of {coin}", [note], charts)


def _figure(
    values: Mapping[str, Any],
    axes: Sequence[_Axis],
    at: Sequence[str],
    fixed: Sequence[str],
    metric: str,
) -> float:
    named = [f"{axis.key}={value}" for axis, value in zip(axes, at, strict=True) if axis.key]
    value = values.get(" ".join([*named, *fixed]))
    found = None if value is None else value["metrics"].get(metric)
    return nan if found is None else float(found)
