"""`options-agent run`: trade until Ctrl-C, or until a replay has come to its end."""

from pathlib import Path
from typing import Annotated

import typer

from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.cli.trading import RunOptions, trade


def command(
    market: Annotated[
        str | None, typer.Option(help="synthetic, or replay of recorded chains.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of recorded chains, for a replay.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day of a replay.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Last day of a replay.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of market and choices.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where books are kept.")] = None,
    interval: Annotated[int | None, typer.Option(help="Seconds from tick to tick.")] = None,
    ticks: Annotated[int | None, typer.Option(min=1, help="End after so many ticks.")] = None,
    in_full: Annotated[
        bool, typer.Option("--full", help="Name every contract passed over, in every decision.")
    ] = False,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Trade until Ctrl-C: on the simulated venue, against a synthetic or recorded market.

    A replay that was interrupted goes on where it stopped; one that came to its end is kept
    aside and run anew.
    """
    named = {
        "venue.market": market,
        "venue.replay_data": data,
        "venue.replay_from": since,
        "venue.replay_to": until,
        "venue.seed": seed,
        "venue.data_dir": data_dir,
        "loop.loop_interval_sec": interval,
    }
    flags = [f"{key}={value}" for key, value in named.items() if value is not None]
    loaded = settings_from(config, [*flags, *(overrides or [])])
    trade(loaded.settings, RunOptions(ticks=ticks, in_full=in_full, as_json=as_json))
