"""Options that every command takes, and the settings they lead to."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from apps.cli.console import problem
from apps.cli.exits import ExitCode
from apps.settings.faults import Fault, SettingsError, shown
from apps.settings.load import Loaded, load

CONFIG_VARIABLE = "OPTIONS_AGENT_CONFIG"
DEFAULT_CONFIG = Path("options-agent.toml")
DOTENV = Path(".env")

ConfigFiles: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings in TOML; may be repeated, later files win. "
        f"Default: {CONFIG_VARIABLE}, else {DEFAULT_CONFIG} if it is there.",
    ),
]
Overrides: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="One setting, over environment and files; may be repeated.",
    ),
]
VenueKind: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--venue",
        metavar="KIND",
        help="Who takes orders: paper, exchange (the paper exchange, over the wire) or deribit.",
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def settings_from(
    config: Sequence[Path] | None, overrides: Sequence[str] | None, venue: str | None = None
) -> Loaded:
    """Return the settings of a command, or print every fault on stderr and end with MISUSE."""
    try:
        return read_settings(config, overrides, venue)
    except SettingsError as error:
        for fault in error.faults:
            problem(str(fault))
        raise typer.Exit(ExitCode.MISUSE) from error


def read_settings(
    config: Sequence[Path] | None, overrides: Sequence[str] | None, venue: str | None = None
) -> Loaded:
    """
    Return the settings that *config* files, .env, environment, *overrides* and *venue* give.

    Raises:
        SettingsError: Something is wrong in any of them; it holds every fault.
    """
    given = [*(overrides or ()), *([] if venue is None else [f"venue.venue_kind={venue}"])]
    malformed = tuple(_malformed(text) for text in given if "=" not in text)
    flags = dict(text.split("=", 1) for text in given if "=" in text)
    try:
        loaded = load(config_files(config), flags, os.environ, DOTENV)
    except SettingsError as error:
        raise SettingsError((*malformed, *error.faults)) from error
    if malformed:
        raise SettingsError(malformed)
    return loaded


def config_files(config: Sequence[Path] | None) -> tuple[Path, ...]:
    """Return the files to read: those of *config*, else of the environment, else the default."""
    if config:
        return tuple(config)
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return (Path(named),)
    return (DEFAULT_CONFIG,) if DEFAULT_CONFIG.exists() else ()


def _malformed(text: str) -> Fault:
    return Fault("--set", shown(text), "KEY=VALUE", "such as risk.max_margin_used_pct=60")
