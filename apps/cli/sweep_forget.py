"""`options-agent sweep forget`: finished cells that are to be computed anew."""

import asyncio
from typing import Annotated

import typer

from apps.cli.book_view import end
from apps.cli.console import show_text
from apps.cli.exits import ExitCode
from apps.cli.options import ConfigFiles, Overrides, settings_from
from apps.wiring.sweeps import finished_cells, kept_counts
from ports.sweeps import FinishedCells


def command(
    names: Annotated[list[str] | None, typer.Argument(metavar="SWEEP")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every sweep there is.")] = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Drop the finished cells of sweeps: they will be computed anew."""
    cells = finished_cells(settings_from(config, overrides).settings)
    known = asyncio.run(kept_counts(cells))
    wanted = tuple(known) if everything else tuple(names or ())
    unknown = [name for name in wanted if name not in known]
    if unknown or not (names or everything):
        end(f"name sweeps that there are: {', '.join(known) or 'none'}", ExitCode.MISUSE)
    asyncio.run(_forget(cells, wanted))
    show_text(f"forgot {len(wanted)} sweeps, {sum(known[name] for name in wanted)} cells")


async def _forget(cells: FinishedCells, names: tuple[str, ...]) -> None:
    for name in names:
        await cells.forget(name)
