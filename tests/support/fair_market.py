"""A fair market by hand: a geometric walk, weekly calls at their Black-76 value, no costs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from attrs import frozen

from core.pricing.black76 import premium_coin
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.instruments import ContractRules
from ports.market_data import MarketSnapshot

FIRST = datetime(2026, 1, 2, 7, tzinfo=UTC)  # a Friday, an hour before expiry
WEEK = timedelta(days=7)
FREE = ContractRules(
    tick_size=1e-9, amount_step=0.1, min_amount=0.1, trade_fee_coin=0.0, delivery_fee_coin=0.0
)
_STEP = 0.01  # between strikes, in logarithms: the same grid whatever the price
_HOUR = 1.0 / (365.0 * 24.0)


@frozen
class FairMarket:
    """Two snapshots a Friday, at 07:00 and 09:00, and what each Friday was delivered at."""

    snapshots: tuple[MarketSnapshot, ...]
    delivered: dict[datetime, float]


def fair_market(
    seed: int, weeks: int, sigma: float = 0.6, ivs: Sequence[float] | None = None
) -> FairMarket:
    """A walk of volatility *sigma*; calls are priced at *ivs* of each week, else at *sigma*."""
    rng = np.random.default_rng(seed)
    price, snapshots, delivered = 50_000.0, [], {}

    def moved(price: float, hours: float) -> float:
        years = hours * _HOUR
        shock = sigma * np.sqrt(years) * rng.standard_normal()
        return float(price * np.exp(shock - 0.5 * sigma**2 * years))

    for week in range(weeks):
        friday = FIRST + week * WEEK
        iv = sigma if ivs is None else ivs[week]
        snapshots.append(_snapshot(friday, price, iv))
        price = moved(price, 1.0)
        delivered[friday + timedelta(hours=1)] = price
        price = moved(price, 1.0)
        snapshots.append(_snapshot(friday + timedelta(hours=2), price, iv))
        price = moved(price, 7 * 24 - 2.0)
    return FairMarket(tuple(snapshots), delivered)


def _snapshot(at: datetime, price: float, iv: float) -> MarketSnapshot:
    """The calls of the coming Friday, bid and ask one tick apart about their value."""
    expiry = at.replace(hour=8) + WEEK
    steps = np.arange(np.floor(np.log(0.85 * price) / _STEP), np.log(1.7 * price) / _STEP)
    strikes = np.unique(np.round(np.exp(_STEP * steps), 1))
    count = len(strikes)
    is_call = np.ones(count, dtype=np.bool_)
    tenor = np.full(count, (expiry - at) / timedelta(days=365))
    value = premium_coin(np.full(count, price), strikes, tenor, np.full(count, iv), is_call)
    bid = np.round(value, 9)
    chain = ChainTable(
        underlying="BTC",
        expiry_ms=np.full(count, epoch_ms(expiry)),
        strike=strikes,
        is_call=is_call,
        forward=np.full(count, price),
        bid=np.where(bid > 0, bid, np.nan),
        ask=np.where(bid > 0, bid + 1e-9, np.nan),
        bid_amount=np.full(count, 10.0),
        ask_amount=np.full(count, 10.0),
        mark=value,
        mark_iv=np.full(count, iv),
        open_interest=np.full(count, 100.0),
        volume=np.full(count, 10.0),
        quoted_at_ms=np.full(count, epoch_ms(at)),
    )
    return MarketSnapshot("BTC", at, price, chain, FREE)
