"""
Compile every kernel into numba's cache, so that no tick waits for it.

`scripts/setup` runs this module. The cache lies beside the kernels where that can be written to,
else in the user's cache folder; it is good for this machine's processor and this code alone.
"""

import asyncio
from datetime import UTC, datetime

from core.analysis.surface_view import surface_view
from core.pricing.warm_up import warm_up as warm_up_pricing
from core.simulation.replay import ReplayClock
from core.simulation.synthetic import SyntheticMarket
from core.simulation.synthetic_params import SyntheticParams
from core.stats.indicators import rsi

_COIN, _AT = "BTC", datetime(2026, 1, 2, tzinfo=UTC)


def warm_up() -> None:
    """Price, and fit the surface of one invented chain."""
    warm_up_pricing()
    market = SyntheticMarket(7, ReplayClock((), _AT), (_COIN,), SyntheticParams())
    snapshot = asyncio.run(market.snapshot(_COIN))
    surface_view(snapshot)
    rsi(snapshot.chain.strike)


if __name__ == "__main__":
    warm_up()
