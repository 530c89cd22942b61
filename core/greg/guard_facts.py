"""What a position, its chain and its coin tell the secondary guards."""

from math import isfinite

from core.context.sensor_values import MarketFacts
from core.greg.advice import GregPosition
from core.greg.guards import GuardFacts
from core.greg.holdings import Holding
from core.pricing.marks import iv_of
from ports.instruments import OptionContract, OptionKind
from ports.market_data import MarketSnapshot


def guard_facts(
    facts: GregPosition, holding: Holding, snapshot: MarketSnapshot, market: MarketFacts
) -> GuardFacts:
    """
    Return what is known of *holding* beside *facts*.

    The volatility it was opened at, the whole market's value and the account's health are told
    by nobody here, and unknown.
    """
    legs = sorted(holding.legs, key=lambda leg: leg.contract.expiry)
    return GuardFacts(
        front_iv=_points(snapshot, legs[0].contract) if legs else None,
        back_iv=_points(snapshot, legs[-1].contract) if legs else None,
        hours_to_expiry=None if facts.front_dte is None else 24.0 * facts.front_dte,
        loss_of_debit=_loss_of_debit(facts, holding),
        is_in_the_money=_is_in_the_money(holding, snapshot.index_usd),
        index_hour_pct=market.index_hour_pct,
        index_day_pct=market.index_day_pct,
        vol_index_day_points=market.vol_index_day_points,
    )


def _loss_of_debit(facts: GregPosition, holding: Holding) -> float | None:
    """A share of what was paid; unknown where nothing was."""
    if holding.credit_coin >= 0.0 or facts.profit_pct is None:
        return None
    return max(0.0, -facts.profit_pct)


def _points(snapshot: MarketSnapshot, contract: OptionContract) -> float | None:
    iv = iv_of(snapshot, contract, snapshot.taken_at)
    return 100.0 * iv if isfinite(iv) else None


def _is_in_the_money(holding: Holding, index_usd: float) -> bool:
    """Whether anything that was sold would be settled at a price."""
    return any(
        index_usd > leg.contract.strike
        if leg.contract.kind is OptionKind.CALL
        else index_usd < leg.contract.strike
        for leg in holding.legs
        if leg.size < 0.0
    )
