"""The leak check: nothing that was known only after a decision may be told before it."""

from collections.abc import Iterable, Iterator

import numpy as np
from attrs import frozen

from core.training.corpus import PARTS, Example
from core.training.prompts import JUDGE_ONE, RANK_ALL, flaws_of
from core.training.schema import (
    COLUMNS,
    FEATURES,
    OUTCOMES,
    Cells,
    Kind,
    Split,
    Table,
)
from core.training.splits import known_latest_ms
from ports.checks import from_epoch_ms
from ports.columns import Bools

_ENOUGH = 20  # rows: fewer that are equal may be so by chance


@frozen
class Leak:
    """Where something is told too early, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def table_leaks(table: Table) -> tuple[Leak, ...]:
    """
    What is wrong with *table*: features without a stamp or stamped after their decision,
    outcomes among them, and parts that overlap. Empty if it is clean.
    """
    shape = tuple(_shape(table))
    if shape:
        return shape
    return (*_late(table), *_early_outcomes(table), *_repeated(table), *_overlaps(table))


def prompt_leaks(name: str, examples: Iterable[Example]) -> tuple[Leak, ...]:
    """What the prompts of the corpus *name* say that is no feature, each example's first flaw."""
    found = []
    for number, example in enumerate(examples, start=1):
        where = f"{name}, example {number}"
        if example.system not in (JUDGE_ONE, RANK_ALL):
            found.append(Leak(where, "the system message is not one of ours"))
        found += [Leak(where, f"{flaw.text!r} {flaw.why}") for flaw in flaws_of(example.user)][:1]
    return tuple(found)


def _shape(table: Table) -> Iterator[Leak]:
    names = {column.name for column in COLUMNS}
    for name in table.columns:
        if name not in names:
            yield Leak(name, "is no column of the schema: nobody says when it was known")
    for name in names - set(table.columns):
        yield Leak(name, "is missing")


def _late(table: Table) -> Iterator[Leak]:
    """Features that are known though their source is of later, or there is none."""
    decided = table["decision_ms"]
    for column in FEATURES:
        stamp, is_known = table[column.stamp], _known(table[column.name])
        late = is_known & (stamp > decided)
        if late.any():
            row = int(np.argmax(late))
            yield Leak(
                column.name,
                f"known at {from_epoch_ms(int(stamp[row])):%Y-%m-%dT%H:%M:%S.%f} by "
                f"{column.stamp}, the decision was at {table['decision_time'][row]} "
                f"({int(late.sum())} rows)",
            )
        unsaid = is_known & (stamp <= 0)
        if unsaid.any():
            yield Leak(column.name, f"has no stamp in {int(unsaid.sum())} rows")


def _early_outcomes(table: Table) -> Iterator[Leak]:
    for name in ("outcome_filled_ms", "outcome_known_ms"):
        told = table[name]
        early = (told != 0) & (told < table["decision_ms"])
        if early.any():
            yield Leak(name, f"lies before the decision in {int(early.sum())} rows")


def _repeated(table: Table) -> Iterator[Leak]:
    """Features that are an outcome under another name."""
    for feature in FEATURES:
        for outcome in OUTCOMES:
            if Kind.NUMBER in (feature.kind, outcome.kind) and feature.kind is outcome.kind:
                ours, theirs = table[feature.name], table[outcome.name]
                both = _known(ours) & _known(theirs)
                if both.sum() >= _ENOUGH and (ours[both] == theirs[both]).all():
                    yield Leak(feature.name, f"repeats {outcome.name}")


def _overlaps(table: Table) -> Iterator[Leak]:
    """Parts whose outcomes reach into a later part."""
    decided, known = table["decision_ms"], known_latest_ms(table)
    for earlier, later in ((Split.TRAIN, Split.VALID), (Split.VALID, Split.TEST)):
        before = table["split"] == earlier.value
        after = np.isin(table["split"], [part.value for part in PARTS[PARTS.index(later) :]])
        if before.any() and after.any() and (known[before] >= decided[after].min()).any():
            yield Leak("split", f"outcomes of {earlier} are known only when {later} has begun")


def _known(cells: Cells) -> Bools:
    if cells.dtype.kind == "U":
        return np.asarray(cells != "")
    return np.asarray(np.isfinite(cells))
