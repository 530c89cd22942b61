"""A command group: several commands under one word."""

import typer
from typer.core import TyperGroup


def command_group(about: str, kind: type[TyperGroup] | None = None) -> typer.Typer:
    """Return the app of a group under the sentence *about*, with plain help; *kind* reads it."""
    return typer.Typer(
        cls=kind,
        help=about,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
