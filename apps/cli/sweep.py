"""`options-agent sweep`: many cells on all cores, taken up again where they stopped."""

from collections.abc import Mapping
from typing import ClassVar

import typer

from apps.cli.commands import Command
from apps.cli.lazy import LazyGroup


class SweepGroup(LazyGroup):
    """The commands of `sweep`, one line each."""

    table: ClassVar[Mapping[str, Command]] = {
        "backtest": Command("apps.cli.sweep_backtest", "One rule over a grid of its settings."),
        "list": Command("apps.cli.sweep_list", "The sweeps of which finished cells are kept."),
        "forget": Command("apps.cli.sweep_forget", "Drop finished cells."),
    }


app = typer.Typer(
    cls=SweepGroup,
    help="Sweeps: many cells computed on all cores, and taken up again where they stopped.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _group() -> None:
    """Sweeps: many cells computed on all cores, and taken up again where they stopped."""
