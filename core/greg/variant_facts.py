"""What variants of the position rules look at besides marks and spot."""

from math import isfinite

from attrs import evolve

from core.context.sensor_values import MarketFacts
from core.greg.advice import GregPosition
from core.greg.holdings import HeldLeg, Holding
from core.pricing.marks import forward_of
from ports.market_data import MarketSnapshot

_SPREAD_SHARE = 0.25  # of the spread, given up by leaving a leg


def with_variant_facts(
    facts: GregPosition, holding: Holding, snapshot: MarketSnapshot, market: MarketFacts
) -> GregPosition:
    """Return *facts* of *holding* with what variants ask; what is not quoted is unknown."""
    profit = _quoted_profit_coin(holding, snapshot)
    credit = holding.credit_coin
    return evolve(
        facts,
        earlier_price=market.earlier_price,
        forward_price=_forward(holding, snapshot),
        quoted_profit_pct=None if profit is None or credit == 0.0 else profit / abs(credit),
        quoted_loss_pct=None if profit is None or credit <= 0.0 else max(0.0, -profit / credit),
    )


def _quoted_profit_coin(holding: Holding, snapshot: MarketSnapshot) -> float | None:
    """What closing every leg a quarter of the spread beyond its mid would leave, coin."""
    prices = [_leaving_coin(leg, snapshot) for leg in holding.legs]
    if not prices or not all(isfinite(price) for price in prices):
        return None
    sizes = [leg.size for leg in holding.legs]
    return holding.credit_coin + sum(
        size * price for size, price in zip(sizes, prices, strict=True)
    )


def _leaving_coin(leg: HeldLeg, snapshot: MarketSnapshot) -> float:
    """The price of leaving *leg*; NaN where it is not quoted on both sides."""
    row = snapshot.chain.row_of(leg.contract)
    if row is None:
        return float("nan")
    bid, ask = float(snapshot.chain.bid[row]), float(snapshot.chain.ask[row])
    against = 1.0 if leg.size < 0.0 else -1.0
    return 0.5 * (bid + ask) + against * _SPREAD_SHARE * (ask - bid)


def _forward(holding: Holding, snapshot: MarketSnapshot) -> float | None:
    shorts = [leg.contract for leg in holding.legs if leg.size < 0.0]
    if not shorts:
        return None
    nearest = min(shorts, key=lambda contract: contract.expiry)
    return forward_of(snapshot, nearest, snapshot.taken_at)
