"""`options-agent backtest show`: one stored run, as tables, JSON, or a page with charts."""

from pathlib import Path
from typing import Annotated

import typer

from apps.cli.backtest_page import page
from apps.cli.backtest_report import record, report
from apps.cli.backtest_stored import ExitStyle, RunId, loaded_run, result_of
from apps.cli.console import mode_line, output, show_json
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.cli.output_file import write_out
from core.backtest.metrics_tables import Period


def command(
    run_id: RunId = "latest",
    style: ExitStyle = None,
    breakdown: Annotated[
        Period, typer.Option(help="How the periodic table cuts the run.")
    ] = Period.MONTH,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with charts, for a browser.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    One stored backtest: trades by group, TradingView's figures, marked equity, inference.

    Behind a figure in brackets stand the bounds of its 90 % bootstrap interval. A dash is what is
    not defined. Coin and USD stand side by side.
    """
    settings = settings_from(config, overrides).settings
    run = loaded_run(settings, run_id)
    result = result_of(run, style)
    if html is not None:
        write_out(html, page(run, result, mode_line(settings)))
    elif as_json:
        show_json(record(run, result, mode_line(settings)))
    else:
        screen = output()
        for part in report(run, result, mode_line(settings), breakdown):
            screen.print(part)
