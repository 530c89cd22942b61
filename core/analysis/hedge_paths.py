"""Short straddles as they were held, hedged by one rule after another on the same paths."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from attrs import field, frozen

from core.greg.bands import BandInputs, BandRule, band_of
from core.pricing.black76 import net_delta, tenor_years
from core.pricing.greeks import main_greeks
from core.simulation.perpetual import EIGHT_HOURS, rate_of
from ports.checks import epoch_ms
from ports.columns import Floats, float_column
from ports.market_data import MarketSnapshot

_DAY_MS = 86_400_000
_FIRST_DAYS, _LAST_DAYS, _AIM_DAYS = 30.0, 45.0, 37.0  # to expiry, of what is sold
_OUT_DAYS = 21.0  # to expiry, where it is given up


@frozen(eq=False, kw_only=True)
class StraddlePath:
    """
    One short straddle, a row a snapshot; columns (n,).

    value: of the two options, coin; delta: net delta and gamma per USD of the short position;
    *target_of* that at another volatility needs strike, forward, tenor and iv. funding: of the
    interval after the row, a fraction of the coin held.
    """

    opened_at: datetime
    strike: float
    value: Floats = field(converter=float_column)
    delta: Floats = field(converter=float_column)
    gamma: Floats = field(converter=float_column)
    iv: Floats = field(converter=float_column)
    tenor: Floats = field(converter=float_column)
    forward: Floats = field(converter=float_column)
    index_usd: Floats = field(converter=float_column)
    funding: Floats = field(converter=float_column)

    def __len__(self) -> int:
        return len(self.value)

    def target(self, row: int, iv: float) -> float:
        """The net delta of the position at *row* if volatility were *iv*."""
        both = net_delta(
            self.forward[row], self.strike, self.tenor[row], iv, np.array([True, False])
        )
        return -float(np.sum(both))


@frozen(kw_only=True)
class HedgeRuleParams:
    """
    One way to hedge: *width* is the half-width of a fixed band in coin, the aversion per USD of
    the others. *to_edge* goes back to the edge of the band, else to the middle.
    """

    rule: BandRule
    width: float
    to_edge: bool
    cost: float  # of what is traded, a fraction

    @property
    def name(self) -> str:
        """How it is called in tables."""
        where = "edge" if self.to_edge else "zero"
        return f"{self.rule} to {where}" if self.rule is BandRule.FIXED else str(self.rule)


@frozen(kw_only=True)
class HedgeOutcome:
    """
    What a rule came to over all paths, a straddle of one coin each.

    cost: coin a straddle; variance: of what an interval earned, coin squared; trades a straddle.
    """

    params: HedgeRuleParams
    cost: float
    variance: float
    trades: float
    reduction_pct: float  # of the variance without a hedge


def straddle_paths(snapshots: Sequence[MarketSnapshot]) -> tuple[StraddlePath, ...]:
    """
    Return a straddle sold each Monday of *snapshots*, oldest first, and held to 21 days.

    At the money of the expiry nearest to 37 days, of those with 30 to 45; a snapshot that does
    not mark both options is passed over, and a path of fewer than ten is left out.
    """
    paths = []
    for number, seen in enumerate(snapshots):
        is_first = number == 0 or snapshots[number - 1].taken_at.date() != seen.taken_at.date()
        if seen.taken_at.weekday() == 0 and is_first:
            path = _path(snapshots[number:])
            if path is not None:
                paths.append(path)
    return tuple(paths)


def outcome(paths: Sequence[StraddlePath], params: HedgeRuleParams) -> HedgeOutcome:
    """Return what *params* came to on all of *paths*."""
    earned, bare, cost, trades = [], [], 0.0, 0
    for path in paths:
        held = _held(path, params)
        moved = 1.0 - path.index_usd[:-1] / path.index_usd[1:]
        value = -np.diff(path.value)
        bare.append(value)
        earned.append(value + held * (moved - path.funding[:-1]))
        traded = np.abs(np.diff(held, prepend=0.0))
        trades += int(np.count_nonzero(traded)) + 1  # and the last one, that closes it
        cost += params.cost * float(np.sum(traded) + abs(held[-1]))
    variance = float(np.var(np.concatenate(earned)))
    return HedgeOutcome(
        params=params,
        cost=cost / len(paths),
        variance=variance,
        trades=trades / len(paths),
        reduction_pct=100.0 * (1.0 - variance / float(np.var(np.concatenate(bare)))),
    )


def frontier(outcomes: Sequence[HedgeOutcome]) -> tuple[HedgeOutcome, ...]:
    """Return those of *outcomes* that no cheaper one beats in variance, cheapest first."""
    best: list[HedgeOutcome] = []
    for each in sorted(outcomes, key=lambda one: (one.cost, one.variance)):
        if not best or each.variance < best[-1].variance:
            best.append(each)
    return tuple(best)


def excess_pct(each: HedgeOutcome, along: Sequence[HedgeOutcome]) -> float:
    """Percent of variance that *each* has above the frontier *along* at its own cost."""
    reached = min(other.variance for other in along if other.cost <= each.cost)
    return 100.0 * (each.variance / reached - 1.0)


def _held(path: StraddlePath, params: HedgeRuleParams) -> Floats:
    """The coin of the perpetual held through each interval, (n - 1,)."""
    held = np.zeros(len(path) - 1)
    coin = 0.0
    for row in range(len(held)):
        inputs = BandInputs(
            forward=path.forward[row],
            gamma=path.gamma[row],
            iv=path.iv[row],
            tenor=path.tenor[row],
            cost=params.cost,
            aversion=1.0 if params.rule is BandRule.FIXED else params.width,
        )
        band = band_of(params.rule, inputs, params.width)
        delta = path.delta[row]
        if params.rule is BandRule.ZAKAMOULINE:
            delta = path.target(row, band.target_iv)
        tilt = delta + coin
        if abs(tilt) > band.half_width:
            kept = np.sign(tilt) * band.half_width if params.to_edge else 0.0
            coin = float(kept - delta)
        held[row] = coin
    return held


def _path(snapshots: Sequence[MarketSnapshot]) -> StraddlePath | None:
    """The straddle sold at the first of *snapshots*; None if there is none to sell."""
    first = snapshots[0]
    expiry_ms = _expiry(first)
    if expiry_ms is None:
        return None
    chain = first.chain
    rows = np.flatnonzero((chain.expiry_ms == expiry_ms) & chain.is_call)
    strike = float(chain.strike[rows][np.argmin(np.abs(chain.strike[rows] - chain.forward[rows]))])
    points = []
    for number, seen in enumerate(snapshots):
        if expiry_ms - epoch_ms(seen.taken_at) < _OUT_DAYS * _DAY_MS:
            break
        after = snapshots[min(number + 1, len(snapshots) - 1)]
        point = _point(seen, expiry_ms, strike)
        if point is not None:
            span = (after.taken_at - seen.taken_at) / EIGHT_HOURS
            points.append((*point, rate_of(seen) * span))
    if len(points) < 10:
        return None
    value, delta, curve, iv, tenor, forward, index_usd, funding = np.array(points).T
    return StraddlePath(
        opened_at=first.taken_at,
        strike=strike,
        value=value,
        delta=delta,
        gamma=curve,
        iv=iv,
        tenor=tenor,
        forward=forward,
        index_usd=index_usd,
        funding=funding,
    )


def _expiry(snapshot: MarketSnapshot) -> int | None:
    expiries = np.unique(snapshot.chain.expiry_ms)
    days = (expiries - epoch_ms(snapshot.taken_at)) / _DAY_MS
    allowed = (days >= _FIRST_DAYS) & (days <= _LAST_DAYS)
    if not allowed.any():
        return None
    return int(expiries[allowed][np.argmin(np.abs(days[allowed] - _AIM_DAYS))])


def _point(snapshot: MarketSnapshot, expiry_ms: int, strike: float) -> tuple[float, ...] | None:
    """Value, net delta, gamma, iv, tenor, forward and index; None if one is not marked."""
    chain = snapshot.chain
    rows = np.flatnonzero((chain.expiry_ms == expiry_ms) & (chain.strike == strike))
    if len(rows) != 2 or not np.isfinite(chain.mark[rows]).all():
        return None
    tenor = tenor_years(expiry_ms, epoch_ms(snapshot.taken_at))
    forward, iv = chain.forward[rows], chain.mark_iv[rows]
    if not (np.isfinite(forward).all() and (iv > 0.0).all()):
        return None
    terms = (forward, chain.strike[rows], np.full(2, tenor), iv, chain.is_call[rows])
    return (
        float(np.sum(chain.mark[rows])),
        -float(np.sum(net_delta(*terms))),
        -float(np.sum(main_greeks(*terms).gamma)),
        float(np.mean(iv)),
        tenor,
        float(np.mean(forward)),
        snapshot.index_usd,
    )
