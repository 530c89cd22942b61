"""A stored backtest as a command asks for it: by its id and exit style."""

import asyncio
from typing import Annotated, TypeAlias

import typer

from apps.cli.book_view import end
from apps.cli.exits import ExitCode
from apps.settings.root import Settings
from apps.wiring.database import open_runs
from ports.backtest_runs import BacktestRun, StyleResult

RunId: TypeAlias = Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, or latest.")]
ExitStyle: TypeAlias = Annotated[
    str | None, typer.Option("--style", help="One exit style; default: the primary one.")
]


def loaded_run(settings: Settings, run_id: str) -> BacktestRun:
    """Return the run of *run_id*, the newest for latest; ends with FAILED if there is none."""

    async def load() -> BacktestRun:
        async with open_runs(settings) as runs:
            if run_id != "latest":
                return await runs.load(run_id)
            newest = await runs.summaries(limit=1)
            if not newest:
                end("no backtest was run yet", ExitCode.FAILED)
            return await runs.load(newest[0].run_id)

    return asyncio.run(load())


def result_of(run: BacktestRun, style: str | None) -> StyleResult:
    """Return what *run* did under *style*, None for the primary one; else ends with MISUSE."""
    if not run.results:
        why = f": {run.summary.error}" if run.summary.error else ""
        end(f"{run.summary.run_id} is {run.summary.status}, without results{why}", ExitCode.FAILED)
    found = {each.exit_style: each for each in run.results}
    wanted = style or run.results[0].exit_style
    if wanted not in found:
        end(
            f"{run.summary.run_id} has no style {wanted}; it has {', '.join(found)}",
            ExitCode.MISUSE,
        )
    return found[wanted]
