"""An invented market brought to the figures of history: simulated moments on fixed seeds."""

from collections.abc import Callable

import numpy as np
from attrs import field, frozen

from core.analysis import universe_free as free
from core.analysis.universe_step import LocalMisses, planned
from core.analysis.universe_targets import Bank, FitTargets, Misses, figures_of
from core.simulation.universe.params import CoinUniverse
from ports.columns import Floats

_TRIALS = 8
_FIRST_DAMPING, _LEAST_DAMPING = 1.0, 0.05
_BOLDER, _SHYER = 1.0 / 3.0, 4.0  # what damping is multiplied by after a trial
_LONGEST = 4.0  # steps of a figure in a trial
_RIDGE = 0.01  # towards the start, for what no figure of a bank tells
_CORRECTION = 0.25  # steps squared; a shorter trial says less of the slopes


@frozen(kw_only=True)
class FitParams:
    """
    How long and how closely to fit.

    *seed* fixes the bank of *paths*. A round that gains less than *least_gain* of the miss, or the
    last of *rounds*, ends the fit.
    """

    seed: int = 20_251_231
    paths: int = 200
    days: int = 1095
    rounds: int = 3
    least_gain: float = 0.02

    @property
    def bank(self) -> Bank:
        """The paths that slopes are taken and trials judged on."""
        return Bank(seed=self.seed, paths=self.paths, days=self.days)


@frozen(kw_only=True, eq=False)
class FitResult:
    """The market found, and the miss after each round, the start first."""

    coin: CoinUniverse
    misses: tuple[float, ...]


@frozen(eq=False)
class _Point:
    """A trial: where, in steps, the figures of its bank and the sum of its squared misses."""

    at: Floats = field(repr=False)
    figures: Floats = field(repr=False)
    miss: float


def fitted(
    start: CoinUniverse, targets: FitTargets, params: FitParams, told: Callable[[int, float], None]
) -> FitResult:
    """
    Return *start* with the free figures of its dynamics moved to the *targets*.

    Rounds of slopes and damped steps on misses of medians, of the share of paths outside the
    outer bands, and of thirty-day windows; *told* hears of every round and its sum of squares.
    """
    point = _tried(start, free.position(start.dynamics), targets, params.bank)
    origin, sums = point.at, [point.miss]
    for round_ in range(params.rounds):
        told(round_, sums[-1])
        point = _best_trial(start, point, origin, targets, params)
        sums.append(point.miss)
        if sums[-2] - sums[-1] < params.least_gain * sums[-2]:
            break
    return FitResult(coin=free.moved(start, point.at), misses=tuple(sums))


def _best_trial(
    start: CoinUniverse, point: _Point, origin: Floats, targets: FitTargets, params: FitParams
) -> _Point:
    """
    Where a round's trials lead from *point*.

    Each is bolder after a success, shyer after a failure, and corrects the slopes along its way.
    Source: C. Broyden (1965), A class of methods for solving nonlinear simultaneous equations,
    Mathematics of Computation 19, 577-593.
    """
    slopes = _slopes(start, point, targets, params.bank)
    damping = _FIRST_DAMPING
    for _ in range(_TRIALS):
        step = planned(_local(targets.misses, point, slopes, point.at - origin), damping)
        there = _tried(start, point.at + step, targets, params.bank)
        unforeseen = there.figures - point.figures - slopes @ step
        slopes += np.outer(unforeseen, step) / (step @ step + _CORRECTION)
        if there.miss < point.miss:
            point, damping = there, max(damping * _BOLDER, _LEAST_DAMPING)
        else:
            damping *= _SHYER
    return point


def _tried(start: CoinUniverse, at: Floats, targets: FitTargets, bank: Bank) -> _Point:
    figures = figures_of(free.moved(start, at), targets.bands, bank)
    return _Point(at, figures, targets.misses.total(figures))


def _slopes(start: CoinUniverse, point: _Point, targets: FitTargets, bank: Bank) -> Floats:
    """How the figures of the *bank* change by a step of each free one, (figures, free)."""
    columns = []
    for number in range(len(point.at)):
        step = 1.0 if point.at[number] + 1.0 <= free.HIGHEST[number] else -1.0
        there = point.at.copy()
        there[number] += step
        figures = figures_of(free.moved(start, there), targets.bands, bank)
        columns.append((figures - point.figures) / step)
    return np.column_stack(columns)


def _local(misses: Misses, point: _Point, slopes: Floats, drift: Floats) -> LocalMisses:
    return LocalMisses(
        value=misses.linear(point.figures),
        floor=misses.floor,
        slopes=misses.weight[:, None] * slopes[misses.figure],
        low=np.maximum(free.LOWEST - point.at, -_LONGEST),
        high=np.minimum(free.HIGHEST - point.at, _LONGEST),
        drift=drift,
        ridge=_RIDGE,
    )
