"""Smiles fitted to the quotes of one snapshot: SVI by expiry, free of static arbitrage."""

from collections.abc import Sequence
from enum import IntEnum
from math import inf, sqrt

import numpy as np
from attrs import field, frozen

from core.surface import kernels
from core.surface.essvi import march
from core.surface.prepare import ExpiryQuotes
from core.surface.svi import SviSlice
from core.surface.violations import (
    BUTTERFLY_TOLERANCE,
    CheckGrid,
    butterfly_shortfall,
    calendar_shortfall,
    room_below,
)
from ports.columns import Floats

_NOTHING_BEFORE = np.zeros(3)
_NO_FENCE = np.zeros((3, 0))
_PULLED_AT = np.linspace(0.2, 1.0, 5)  # of the way from the last quote to the end of the grid
_STRICTER = 30.0
_NARROWEST = 0.01  # width of a vertex in deviations: a kink is not in any market
_ROUNDING = 1e-12  # of total variance, after a lift to the very edge
_FINER = 20  # what is accepted is checked on grids this much finer than the fit's


@frozen(kw_only=True)
class FitParams:
    """How smiles are fitted; docs/decisions/0013 has what the choices cost."""

    fewest_quotes: int = 6  # below it an expiry takes the eSSVI slice
    vega_power: float = 0.3  # of a quote's weight; 1 would leave the wings to chance
    noise_iv: float = 0.003  # joins the half-spread in squares: makers set quotes by hand
    strictness: float = 1000.0  # of penalties against arbitrage
    pull: float = 0.05  # weight of eSSVI beyond the quotes, which together weigh 1
    pull_iv: float = 1.0  # the distance from eSSVI that counts as one
    grid: CheckGrid = field(factory=CheckGrid)


class SliceStatus(IntEnum):
    """What an expiry got, or why it got no smile."""

    SVI = 0
    ESSVI = 1  # too few quotes for five parameters; the shape leans on another expiry
    ESSVI_FALLBACK = 2  # no SVI without arbitrage was found
    NO_QUOTES = 3
    NO_NEIGHBOUR = 4  # too few quotes, and no other expiry has enough
    ARBITRAGE = 5  # its few quotes contradict other expiries, or not even eSSVI was lawful


@frozen(kw_only=True, eq=False)
class SliceFit:
    """One expiry and the smile it got; None where status says why there is none."""

    quotes: ExpiryQuotes
    status: SliceStatus
    smile: SviSlice | None


def fit_slices(expiries: Sequence[ExpiryQuotes], params: FitParams) -> tuple[SliceFit, ...]:
    """
    Return the smile of each expiry, in the order of *expiries*, which are the nearest first.

    No smile allows a butterfly on the check grid, and none lies below the one before it where
    either is quoted: penalties in the fit, then a check on finer grids that decides. Fitted from
    the furthest expiry, which is quoted widest, to the nearest, held below the one after; those
    with few quotes come last and find their place between the others, which they never move.
    """
    quoted = [quotes for quotes in expiries if len(quotes.k)]
    has_rich = any(_is_rich(quotes, params) for quotes in quoted)
    tasks = _tasks(quoted, params) if has_rich else []
    accepted: list[_Accepted] = []
    statuses = {}
    for task in reversed(tasks):
        if _is_rich(task.quotes, params):
            statuses[task.quotes.expiry_ms] = _fit_next(task, accepted, params)
    for task in reversed(tasks):
        if not _is_rich(task.quotes, params):
            statuses[task.quotes.expiry_ms] = _fit_between(task, accepted, params)
    smiles = {entry.task.quotes.expiry_ms: entry.smile for entry in accepted}
    return tuple(
        SliceFit(
            quotes=quotes,
            status=statuses.get(quotes.expiry_ms, _why_none(quotes)),
            smile=smiles.get(quotes.expiry_ms),
        )
        for quotes in expiries
    )


def _is_rich(quotes: ExpiryQuotes, params: FitParams) -> bool:
    return len(quotes.k) >= params.fewest_quotes


def _why_none(quotes: ExpiryQuotes) -> SliceStatus:
    return SliceStatus.NO_NEIGHBOUR if len(quotes.k) else SliceStatus.NO_QUOTES


@frozen(eq=False)
class _Task:
    """One expiry as its fit sees it."""

    quotes: ExpiryQuotes
    prior: SviSlice  # of eSSVI
    rows: Floats  # quotes and pulls of the kernels, (5, n)
    wide: Floats


@frozen(eq=False)
class _Accepted:
    """A smile that passed the checks, and the fence it was held by."""

    task: _Task
    smile: SviSlice
    fence: Floats


def _tasks(quoted: Sequence[ExpiryQuotes], params: FitParams) -> list[_Task]:
    rows = [_rows(quotes, params) for quotes in quoted]
    priors = march(quoted, rows, params.fewest_quotes)
    tasks = []
    for at, quotes in enumerate(quoted):
        prior, wide = priors[at].as_svi(), params.grid.wide(quotes)
        pulls = _pulls(quotes, prior, wide, params)
        tasks.append(_Task(quotes, prior, np.hstack((rows[at], pulls)), wide))
    return tasks


def _rows(quotes: ExpiryQuotes, params: FitParams) -> Floats:
    weight = quotes.vega**params.vega_power
    scale = np.hypot(quotes.half_spread, params.noise_iv)
    root = sqrt(quotes.tenor)
    knee = np.ones(len(weight))
    return np.vstack((quotes.k, root * quotes.iv, root * scale, weight / weight.sum(), knee))


def _pulls(quotes: ExpiryQuotes, prior: SviSlice, wide: Floats, params: FitParams) -> Floats:
    low, high = quotes.k[0], quotes.k[-1]
    k = np.concatenate((low - _PULLED_AT * (low - wide[0]), high + _PULLED_AT * (wide[-1] - high)))
    count = len(k)
    deviation = np.sqrt(prior.total_variance(k))
    scale = np.full(count, params.pull_iv * sqrt(quotes.tenor))
    weight = np.full(count, params.pull / count)
    return np.vstack((k, deviation, scale, weight, np.full(count, inf)))


def _fit_next(task: _Task, accepted: list[_Accepted], params: FitParams) -> SliceStatus:
    """Fit *task* below the last of *accepted* and add it there; say how that went."""
    _make_room(task, accepted, params)
    fence = _fence_below(task, accepted, params)
    for strictness in (params.strictness, _STRICTER * params.strictness):
        smile = _lawful(_svi(task, fence, strictness), task, accepted, params)
        if smile is not None:
            accepted.append(_Accepted(task, smile, fence))
            return SliceStatus.SVI
    smile = _lawful(task.prior, task, accepted, params)
    if smile is None:
        return SliceStatus.ARBITRAGE
    accepted.append(_Accepted(task, smile, fence))
    return SliceStatus.ESSVI_FALLBACK


def _fit_between(task: _Task, accepted: list[_Accepted], params: FitParams) -> SliceStatus:
    """Add the eSSVI slice of *task* to *accepted* if it fits between its neighbours there."""
    at = sum(entry.task.quotes.expiry_ms > task.quotes.expiry_ms for entry in accepted)
    smile = _lawful(_lifted(task.prior, task, accepted[at:], params), task, accepted[:at], params)
    if smile is None or _lifted(smile, task, accepted[at:], params).a > smile.a + _ROUNDING:
        return SliceStatus.ARBITRAGE
    accepted.insert(at, _Accepted(task, smile, _NO_FENCE))
    return SliceStatus.ESSVI


def _lifted(
    smile: SviSlice, task: _Task, nearer: Sequence[_Accepted], params: FitParams
) -> SviSlice:
    """*smile*, as a whole raised above the first of *nearer*."""
    if not nearer:
        return smile
    k = params.grid.shared(nearer[0].task.quotes, task.quotes, _FINER)
    return smile.lifted(calendar_shortfall(nearer[0].smile, smile, k))


def _make_room(task: _Task, accepted: list[_Accepted], params: FitParams) -> None:
    """Polish the last of *accepted* to give way by half, where *task* alone would cross it."""
    if not accepted:
        return
    above = accepted[-1]
    alone = _svi(task, _NO_FENCE, params.strictness)
    k = params.grid.shared(task.quotes, above.task.quotes)
    far, near = above.smile.total_variance(k), alone.total_variance(k)
    if (far >= near).all():
        return
    floor = 0.5 * (far + np.maximum(near, far))
    if len(accepted) > 1:
        floor = np.minimum(floor, accepted[-2].smile.total_variance(k))
    fence = np.hstack((above.fence, np.vstack((k, floor, np.full(len(k), inf)))))
    eased = _svi(above.task, fence, params.strictness)
    smile = _lawful(eased, above.task, accepted[:-1], params)
    if smile is not None:
        accepted[-1] = _Accepted(above.task, smile, above.fence)


def _fence_below(task: _Task, accepted: Sequence[_Accepted], params: FitParams) -> Floats:
    if not accepted:
        return _NO_FENCE
    k = params.grid.shared(task.quotes, accepted[-1].task.quotes)
    return np.vstack((k, np.zeros(len(k)), accepted[-1].smile.total_variance(k)))


def _svi(task: _Task, fence: Floats, strictness: float) -> SviSlice:
    """The better of the fits from the quasi-explicit solution and from eSSVI."""
    width = float(np.median(task.rows[kernels.DEVIATION]))
    reached = []
    for start in (kernels.quasi_explicit(task.rows, width), task.prior.raw):
        here = kernels.svi_coordinates(start)
        reached.append(kernels.fit(here, _NOTHING_BEFORE, task.rows, task.wide, fence, strictness))
    coordinates, _ = min(reached, key=lambda fitted: fitted[1])
    raw = kernels.raw_of(coordinates, _NOTHING_BEFORE)
    raw[4] = max(raw[4], _NARROWEST * width)
    return SviSlice.of(raw)


def _lawful(
    smile: SviSlice, task: _Task, accepted: Sequence[_Accepted], params: FitParams
) -> SviSlice | None:
    """*smile*, scaled as a whole below the last of *accepted*; None if it allows a butterfly."""
    if accepted:
        k = params.grid.shared(task.quotes, accepted[-1].task.quotes, _FINER)
        smile = smile.scaled(room_below(smile, accepted[-1].smile, k))
    wide = params.grid.wide(task.quotes, _FINER)
    return smile if butterfly_shortfall(smile, wide) <= BUTTERFLY_TOLERANCE else None
