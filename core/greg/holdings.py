"""Positions of Greg's as they are held, and what a market says of them."""

from collections.abc import Callable
from datetime import datetime
from math import floor, isfinite, sqrt

import numpy as np
from attrs import field, frozen

from core.greg.advice import GregPosition
from core.greg.bands import BandInputs
from core.greg.catalogue import STRATEGY_ID, StrategyCode
from core.greg.hedging import HedgedPosition, LegDelta
from core.pricing.black76 import delta
from core.pricing.greeks import main_greeks
from core.pricing.marks import forward_of, iv_of, mark_of
from ports.checks import finite, not_negative, utc
from ports.instruments import OptionContract
from ports.market_data import MarketSnapshot
from ports.positions import Leg, TrackedPosition

_PLACES = 12  # of a share: prices come on ticks, what is beyond is the noise of sums


@frozen
class HeldLeg:
    """
    One contract of a position: contracts with their sign, and what one of them brought or cost,
    coin, with what was closed of it before. *sold_coin* is what one was sold at, and *opened_at*
    when; None is not known, or not sold.
    """

    contract: OptionContract
    size: float = field(validator=finite)
    entry_coin: float = field(validator=not_negative)
    sold_coin: float | None = None
    opened_at: datetime | None = None


@frozen(kw_only=True)
class Holding:
    """An open position of one strategy; *perp_usd* is what it holds in the perpetual, signed."""

    position_id: str
    code: StrategyCode
    underlying: str
    legs: tuple[HeldLeg, ...]
    opened_at: datetime = field(validator=utc)
    perp_usd: float = field(default=0.0, validator=finite)
    sandbox: bool = False
    origin: str = ""
    run_id: str = ""

    @property
    def credit_coin(self) -> float:
        """What opening it brought in; negative is what it cost."""
        return -sum(leg.size * leg.entry_coin for leg in self.legs)

    @property
    def contracts(self) -> float:
        """The contracts of its largest leg."""
        return max((abs(leg.size) for leg in self.legs), default=0.0)

    def perp_coin(self, index_usd: float) -> float:
        """The delta of its perpetual, coin."""
        return self.perp_usd / index_usd


def holding_of(position: TrackedPosition) -> Holding | None:
    """
    Return *position* if it is one of Greg's; None for another strategy's.

    Its id carries the code of what was opened.
    """
    code = code_in(position.position_id)
    is_ours = position.strategy_id == STRATEGY_ID or position.sandbox
    if code is None or not is_ours:
        return None
    return Holding(
        position_id=position.position_id,
        code=code,
        underlying=position.underlying,
        legs=tuple(_held(leg) for leg in position.open_legs),
        opened_at=position.opened_at,
        perp_usd=position.future_usd,
        sandbox=position.sandbox,
        origin=position.origin,
        run_id=position.run_id,
    )


def _held(leg: Leg) -> HeldLeg:
    return HeldLeg(
        leg.contract,
        leg.size,
        abs(leg.sold_coin - leg.bought_coin) / abs(leg.size),
        leg.sold_coin / leg.contracts_sold if leg.contracts_sold > 0.0 else None,
        leg.opened_at,
    )


def code_in(position_id: str) -> StrategyCode | None:
    """The code that *position_id* carries, None if it carries none."""
    found = (code for code in StrategyCode if code != StrategyCode.NO_TRADE)
    return next((code for code in found if code in position_id), None)


def position_of(
    holding: Holding, snapshot: MarketSnapshot, now: datetime, funding: float | None = None
) -> GregPosition:
    """Return what *snapshot* says of *holding*; what it does not say is unknown."""
    value_coin = _value_coin(holding, snapshot, now)
    days = [leg.contract.days_left(now) for leg in holding.legs]
    shorts = [leg for leg in holding.legs if leg.size < 0.0]
    longs = [leg for leg in holding.legs if leg.size > 0.0]
    return GregPosition(
        position_id=holding.position_id,
        code=holding.code,
        underlying=holding.underlying,
        net_delta=_net_delta(holding, snapshot, now),
        dte=float(max(floor(min(days)), 0)) if days else None,
        profit_pct=_profit(holding, value_coin),
        loss_pct=_loss(holding, value_coin),
        spot_price=snapshot.index_usd,
        strike=_strike(shorts, min),
        front_dte=max(min(days), 0.0) if days else None,
        delta_abs=_delta_abs(shorts, snapshot, now),
        funding_rate=funding,
        center_strike=_strike(shorts, min),
        lower_wing=_strike(longs, min),
        upper_wing=_strike(longs, max),
        short_strike=_strike(shorts, min),
        expected_move_pct=_expected_move(shorts, snapshot, now),
        credit_usd=_credit_usd(holding, snapshot),
        bare_perp_coin=None if holding.legs else holding.perp_coin(snapshot.index_usd),
    )


def hedged_of(holding: Holding, snapshot: MarketSnapshot, now: datetime) -> HedgedPosition | None:
    """Return *holding* as the hedge engine sees it; None where a delta is not known."""
    deltas = [_delta(leg, snapshot, now) for leg in holding.legs]
    if any(each is None for each in deltas):
        return None
    return HedgedPosition(
        position_id=holding.position_id,
        code=holding.code,
        underlying=holding.underlying,
        legs=tuple(
            LegDelta(each, leg.size)
            for each, leg in zip(deltas, holding.legs, strict=True)
            if each is not None
        ),
        perp_size=holding.perp_coin(snapshot.index_usd),
    )


def band_inputs(
    holding: Holding, snapshot: MarketSnapshot, now: datetime, *, cost: float, aversion: float
) -> BandInputs | None:
    """
    Return what *holding* says to a hedging band; None where a leg is unmarked or has expired.

    Gamma is of the whole position, volatility and time those of the leg that has most of it.
    """
    terms = [
        (
            leg.size,
            forward_of(snapshot, leg.contract, now),
            leg.contract.strike,
            leg.contract.years_left(now),
            iv_of(snapshot, leg.contract, now),
        )
        for leg in holding.legs
    ]
    if not terms or not all(min(each[1:]) > 0.0 and isfinite(sum(each)) for each in terms):
        return None
    size, forward, strike, tenor, iv = np.array(terms).T
    gamma = size * main_greeks(forward, strike, tenor, iv, True).gamma  # a put's is the call's
    most = int(np.argmax(np.abs(gamma)))
    return BandInputs(
        forward=float(forward[most]),
        gamma=float(np.sum(gamma)),
        iv=float(iv[most]),
        tenor=float(tenor[most]),
        cost=cost,
        aversion=aversion,
    )


def profit_coin(holding: Holding, snapshot: MarketSnapshot, now: datetime) -> float | None:
    """Return what closing *holding* at its marks would leave, coin before fees."""
    value_coin = _value_coin(holding, snapshot, now)
    return None if value_coin is None else holding.credit_coin + value_coin


def _value_coin(holding: Holding, snapshot: MarketSnapshot, now: datetime) -> float | None:
    """What the legs are worth; negative is what buying them back costs. None if one is unmarked."""
    total = sum(leg.size * mark_of(snapshot, leg.contract, now) for leg in holding.legs)
    return float(total) if holding.legs and isfinite(total) else None


def _profit(holding: Holding, value_coin: float | None) -> float | None:
    """Of the credit received, or of the debit paid."""
    credit = holding.credit_coin
    if value_coin is None or credit == 0.0:
        return None
    return round((credit + value_coin) / abs(credit), _PLACES)


def _loss(holding: Holding, value_coin: float | None) -> float | None:
    """A multiple of the credit; unknown where none was received."""
    profit = _profit(holding, value_coin)
    return None if profit is None or holding.credit_coin <= 0.0 else max(0.0, -profit)


def _net_delta(holding: Holding, snapshot: MarketSnapshot, now: datetime) -> float | None:
    hedged = hedged_of(holding, snapshot, now)
    return None if hedged is None else hedged.net_delta


def _delta_abs(shorts: list[HeldLeg], snapshot: MarketSnapshot, now: datetime) -> float | None:
    found = _delta(shorts[0], snapshot, now) if len(shorts) == 1 else None
    return None if found is None else abs(found)


def _delta(leg: HeldLeg, snapshot: MarketSnapshot, now: datetime) -> float | None:
    contract = leg.contract
    found = delta(
        forward_of(snapshot, contract, now),
        contract.strike,
        contract.years_left(now),
        iv_of(snapshot, contract, now),
        contract.is_call,
    )
    return float(found) if isfinite(found) else None


def _expected_move(shorts: list[HeldLeg], snapshot: MarketSnapshot, now: datetime) -> float | None:
    """One standard deviation of the nearest short leg to its expiry, a fraction."""
    if not shorts:
        return None
    contract = min((leg.contract for leg in shorts), key=lambda each: each.expiry)
    return iv_of(snapshot, contract, now) * sqrt(contract.years_left(now))


def _credit_usd(holding: Holding, snapshot: MarketSnapshot) -> float | None:
    if not holding.contracts or holding.credit_coin <= 0.0:
        return None
    return holding.credit_coin / holding.contracts * snapshot.index_usd


def _strike(legs: list[HeldLeg], of: Callable[[list[float]], float]) -> float | None:
    return of([leg.contract.strike for leg in legs]) if legs else None
