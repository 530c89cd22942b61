"""`options-agent run`: trade until Ctrl-C, or until a replay has come to its end."""

from pathlib import Path
from typing import Annotated

import typer

from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.cli.trading import RunOptions, trade


def command(
    venue: VenueKind = None,
    clock: Annotated[
        str | None, typer.Option(help="real, or stepped: from --from to --to without waiting.")
    ] = None,
    market: Annotated[str | None, typer.Option(help="synthetic, or replay of records.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of recorded chains, for a replay.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day of stepped time.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Last day of stepped time.")
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
    Trade until Ctrl-C: on paper, against a synthetic or recorded market, unless told otherwise.

    With --venue exchange orders go over the wire to the paper exchange, which is started and
    ended with the run unless one is served already. With --venue deribit the market is
    Deribit's, and orders are sent only if every gate is open: health names those that are not.

    A replay that was interrupted goes on where it stopped; one that came to its end is kept
    aside and run anew.
    """
    named = {
        "venue.market": market,
        "venue.venue_clock": clock,
        "venue.replay_data": data,
        "venue.replay_from": since,
        "venue.replay_to": until,
        "venue.seed": seed,
        "venue.data_dir": data_dir,
        "loop.loop_interval_sec": interval,
    }
    flags = [f"{key}={value}" for key, value in named.items() if value is not None]
    loaded = settings_from(config, [*flags, *(overrides or [])], venue)
    trade(loaded.settings, RunOptions(ticks=ticks, in_full=in_full, as_json=as_json))
