"""What must hold of any honest engine: fair prices earn nothing, costs cost, chance is no edge."""

import asyncio
from datetime import datetime, timedelta
from math import sqrt

import numpy as np
import pytest
from attrs import evolve

from adapters.memory.venue_log import MemoryVenueLog
from core.backtest.covered_call import CallAccount, run_calls
from core.backtest.exits import ExitRule, ExitStyle
from core.backtest.prepared import Kinds, PreparedMarket
from core.backtest.rules import CallRule, Schedule
from core.backtest.tradable import FillParams
from core.simulation.replay import ReplayClock
from core.simulation.venue import SimulatedVenue
from ports.instruments import OptionContract
from ports.trading import OrderIntent, Side
from ports.venue_log import Deposit
from tests.support.backtests import (
    Setup,
    by_kernel,
    by_tick,
    prepared_by_hand,
    prepared_invention,
    research_limits,
)
from tests.support.fair_market import FIRST, WEEK, fair_market
from tests.support.markets import NOW, Listed, call, put, snapshot

AT = CallRule(target_dte=7.0, dte_min=5.0, dte_max=9.0)
ACCOUNT = CallAccount(deposit_coin=1.0, order_size=1.0)
LIMITS = research_limits("BTC", 1.0)


def test_a_fair_market_without_costs_earns_nothing_by_the_kernel() -> None:
    """Implied is realised: the mean of 1,500 weekly sales, in USD, is 0 within 2 s.e."""
    profits = []
    for seed in range(5):
        market = fair_market(seed, weeks=300)
        coin = asyncio.run(prepared_by_hand(market.snapshots, market.delivered))
        result = by_kernel(Setup(coin=coin, rule=AT))
        profits += [trade.pnl_usd / trade.amount for trade in result.trades[:-1]]

    assert len(profits) > 1_400
    assert abs(np.mean(profits)) < 2.0 * np.std(profits) / sqrt(len(profits))


def test_the_tick_earns_the_same_nothing() -> None:
    """The agent's tick sells what the kernel sells on the fair market."""
    market = fair_market(7, weeks=120)
    coin = asyncio.run(prepared_by_hand(market.snapshots, market.delivered))
    tick, fast = (
        asyncio.run(by_tick(Setup(coin=coin, rule=AT))).result,
        by_kernel(Setup(coin=coin, rule=AT)),
    )

    assert len(tick.trades) > 110
    assert [trade.pnl_coin for trade in tick.trades] == pytest.approx(
        [trade.pnl_coin for trade in fast.trades], abs=1e-12
    )


async def test_selling_and_buying_the_same_call_costs_the_spread_and_two_fees() -> None:
    """In a market that stands still a round trip loses ask less bid, and the fees."""
    row = Listed(contract=call(110_000.0), bid=0.010, ask=0.011, mark=0.0105, mark_iv=0.5)
    still = [snapshot(row, taken_at=NOW + timedelta(hours=hour)) for hour in range(4)]
    rule = CallRule(
        schedule=Schedule.ALWAYS,
        target_dte=25.0,
        dte_min=1.0,
        dte_max=40.0,
        delta_min=0.0,
        delta_max=1.0,
        exits=ExitRule(style=ExitStyle.TIME_EXIT, time_exit_dte=100.0),
    )
    setup = Setup(coin=await prepared_by_hand(still), rule=rule)
    for result in ((await by_tick(setup)).result, by_kernel(setup)):
        trade = result.trades[0]
        assert trade.pnl_coin == pytest.approx(0.010 - 0.011 - 2 * 0.0003, abs=1e-15)


async def test_a_parity_portfolio_earns_the_basis() -> None:
    """Short call and long put of one strike: K / delivery price less K / forward, in coin."""
    strike, forward, price = 100_000.0, 101_000.0, 92_000.0
    expiry = NOW.replace(hour=8) + timedelta(days=4)
    parity = 1.0 - strike / forward
    calls = Listed(
        contract=call(strike, expiry), bid=0.05, ask=0.0505, mark=0.05, mark_iv=0.5, forward=forward
    )
    put_price = 0.04  # on the grid, a little off parity
    puts = Listed(
        contract=put(strike, expiry),
        bid=put_price - 0.0005,
        ask=put_price,
        mark=put_price,
        mark_iv=0.5,
        forward=forward,
    )
    before = snapshot(calls, puts, taken_at=NOW)
    after = snapshot(
        Listed(contract=call(strike), mark=0.01, mark_iv=0.5), taken_at=expiry + timedelta(hours=1)
    )
    free = evolve(before.rules, trade_fee_coin=0.0, delivery_fee_coin=0.0)
    coin = await prepared_by_hand(
        [evolve(before, rules=free), evolve(after, rules=free)], {expiry: price}, kinds=Kinds.ALL
    )
    clock = ReplayClock(coin.instants, NOW)
    market = PreparedMarket(coin, clock)
    venue = await SimulatedVenue.opened(
        market=market,
        history=market,
        clock=clock,
        log=MemoryVenueLog(),
        deposits=(Deposit("BTC", 5.0),),
    )
    await venue.place(_order(call(strike, expiry), Side.SELL, 0.05, NOW))
    bought = await venue.place(_order(put(strike, expiry), Side.BUY, put_price, NOW))
    await clock.sleep_until(coin.instants[1])
    account = await venue.account("BTC")

    paid = bought.fills[0].price
    received = 0.05 - paid
    basis = strike / price - strike / forward
    assert account.positions == ()
    assert account.balance_coin - 5.0 == pytest.approx(basis + (received - parity), abs=1e-12)


def _order(contract: OptionContract, side: Side, price: float, now: datetime) -> OrderIntent:
    return OrderIntent(
        label=f"test-{side}",
        strategy_id="test",
        position_id="test",
        contract=contract,
        side=side,
        amount=1.0,
        price=price,
        reduce_only=False,
        post_only=False,
        valid_until=now + timedelta(seconds=5),
        expires_at=now + timedelta(minutes=2),
    )


def test_shuffled_decisions_lose_the_edge() -> None:
    """Weeks that are sold because they are dear beat as many weeks drawn by lot."""
    rng = np.random.default_rng(3)
    ivs = np.where(rng.random(200) < 0.5, 1.00, 0.45)
    market = fair_market(11, weeks=200, sigma=0.6, ivs=list(ivs))
    coin = asyncio.run(prepared_by_hand(market.snapshots, market.delivered))
    columns = evolve(coin.columns(LIMITS), rv=np.full(len(coin.instants), 0.6))
    rule = evolve(AT, ivrv_min=1.1)

    def earned(rv: np.ndarray) -> float:
        run = run_calls(evolve(columns, rv=rv), rule, ACCOUNT, LIMITS)
        return float(run.pnl_coin.sum())

    knowing = earned(np.full(len(coin.instants), 0.6))
    dear = np.repeat(ivs, 2) > 0.6
    by_lot = []
    for _ in range(200):
        drawn = np.repeat(rng.permutation(dear[::2]), 2)
        # a week that is drawn passes whatever its volatility is, another never does
        by_lot.append(earned(np.where(drawn, 0.3, 9.0)))

    assert knowing > np.quantile(by_lot, 0.95)


def test_a_market_told_one_bar_late_is_no_better() -> None:
    """Deciding on older news earns no more, within 2 s.e. over 12 invented markets."""
    gains = []
    rule = CallRule(schedule=Schedule.ALWAYS, dte_min=2.0, dte_max=10.0)
    for seed in range(12):
        coin = asyncio.run(prepared_invention("BTC", 200 + seed, days=21, hours=8))
        columns = coin.columns(LIMITS)
        now, late = (
            run_calls(columns, rule, evolve(ACCOUNT, latency=bars), LIMITS).pnl_coin.sum()
            for bars in (1, 2)
        )
        gains.append(late - now)

    assert np.mean(gains) < 2.0 * np.std(gains, ddof=1) / sqrt(len(gains))


async def test_twice_the_spread_and_fees_cost_what_they_cost() -> None:
    """A patient fill earns more than a taker's, and a stressed one less, on the same market."""
    earned = []
    for share in (0.5, 1.0, 2.0):
        fills = FillParams(spread_share=share)
        coin = await prepared_invention("BTC", 5, days=21, hours=8, fills=fills)
        earned.append(sum(trade.pnl_coin for trade in by_kernel(Setup(coin=coin, rule=AT)).trades))

    assert earned[0] > earned[1] > earned[2]


def test_the_fair_market_is_one() -> None:
    """Its weeks are Fridays, each delivered once."""
    market = fair_market(1, weeks=3)

    assert [at.weekday() for at in market.delivered] == [4, 4, 4]
    assert market.snapshots[2].taken_at == FIRST + WEEK
