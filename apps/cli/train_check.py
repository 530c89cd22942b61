"""`options-agent train check`: whether training data tell what came later."""

from pathlib import Path
from typing import Annotated

import typer

from apps.cli.book_view import end
from apps.cli.console import problem, show_json, show_text
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson
from apps.cli.train_views import leak_lines, leak_records
from apps.wiring.training import leaks_in
from ports.errors import StoreDamaged


def command(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="Rows, conversations, or a folder of them.")
    ],
    as_json: AsJson = False,
) -> None:
    """
    Look for features that were known only after their decision, and for prompts that say more.

    Exit code 1 where there is a leak; each is named.
    """
    try:
        leaks = leaks_in(path)
    except StoreDamaged as error:
        end(str(error), ExitCode.FAILED)
    if as_json:
        show_json({"path": str(path), "leaks": leak_records(leaks)})
    elif not leaks:
        show_text(f"{path}: no leak")
    else:
        for line in leak_lines(leaks):
            problem(line)
    if leaks:
        raise typer.Exit(ExitCode.FAILED)
