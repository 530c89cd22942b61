"""
`options-agent exchange`: the paper exchange, as a process of its own.

The command becomes `python -m apps.exchange.main`, options and all: command line and exchange
are siblings that import nothing of each other, and whoever stops the one stops the other.
"""

import os
import sys

import typer

from apps.cli.group import command_group

app = command_group("The paper exchange: Deribit's interface on loopback.")


@app.callback()
def _group() -> None:
    """The paper exchange: Deribit's interface on loopback, with paper money."""


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def serve(context: typer.Context) -> None:
    """Serve it until Ctrl-C; --help lists its options."""
    program = [sys.executable, "-m", "apps.exchange.main", *context.args]
    os.execv(sys.executable, program)  # noqa: S606  no shell is wanted
