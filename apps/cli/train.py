"""`options-agent train`: learning data from the past, and the check that it tells no future."""

from collections.abc import Mapping
from typing import ClassVar

import typer

from apps.cli.commands import Command
from apps.cli.lazy import LazyGroup


class TrainGroup(LazyGroup):
    """The commands of `train`, one line each."""

    table: ClassVar[Mapping[str, Command]] = {
        "collect": Command("apps.cli.train_collect", "Every decision of a past, every call's end."),
        "export": Command("apps.cli.train_export", "Rows as conversations; refused on a leak."),
        "check": Command("apps.cli.train_check", "Whether anything tells what came later."),
    }


app = typer.Typer(
    cls=TrainGroup,
    help="Learning data: rows with what was known then, and what each call came to.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _group() -> None:
    """Learning data: rows with what was known then, and what each call came to."""
