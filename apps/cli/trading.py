"""Running the agent from a terminal: signals, screens, and how it ends."""

import asyncio
import signal
import sys

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
from apps.wiring.desk import chosen_strategies, paper_desk
from core.analysis.trading_report import report_of
from core.usecases.agent import Agent


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
    replays = settings.venue.market == "replay"
    if replays and (aside := await set_aside_if_finished(place)):
        tell(f"the finished run of before is kept in {aside}")
    with locked_book(place, " ".join(sys.argv[1:3])):
        files = files_of(place)
        teller = Teller(in_full=options.in_full, quiet=replays)
        if not options.as_json:
            show_text(f"{mode_line(settings)} | {place.environment} | book {place.directory}")
        desk = await paper_desk(
            settings, files, (lambda _: None) if options.as_json else teller.tell
        )
        caught: list[signal.Signals] = []
        stop = _stop_on_signals(caught)
        with watched(settings, place) as beat:
            await Agent(desk, stop, beat).run(ticks=options.ticks)
        if replays or options.as_json:
            entries = [record.entry async for record in files.log.records()]
            show_report(report_of(desk.keeper.book, entries), settings, options.as_json)
        return _ended(desk.keeper.book.halted, caught, files)


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


def _ended(halted: str, caught: list[signal.Signals], files: BookFiles) -> ExitCode:
    tell(f"stopped; the journal is in {files.place.directory / 'journal'}")
    if halted:
        problem(f"HALTED: {halted}")
        return ExitCode.HALTED
    return ExitCode.INTERRUPTED if signal.SIGINT in caught else ExitCode.OK
