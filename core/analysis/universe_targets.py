"""What an invented market is fitted to, and how far the figures of its bank of paths miss it."""

from collections.abc import Mapping

import numpy as np
from attrs import field, frozen

from core.analysis.universe_bands import Band, bands
from core.analysis.universe_bank import WINDOW_SHARES
from core.analysis.universe_series import MarketHistory, recorded_series, recorded_statistics
from core.analysis.universe_windows import Windows, windows_of
from ports.columns import Floats, Ints

# Figures of the surface, measured on the chains of January to May 2026: what an invented market
# is held to where a history has no chains of its own.
SMILE_TARGETS: Mapping[str, Mapping[str, float]] = {
    "BTC": {
        "inverted_7_30": 0.46,
        "inverted_30_90": 0.28,
        "damping": -0.48,
        "first_component": 0.96,
        "rr_mean": -5.7,
        "rr_sd": 2.4,
        "rr_acf": 0.78,
        "rr_spot": 0.74,
        "bf_mean": 0.94,
        "bf_sd": 0.37,
    },
    "ETH": {
        "inverted_7_30": 0.27,
        "inverted_30_90": 0.24,
        "damping": -0.63,
        "first_component": 0.96,
        "rr_mean": -4.3,
        "rr_sd": 2.2,
        "rr_acf": 0.86,
        "rr_spot": 0.70,
        "bf_mean": 1.42,
        "bf_sd": 0.35,
    },
}
_FEWEST_SMILES = 60  # days
_REAL_STEP = 5  # days from window to window of a recording

# How much a miss weighs. A median in the middle of its inner band costs nothing but what it is
# from history; a seed moves it by 0.03 to 0.12 of the way to the edge, so it costs more from 0.85
# on. So does a figure of which more than a tenth of the paths lie outside: the battery takes a
# fifth, of 200 paths, and a seed moves that by 0.025.
_FROM_HISTORY, _NEAR_EDGE, _OUTSIDE = 0.4, 12.0, 100.0
_ROOM = 0.85
_LOST = 0.1
_WINDOW_WEIGHTS = (1.5, 3.0, 1.5)  # in quartile ranges of the real windows


@frozen(kw_only=True, eq=False)
class Misses:
    """
    Misses, (m,), that are linear in one figure of a bank each, down to a floor:

        max(floor, weight × figures[figure] - offset)
    """

    figure: Ints = field(repr=False)
    weight: Floats = field(repr=False)
    offset: Floats = field(repr=False)
    floor: Floats = field(repr=False)

    def linear(self, figures: Floats) -> Floats:
        """Return what the misses of *figures* are without their floors."""
        values: Floats = self.weight * figures[self.figure] - self.offset
        return values

    def total(self, figures: Floats) -> float:
        """Return the sum of their squares."""
        values = np.maximum(self.floor, self.linear(figures))
        return float(values @ values)


@frozen(kw_only=True, eq=False)
class FitTargets:
    """The bands of a coin, and the misses of the figures of a bank in their order."""

    bands: tuple[Band, ...]
    misses: Misses


def targets_of(history: MarketHistory) -> FitTargets:
    """
    Return what an invented market of the coin should show.

    The figure of *history*, brought to the inner half of its band: one history is one draw, and
    the bands know of others. The smile comes from history where sixty days of it are known.

    Raises:
        ValueError: There are no bands for the coin.
    """
    own = dict(recorded_statistics(history))
    smiles = history.smiles
    if smiles is None or len(smiles.at_ms) < _FEWEST_SMILES:
        own.update(SMILE_TARGETS[history.underlying])
    wanted = bands(history.underlying)
    centre, reach = np.array([[band.centre, band.reach] for band in wanted]).T
    values = np.clip(
        [own[band.name] for band in wanted], centre - 0.5 * reach, centre + 0.5 * reach
    )
    real = windows_of(recorded_series(history), _REAL_STEP)
    return FitTargets(bands=wanted, misses=_misses(centre, reach, values, real))


def _misses(centre: Floats, reach: Floats, values: Floats, real: Windows) -> Misses:
    """From history a little; beyond the room on either side, and outside, above zero only."""
    count = len(centre)
    low, high = np.quantile(real.features, [0.25, 0.75], axis=0)
    wanted = np.quantile(real.features, WINDOW_SHARES, axis=0)
    scale = np.array(_WINDOW_WEIGHTS)[:, None] / (high - low)
    middles = np.arange(count)
    ends, beyond = _NEAR_EDGE / reach, np.full(count, _OUTSIDE)
    room = _NEAR_EDGE * _ROOM
    return Misses(
        figure=np.concatenate(
            [middles, middles, middles, count + middles, 2 * count + np.arange(wanted.size)]
        ),
        weight=np.concatenate([_FROM_HISTORY / reach, ends, -ends, beyond, scale.ravel()]),
        offset=np.concatenate(
            [
                _FROM_HISTORY / reach * values,
                ends * centre + room,
                -ends * centre + room,
                _LOST * beyond,
                (scale * wanted).ravel(),
            ]
        ),
        floor=np.concatenate(
            [np.full(count, -np.inf), np.zeros(3 * count), np.full(wanted.size, -np.inf)]
        ),
    )
