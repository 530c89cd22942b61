"""An invented market brought to the figures of history: simulated moments on fixed seeds."""

from collections.abc import Callable, Sequence

import numpy as np
from attrs import field, frozen

from core.analysis import universe_free as free
from core.analysis.universe_bands import Band
from core.analysis.universe_bank import Bank, BankPart, bank_figures, bank_part
from core.analysis.universe_step import LocalMisses, planned
from core.analysis.universe_targets import FitTargets, Misses
from core.simulation.universe.params import CoinUniverse
from core.usecases.sweep import all_values
from ports.columns import Floats
from ports.sweeps import Cell, SweepExecutor

_TRIALS = 8
_FIRST_DAMPING, _LEAST_DAMPING = 1.0, 0.05
_BOLDER, _SHYER = 1.0 / 3.0, 4.0  # what damping is multiplied by after a trial
_LONGEST = 4.0  # steps of a figure in a trial
_RIDGE = 0.01  # towards the start, for what no figure of a bank tells
_CORRECTION = 0.25  # steps squared; a shorter trial says less of the slopes
_TOGETHER = 25  # paths in one cell of work


@frozen(kw_only=True)
class FitParams:
    """
    How long and how closely to fit.

    *seed* fixes the bank of *paths*. A round that gains less than *least_gain* of the miss, or the
    last of *rounds*, ends the fit.
    """

    seed: int = 20_251_231
    paths: int = 400
    days: int = 1095
    rounds: int = 20
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


@frozen(eq=False)
class _Trials:
    """Where trials begin, what they are held to, and what computes their banks."""

    start: CoinUniverse
    targets: FitTargets
    bank: Bank
    executor: SweepExecutor

    async def figures(self, places: Sequence[Floats]) -> list[Floats]:
        """What the bank shows where the free figures are at each of *places*."""
        markets = [free.moved(self.start, at) for at in places]
        return await figures_of(markets, self.targets.bands, self.bank, self.executor)

    async def point(self, at: Floats) -> _Point:
        (figures,) = await self.figures([at])
        return _Point(at, figures, self.targets.misses.total(figures))


async def fitted(
    start: CoinUniverse,
    targets: FitTargets,
    params: FitParams,
    executor: SweepExecutor,
    told: Callable[[int, float], None],
) -> FitResult:
    """
    Return *start* with the free figures of its dynamics moved to the *targets*.

    Rounds of slopes and damped steps on misses of medians, of the share of paths outside the
    outer bands, and of thirty-day windows; *told* hears of every round and its sum of squares.
    The *executor* has no part in what is found.

    Raises:
        Unavailable: Nothing is left that computes, or a path cannot be computed.
    """
    trials = _Trials(start, targets, params.bank, executor)
    point = await trials.point(free.position(start.dynamics))
    origin, sums = point.at, [point.miss]
    for round_ in range(params.rounds):
        told(round_, sums[-1])
        point = await _best_trial(trials, point, origin)
        sums.append(point.miss)
        if sums[-2] - sums[-1] < params.least_gain * sums[-2]:
            break
    return FitResult(coin=free.moved(start, point.at), misses=tuple(sums))


async def figures_of(
    markets: Sequence[CoinUniverse], wanted: Sequence[Band], bank: Bank, executor: SweepExecutor
) -> list[Floats]:
    """
    Return what the paths of each of the *markets* in the *bank* show, as bank_figures has them.

    Raises:
        Unavailable: Nothing is left that computes, or a path cannot be computed.
    """
    firsts = range(0, bank.paths, _TOGETHER)
    cells = [
        Cell(
            key=f"market {number}, paths from {first} on",
            compute=bank_part,
            arguments=(market, wanted, bank, first, min(_TOGETHER, bank.paths - first)),
        )
        for number, market in enumerate(markets)
        for first in firsts
    ]
    parts: list[BankPart] = await all_values(cells, executor, lambda _: None)
    share = len(firsts)  # parts of one market
    return [
        bank_figures(wanted, parts[begin : begin + share]) for begin in range(0, len(parts), share)
    ]


async def _best_trial(trials: _Trials, point: _Point, origin: Floats) -> _Point:
    """
    Where a round's trials lead from *point*.

    Each is bolder after a success, shyer after a failure, and corrects the slopes along its way.
    Source: C. Broyden (1965), A class of methods for solving nonlinear simultaneous equations,
    Mathematics of Computation 19, 577-593.
    """
    slopes = await _slopes(trials, point)
    damping = _FIRST_DAMPING
    for _ in range(_TRIALS):
        local = _local(trials.targets.misses, point, slopes, point.at - origin)
        step = planned(local, damping)
        there = await trials.point(point.at + step)
        unforeseen = there.figures - point.figures - slopes @ step
        slopes += np.outer(unforeseen, step) / (step @ step + _CORRECTION)
        if there.miss < point.miss:
            point, damping = there, max(damping * _BOLDER, _LEAST_DAMPING)
        else:
            damping *= _SHYER
    return point


async def _slopes(trials: _Trials, point: _Point) -> Floats:
    """How the figures of the bank change by a step of each free one, (figures, free)."""
    steps = np.where(point.at + 1.0 <= free.HIGHEST, 1.0, -1.0)
    found = await trials.figures([point.at + step for step in np.diag(steps)])
    return (np.column_stack(found) - point.figures[:, None]) / steps


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
