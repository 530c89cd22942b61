"""What every sweep of the command line has: its options, its progress, and how Ctrl-C ends it."""

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeAlias

import typer
from attrs import define, frozen
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from apps.cli.console import problem, tell
from apps.cli.exits import ExitCode
from apps.settings.root import Settings
from apps.wiring.sweeps import finished_cells, sweep_executor
from core.usecases.sweep import Sweep, SweepOutcome, SweepProgress, run_sweep
from ports.errors import PortError
from ports.sweeps import FinishedCells

Workers: TypeAlias = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes; default: one a core.")
]
Cluster: TypeAlias = Annotated[
    str | None,
    typer.Option("--cluster", metavar="ADDRESS", help="A Dask scheduler: tcp://10.0.0.5:8786."),
]
Fresh: TypeAlias = Annotated[
    bool, typer.Option("--fresh", help="Forget what an earlier run of the same sweep finished.")
]


@frozen(kw_only=True)
class SweepChoice:
    """Where a sweep is computed, and whether it begins anew."""

    workers: int | None
    cluster: str | None
    fresh: bool


def compute(settings: Settings, sweep: Sweep, choice: SweepChoice) -> SweepOutcome:
    """
    Return the outcome of *sweep*, showing how far it is on stderr.

    Cells that raise are named, and what is left is shown; where none is left, end with FAILED.
    Ctrl-C says how to go on and ends with INTERRUPTED; so does the note of a PortError.
    """
    finished, news = finished_cells(settings), _News()
    try:
        outcome = asyncio.run(_computed(sweep, choice, finished, news))
    except KeyboardInterrupt as error:
        tell(f"interrupted: {news.kept(sweep)}")
        raise typer.Exit(ExitCode.INTERRUPTED) from error
    except PortError as error:
        error.add_note(news.kept(sweep))
        raise
    for failure in outcome.failures:
        problem(f"cell {failure.key}: {failure.error}")
    if len(outcome.failures) == len(sweep.cells) > 0:
        raise typer.Exit(ExitCode.FAILED)
    return outcome


@define
class _News:
    """The last that was heard of a sweep."""

    done: int = 0

    def told(self, shown: Callable[[SweepProgress], None], progress: SweepProgress) -> None:
        self.done = progress.done - progress.failed
        shown(progress)

    def kept(self, sweep: Sweep) -> str:
        """What there is of *sweep*, and how to go on."""
        return (
            f"{self.done} of {len(sweep.cells)} cells are kept as {sweep.name}; "
            "the same command goes on with them"
        )


async def _computed(
    sweep: Sweep, choice: SweepChoice, finished: FinishedCells, news: _News
) -> SweepOutcome:
    if choice.fresh:
        await finished.forget(sweep.name)
    executor = sweep_executor(choice.workers, choice.cluster)
    with _bar() as bar:
        line = bar.add_task(sweep.name.partition("-")[0], total=len(sweep.cells), note="")

        def show(progress: SweepProgress) -> None:
            _show(bar, line, progress)

        return await run_sweep(
            sweep, executor, finished, lambda progress: news.told(show, progress)
        )


def _bar() -> Progress:
    """A line with the remaining time on a terminal; elsewhere nothing."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        auto_refresh=False,  # it would take a thread, and beside one no worker can be forked
        disable=not console.is_terminal,
        transient=True,
    )


def _show(bar: Progress, line: TaskID, progress: SweepProgress) -> None:
    """Move *line*; cells of an earlier run take no time and must not count in the rate."""
    notes = []
    if progress.kept:
        notes.append(f"{progress.kept} kept")
    if progress.failed:
        notes.append(f"{progress.failed} failed")
    if progress.done == progress.kept:
        bar.reset(line, completed=progress.done)
    bar.update(line, completed=progress.done, note=", ".join(notes), refresh=True)
