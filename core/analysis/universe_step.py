"""The step of a fit: where misses that are linear down to a floor come closest to none."""

import numpy as np
from attrs import field, frozen

from ports.columns import Floats

_SWEEPS = 200
_SETTLED = 1e-9  # of a step, in a whole sweep


@frozen(kw_only=True, eq=False)
class LocalMisses:
    """
    Misses, (m,), as a step away from here, (n,), changes them: max(floor, value + slopes × step).

    *slopes* (m, n). The step stays between *low* and *high*, (n,); *drift*, (n,), is how far
    here is from where the search began, to which a *ridge* pulls it back.
    """

    value: Floats = field(repr=False)
    floor: Floats = field(repr=False)
    slopes: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    drift: Floats = field(repr=False)
    ridge: float


def planned(local: LocalMisses, damping: float) -> Floats:
    """
    Return the step, (n,), that makes this least:

        Σ misses² + damping |step|² + ridge |drift + step|²

    The sum is convex, so one figure at a time, each to its own best, finds it.
    """
    step = np.zeros(len(local.low))
    value = local.value.copy()
    stiffness = damping + local.ridge
    for _ in range(_SWEEPS):
        before = step.copy()
        for at in range(len(step)):
            slope = np.where(value > local.floor, local.slopes[:, at], 0.0)
            pull = slope @ value + stiffness * step[at] + local.ridge * local.drift[at]
            best = step[at] - pull / (slope @ slope + stiffness)
            there = min(max(best, local.low[at]), local.high[at])
            value += local.slopes[:, at] * (there - step[at])
            step[at] = there
        if np.abs(step - before).max() < _SETTLED:
            break
    return step
