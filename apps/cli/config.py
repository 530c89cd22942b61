"""`options-agent config`: write, show, check and explain settings."""

import os
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import SecretStr

from apps.cli import console
from apps.cli.config_file import document
from apps.cli.exits import ExitCode
from apps.cli.group import command_group
from apps.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFiles,
    Overrides,
    read_settings,
    settings_from,
)
from apps.settings.faults import Fault, SettingsError
from apps.settings.keys import BY_NAME, KEYS, Key, find, nearest
from apps.settings.load import Loaded, load
from apps.settings.parse import Form, Given, parse
from apps.settings.rules import value_at
from apps.settings.words import allowed, kind, written

app = command_group("Write, show, check and explain settings.")

_QUESTIONS = ("deribit_env", "mode", "dry_run")


@app.command()
def new(
    path: Annotated[Path, typer.Argument(help="File to write.")] = DEFAULT_CONFIG,
) -> None:
    """Write a settings file with every key, its default and what it means; dry run is on."""
    if path.exists():
        _refuse_to_write(path, "it exists")
    is_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    answers = {name: _answer(BY_NAME[name]) for name in _QUESTIONS} if is_terminal else {}
    try:
        text = document(load((), answers, {}, None).settings)
    except SettingsError as error:
        _show_faults(error)
        raise typer.Exit(ExitCode.MISUSE) from error
    _write(path, text)
    console.tell(f"wrote {path}")


@app.command()
def show(
    config: ConfigFiles = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
    show_sensitive: Annotated[
        bool, typer.Option("--show-sensitive", help="Show secrets in clear.")
    ] = False,
) -> None:
    """Show each setting with the source of its value."""
    loaded = settings_from(config, overrides)
    values = {key.path: value_at(loaded.settings, key.path) for key in KEYS}
    if show_sensitive:
        values = {path: _in_clear(value) for path, value in values.items()}
    if as_json:
        console.show_json(
            {
                path: {"value": _plain(value), "source": loaded.sources[path]}
                for path, value in values.items()
            }
        )
        return
    made = console.table("key", "value", "source")
    for path, value in values.items():
        made.add_row(path, written(value), loaded.sources[path])
    console.show_text(console.mode_line(loaded.settings))
    console.show_table(made)


@app.command()
def check(config: ConfigFiles = None, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Check the settings, and name every fault in them."""
    faults: tuple[Fault, ...] = ()
    try:
        read_settings(config, overrides)
    except SettingsError as error:
        faults = error.faults
        if not as_json:
            _show_faults(error)
    if as_json:
        console.show_json({"valid": not faults, "faults": [_fault_record(f) for f in faults]})
    elif not faults:
        console.show_text("settings are valid")
    raise typer.Exit(ExitCode.MISUSE if faults else ExitCode.OK)


@app.command()
def explain(
    name: Annotated[str, typer.Argument(metavar="KEY", help="Key, with or without section.")],
    config: ConfigFiles = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Explain one setting: meaning, bounds, default, present value and where it comes from."""
    key = find(name.lower())
    if key is None:
        close = nearest(name)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        console.problem(f"{name} is not a setting{hint}")
        raise typer.Exit(ExitCode.MISUSE)
    facts = {
        "key": key.path,
        "meaning": key.description,
        "kind": kind(key),
        "allowed": allowed(key),
        "default": written(key.default),
        **_present(key, config, overrides),
        "environment": key.variable,
        "flag": f"--set {key.path}=VALUE",
    }
    if as_json:
        console.show_json(facts)
        return
    for word, fact in facts.items():
        console.show_text(f"{word:12} {fact}")


def _present(key: Key, config: list[Path] | None, overrides: list[str] | None) -> Mapping[str, str]:
    """Value and source now; an explanation is most needed while the settings are at fault."""
    try:
        loaded: Loaded = read_settings(config, overrides)
    except SettingsError as error:
        return {"value": f"not known: faults that config check names: {len(error.faults)}"}
    value = value_at(loaded.settings, key.path)
    return {"value": written(value), "source": loaded.sources[key.path]}


def _answer(key: Key) -> str:
    while True:
        question = f"{key.name}: {key.description} ({allowed(key)})"
        answer = str(typer.prompt(question, default=written(key.default), err=True))
        read = parse(Given(key, answer, Form.TEXT, "the answer"))
        if not isinstance(read, Fault):
            return answer
        console.problem(str(read))


def _write(path: Path, text: str) -> None:
    try:
        # Only for its owner, since a person may add a secret; and never over another file.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        _refuse_to_write(path, error.strerror or str(error))
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _refuse_to_write(path: Path, reason: str) -> NoReturn:
    console.problem(f"{path} is not written: {reason}")
    raise typer.Exit(ExitCode.MISUSE)


def _show_faults(error: SettingsError) -> None:
    for fault in error.faults:
        console.problem(str(fault))


def _fault_record(fault: Fault) -> dict[str, str]:
    return {"path": fault.path, "found": fault.found, "allowed": fault.allowed, "fix": fault.fix}


def _in_clear(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _plain(value: object) -> object:
    """*value* in types that JSON has; a secret only as set or not set."""
    if isinstance(value, SecretStr):
        return written(value)
    return str(value) if isinstance(value, Path | date) else value
