"""`options-agent backtest delete`: runs that nobody wants to see again."""

import asyncio
from typing import Annotated

import typer

from apps.cli.console import show_text
from apps.cli.options import ConfigFiles, Overrides, settings_from
from apps.wiring.database import open_runs


def command(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN...", help="The ids of runs.")],
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Forget stored runs with their trades; that they were tried stays counted.

    Without that count the best of many deleted runs would look like the only one.
    """
    settings = settings_from(config, overrides).settings

    async def delete() -> None:
        async with open_runs(settings) as runs:
            for run_id in run_ids:
                await runs.delete(run_id)
                show_text(f"deleted {run_id}; its trials stay counted")

    asyncio.run(delete())
