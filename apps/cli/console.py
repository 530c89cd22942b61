"""What commands print: tables and JSON on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from apps.settings.root import Settings

_PIPE_WIDTH = 160  # columns, where there is no terminal to ask


def mode_line(settings: Settings) -> str:
    """The line that every screen starts with: venue, mode, whether orders are real, who decides."""
    venue = settings.venue
    is_live = False
    if venue.is_deribit:
        from apps.wiring.gates import sends_real_orders  # noqa: PLC0415  not needed to show help

        is_live = sends_real_orders(settings, os.environ)
    sending = "LIVE" if is_live else "DRY-RUN"
    words = (venue.deribit_env.upper(), venue.mode, sending, settings.llm.decision_mode)
    return " | ".join(words)


def table(*columns: str, numbers: tuple[str, ...] = (), whole: tuple[str, ...] = ()) -> Table:
    """
    Return an empty table.

    The columns in *numbers* are right-aligned; neither they nor those in *whole* are wrapped.
    """
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        is_number = column in numbers
        made.add_column(
            column,
            justify="right" if is_number else "left",
            no_wrap=is_number or column in whole,
            overflow="fold",
        )
    return made


def output() -> Console:
    """Stdout as rich writes on it: in colour on a terminal unless NO_COLOR is set."""
    has_width = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if has_width else _PIPE_WIDTH, highlight=False, markup=False)


def show_table(made: Table) -> None:
    """Print *made* on stdout."""
    output().print(made)


def show_text(text: str) -> None:
    """Print *text* on stdout."""
    print(text)


def show_json(value: object) -> None:
    """Print *value* on stdout as JSON with sorted keys, and nothing else."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    sys.stdout.write(orjson.dumps(value, option=options).decode())


def show_json_line(value: object) -> None:
    """Print *value* on stdout as one line of JSON, sorted keys."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    sys.stdout.write(orjson.dumps(value, option=options).decode())


def tell(message: str) -> None:
    """Print *message* on stderr: news for a person, not a result."""
    print(message, file=sys.stderr)


def problem(message: str) -> None:
    """Print *message* on stderr as an error."""
    print(f"error: {message}", file=sys.stderr)
