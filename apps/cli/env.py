"""`options-agent env`: where the market spends its time, and where strategies pass."""

from typing import Annotated

import numpy as np
import typer

from apps.cli.axes import Axis, XAxis, YAxis, axis_asked
from apps.cli.book_view import end
from apps.cli.console import mode_line, show_json, show_text
from apps.cli.env_views import (
    map_csv,
    map_page,
    map_record,
    show_map,
    show_spots,
    spot_record,
    spots_csv,
    spots_markdown,
)
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
)
from apps.cli.sensor_source import Horizon, Interval, Paths, Seed, Source, SourceChoice
from core.analysis.occupancy import (
    PAIRS,
    Bins,
    SpotParams,
    SweetSpot,
    bins_over,
    occupancy,
    strategy_map,
    sweet_spots,
)
from core.analysis.scan import TRADED, passes
from core.analysis.sensor_series import SensorSeries
from core.context.sensors import SENSORS
from core.greg.thresholds import EntryThresholds

app = command_group(
    "Where the market spends its time across two sensors, and where strategies pass."
)

_Bins = Annotated[int, typer.Option("--bins", min=2, max=20, help="Cells along an axis.")]


@app.command()
def heatmap(
    coin: Annotated[str, typer.Option("--coin", metavar="COIN")] = "BTC",
    x: XAxis = "vrp_30d",
    y: YAxis = "adx_14d",
    bins: _Bins = 10,
    smooth: Annotated[
        int, typer.Option("--smooth", min=0, max=8, help="Average cells with their neighbours.")
    ] = 0,
    source: Source = "universe",
    paths: Paths = 200,
    horizon: Horizon = 365,
    interval: Interval = 1,
    seed: Seed = 7,
    csv_file: CsvFile = None,
    html_file: HtmlFile = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    How often the market was in each cell of two sensors; no rule is involved.

    Percent is of the steps inside; what is outside or unknown is told beside it. An axis that is
    a sensor alone goes over all the data and a margin, in --bins cells. --smooth N averages each
    cell N times with its neighbours, for maps of few steps; counts stay as they are.
    """
    settings = settings_from(config, overrides).settings
    choice = SourceChoice(
        source=source, paths=paths, horizon_days=horizon, interval_days=interval, seed=seed
    )
    try:
        axes = _of_sensor(axis_asked(x)), _of_sensor(axis_asked(y))
        series = choice.series(coin)
        across, up = (_cells(series, axis, bins) for axis in axes)
    except ValueError as error:
        end(str(error), ExitCode.MISUSE)
    found = occupancy(series, across, up)
    head = f"{choice}, every {interval} d"
    if as_json:
        show_json({"source": str(choice), **map_record(found, smooth)})
    else:
        show_text(f"{mode_line(settings)} | {head}")
        show_map(found, smooth)
    write_if_asked(csv_file, lambda: map_csv(found, smooth))
    write_if_asked(html_file, lambda: map_page(head, found, smooth))


@app.command()
def sweetspots(
    coins: Coins = None,
    source: Source = "universe",
    paths: Paths = 200,
    horizon: Horizon = 365,
    interval: Interval = 1,
    seed: Seed = 7,
    bins: _Bins = 10,
    least_count: Annotated[
        int, typer.Option("--least-count", min=1, help="Fewer steps say nothing of a share.")
    ] = 20,
    thresholds: Thresholds = None,
    csv_file: CsvFile = None,
    markdown_file: MarkdownFile = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    The best cells of every pair of sensors: visited often, and a strategy passes there often.

    The five best of each coin, pair and strategy. Passing is not earning: without a P&L column
    in the source a spot says where to look, no more.
    """
    settings = settings_from(config, overrides).settings
    limits = rules_asked(settings, thresholds).thresholds
    choice = SourceChoice(
        source=source, paths=paths, horizon_days=horizon, interval_days=interval, seed=seed
    )
    params = SpotParams(least_count=least_count)
    spots = [
        spot
        for coin in coins or settings.venue.underlyings
        for spot in _spots(choice.series(coin), limits, bins, params)
    ]
    head = f"{choice}, every {interval} d, {bins} x {bins} cells"
    if as_json:
        show_json({"source": str(choice), "sweetspots": [spot_record(spot) for spot in spots]})
    else:
        show_text(f"{mode_line(settings)} | {head}")
        show_spots(spots)
    write_if_asked(csv_file, lambda: spots_csv(spots))
    write_if_asked(markdown_file, lambda: spots_markdown(head, spots))


def _of_sensor(axis: Axis) -> Axis:
    """
    Return *axis* if it is of a sensor.

    Raises:
        ValueError: It is not.
    """
    if axis.name not in SENSORS:
        raise ValueError(f"{axis.name} is no sensor; there are {', '.join(SENSORS)}")
    return axis


def _cells(series: SensorSeries, axis: Axis, bins: int) -> Bins:
    """
    The cells of *axis* on *series*.

    Raises:
        ValueError: The sensor is never known.
    """
    if axis.grid is None:
        return bins_over(series, axis.name, bins)
    end_of_last = axis.grid.start + axis.grid.step * axis.grid.points
    return Bins(axis.name, np.append(axis.grid.values, end_of_last))


def _spots(
    series: SensorSeries, limits: EntryThresholds, bins: int, params: SpotParams
) -> list[SweetSpot]:
    held = passes(series, limits)
    found: list[SweetSpot] = []
    for x, y in PAIRS:
        if {x, y} & set(series.missing):
            continue  # the table names what was never known
        where = occupancy(series, bins_over(series, x, bins), bins_over(series, y, bins))
        for code in TRADED:
            of = strategy_map(where, code, held[code], series.pnl.get(code))
            found += sweet_spots(of, params)
    return found
