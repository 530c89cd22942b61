"""Realised volatility from prices at whatever instants they were seen."""

import numpy as np

from ports.columns import Floats, Ints

_MS_PER_YEAR = 365 * 86_400_000


def realised_vol(seen_at_ms: Ints, price: Floats) -> float:
    """
    Volatility per year of the path through *price*: the root of summed squared log returns
    over the time that really passed, so gaps and uneven steps count as what they are.

    Shapes: two (n,), oldest first. Units: milliseconds, any price; 0.65 is 65 %.
    NaN with fewer than two prices, or when no time passed.
    """
    if len(price) < 2 or seen_at_ms[-1] <= seen_at_ms[0]:
        return float("nan")
    returns = np.diff(np.log(price))
    years = (seen_at_ms[-1] - seen_at_ms[0]) / _MS_PER_YEAR
    return float(np.sqrt(np.sum(returns**2) / years))
