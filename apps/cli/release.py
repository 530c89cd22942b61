"""`options-agent release`: the kill switch off and a halt ended, with a reason."""

import asyncio
import sys
from typing import Annotated

import typer

from apps.cli.book_view import (
    BookFolder,
    agent_line,
    end,
    heading,
    heading_record,
    latest,
    place_from,
)
from apps.cli.console import problem, show_json, show_text, tell
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.wiring.reading import BookReader, BookState
from apps.wiring.switch import kill_files, release

_WORD = "release"


def command(
    reason: Annotated[str, typer.Option(help="Why it is safe to go on; written into the audit.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    book: BookFolder = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Release the kill switch and a halt: the agent may open positions again.

    The word release must be typed, unless --yes is given. KILL files are removed. The peak
    that the daily drawdown counts from is set to the present equity.
    """
    if not reason.strip():
        raise typer.BadParameter("a release needs a reason")
    settings = settings_from(config, overrides, venue).settings
    place = place_from(settings, book)

    async def read() -> BookState:
        return await latest(await BookReader.opened(place))

    state = asyncio.run(read())
    show = tell if as_json else show_text
    for line in (heading(settings, place), *_plan(state)):
        show(line)
    if not yes:
        _ask()
    controls = asyncio.run(release(place, reason))
    stays = controls.kill_switch or settings.risk.kill_switch_enabled
    if as_json:
        show_json(
            {
                **heading_record(settings, place),
                "kill_switch": stays,
                "kill_reason": controls.kill_reason,
                "releases": controls.releases,
                "held_by": state.holder,
            }
        )
    if stays:
        why = controls.kill_reason or "risk.kill_switch_enabled is set"
        end(f"the kill switch is still on: {why}", ExitCode.FAILED)
    if not as_json:
        show_text("released; the agent takes it up at its next tick")


def _plan(state: BookState) -> list[str]:
    """What there is to release, and what follows."""
    controls = state.controls
    switch = f"ON: {controls.kill_reason}" if controls.kill_switch else "off"
    lines = [f"kill switch {switch}", f"halted      {state.book.halted or 'no'}"]
    lines += [f"removes     {path}" for path in kill_files(state.place)]
    lines.append(f"{agent_line(state)}; after the release it may open and roll positions")
    return lines


def _ask() -> None:
    """Have the word typed, or end: MISUSE without a terminal, INTERRUPTED for another word."""
    if not sys.stdin.isatty():
        end("a release is confirmed on a terminal or with --yes", ExitCode.MISUSE)
    if typer.prompt(f"type {_WORD} to go on", err=True) != _WORD:
        problem("nothing was released")
        raise typer.Exit(ExitCode.INTERRUPTED)
