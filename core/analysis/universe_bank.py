"""A bank of an invented market's paths, and the figures they show together."""

from collections.abc import Sequence

import numpy as np
from attrs import field, frozen

from core.analysis.universe_bands import Band
from core.analysis.universe_series import invented_series
from core.analysis.universe_statistics import statistics
from core.analysis.universe_windows import windows_of
from core.simulation.universe.params import CoinUniverse, UniverseParams
from core.simulation.universe.paths import coin_path
from ports.columns import Floats

WINDOW_SHARES = (0.15, 0.5, 0.85)  # the quantiles of the windows that are looked at
_WINDOW_STEP = 30  # days from window to window
_BLUR = 0.3  # of the quartile range of the paths, to both sides of an edge
_ALIKE = 1e-9  # paths that differ by less have one figure


@frozen(kw_only=True)
class Bank:
    """Fixed paths: trials on the same bank differ by their figures and not by chance."""

    seed: int
    paths: int
    days: int


@frozen(eq=False)
class BankPart:
    """Some of a bank's paths: a row of figures each, (paths, bands), and windows, (n, 18)."""

    figures: Floats = field(repr=False)
    windows: Floats = field(repr=False)


def bank_part(
    coin: CoinUniverse, wanted: Sequence[Band], bank: Bank, first: int, count: int
) -> BankPart:
    """Return what *count* paths of *coin* show, from the path *first* of *bank* on."""
    universe = UniverseParams(coins=(coin,))
    rows, windows = [], []
    for path in range(first, first + count):
        series = invented_series(
            coin, coin_path(universe, coin.underlying, bank.seed, path, bank.days)
        )
        found = statistics(series)
        rows.append([found[band.name] for band in wanted])
        windows.append(windows_of(series, _WINDOW_STEP).features)
    return BankPart(np.array(rows), np.concatenate(windows))


def bank_figures(wanted: Sequence[Band], parts: Sequence[BankPart]) -> Floats:
    """
    Return what all *parts* of a bank, in their order, show together.

    For each band the middle of the paths; for each the share of them outside its outer band; then
    quantiles of the features of thirty-day windows.
    """
    columns = np.concatenate([part.figures for part in parts]).T
    windows = np.concatenate([part.windows for part in parts])
    return np.concatenate(
        [
            [_middle(column) for column in columns],
            [outside(band, column) for band, column in zip(wanted, columns, strict=True)],
            np.quantile(windows, WINDOW_SHARES, axis=0).ravel(),
        ]
    )


def outside(band: Band, values: Floats) -> float:
    """
    Return the share of paths, *values* (n,), outside the outer band or without the figure.

    Those near an edge count in part: the few next to it would else decide by chance.
    """
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, [0.25, 0.75])
    reach = max(_BLUR * float(high - low), _ALIKE)
    below, above = band.outer[0] - known, known - band.outer[1]
    shares = sum(np.clip(0.5 + 0.5 * beyond / reach, 0.0, 1.0) for beyond in (below, above))
    return float(1.0 - (len(known) - np.sum(shares)) / len(values))


def _middle(values: Floats) -> float:
    """The mean of the middle third: a median that moves smoothly."""
    known = np.sort(values[np.isfinite(values)])
    third = len(known) // 3
    return float(np.mean(known[third : len(known) - third]))
