"""`options-agent database`: how the database of research stands, and its migrations."""

import asyncio

import typer
from attrs import asdict

from apps.cli.console import problem, show_json, show_text, tell
from apps.cli.exits import ExitCode
from apps.cli.group import command_group
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.wiring.database import database_standing, migrate_database

app = command_group("The database that keeps backtests, trials and Greg's decisions.")


@app.command()
def status(
    as_json: AsJson = False, config: ConfigFiles = None, overrides: Overrides = None
) -> None:
    """Where it is and which schema it has; 1 if commands cannot use it."""
    found = asyncio.run(database_standing(settings_from(config, overrides).settings))
    if as_json:
        show_json(asdict(found) | {"ok": found.is_usable})
    else:
        show_text(f"database {found.url}")
        at = f"revision {found.revision}" if found.revision else "no revision"
        show_text(f"{found.standing} schema, {at}; this program has {found.wanted}")
    if found.is_usable and not found.is_current:
        tell("the next command that uses it brings it up to date")
    if not found.is_usable:
        is_ours = found.is_upgradable
        problem("run `options-agent database migrate`" if is_ours else "it is left as it is")
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def migrate(config: ConfigFiles = None, overrides: Overrides = None) -> None:
    """Bring its schema up to this program's; all of it or nothing."""
    before = asyncio.run(migrate_database(settings_from(config, overrides).settings))
    if before.is_current:
        show_text(f"database {before.url} is current, revision {before.wanted}")
        return
    start = f"from revision {before.revision}" if before.revision else "from empty"
    show_text(f"database {before.url} migrated {start} to revision {before.wanted}")
