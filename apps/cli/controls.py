"""`options-agent controls`: what may be changed while the agent runs, and who changed it."""

import asyncio
import sys
from typing import Annotated

import typer
from attrs import fields_dict

from apps.cli.book_view import BookFolder, end, heading, heading_record, place_from
from apps.cli.console import problem, show_json, show_table, show_text, table
from apps.cli.exits import ExitCode
from apps.cli.group import command_group
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.wiring.book import BookPlace, controls_of
from apps.wiring.clock import system_now
from apps.wiring.switch import operator
from ports.controls import ControlChange, RuntimeControls

app = command_group(
    "Limits and thresholds that hold over the settings, and the audit of their changes."
)
_NOT_SET_HERE = ("revision", "releases", "kill_switch", "kill_reason")  # kill and release do
_WORD = "change"


@app.command()
def show(
    book: BookFolder = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Show the controls in force; what is not listed is as in the settings."""
    settings = settings_from(config, overrides, venue).settings
    place = place_from(settings, book)
    controls = asyncio.run(controls_of(place).read())
    if as_json:
        show_json({**heading_record(settings, place), **_values(controls)})
        return
    show_text(heading(settings, place))
    show_text(f"revision {controls.revision}, released {controls.releases} times")
    for name, value in _values(controls).items():
        show_text(f"{name} = {value}")


@app.command("set")
def set_(
    changes: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...")],
    reason: Annotated[str, typer.Option(help="Why; written into the audit.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    book: BookFolder = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Change controls, all of them or none; NAME= gives one back to the settings.

    A running agent takes them up at its next tick. The word change must be typed, unless
    --yes is given: a limit may be raised.
    """
    settings = settings_from(config, overrides, venue).settings
    place = place_from(settings, book)
    wanted = dict(_parsed(text) for text in changes)
    if not yes:
        _ask(wanted)
    try:
        controls = asyncio.run(_changed(place, reason, wanted))
    except ValueError as error:
        end(str(error), ExitCode.MISUSE)
    if as_json:
        show_json({**heading_record(settings, place), **_values(controls)})
        return
    show_text(heading(settings, place))
    show_text(f"changed; revision {controls.revision}")


@app.command()
def audit(
    book: BookFolder = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """List every change ever made: when, who, what, from, to, why."""
    settings = settings_from(config, overrides, venue).settings
    place = place_from(settings, book)
    changes = asyncio.run(controls_of(place).audit())
    if as_json:
        show_json({**heading_record(settings, place), "changes": [_record(c) for c in changes]})
        return
    show_text(heading(settings, place))
    made = table("when", "who", "control", "old", "new", "reason")
    for change in changes:
        made.add_row(*(str(value) for value in _record(change).values()))
    show_table(made)


async def _changed(place: BookPlace, reason: str, wanted: dict[str, object]) -> RuntimeControls:
    return await controls_of(place).change(system_now(), operator(), reason, wanted)


def _parsed(text: str) -> tuple[str, object]:
    """NAME=VALUE as a control and what it is to be; an empty VALUE gives it back."""
    name, equals, value = text.partition("=")
    known = [key for key in fields_dict(RuntimeControls) if key not in _NOT_SET_HERE]
    if not equals or name not in known:
        end(f"{text}: expected NAME=VALUE with one of {', '.join(known)}", ExitCode.MISUSE)
    if value == "":
        return name, None
    if value in ("true", "false"):
        return name, value == "true"
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _ask(wanted: dict[str, object]) -> None:
    if not sys.stdin.isatty():
        end("a change is confirmed on a terminal or with --yes", ExitCode.MISUSE)
    what = ", ".join(f"{name} to {value}" for name, value in wanted.items())
    if typer.prompt(f"{what}: type {_WORD} to go on", err=True) != _WORD:
        problem("nothing was changed")
        raise typer.Exit(ExitCode.INTERRUPTED)


def _values(controls: RuntimeControls) -> dict[str, object]:
    return {
        name: getattr(controls, name)
        for name in fields_dict(RuntimeControls)
        if getattr(controls, name) is not None
    }


def _record(change: ControlChange) -> dict[str, object]:
    return {
        "at": f"{change.at:%Y-%m-%d %H:%M:%S}",
        "who": change.who,
        "control": change.name,
        "old": change.old,
        "new": change.new,
        "reason": change.reason,
    }
