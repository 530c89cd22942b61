"""`options-agent backtest list`: the runs kept, newest first, and their headline figures."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer
from attrs import asdict, frozen
from rich.table import Table

from apps.cli import figures
from apps.cli.backtest_tables import metric_text
from apps.cli.console import mode_line, show_json, show_table, show_text, table
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.settings.root import Settings
from apps.wiring.database import open_runs
from core.backtest.names import Numeraire
from core.backtest.names_table import METRIC
from ports.backtest_runs import RunSummary

_SHOWN = (
    ("total_trades", "Trades", None),
    ("net_pnl", "coin", Numeraire.COIN),
    ("net_pnl", "USD", Numeraire.USD),
    ("max_drawdown_pct", "fall %", Numeraire.COIN),
    ("sharpe_annual", "Sharpe", Numeraire.COIN),
)


@frozen(kw_only=True)
class ListedRun:
    """A run with the figures of its primary exit style; none where it has no result yet."""

    summary: RunSummary
    metrics: Mapping[str, float | None]


def command(
    coin: Annotated[str | None, typer.Option(help="Only runs on this coin.")] = None,
    last: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 20,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    The backtests kept, newest first, with the figures of their primary exit style.

    Net P&L in coin and in USD; the fall from the peak and the Sharpe ratio are those in coin.
    """
    settings = settings_from(config, overrides).settings
    found = asyncio.run(_listed(settings, coin, last))
    if as_json:
        records = [asdict(each.summary) | {"metrics": dict(each.metrics)} for each in found]
        show_json({"mode": mode_line(settings), "runs": records})
        return
    show_text(mode_line(settings))
    if found:
        show_table(runs_table(found))
    else:
        show_text("no backtest is kept: options-agent backtest run --help")


def runs_table(found: tuple[ListedRun, ...]) -> Table:
    """A row a run: what it was, and its figures; money is the Net P&L."""
    numbers = tuple(title for _, title, _ in _SHOWN)
    made = table("run", *numbers, numbers=numbers)
    made.padding = (0, 0, 1, 0)  # so that a screen of 80 columns holds it
    for each in found:
        cells = []
        for key, _, numeraire in _SHOWN:
            metric = METRIC[key]
            value = each.metrics.get(metric.stored(numeraire))
            cells.append(metric_text(metric.unit, numeraire, value))
        made.add_row("\n".join(_lines(each.summary)), *cells)
    return made


def _lines(summary: RunSummary) -> list[str]:
    """What a run was: its id, rule, period, and what was noted or went wrong."""
    style = summary.exit_styles[0] if summary.exit_styles else "no exit style"
    return [
        summary.run_id,
        f"{summary.strategy_id}, {style}",
        f"{figures.day(summary.start)} to {figures.day(summary.end)}, {summary.status}",
        *(text for text in (summary.error, summary.notes) if text),
    ]


async def _listed(settings: Settings, coin: str | None, last: int) -> tuple[ListedRun, ...]:
    async with open_runs(settings) as runs:
        summaries = await runs.summaries(underlying=coin, limit=last)
        found = []
        for summary in summaries:
            by_style = await runs.metrics(summary.run_id)
            metrics = next(iter(by_style.values()), {})
            found.append(ListedRun(summary=summary, metrics=metrics))
        return tuple(found)
