"""Whether the best of many trials would have been good on data it was not chosen by."""

from itertools import combinations

import numpy as np
from attrs import frozen

from ports.columns import Floats

BLOCKS = 16
_LEAST_ROWS = 4  # of a block: fewer have no Sharpe ratio to speak of


@frozen(eq=False)
class Overfitting:
    """
    What combinatorially symmetric cross-validation says.

    *probability* that the best in sample is below the median out of sample; *logits* of its
    rank, one a split; *slope* of out of sample on in sample ratios; *loss_probability* that
    the best in sample loses out of sample.
    """

    probability: float
    logits: Floats
    slope: float
    loss_probability: float


def backtest_overfitting(returns: Floats, blocks: int = BLOCKS) -> Overfitting:
    """
    Return how far choosing the best Sharpe ratio among the columns of *returns* (n, m) overfits.

    Rows in time order, cut into *blocks* of equal length (an odd rest at the start is left
    out); each half of them chooses, the other judges. Source: Bailey, Borwein, Lopez de Prado
    and Zhu (2017).

    Raises:
        ValueError: Fewer than two trials, an odd number of blocks, or blocks too short.
    """
    rows, trials = returns.shape
    size = rows // blocks
    if trials < 2 or blocks % 2 or size < _LEAST_ROWS:
        raise ValueError(f"cannot cut {rows} rows of {trials} trials into {blocks} blocks")
    cut = returns[rows - size * blocks :].reshape(blocks, size, trials)
    sums, squares = cut.sum(axis=1), (cut**2).sum(axis=1)
    chosen = np.array(list(combinations(range(blocks), blocks // 2)))
    is_in = np.zeros((len(chosen), blocks))
    np.put_along_axis(is_in, chosen, 1.0, axis=1)
    half = size * blocks // 2
    inside = _ratios(is_in @ sums, is_in @ squares, half)
    outside = _ratios((1.0 - is_in) @ sums, (1.0 - is_in) @ squares, half)
    splits, best = np.arange(len(chosen)), np.argmax(inside, axis=1)
    judged = outside[splits, best]
    rank = (outside <= judged[:, None]).sum(axis=1) / (trials + 1)
    logits = np.log(rank / (1.0 - rank))
    slope = float(np.polyfit(inside[splits, best], judged, 1)[0])
    return Overfitting(
        probability=float(np.mean(logits <= 0.0)),
        logits=logits,
        slope=slope,
        loss_probability=float(np.mean(judged < 0.0)),
    )


def _ratios(sums: Floats, squares: Floats, count: int) -> Floats:
    """The Sharpe ratio of *count* returns by their sums and squares; zero where none vary."""
    mean = sums / count
    variance = np.maximum(squares / count - mean**2, 0.0)
    spread = np.sqrt(variance)
    ratios: Floats = np.divide(mean, spread, out=np.zeros_like(mean), where=spread > 1e-15)
    return ratios
