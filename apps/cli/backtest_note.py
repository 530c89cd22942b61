"""`options-agent backtest note`: what a person wants to remember of a run."""

import asyncio
from typing import Annotated

import typer

from apps.cli.console import tell
from apps.cli.options import ConfigFiles, Overrides, settings_from
from apps.wiring.database import open_runs


def command(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run.")],
    text: Annotated[str, typer.Argument(help="Replaces the notes; empty takes them away.")],
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Replace the notes of a stored run; nothing else of it changes."""
    settings = settings_from(config, overrides).settings

    async def annotate() -> None:
        async with open_runs(settings) as runs:
            await runs.annotate(run_id, text)

    asyncio.run(annotate())
    tell(f"noted on {run_id}")
