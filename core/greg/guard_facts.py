"""What a position, its chain, its coin and its account tell the secondary guards."""

from math import inf, isfinite

from core.context.sensor_values import MarketFacts
from core.greg.advice import GregPosition
from core.greg.guards import GuardFacts
from core.greg.holdings import HeldLeg, Holding
from core.pricing.implied import IvStatus, implied_vol
from core.pricing.marks import iv_of
from ports.instruments import OptionContract, OptionKind
from ports.market_data import MarketSnapshot
from ports.trading import Account


def guard_facts(
    facts: GregPosition,
    holding: Holding,
    snapshot: MarketSnapshot,
    market: MarketFacts,
    account: Account | None = None,
) -> GuardFacts:
    """
    Return what is known of *holding* beside *facts*; without an *account* its health is not.

    No venue publishes the value of the whole crypto market: its change stays unknown.
    """
    legs = sorted(holding.legs, key=lambda leg: leg.contract.expiry)
    return GuardFacts(
        iv_since_entry=_iv_since_entry(holding, snapshot),
        front_iv=_points(snapshot, legs[0].contract) if legs else None,
        back_iv=_points(snapshot, legs[-1].contract) if legs else None,
        hours_to_expiry=None if facts.front_dte is None else 24.0 * facts.front_dte,
        loss_of_debit=_loss_of_debit(facts, holding),
        is_in_the_money=_is_in_the_money(holding, snapshot.index_usd),
        health=None if account is None else health_of(account),
        index_hour_pct=market.index_hour_pct,
        index_day_pct=market.index_day_pct,
        vol_index_day_points=market.vol_index_day_points,
    )


def health_of(account: Account) -> float:
    """
    Return equity over maintenance margin: at 1 the venue begins to liquidate; infinite where
    nothing needs a margin.
    """
    margin_coin = account.maintenance_margin_coin
    return account.equity_coin / margin_coin if margin_coin > 0.0 else inf


def iv_at_entry(holding: Holding) -> float | None:
    """
    Return the volatility that a straddle was sold at, points; None for anything else.

    The prices of call and put give the forward of that moment by parity, and either then the same
    volatility: c - p = 1 - K / F, in coin.
    """
    call = _sold(holding, OptionKind.CALL)
    put = _sold(holding, OptionKind.PUT)
    if call is None or put is None or len(holding.legs) != 2:
        return None
    contract, opened_at = call.contract, call.opened_at
    is_pair = (contract.expiry, contract.strike) == (put.contract.expiry, put.contract.strike)
    if not is_pair or call.sold_coin is None or put.sold_coin is None or opened_at is None:
        return None
    share = 1.0 - (call.sold_coin - put.sold_coin)  # strike over forward
    if share <= 0.0:
        return None
    forward, tenor = contract.strike / share, contract.years_left(opened_at)
    iv, status = implied_vol(call.sold_coin, forward, contract.strike, tenor, True)
    return 100.0 * iv if status is IvStatus.OK else None


def _iv_since_entry(holding: Holding, snapshot: MarketSnapshot) -> float | None:
    """How far the volatility of a straddle went since it was sold, points."""
    before = iv_at_entry(holding)
    now = None if before is None else _points(snapshot, holding.legs[0].contract)
    return None if before is None or now is None else now - before


def _sold(holding: Holding, kind: OptionKind) -> HeldLeg | None:
    shorts = (leg for leg in holding.legs if leg.size < 0.0 and leg.contract.kind is kind)
    return next(shorts, None)


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
