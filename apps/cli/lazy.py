"""A command group that imports a command's module only when the command is run."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from apps.cli.commands import COMMANDS
from apps.cli.exits import ExitCode


class LazyGroup(TyperGroup):
    """The commands of the table: listed by their short help, loaded one at a time."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, entry in COMMANDS.items():
            self.add_command(TyperCommand(name, help=entry.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that *args* begin with; load what its entry stands for."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, _load(ctx, args[0]), rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C at a question ends like Ctrl-C anywhere else."""
        try:
            return super().invoke(ctx)
        except typer.Abort as error:
            raise typer.Exit(ExitCode.INTERRUPTED) from error


def _load(ctx: Any, name: str) -> Any:
    path = COMMANDS[name].module
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
