"""Repair of a smile that allows butterflies, by its call wing and its least variance."""

from math import inf

import numpy as np
from attrs import evolve

from core.pricing.black76 import premium_usd
from core.surface.svi import JumpWings, SviSlice, from_jump_wings, jump_wings
from core.surface.violations import butterfly_shortfall
from ports.columns import Floats

_PRICED_AT = np.linspace(-1.5, 1.5, 61)  # log-moneyness where the two smiles are compared
_CHECKED_AT = np.linspace(-6.0, 6.0, 2401)
_SHARES = np.linspace(0.0, 1.0, 11)
_LEVELS = 5  # of the search, each in the cells around the best point before


def without_skew_arbitrage(wings: JumpWings) -> JumpWings:
    """
    Return *wings* with the call wing and least variance of a smile that allows no butterfly.

        c' = p + 2 psi,   lowest' = v 4 p c' / (p + c')²

    Source: Gatheral and Jacquier (2014), section 5.1.

    Raises:
        ValueError: The skew is so steep that the call wing would not rise.
    """
    call_wing = wings.put_wing + 2.0 * wings.skew
    if not call_wing > 0.0:
        raise ValueError(f"no repair of a skew of {wings.skew} with a put wing {wings.put_wing}")
    spread = (wings.put_wing + call_wing) ** 2
    lowest = wings.variance * 4.0 * wings.put_wing * call_wing / spread
    return evolve(wings, call_wing=call_wing, lowest_variance=lowest)


def repaired(smile: SviSlice, tenor: float) -> SviSlice:
    """
    Return the smile without butterflies that prices options most like *smile*.

    Volatility and skew at the money and the put wing stay; call wing and least variance are
    searched between their own values and those of `without_skew_arbitrage` for the smallest sum
    of squared price differences at 61 strikes within 1.5 of log-moneyness.
    Source: Gatheral and Jacquier (2014), example 5.1.

    Raises:
        ValueError: As without_skew_arbitrage.
    """
    if butterfly_shortfall(smile, _CHECKED_AT) == 0.0:
        return smile
    wings = jump_wings(smile, tenor)
    safe = without_skew_arbitrage(wings)
    target = _values(smile)
    best, best_miss = from_jump_wings(safe), inf
    middle, reach = np.array([0.5, 0.5]), 0.5
    for _ in range(_LEVELS):
        level_middle = middle
        for call_share in level_middle[0] + reach * (2.0 * _SHARES - 1.0):
            for lowest_share in level_middle[1] + reach * (2.0 * _SHARES - 1.0):
                if not (0.0 <= call_share <= 1.0 and 0.0 <= lowest_share <= 1.0):
                    continue
                candidate = _between(safe, wings, float(call_share), float(lowest_share))
                miss = float(np.sum((_values(candidate) - target) ** 2))
                if miss < best_miss and butterfly_shortfall(candidate, _CHECKED_AT) == 0.0:
                    best, best_miss = candidate, miss
                    middle = np.array([call_share, lowest_share])
        reach *= 0.25
    return best


def _between(safe: JumpWings, wings: JumpWings, call_share: float, lowest_share: float) -> SviSlice:
    call_wing = safe.call_wing + call_share * (wings.call_wing - safe.call_wing)
    lowest = safe.lowest_variance + lowest_share * (wings.lowest_variance - safe.lowest_variance)
    return from_jump_wings(evolve(wings, call_wing=call_wing, lowest_variance=lowest))


def _values(smile: SviSlice) -> Floats:
    """Out-of-the-money values on a forward of 1 at _PRICED_AT."""
    deviation = np.sqrt(smile.total_variance(_PRICED_AT))
    return premium_usd(1.0, np.exp(_PRICED_AT), 1.0, deviation, _PRICED_AT >= 0.0)
