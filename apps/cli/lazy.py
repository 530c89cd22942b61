"""A command group that imports a command's module only when the command is run."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from apps.cli.commands import COMMANDS, Command
from apps.cli.exits import ExitCode
from apps.cli.group import command_group


class LazyGroup(TyperGroup):
    """The commands of a table: listed by their short help, loaded one at a time."""

    table: ClassVar[Mapping[str, Command]] = COMMANDS

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, entry in self.table.items():
            self.add_command(TyperCommand(name, help=entry.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that *args* begin with; load what its entry stands for."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, _load(ctx, args[0], self.table[args[0]].module), rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C at a question ends like Ctrl-C anywhere else."""
        try:
            return super().invoke(ctx)
        except typer.Abort as error:
            raise typer.Exit(ExitCode.INTERRUPTED) from error


def lazy_app(table: Mapping[str, Command], about: str) -> typer.Typer:
    """Return the app of a group: the commands of *table* under the sentence *about*."""
    group = type("Group", (LazyGroup,), {"table": table})
    app = command_group(about, group)
    app.callback(help=about)(_nothing)
    return app


def _nothing() -> None:
    """A group does nothing by itself."""


def _load(ctx: Any, name: str, path: str) -> Any:
    try:
        module = import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:  # something the command itself needs
            raise
        ctx.fail(f"{name} is not part of this installation.")
    if hasattr(module, "app"):
        return get_command(module.app)
    single = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    single.command(name)(module.command)
    return get_command(single)
