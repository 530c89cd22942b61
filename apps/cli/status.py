"""`options-agent status`: what the agent is, may do, owns and last decided."""

import asyncio
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from apps.cli.book_view import BookFolder, latest, place_from
from apps.cli.console import output, show_json, show_table, show_text
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.cli.status_view import record, screen
from apps.settings.root import Settings
from apps.wiring.book import BookPlace
from apps.wiring.reading import BookReader

_REFRESH_S = 1.0


def command(
    book: BookFolder = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it anew each second, until Ctrl-C.")
    ] = False,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Mode, agent, kill switch, limits with their use, equity, and the last decisions.

    Nothing is locked or changed: it may be asked while the agent runs.
    """
    if watch and as_json:
        raise typer.BadParameter("--watch is for people, --json for programs")
    settings = settings_from(config, overrides, venue).settings
    place = place_from(settings, book)
    try:
        asyncio.run(_watch(settings, place) if watch else _show(settings, place, as_json))
    except KeyboardInterrupt as error:
        raise typer.Exit(ExitCode.INTERRUPTED) from error


async def _show(settings: Settings, place: BookPlace, as_json: bool) -> None:
    state = await latest(await BookReader.opened(place))
    if as_json:
        show_json(record(settings, state))
        return
    for part in screen(settings, state):
        if isinstance(part, str):
            show_text(part)
        else:
            show_table(part)


async def _watch(settings: Settings, place: BookPlace) -> None:
    reader = await BookReader.opened(place)
    with Live(console=output(), auto_refresh=False) as live:
        while True:
            parts = screen(settings, await latest(reader))
            shown = (Text(part) if isinstance(part, str) else part for part in parts)
            live.update(Group(*shown), refresh=True)
            await asyncio.sleep(_REFRESH_S)
