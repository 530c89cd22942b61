"""The ladder of training profiles: bands, turns, and what is held at most."""

import asyncio
from collections import Counter

import pytest
from attrs import evolve

from core.backtest.exits import ExitRule, ExitStyle
from core.backtest.ladder import PROFILES, LadderedCalls, LadderMode, LadderParams
from core.backtest.prepared import PreparedCoin
from core.backtest.rules import CallRule
from ports.backtest_runs import BacktestTrade
from tests.support.backtests import Setup, by_tick, prepared_invention, research_limits

RULE = CallRule(dte_min=1.0, dte_max=21.0, exits=ExitRule(style=ExitStyle.TAKE_PROFIT))
PARAMS = LadderParams(
    profiles=tuple(PROFILES.values()), max_calls=5, max_per_expiry=2, call_size=0.1
)


@pytest.fixture(scope="module")
def coin() -> PreparedCoin:
    return asyncio.run(prepared_invention("BTC", 21, days=14, hours=4))


async def traded(coin: PreparedCoin, params: LadderParams) -> tuple[BacktestTrade, ...]:
    limits = evolve(
        research_limits("BTC", 1.0),
        max_calls_per_underlying=params.max_calls,
        max_open_positions=params.max_calls,
    )
    ladder = LadderedCalls("call_ladder_v1", RULE, params, ("BTC",))
    setup = Setup(coin=coin, rule=RULE, limits=limits, strategy=ladder)
    return (await by_tick(setup)).result.trades


def held_at_once(trades: tuple[BacktestTrade, ...]) -> list[list[BacktestTrade]]:
    """The trades that were open at each sale."""
    return [
        [each for each in trades if each.opened_at <= sale.opened_at < each.closed_at]
        for sale in trades
    ]


async def test_no_limit_of_the_ladder_is_ever_passed(coin: PreparedCoin) -> None:
    """In all, on one expiry, of one profile, and of one contract."""
    trades = await traded(coin, PARAMS)
    books = held_at_once(trades)

    assert max(len(book) for book in books) == PARAMS.max_calls
    for book in books:
        assert max(Counter(each.contract.expiry for each in book).values()) <= 2
        assert max(Counter(each.entry_reason for each in book).values()) <= 2
        assert max(Counter(each.contract for each in book).values()) == 1


async def test_every_profile_sells_in_its_band(coin: PreparedCoin) -> None:
    """All three trade, and a higher band sells higher deltas."""
    trades = await traded(coin, PARAMS)
    means = []
    for name in PROFILES:
        deltas = [each.entry_delta for each in trades if each.entry_reason == name]
        assert deltas
        means.append(sum(deltas) / len(deltas))

    assert means == sorted(means)


async def test_a_single_profile_holds_one_call(coin: PreparedCoin) -> None:
    """In single mode no profile ever has two."""
    trades = await traded(coin, evolve(PARAMS, mode=LadderMode.SINGLE))

    for book in held_at_once(trades):
        assert max(Counter(each.entry_reason for each in book).values()) == 1
