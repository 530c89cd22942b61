"""Training, validation and test by time, with nothing that reaches from one into the next."""

from math import inf, isfinite

import numpy as np
from attrs import field, frozen

from core.training.rows import UNKNOWN_YET, groups_of
from core.training.schema import Cells, Split, Table
from ports.checks import not_negative

_DAY_MS = 86_400_000


@frozen(kw_only=True)
class SplitParams:
    """Shares of the decisions, oldest first; the rest is the test. The embargo is in days."""

    train: float = field(default=0.60)
    valid: float = field(default=0.20)
    embargo_days: float = field(default=21.0, validator=not_negative)

    def __attrs_post_init__(self) -> None:
        if not (self.train > 0.0 and self.valid > 0.0 and self.train + self.valid < 1.0):
            raise ValueError(f"shares must leave some for each part: {self.train}, {self.valid}")


@frozen
class Boundaries:
    """When validation and test begin, ms from 1970, and the embargo before each, ms."""

    valid_ms: float
    test_ms: float
    embargo_ms: float

    @property
    def is_split(self) -> bool:
        """Whether there is more than one part."""
        return isfinite(self.valid_ms)


NOT_SPLIT = Boundaries(inf, inf, 0.0)


def split_by_time(table: Table, params: SplitParams) -> tuple[Table, Boundaries]:
    """
    *table* with its split column, and where the parts begin; all of it is training where the
    time is too short for three parts.

    A decision is of no part if it lies within the embargo before the next one, or if any of its
    outcomes was known only there.
    """
    decided = np.unique(table["decision_ms"])
    starts = [int(share * len(decided)) for share in (params.train, params.train + params.valid)]
    if starts[-1] >= len(decided):
        return table, NOT_SPLIT
    valid_ms, test_ms = (float(decided[start]) for start in starts)
    found = Boundaries(valid_ms, test_ms, params.embargo_days * _DAY_MS)
    split = _parts(table, found)
    if not set(Split) - {Split.EMBARGO} <= set(split.tolist()):
        return table, NOT_SPLIT
    return table.having(split=split), found


def known_latest_ms(table: Table) -> Cells:
    """When the last outcome of each row's decision was known, (n,); infinite where one is open."""
    known = table["outcome_known_ms"].astype(np.float64)
    known[np.isin(table["outcome_status"], UNKNOWN_YET)] = inf
    for rows in groups_of(table):
        known[rows] = known[rows].max()
    return known


def _parts(table: Table, found: Boundaries) -> Cells:
    """The part that each row is of, (n,)."""
    at_ms, known_ms = table["decision_ms"], known_latest_ms(table)
    parts = np.where(at_ms < found.valid_ms, Split.TRAIN.value, Split.VALID.value)
    parts = np.where(at_ms >= found.test_ms, Split.TEST.value, parts)
    reaches = np.zeros(len(table), dtype=np.bool_)
    for start in (found.valid_ms, found.test_ms):
        reaches |= (at_ms < start) & ((at_ms >= start - found.embargo_ms) | (known_ms >= start))
    return np.where(reaches, Split.EMBARGO.value, parts)
