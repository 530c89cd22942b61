"""Options of scans, and the rules and strategies that they name."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from attrs import evolve

from apps.cli.book_view import end
from apps.cli.console import tell
from apps.cli.exits import ExitCode
from apps.settings.root import Settings
from apps.wiring.greg_rules import greg_rules
from core.analysis.scan import TRADED
from core.greg.catalogue import StrategyCode
from core.greg.thresholds import EntryRules

Coins: TypeAlias = Annotated[
    list[str] | None, typer.Option("--coin", metavar="COIN", help="Default: those of the settings.")
]
Thresholds: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--threshold", metavar="KEY=VALUE", help="A limit over that of the rules."),
]
CsvFile: TypeAlias = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="The figures.")
]
HtmlFile: TypeAlias = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="A page of charts.")
]
MarkdownFile: TypeAlias = Annotated[
    Path | None, typer.Option("--markdown", metavar="FILE", help="The tables.")
]


def strategy_named(text: str) -> StrategyCode:
    """The strategy that *text* means, by its code or without STRATEGY_; else end with MISUSE."""
    name = text.upper()
    by_name = {code.removeprefix("STRATEGY_"): code for code in TRADED}
    code = by_name.get(name.removeprefix("STRATEGY_"))
    if code is None:
        end(f"{text} is no strategy; there are {', '.join(by_name)}", ExitCode.MISUSE)
    return code


def rules_asked(settings: Settings, thresholds: list[str] | None) -> EntryRules:
    """The rules in force, each KEY=VALUE of *thresholds* over them; else end with MISUSE."""
    found = greg_rules(settings)
    if found.warning:
        tell(found.warning)
    given = dict(text.partition("=")[::2] for text in thresholds or [])
    try:
        limits = found.entry.thresholds.overridden(
            {key: _number(text) for key, text in given.items()}
        )
    except ValueError as error:
        end(str(error), ExitCode.MISUSE)
    return evolve(found.entry, thresholds=limits)


def _number(text: str) -> object:
    """*text* as a number; as it is where it is none, for the rules to say so."""
    try:
        return float(text)
    except ValueError:
        return text
