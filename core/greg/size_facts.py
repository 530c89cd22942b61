"""What an opening would put at risk, tie up and add: the figures that caps of size look at."""

from collections.abc import Sequence
from math import inf, isfinite

import numpy as np
from attrs import frozen

from core.greg.executing import footprint_coin
from core.greg.holdings import HeldLeg, Holding
from core.greg.sizing import SizeCaps, SizeFacts, sized
from core.greg.structures import NoStructure, Structure
from core.pricing.black76 import premium_coin
from core.pricing.greeks import main_greeks
from core.pricing.marks import forward_of, iv_of, mark_of
from core.risk.margin import future_initial_coin, initial_margin_coin
from ports.columns import Floats
from ports.market_data import MarketSnapshot
from ports.trading import Account, Side

_MOVES = np.linspace(-0.16, 0.16, 9)  # of the forward, in a portfolio margin
_IV_SHOCK, _SHOCK_DAYS, _SHOCK_POWER = 0.38, 30.0, 0.30  # of volatility: 38 % at 30 days


@frozen(kw_only=True, eq=False)
class Means:
    """
    What an opening is measured on: the market, the coin's account, and what Greg has *held*.

    Positions of the sandbox and of other coins count nothing, nor does the one called *but*,
    whose place a roll takes.
    """

    snapshot: MarketSnapshot
    account: Account
    held: Sequence[Holding]
    but: str = ""

    @property
    def others(self) -> tuple[Holding, ...]:
        """The positions that count."""
        return tuple(
            each
            for each in self.held
            if each.underlying == self.snapshot.underlying
            and not each.sandbox
            and each.position_id != self.but
        )


def sized_by(
    means: Means, structure: Structure, caps: SizeCaps, most: float = inf
) -> Structure | NoStructure:
    """
    Return *structure* in the size that *means* and *caps* allow; see sized. What is not quoted on
    the side it is traded at is not opened.
    """
    if not isfinite(structure.credit_coin):
        return NoStructure("a leg is not quoted")
    facts = size_facts(structure, means)
    if isinstance(facts, NoStructure):
        return facts
    return sized(structure, facts, caps, means.snapshot.rules, most)


def size_facts(structure: Structure, means: Means) -> SizeFacts | NoStructure:
    """
    Return what caps look at before *structure* is opened.

    NoStructure where a leg, or something that is held, has no mark.
    """
    snapshot, others = means.snapshot, means.others
    index_usd = snapshot.index_usd
    legs = tuple(
        HeldLeg(leg.contract, 1.0 if leg.side is Side.BUY else -1.0, leg.mark)
        for leg in structure.legs
    )
    figures = {
        "risk_usd": worst_loss_coin(legs, snapshot) * index_usd,
        "vega_usd": _short_vega_usd(legs, snapshot),
        "tied_usd": _tied_coin(legs, snapshot) * index_usd,
        "open_vega_usd": _short_vega_usd([leg for each in others for leg in each.legs], snapshot),
        "open_tied_usd": sum(_held_coin(each, snapshot) for each in others) * index_usd,
    }
    unknown = [name for name, value in figures.items() if not isfinite(value)]
    if unknown:
        return NoStructure(f"{', '.join(unknown)} unknown: a leg is not marked")
    return SizeFacts(
        equity_usd=max(means.account.equity_coin, 0.0) * index_usd,
        notional_usd=len(legs) * index_usd,
        open_notional_usd=sum(footprint_coin(each, (), index_usd) for each in others) * index_usd,
        other_strategies=len({each.code for each in others} - {structure.code}),
        open_positions=len(others),
        **figures,
    )


def worst_loss_coin(legs: Sequence[HeldLeg], snapshot: MarketSnapshot) -> float:
    """
    Return the most that *legs* lose, coin, never negative, NaN where one has no mark.

    The risk matrix of the venue's portfolio margin: nine moves of the price up to 16 % either way,
    each with volatility as it is and a shock of 38 % (30 / days)^0.30 of it up and down. What the
    venue adds for far moves and for each short option is left out.
    """
    size, forward, strike, tenor, iv = _columns(legs, snapshot)
    is_call = np.array([leg.contract.is_call for leg in legs])
    days = np.maximum(365.0 * tenor, 1.0)
    shock = np.multiply.outer((-1.0, 0.0, 1.0), _IV_SHOCK * (_SHOCK_DAYS / days) ** _SHOCK_POWER)
    shocked = np.maximum(iv * (1.0 + shock), 0.0)  # (3, n)
    moved = np.multiply.outer(1.0 + _MOVES, forward)[:, None, :]  # (9, 1, n)
    worth = premium_coin(moved, strike, tenor, shocked, is_call) @ size
    before = float(premium_coin(forward, strike, tenor, iv, is_call) @ size)
    return max(before - float(worth.min()), 0.0) if np.isfinite(worth).all() else float("nan")


def _short_vega_usd(legs: Sequence[HeldLeg], snapshot: MarketSnapshot) -> float:
    """What a point of volatility more costs, USD; none where it earns."""
    if not legs:
        return 0.0
    size, forward, strike, tenor, iv = _columns(legs, snapshot)
    vega = main_greeks(forward, strike, tenor, iv, True).vega  # a put's is the call's
    costs = -float(vega @ size)
    return max(costs, 0.0) if isfinite(costs) else costs


def _tied_coin(legs: Sequence[HeldLeg], snapshot: MarketSnapshot) -> float:
    """The standard margin of what is short and the worth of what is long, coin."""
    now = snapshot.taken_at
    total = 0.0
    for leg in legs:
        mark = mark_of(snapshot, leg.contract, now)
        forward = forward_of(snapshot, leg.contract, now)
        margin = initial_margin_coin(leg.contract, forward, mark, leg.size)
        total += margin if leg.size < 0.0 else leg.size * mark
    return total


def _held_coin(holding: Holding, snapshot: MarketSnapshot) -> float:
    """What *holding* ties up, its perpetual included, coin."""
    perp = future_initial_coin(holding.underlying, holding.perp_coin(snapshot.index_usd))
    return _tied_coin(holding.legs, snapshot) + perp


def _columns(legs: Sequence[HeldLeg], snapshot: MarketSnapshot) -> Floats:
    """Size, forward, strike, tenor and volatility: five rows, a column a leg."""
    now = snapshot.taken_at
    return np.array(
        [
            (
                leg.size,
                forward_of(snapshot, leg.contract, now),
                leg.contract.strike,
                leg.contract.years_left(now),
                iv_of(snapshot, leg.contract, now),
            )
            for leg in legs
        ]
    ).T
