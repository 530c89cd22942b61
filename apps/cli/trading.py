"""Running the agent from a terminal: signals, screens, and how it ends."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

import typer
from attrs import frozen

from apps.cli.console import mode_line, problem, show_text, tell
from apps.cli.decisions import Teller
from apps.cli.exits import ExitCode
from apps.cli.reporting import show_report
from apps.cli.watchdog import watched
from apps.settings.root import Settings
from apps.wiring.book import (
    BookFiles,
    BookPlace,
    files_of,
    locked_book,
    place_of,
    set_aside_if_finished,
)
from apps.wiring.desk import chosen_strategies, opened_desk
from apps.wiring.gates import gates_of
from apps.wiring.greg_desk import hedger_for
from apps.wiring.market import passed_over
from core.analysis.trading_report import report_of
from core.usecases.agent import Agent
from core.usecases.desk import Desk


@frozen(kw_only=True)
class RunOptions:
    """How a run is shown and when it ends; None for *ticks* is until there are no more."""

    ticks: int | None = None
    in_full: bool = False
    as_json: bool = False


def trade(settings: Settings, options: RunOptions) -> None:
    """Run the agent in the foreground; ends with an exit code, see ExitCode."""
    try:
        chosen_strategies(settings)
    except ValueError as error:
        problem(f"policy.strategies: {error}")
        raise typer.Exit(ExitCode.MISUSE) from error
    raise typer.Exit(asyncio.run(_trade(settings, place_of(settings), options)))


async def _trade(settings: Settings, place: BookPlace, options: RunOptions) -> ExitCode:
    is_stepped = settings.venue.is_stepped
    if is_stepped and (aside := await set_aside_if_finished(place)):
        tell(f"the finished run of before is kept in {aside}")
    for line in await passed_over(settings):
        tell(line)
    with locked_book(place, " ".join(sys.argv[1:3])):
        files = files_of(place)
        teller = Teller(in_full=options.in_full, quiet=is_stepped)
        if not options.as_json:
            show_text(f"{mode_line(settings)} | {place.environment} | book {place.directory}")
            for line in _dry_lines(settings):
                show_text(line)
        caught: list[signal.Signals] = []
        stop = _stop_on_signals(caught)
        watch = (lambda _: None) if options.as_json else teller.tell
        async with AsyncExitStack() as opened:
            opening = opened.enter_async_context(opened_desk(settings, files, watch))
            if (desk := await _unless_stopped(opening, stop)) is None:
                return _ended("", caught, files)
            with watched(settings, place) as beat:
                agent = Agent(desk, stop, beat, hedger=hedger_for(settings, desk))
                await agent.run(ticks=options.ticks)
        if is_stepped or options.as_json:
            entries = [record.entry async for record in files.log.records()]
            show_report(report_of(desk.keeper.book, entries), settings, options.as_json)
        return _ended(desk.keeper.book.halted, caught, files)


def _dry_lines(settings: Settings) -> list[str]:
    """Why no order is sent to Deribit although that is the venue, by strategy."""
    if not settings.venue.is_deribit:
        return []
    gates = gates_of(settings, os.environ)
    return [
        f"dry run of {name}: {'; '.join(each.reasons)}"
        for name, each in gates.items()
        if each.reasons
    ]


def _stop_on_signals(caught: list[signal.Signals]) -> asyncio.Event:
    """An event that Ctrl-C and SIGTERM set; *caught* then says which."""
    stop = asyncio.Event()

    def note(number: signal.Signals) -> None:
        caught.append(number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, note, number)
    return stop


async def _unless_stopped(opening: Coroutine[Any, Any, Desk], stop: asyncio.Event) -> Desk | None:
    """The desk; None if *stop* was set before it was open, which is then given up."""
    working, stopping = asyncio.ensure_future(opening), asyncio.ensure_future(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        working.cancel()
        await asyncio.wait({working})
    return None if working.cancelled() else working.result()


def _ended(halted: str, caught: list[signal.Signals], files: BookFiles) -> ExitCode:
    tell(f"stopped; the journal is in {files.place.directory / 'journal'}")
    if halted:
        problem(f"HALTED: {halted}")
        return ExitCode.HALTED
    return ExitCode.INTERRUPTED if signal.SIGINT in caught else ExitCode.OK
