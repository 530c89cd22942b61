"""
The commands of `options-agent`, each by the module that holds it.

A command is a line in COMMANDS and a module of its own. A group (config, journal)
is a module with `app`, a `typer.Typer`; a single command is a module with a
function `command`, whose parameters are its options. The module is imported when
the command is run and not before, so that help and version stay quick: the line
here carries the short help.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """Where a command lives, and what the list of commands says about it."""

    module: str
    help: str


COMMANDS = {
    "run": Command("apps.cli.run", "Trade until Ctrl-C; on paper unless told otherwise."),
    "once": Command("apps.cli.once", "Run one tick, then exit."),
    "status": Command("apps.cli.status", "Mode, health, limits and the last decision."),
    "positions": Command("apps.cli.positions", "Open positions, in coin and in USD."),
    "orders": Command("apps.cli.orders", "Working orders and the newest fills."),
    "reconcile": Command("apps.cli.reconcile", "Compare our book with the venue's."),
    "close": Command("apps.cli.close", "Buy back a position."),
    "kill": Command("apps.cli.kill", "Set the kill switch: nothing new is opened."),
    "release": Command("apps.cli.release", "Release the kill switch, with a reason."),
    "controls": Command("apps.cli.controls", "Show and change limits while running; the audit."),
    "chain": Command("apps.cli.chain", "The option chain: quotes, volatilities, greeks."),
    "surface": Command("apps.cli.surface", "The volatility surface, as tables or charts."),
    "universe": Command("apps.cli.universe", "Invented markets: fit, draw, hold against history."),
    "surface-report": Command("apps.cli.surface_report", "Surfaces against recorded chains."),
    "journal": Command("apps.cli.journal", "Verify, replay and read the journal."),
    "data": Command("apps.cli.data", "Harvest option chains; list, judge, import, compact them."),
    "scan": Command("apps.cli.scan", "How often Greg's strategies pass and are chosen."),
    "env": Command("apps.cli.env", "Where the market spends its time; sweet spots."),
    "sweep": Command("apps.cli.sweep", "Sweeps that were begun: list and forget them."),
    "database": Command("apps.cli.database", "Where backtests are kept; its migrations."),
    "backtest": Command("apps.cli.backtest", "What a rule would have earned, and how surely."),
    "train": Command("apps.cli.train", "Learning data: collect, export, check for leaks."),
    "exchange": Command("apps.cli.exchange", "The paper exchange: Deribit's interface."),
    "greg": Command("apps.cli.greg", "The volatility-premium desk: sensors, advice, hedges."),
    "health": Command("apps.cli.health", "Check market, account, clock, orders and gates once."),
    "doctor": Command("apps.cli.doctor", "Check settings, data folder, clock and venue."),
    "config": Command("apps.cli.config", "Write, show, check and explain settings."),
}
