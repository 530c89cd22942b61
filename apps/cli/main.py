"""
`options-agent`: the entry point, its version and help, and where every failure ends.

Commands are lines in `apps.cli.commands`, which says how a command's module looks:
`app` for a group, a function `command` otherwise. A command returns when all is
well and raises `typer.Exit(ExitCode...)` when it is not. Nothing imported here may
need more than typer.
"""

import gc
import logging
import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from apps.cli.exits import MEANINGS
from apps.cli.lazy import LazyGroup

_EXAMPLES = (
    "options-agent config new",
    "options-agent run",
    "options-agent once --config btc.toml --set risk.max_margin_used_pct=60",
    "options-agent status --json",
)
_UNWRAPPED = "\b"  # the mark of a paragraph whose lines stay as they are
_EPILOG = "\n".join(
    (
        _UNWRAPPED,
        "Exit codes:",
        *(f"{code.value:5}  {meaning}" for code, meaning in MEANINGS.items()),
        "",
        _UNWRAPPED,
        "Examples:",
        *(f"  {example}" for example in _EXAMPLES),
    )
)

# Plain help: drawing it with rich takes three times as long.
app = typer.Typer(
    cls=LazyGroup,
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def main() -> None:
    """Run the command line; failures of the outside end here, in one line and an exit code."""
    logging.getLogger("stamina").setLevel(logging.ERROR)  # a retry is told by how it ends
    try:
        app(prog_name="options-agent")
    except Exception as error:
        from apps.cli.endings import ending_of  # noqa: PLC0415  not needed to show the help

        ending = ending_of(error)
        if ending is None:
            raise  # a bug: Python's own report, exit code 1
        print(f"error: {ending.sentence}", file=sys.stderr)
        sys.exit(ending.code)
    finally:
        gc.freeze()  # all goes with the process: looking through it first takes 0.3 s


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"options-agent {version('options-agent')}")
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[  # noqa: ARG001
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Plain text everywhere.")] = False,
) -> None:
    """Trade BTC and ETH options on Deribit by rule: on paper, or live behind every gate."""
    if no_color:
        os.environ["NO_COLOR"] = "1"  # the convention that rich follows


if __name__ == "__main__":
    main()
