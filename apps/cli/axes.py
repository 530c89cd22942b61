"""Axes of heatmaps as they are typed: a name, or NAME=START:STEP:POINTS."""

from typing import Annotated, TypeAlias

import typer
from attrs import frozen

from apps.cli.book_view import end
from apps.cli.exits import ExitCode
from core.analysis.threshold_grid import GridAxis

XAxis: TypeAlias = Annotated[
    str, typer.Option("--x", metavar="NAME=START:STEP:POINTS", help="Across.")
]
YAxis: TypeAlias = Annotated[
    str, typer.Option("--y", metavar="NAME=START:STEP:POINTS", help="Upwards.")
]


@frozen
class Axis:
    """What is along an axis, and its steps where they are given."""

    name: str
    grid: GridAxis | None


def axis_asked(text: str) -> Axis:
    """The axis that *text* means; ends with MISUSE where it means none."""
    name, is_given, steps = text.partition("=")
    if not is_given:
        return Axis(name, None)
    try:
        start, step, points = steps.split(":")
        grid = GridAxis(name=name, start=float(start), step=float(step), points=int(points))
    except ValueError as error:
        end(f"{text}: NAME=START:STEP:POINTS is wanted: {error}", ExitCode.MISUSE)
    if not grid.step > 0.0:
        end(f"{text}: a step above zero is wanted", ExitCode.MISUSE)
    return Axis(name, grid)


def grid_asked(text: str) -> GridAxis:
    """The same with steps, without which it is misuse."""
    axis = axis_asked(text)
    if axis.grid is None:
        end(f"{text}: NAME=START:STEP:POINTS is wanted", ExitCode.MISUSE)
    return axis.grid
