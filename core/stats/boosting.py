"""A small classifier of columns: boosted trees of two levels, and the area under its curve."""

import numpy as np
from attrs import field, frozen

from ports.columns import Bools, Floats, Ints

_TREES, _RATE = 100, 0.1
_LEAST_LEAF = 20  # rows
_RIDGE = 1.0  # of a leaf's value


@frozen(eq=False)
class _Split:
    """A question to one figure of a row."""

    figure: int
    threshold: float
    gain: float

    def is_low(self, rows: Floats) -> Bools:
        low: Bools = rows[:, self.figure] <= self.threshold
        return low


@frozen(eq=False)
class _Tree:
    """One question, another on either side of it, and four values, (4,)."""

    root: _Split
    sides: tuple[_Split | None, _Split | None]
    values: Floats

    def leaf(self, rows: Floats) -> Ints:
        low = self.root.is_low(rows)
        leaf = np.where(low, 0, 2)
        for at, split in enumerate(self.sides):
            if split is not None:
                leaf += (low if at == 0 else ~low) & ~split.is_low(rows)
        return leaf


@frozen(eq=False)
class BoostedTrees:
    """A classifier of rows of figures."""

    base: float
    trees: tuple[_Tree, ...] = field(repr=False)

    def score(self, rows: Floats) -> Floats:
        """Return the logarithm of the odds that each of *rows*, (n, d), is of the class, (n,)."""
        score = np.full(len(rows), self.base)
        for tree in self.trees:
            score += _RATE * tree.values[tree.leaf(rows)]
        return score


def boosted(rows: Floats, is_class: Bools, weight: Floats) -> BoostedTrees:
    """
    Return a hundred trees of two levels, learned at a rate of 0.1 from *rows*, (n, d).

    Source: J. Friedman (2001), Greedy function approximation: a gradient boosting machine,
        Annals of Statistics 29(5), with leaves by one Newton step of the logistic loss.

    Raises:
        ValueError: All rows are of one class.
    """
    if is_class.all() or not is_class.any():
        raise ValueError("there is nothing to tell apart in rows of one class")
    share = float(np.sum(weight[is_class]) / np.sum(weight))
    base = float(np.log(share / (1.0 - share)))
    score = np.full(len(rows), base)
    trees: list[_Tree] = []
    for _ in range(_TREES):
        chance = 1.0 / (1.0 + np.exp(-score))
        slope, curve = weight * (is_class - chance), weight * chance * (1.0 - chance)
        tree = _grown(rows, slope, curve)
        if tree is None:
            break
        trees.append(tree)
        score += _RATE * tree.values[tree.leaf(rows)]
    return BoostedTrees(base, tuple(trees))


def area_under_curve(score: Floats, is_class: Bools) -> float:
    """
    Return the chance that a row of the class scores above one that is not; ties count half.

    NaN where either is missing. Source: J. Hanley, B. McNeil (1982), Radiology 143.
    """
    _, at, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - 0.5 * (counts - 1))[at]
    positives = int(is_class.sum())
    negatives = len(is_class) - positives
    if not positives or not negatives:
        return float("nan")
    above = float(rank[is_class].sum()) - 0.5 * positives * (positives + 1)
    return above / (positives * negatives)


def _grown(rows: Floats, slope: Floats, curve: Floats) -> _Tree | None:
    root = _best_split(rows, slope, curve)
    if root is None:
        return None
    low = root.is_low(rows)
    sides = (
        _best_split(rows[low], slope[low], curve[low]),
        _best_split(rows[~low], slope[~low], curve[~low]),
    )
    leaf = _Tree(root, sides, np.zeros(4)).leaf(rows)
    summed = np.bincount(leaf, weights=slope, minlength=4)
    curved = np.bincount(leaf, weights=curve, minlength=4)
    return _Tree(root, sides, summed / (curved + _RIDGE))


def _best_split(rows: Floats, slope: Floats, curve: Floats) -> _Split | None:
    """The question that gains most, leaving at least twenty rows on either side."""
    best: _Split | None = None
    count = len(rows)
    if count < 2 * _LEAST_LEAF:
        return None
    total_slope, total_curve = slope.sum(), curve.sum()
    for figure in range(rows.shape[1]):
        order = np.argsort(rows[:, figure], kind="stable")
        values = rows[order, figure]
        low_slope, low_curve = np.cumsum(slope[order])[:-1], np.cumsum(curve[order])[:-1]
        gain = low_slope**2 / (low_curve + _RIDGE) + (total_slope - low_slope) ** 2 / (
            total_curve - low_curve + _RIDGE
        )
        gain[values[1:] <= values[:-1]] = -np.inf
        gain[: _LEAST_LEAF - 1] = -np.inf
        gain[count - _LEAST_LEAF :] = -np.inf
        at = int(np.argmax(gain))
        if np.isfinite(gain[at]) and (best is None or gain[at] > best.gain):
            best = _Split(figure, 0.5 * float(values[at] + values[at + 1]), float(gain[at]))
    return best
