"""Training and test rows in time order, without outcomes that reach from one into the other."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from attrs import frozen

from ports.columns import Bools, Ints


@frozen(eq=False)
class Split:
    """Rows to fit on and rows to judge by, (n,) each; rows in neither touch the other side."""

    train: Bools
    test: Bools


def walk_forward(
    decided_at_ms: Ints,
    known_at_ms: Ints,
    *,
    train_ms: int | None,
    test_ms: int,
    embargo_ms: int,
) -> Iterator[Split]:
    """
    Yield one split a test period of *test_ms*, each after its training.

    Columns (n,), oldest first: when each row was decided and when its outcome was known.
    Training is the *train_ms* before the embargo, all of it if None; outcomes known only in
    the test period are purged. The first test begins a training period after the first row,
    *test_ms* after it if training expands.
    """
    first, last = int(decided_at_ms[0]), int(decided_at_ms[-1])
    start = first + (test_ms if train_ms is None else train_ms) + embargo_ms
    while start <= last:
        test = (decided_at_ms >= start) & (decided_at_ms < start + test_ms)
        end = start - embargo_ms
        train = (decided_at_ms < end) & (known_at_ms < start)
        if train_ms is not None:
            train &= decided_at_ms >= end - train_ms
        if test.any() and train.any():
            yield Split(train, test)
        start += test_ms


def combinatorial_purged(
    decided_at_ms: Ints, known_at_ms: Ints, *, groups: int = 8, tested: int = 2, embargo_ms: int
) -> Iterator[Split]:
    """
    Yield every choice of *tested* among *groups* of rows as the test, the rest as training.

    A training row is purged where its span from decision to outcome touches a test group, or
    begins within *embargo_ms* after one. Source: Lopez de Prado (2018), chapter 12.
    """
    parts = np.array_split(np.arange(len(decided_at_ms)), groups)
    for chosen in combinations(range(groups), tested):
        test = np.zeros(len(decided_at_ms), dtype=np.bool_)
        train = np.ones(len(decided_at_ms), dtype=np.bool_)
        for group in chosen:
            rows = parts[group]
            test[rows] = True
            begin, end = decided_at_ms[rows[0]], known_at_ms[rows].max()
            train &= (known_at_ms < begin) | (decided_at_ms > end + embargo_ms)
        yield Split(train & ~test, test)
