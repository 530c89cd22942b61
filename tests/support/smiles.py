"""Quotes made from a smile by hand, and arbitrage looked for in prices rather than in formulas."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from math import sqrt
from typing import TypeAlias

import mpmath as mp
import numpy as np

from core.pricing.black76 import premium_coin
from core.surface.prepare import ExpiryQuotes
from core.surface.svi import SviSlice
from ports.checks import epoch_ms
from ports.columns import Floats
from ports.instruments import ContractRules
from ports.market_data import MarketSnapshot
from tests.support.markets import NOW, Listed, call, put, snapshot

FORWARD = 100_000.0
FINE_RULES = ContractRules(tick_size=1e-9, amount_step=0.1, min_amount=0.1)
STRIKES = tuple(range(60_000, 160_001, 4_000))
Smile: TypeAlias = Callable[[Floats], Floats]  # log-moneyness to volatility

VOGT = SviSlice(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, q=0.4153)
MONTH = SviSlice(a=0.008, b=0.06, rho=-0.3, m=-0.02, q=0.12)  # of 30 days, about 42 %


def volatility(smile: SviSlice, days: float) -> Smile:
    """The volatility of *smile* at an expiry *days* away."""
    return lambda k: np.sqrt(smile.total_variance(k) * 365.0 / days)


def skewed(level: float) -> Smile:
    """A smile that rises to both sides of *level*, more to the left."""
    return lambda k: level * (1.0 - 0.2 * k + 0.6 * k**2)


def quotes(
    days: float,
    k: Sequence[float] | Floats,
    iv: Sequence[float] | Floats,
    half_spread: float = 0.005,
) -> ExpiryQuotes:
    """What a fit sees of one expiry."""
    k, iv = np.array(k, dtype=np.float64), np.array(iv, dtype=np.float64)
    deviation = iv * sqrt(days / 365.0)
    d1 = 0.5 * deviation - k / deviation
    return ExpiryQuotes(
        expiry_ms=epoch_ms(NOW + timedelta(days=days)),
        tenor=days / 365.0,
        forward=FORWARD,
        k=k,
        iv=iv,
        half_spread=np.full(len(k), half_spread),
        vega=np.exp(-0.5 * d1**2),
    )


def market(
    smiles: dict[float, Smile],
    strikes: Sequence[float] | Floats = STRIKES,
    half_spread: float = 0.005,
    forward: float = FORWARD,
) -> MarketSnapshot:
    """A market that quotes calls and puts of *strikes* about *smiles*, by days to expiry."""
    rows = []
    for days, smile in smiles.items():
        for strike in np.array(strikes).tolist():
            iv = float(smile(np.array([np.log(strike / forward)]))[0])
            for make in (call, put):
                bid, ask = (
                    premium_coin(forward, strike, days / 365.0, iv + side, make is call)
                    for side in (-half_spread, half_spread)
                )
                contract = make(strike, NOW + timedelta(days=days))
                rows.append(Listed(contract=contract, bid=bid, ask=ask, forward=forward))
    return snapshot(*rows, rules=FINE_RULES, index_usd=forward)


def density(smile: SviSlice, k: float) -> float:
    """
    The risk-neutral density at strike exp(k) of a forward of 1, from second differences of
    prices in 50 digits.
    """
    with mp.workdps(50):
        step = mp.mpf(10) ** -12
        middle = mp.exp(k)
        prices = [_call(smile, middle + shift * step) for shift in (-1, 0, 1)]
        return float((prices[0] - 2 * prices[1] + prices[2]) / step**2)


def _call(smile: SviSlice, strike: mp.mpf) -> mp.mpf:
    k = mp.log(strike)
    d = k - mp.mpf(smile.m)
    w = mp.mpf(smile.a) + mp.mpf(smile.b) * (
        mp.mpf(smile.rho) * d + mp.sqrt(d * d + mp.mpf(smile.q) ** 2)
    )
    d1 = -k / mp.sqrt(w) + mp.sqrt(w) / 2
    return mp.ncdf(d1) - strike * mp.ncdf(d1 - mp.sqrt(w))
