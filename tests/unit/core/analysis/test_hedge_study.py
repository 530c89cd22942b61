"""What a hedge takes off options, and bands on one path: laws, limits and a plain model."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import exp

import numpy as np
import pytest
from attrs import evolve

from core.analysis.hedge_paths import (
    HedgeRuleParams,
    StraddlePath,
    excess_pct,
    frontier,
    outcome,
    straddle_paths,
)
from core.analysis.hedge_study import OptionIntervals, intervals_between, joined, reductions
from core.greg.bands import BandRule
from core.pricing.black76 import net_delta, premium_coin
from core.pricing.greeks import main_greeks
from ports.market_data import MarketSnapshot
from tests.support.sensing import chain_at

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
SIDES = np.array([True, False])


def remarked(seen: MarketSnapshot, taken_at: datetime, index_usd: float) -> MarketSnapshot:
    """*seen* at another time and index, every volatility as it was."""
    chain = seen.chain
    years = chain.years_left(taken_at)
    mark = premium_coin(index_usd, chain.strike, years, chain.mark_iv, chain.is_call)
    moved = evolve(chain, mark=mark, forward=np.full(len(chain), index_usd))
    return MarketSnapshot(seen.underlying, taken_at, index_usd, moved, seen.rules)


def walked(steps: int, seed: int = 11) -> list[MarketSnapshot]:
    """A chain that follows a random path, a snapshot each six hours."""
    first = chain_at(NOW, (7.0, 37.0, 65.0))
    rng = np.random.default_rng(seed)
    index, found = 1e5, [first]
    for number in range(1, steps):
        index *= exp(float(rng.normal(0.0, 0.012)))
        found.append(remarked(first, NOW + number * 6 * HOUR, index))
    return found


def intervals(steps: int = 40) -> OptionIntervals:
    """All of a walk."""
    seen = walked(steps)
    parts = [intervals_between(a, b) for a, b in pairwise(seen)]
    return joined([part for part in parts if part is not None])


def test_net_delta_is_the_slope_of_the_value_in_coin() -> None:
    """For a small move it takes off nearly everything, and delta does not."""
    first = chain_at(NOW, (37.0,))
    nearly = remarked(first, NOW + 6 * HOUR, 100_010.0)
    still = remarked(first, NOW + 6 * HOUR, 100_000.0)
    found = intervals_between(first, nearly)
    time = intervals_between(first, still)
    assert found is not None
    assert time is not None
    change = found.change - time.change  # of the price alone
    assert np.max(np.abs(change - found.net_delta * found.move)) < 2e-7  # second order, charm
    assert np.max(np.abs(change - found.delta * found.move)) > 1e-5


def test_the_better_hedge_leaves_less() -> None:
    """On a random path net delta leaves less variance than delta, in every group that is told."""
    found = reductions(intervals())

    assert {each.name for each in found} >= {"all", "out of the money", "in the money"}
    for each in found:
        assert each.by_net_delta_pct > each.by_delta_pct
        assert each.by_net_delta_pct <= 100.0
        assert each.count > 0


@pytest.mark.parametrize(
    ("hours", "is_one"), [(3.9, False), (4.0, True), (8.0, True), (8.1, False)]
)
def test_an_interval_is_of_about_six_hours(hours: float, is_one: bool) -> None:
    """Four to eight, ends included."""
    first = chain_at(NOW, (37.0,))
    later = remarked(first, NOW + hours * HOUR, 101_000.0)
    assert (intervals_between(first, later) is not None) == is_one


def test_only_what_both_snapshots_mark_counts() -> None:
    """A contract of one of them is left out, however the rows lie."""
    first = chain_at(NOW, (37.0,))
    later = remarked(first, NOW + 6 * HOUR, 101_000.0)
    fewer = evolve(later, chain=later.chain.where(later.chain.strike >= 1e5))
    whole, part = intervals_between(first, later), intervals_between(first, fewer)
    assert whole is not None
    assert part is not None
    rows = first.chain.strike >= 1e5
    assert 0 < len(part) < len(whole)
    assert len(part) <= np.count_nonzero(rows)


def path(seed: int = 5, count: int = 60) -> StraddlePath:
    """One short straddle by formula on a random walk of six-hour steps."""
    rng = np.random.default_rng(seed)
    index = 1e5 * np.exp(np.cumsum(np.append(0.0, rng.normal(0.0, 0.012, count - 1))))
    tenor = (37.0 - 0.25 * np.arange(count)) / 365.0
    iv = np.full(count, 0.6)
    value, delta, gamma = np.empty(count), np.empty(count), np.empty(count)
    for row in range(count):
        terms = (index[row], 1e5, tenor[row], 0.6, SIDES)
        value[row] = np.sum(premium_coin(*terms))
        delta[row] = -np.sum(net_delta(*terms))
        gamma[row] = -np.sum(main_greeks(*terms).gamma)
    return StraddlePath(
        opened_at=NOW,
        strike=1e5,
        value=value,
        delta=delta,
        gamma=gamma,
        iv=iv,
        tenor=tenor,
        forward=index,
        index_usd=index,
        funding=np.zeros(count),
    )


def fixed(width: float, *, to_edge: bool = False, cost: float = 0.0006) -> HedgeRuleParams:
    """A fixed band."""
    return HedgeRuleParams(rule=BandRule.FIXED, width=width, to_edge=to_edge, cost=cost)


def test_a_band_that_is_never_left_costs_nothing() -> None:
    """And takes nothing off; one trade is counted, the closing of nothing."""
    found = outcome([path()], fixed(5.0))
    assert (found.cost, found.reduction_pct) == (0.0, 0.0)


def test_no_band_is_a_hedge_at_every_step() -> None:
    """The cost is that of following delta from row to row and of closing, by a plain model."""
    held = path()
    found = outcome([held], fixed(0.0))
    coin = -held.delta[:-1]
    traded = abs(coin[0]) + float(np.sum(np.abs(np.diff(coin)))) + abs(coin[-1])

    assert found.cost == pytest.approx(0.0006 * traded)
    earned = -np.diff(held.value) + coin * (1.0 - held.index_usd[:-1] / held.index_usd[1:])
    assert found.variance == pytest.approx(float(np.var(earned)))
    assert found.reduction_pct > 80.0


def test_a_wider_band_costs_less_and_leaves_more() -> None:
    """To the edge, over ten paths together."""
    paths = [path(seed) for seed in range(10)]
    found = [outcome(paths, fixed(width, to_edge=True)) for width in (0.0, 0.1, 0.2, 0.4)]

    costs, variances = [each.cost for each in found], [each.variance for each in found]
    assert costs == sorted(costs, reverse=True)
    assert variances == sorted(variances)


def test_the_edge_is_cheaper_than_the_middle() -> None:
    """At the same width, with proportional cost."""
    paths = [path(seed) for seed in range(10)]
    for width in (0.05, 0.15, 0.25):
        edge, middle = (outcome(paths, fixed(width, to_edge=to)) for to in (True, False))
        assert edge.cost < middle.cost


@pytest.mark.parametrize("rule", [BandRule.WHALLEY_WILMOTT, BandRule.ZAKAMOULINE])
def test_an_aversion_without_end_is_a_hedge_at_every_step(rule: BandRule) -> None:
    """The computed band closes, and its outcome is that of no band."""
    held = [path()]
    tight = HedgeRuleParams(rule=rule, width=1e9, to_edge=True, cost=1e-7)
    bare = outcome(held, fixed(0.0, cost=1e-7))
    assert outcome(held, tight).variance == pytest.approx(bare.variance, rel=0.02)


def test_funding_is_paid_by_who_holds() -> None:
    """A constant rate shifts what the hedge earns by the coin held, and its variance with it."""
    held = path()
    paid = evolve(held, funding=np.full(len(held), 0.001))
    coin = -held.delta[:-1]
    earned = -np.diff(held.value) + coin * (1.0 - held.index_usd[:-1] / held.index_usd[1:] - 0.001)
    assert outcome([paid], fixed(0.0)).variance == pytest.approx(float(np.var(earned)))


def test_straddles_are_sold_on_mondays() -> None:
    """At the money of the expiry nearest to 37 days, held to 21."""
    seen = walked(80)
    found = straddle_paths(seen)

    assert [each.opened_at.weekday() for each in found] == [0] * len(found)
    assert found[0].strike == 1e5
    assert len(found[0]) == 65  # sixteen days of four, and the first
    assert found[0].tenor[-1] * 365.0 == pytest.approx(21.0)


def test_the_frontier_is_what_nothing_beats() -> None:
    """Cheapest first, variance falling; what lies above it is measured at its own cost."""
    paths = [path(seed) for seed in range(6)]
    found = [
        outcome(paths, fixed(width, to_edge=to_edge))
        for width in (0.05, 0.1, 0.2)
        for to_edge in (True, False)
    ]
    along = frontier(found)

    assert [each.cost for each in along] == sorted(each.cost for each in along)
    variances = [each.variance for each in along]
    assert variances == sorted(variances, reverse=True)
    for each in found:
        assert excess_pct(each, along) >= 0.0
        assert (each in along) == (excess_pct(each, along) == 0.0)
