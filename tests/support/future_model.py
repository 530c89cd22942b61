"""
The controls of orders in the perpetual once more, written from what they promise alone: decimals,
whole lots and the normal distribution of the standard library; nothing here runs code of core.
"""

from datetime import timedelta
from decimal import Decimal
from math import log, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

from attrs import frozen

from ports.positions import Leg
from ports.trading import OrderIntent, Side

if TYPE_CHECKING:
    from core.risk.exposure import RiskState

LOT_USD, TICK_USD = Decimal(10), Decimal("0.5")
JUDGED = frozenset({1, 5, 7, 8, 9, 11, 19})
_YEAR = timedelta(days=365)
_NEAR = 1e-9


@frozen
class Told:
    """The controls that must refuse an order, and those where floats may say either."""

    blocks: frozenset[int]
    unclear: frozenset[int]


def refusals(intent: OrderIntent, state: "RiskState") -> Told:
    """What must be said of *intent*, an order of BTC-PERPETUAL that may also open."""
    blocks, unclear = set[int](), set[int]()
    lots = Decimal(repr(intent.amount)) / LOT_USD
    if lots != int(lots) or lots < 1:
        blocks.add(1)
    if Decimal(repr(intent.amount)) > Decimal(repr(state.limits.max_order_notional_usd)):
        blocks.add(5)
    for number, figure, limit in _figures(intent, state):
        if abs(figure - limit) <= _NEAR:
            unclear.add(number)
        elif figure > limit:
            blocks.add(number)
    if Decimal(repr(intent.price)) % TICK_USD != 0:
        blocks.add(8)
    if any(age > limit for age, limit in _ages(state)):
        blocks.add(9)
    if state.controls.kill_switch or state.book.halted or state.book.is_paused:
        blocks.add(19)
    return Told(frozenset(blocks), frozenset(unclear - blocks))


def _figures(intent: OrderIntent, state: "RiskState") -> list[tuple[int, float, float]]:
    """A control, a figure, and what it may be at most."""
    index = state.snapshot.index_usd
    sign = 1 if intent.side is Side.BUY else -1
    change = sign * intent.amount / index
    position = state.book.positions.get(intent.position_id)
    mine = 0.0
    if position is not None:
        perp = 0.0 if position.future is None else position.future.size_usd / index
        mine = perp + sum(leg.size * _delta(leg, state) for leg in position.legs if leg.size)
    coin = sum(held.size_usd / held.mark for held in state.account.futures)
    for held in state.account.positions:
        leg = Leg(contract=held.contract, opened_at=state.now, size=held.size)
        coin += held.size * (_delta(leg, state) - _premium(leg, state))
    limit = max(state.limits.max_net_delta_abs, abs(coin))
    band = state.limits.future_collar_pct / 100.0 * index
    return [
        (7, abs(coin + change), limit),
        (8, abs(intent.price - index), band),
        (11, abs(mine + change), abs(mine)),
    ]


def _ages(state: "RiskState") -> list[tuple[timedelta, timedelta]]:
    return [
        (state.now - state.snapshot.taken_at, state.limits.index_age),
        (state.now - state.account.read_at, state.limits.account_age),
    ]


def _delta(leg: Leg, state: "RiskState") -> float:
    """N(d1) of a call, less one of a put."""
    call = NormalDist().cdf(_d1(leg, state))
    return call if leg.contract.is_call else call - 1.0


def _premium(leg: Leg, state: "RiskState") -> float:
    """Coin a contract: N(d1) - k N(d2) of a call, by parity of a put."""
    k, d1 = _moneyness(leg, state), _d1(leg, state)
    call = NormalDist().cdf(d1) - k * NormalDist().cdf(d1 - _deviation(leg, state))
    return call if leg.contract.is_call else call - 1.0 + k


def _d1(leg: Leg, state: "RiskState") -> float:
    deviation = _deviation(leg, state)
    return -log(_moneyness(leg, state)) / deviation + deviation / 2.0


def _deviation(leg: Leg, state: "RiskState") -> float:
    iv = float(state.snapshot.chain.mark_iv[_row(leg, state)])
    return iv * sqrt((leg.contract.expiry - state.now) / _YEAR)


def _moneyness(leg: Leg, state: "RiskState") -> float:
    return leg.contract.strike / float(state.snapshot.chain.forward[_row(leg, state)])


def _row(leg: Leg, state: "RiskState") -> int:
    return state.snapshot.chain.contracts.index(leg.contract)
