"""`options-agent scan`: how often Greg's strategies pass and are chosen."""

from typing import Annotated

import typer

from apps.cli.axes import XAxis, YAxis, grid_asked
from apps.cli.book_view import end
from apps.cli.console import mode_line, show_json, show_text
from apps.cli.exits import ExitCode
from apps.cli.group import command_group
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.cli.output_file import write_if_asked
from apps.cli.scan_options import (
    Coins,
    CsvFile,
    HtmlFile,
    MarkdownFile,
    Thresholds,
    rules_asked,
    strategy_named,
)
from apps.cli.scan_page import frequency_page, grid_page
from apps.cli.scan_views import (
    frequency_csv,
    frequency_markdown,
    frequency_record,
    grid_csv,
    grid_record,
    show_frequency,
    show_grid,
)
from apps.cli.sensor_source import Horizon, Interval, Paths, Seed, Source, SourceChoice
from apps.cli.sweep_run import Cluster, Fresh, SweepChoice, Workers, compute
from core.usecases.scan import GridPlan, frequency, grid, grid_sweep, selection_sweep

app = command_group("How often Greg's strategies pass, and how often the waterfall chooses them.")


@app.command("frequency")
def frequency_command(
    coins: Coins = None,
    source: Source = "universe",
    paths: Paths = 200,
    horizon: Horizon = 365,
    interval: Interval = 1,
    seed: Seed = 7,
    thresholds: Thresholds = None,
    csv_file: CsvFile = None,
    html_file: HtmlFile = None,
    markdown_file: MarkdownFile = None,
    workers: Workers = None,
    cluster: Cluster = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Count where all criteria of each strategy hold, and what the waterfall chooses.

    The rules are those that decide live. Bands hold nine tenths of the paths; Wilson's bounds
    take days for independent, which they are not.
    """
    settings = settings_from(config, overrides).settings
    rules = rules_asked(settings, thresholds)
    choice = SourceChoice(
        source=source, paths=paths, horizon_days=horizon, interval_days=interval, seed=seed
    )
    wanted = tuple(coins or settings.venue.underlyings)
    series = [choice.series(coin) for coin in wanted]
    sweep = selection_sweep(series, rules, choice.origin(wanted))
    outcome = compute(settings, sweep, SweepChoice(workers=workers, cluster=cluster, fresh=fresh))
    if outcome.failures:
        end("without all cells there is no scan; the others are kept", ExitCode.FAILED)
    scans = [frequency(each, rules, outcome.values()) for each in series]
    head = f"rules {rules.version} | {choice}, every {interval} d"
    if as_json:
        show_json({"source": str(choice), "scans": [frequency_record(each) for each in scans]})
    else:
        show_text(f"{mode_line(settings)} | {head}")
        for each in scans:
            show_frequency(each)
    write_if_asked(csv_file, lambda: frequency_csv(scans))
    write_if_asked(markdown_file, lambda: frequency_markdown(head, scans))
    write_if_asked(html_file, lambda: frequency_page(head, scans))


@app.command()
def heatmap(
    strategy: Annotated[str, typer.Argument(metavar="STRATEGY", help="A_STRADDLE, or its code.")],
    coin: Annotated[str, typer.Option("--coin", metavar="COIN")] = "BTC",
    x: XAxis = "vrp_30d_min=5:5:5",
    y: YAxis = "adx_14d_max=15:5:5",
    source: Source = "universe",
    paths: Paths = 50,
    horizon: Horizon = 180,
    interval: Interval = 1,
    seed: Seed = 7,
    thresholds: Thresholds = None,
    csv_file: CsvFile = None,
    html_file: HtmlFile = None,
    workers: Workers = None,
    cluster: Cluster = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    One strategy over a grid of two of its thresholds: how often it passes, and is chosen.

    A threshold is a key of the rules, or a sensor with _min, _max or _abs_max. Paths are made
    once; every cell of the grid judges the same ones.
    """
    settings = settings_from(config, overrides).settings
    rules, code = rules_asked(settings, thresholds), strategy_named(strategy)
    choice = SourceChoice(
        source=source, paths=paths, horizon_days=horizon, interval_days=interval, seed=seed
    )
    try:
        plan = GridPlan(code=code, x=grid_asked(x), y=grid_asked(y))
    except ValueError as error:
        end(str(error), ExitCode.MISUSE)
    sweep = grid_sweep(choice.series(coin), plan, rules, choice.origin((coin,)))
    outcome = compute(settings, sweep, SweepChoice(workers=workers, cluster=cluster, fresh=fresh))
    if outcome.failures:
        end("without all cells there is no map; the others are kept", ExitCode.FAILED)
    found = grid(plan, outcome.values())
    head = f"{coin} {code} | rules {rules.version} | {choice}, every {interval} d"
    if as_json:
        show_json({"underlying": coin, "source": str(choice), **grid_record(found)})
    else:
        show_text(f"{mode_line(settings)} | {head}")
        show_grid(found)
    write_if_asked(csv_file, lambda: grid_csv(found))
    write_if_asked(html_file, lambda: grid_page(head, found))
