"""Compile the pricing kernels into numba's cache."""

from core.pricing.black76 import delta, premium_coin, premium_usd
from core.pricing.greeks import greeks
from core.pricing.implied import implied_vol


def warm_up() -> None:
    """Call every kernel once, on columns of the one form that all callers give them."""
    market = (100.0, 110.0, 0.5, 0.6, True)
    premium_usd(*market)
    delta(*market)
    greeks(*market)
    implied_vol(premium_coin(*market), *market[:3], True)
