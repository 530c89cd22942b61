"""A measured figure beside what was asked of it."""

from collections.abc import Iterable
from enum import StrEnum
from math import isnan

from attrs import frozen
from rich.table import Table


class Bound(StrEnum):
    """On which side of its target a figure should be."""

    AT_LEAST = ">="
    AT_MOST = "<="


@frozen
class Figure:
    """One figure; NaN was not measured."""

    part: str
    name: str
    value: float
    bound: Bound
    target: float

    @property
    def verdict(self) -> str:
        """Whether the target is met."""
        if isnan(self.value):
            return "not measured"
        if self.bound is Bound.AT_LEAST:
            return "met" if self.value >= self.target else "missed"
        return "met" if self.value <= self.target else "missed"


def figures_table(figures: Iterable[Figure]) -> Table:
    """All *figures*, a row each."""
    table = Table(title="Measured and asked")
    for column in ("part", "figure", "measured", "asked", ""):
        table.add_column(column, justify="right" if column in ("measured", "asked") else "left")
    for each in figures:
        measured = "" if isnan(each.value) else f"{each.value:.4g}"
        asked = f"{each.bound} {each.target:g}"
        table.add_row(each.part, each.name, measured, asked, each.verdict)
    return table
