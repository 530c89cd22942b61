"""A backtest as a process: stopped and taken up again, told of, and fed with bad data."""

import asyncio
import json
from datetime import datetime, timedelta

import numpy as np
import pytest
from attrs import evolve

from core.backtest.columns import columns_of
from core.backtest.exits import ExitRule, ExitStyle
from core.backtest.prepared import PreparedCoin, prepare
from core.backtest.rules import CallRule, Expiries, Schedule
from core.backtest.tradable import FillParams
from core.simulation.replay import ReplayClock
from core.usecases.backtest import CHECKPOINTS, Progress, run_backtest
from ports.codec import to_json
from ports.errors import StoreDamaged, Unavailable
from ports.market_data import MarketSnapshot
from tests.support.backtests import (
    Setup,
    TakenSnapshots,
    by_kernel,
    by_tick,
    course_of,
    prepared_by_hand,
    prepared_invention,
    research_limits,
)
from tests.support.markets import NOW, Listed, call, snapshot

HOUR = timedelta(hours=1)
BUSY = CallRule(
    schedule=Schedule.ALWAYS,
    expiries=Expiries.ALL,
    target_dte=3.0,
    dte_min=1.0,
    dte_max=12.0,
    exits=ExitRule(style=ExitStyle.TP_AND_ROLL, take_profit_pct=50.0, defend_near_strike=1.0),
)


@pytest.fixture(scope="module")
def invention() -> PreparedCoin:
    return asyncio.run(prepared_invention("BTC", 8, days=16, hours=4))


def a_market(at: datetime, bid: float = 0.01, ask: float = 0.0105) -> MarketSnapshot:
    row = Listed(contract=call(110_000.0), bid=bid, ask=ask, mark=0.0102, mark_iv=0.5)
    return snapshot(row, taken_at=at)


@pytest.mark.parametrize("ticks", [0, 1, 30, 31, 77])
async def test_a_run_stopped_half_way_resumes_to_the_same_result(
    invention: PreparedCoin, ticks: int
) -> None:
    """Trades, account and omissions are those of the run that nobody stopped."""
    setup = Setup(coin=invention, rule=BUSY)
    whole = (await by_tick(setup)).result

    stopped = await by_tick(setup, ticks=ticks)
    assert stopped.checkpoint is not None
    kept = json.loads(to_json(CHECKPOINTS.encode(stopped.checkpoint)))
    resumed = await by_tick(setup, CHECKPOINTS.decode(kept))

    assert resumed.checkpoint is None
    assert resumed.result.trades_hash == whole.trades_hash
    assert resumed.result.omissions == whole.omissions
    assert np.array_equal(resumed.result.equity.equity_coin, whole.equity.equity_coin)


async def test_what_is_done_when_it_stops_is_the_beginning_of_the_whole(
    invention: PreparedCoin,
) -> None:
    """A stopped run has its marks so far, and its open call at the last of them."""
    setup = Setup(coin=invention, rule=BUSY)
    whole = (await by_tick(setup)).result
    part = (await by_tick(setup, ticks=40)).result

    assert len(part.equity.at_ms) == 40
    assert np.array_equal(part.equity.equity_coin, whole.equity.equity_coin[:40])


async def test_the_same_seed_gives_the_same_hash() -> None:
    """Two markets of one seed, made apart, trade alike to the last bit; another seed does not."""
    hashes = [
        (await by_tick(Setup(coin=await prepared_invention("BTC", seed, 10, 6), rule=BUSY))).result
        for seed in (3, 3, 4)
    ]

    assert hashes[0].trades_hash == hashes[1].trades_hash != hashes[2].trades_hash


async def test_it_tells_how_far_it_is(invention: PreparedCoin) -> None:
    """After each tick: how many are done, at what instant, and with what account."""
    told: list[Progress] = []
    course = await course_of(Setup(coin=invention, rule=BUSY))
    await run_backtest(evolve(course, watch=told.append))

    assert [each.done for each in told] == list(range(1, len(invention.instants) + 1))
    assert told[-1].total == len(told)
    assert told[-1].trades > 0


async def test_a_run_waits_while_it_is_paused(invention: PreparedCoin) -> None:
    """Nothing ticks until the one who paused it lets it go on."""
    go_on, told = asyncio.Event(), list[Progress]()

    async def proceed() -> bool:
        await go_on.wait()
        return True

    course = await course_of(Setup(coin=invention, rule=BUSY))
    running = asyncio.create_task(run_backtest(evolve(course, proceed=proceed, watch=told.append)))
    await asyncio.sleep(0)
    assert told == []
    go_on.set()
    await running
    assert told


async def test_a_clock_that_goes_back_is_refused() -> None:
    """Instants must rise: by the tick, and by the columns."""
    back = [a_market(NOW + HOUR), a_market(NOW)]
    with pytest.raises(ValueError, match="the clock goes back"):
        await prepared_by_hand(back)
    with pytest.raises(ValueError, match="instants must rise"):
        columns_of(back, {}, research_limits("BTC", 1.0))


async def test_duplicate_contracts_and_crossed_quotes_are_left_out_and_counted() -> None:
    """The first of two rows counts, a crossed quote is none, and both are named."""
    twice = snapshot(
        *(
            Listed(contract=call(110_000.0), bid=bid, ask=0.0105, mark=0.0102, mark_iv=0.5)
            for bid in (0.01, 0.009)
        ),
        taken_at=NOW,
    )
    coin = await prepared_by_hand([twice, a_market(NOW + HOUR, bid=0.02, ask=0.01)])

    assert len(coin.snapshots[0].chain) == 1
    assert np.isnan(coin.snapshots[1].chain.bid).all()
    assert {each.reason for each in coin.omissions} == {
        "repeated contracts: 1 rows",
        "crossed quotes: 1 rows",
    }


class _Broken(TakenSnapshots):
    """A market one of whose snapshots cannot be read."""

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        found = await super().snapshot(underlying)
        if found.taken_at == NOW + HOUR:
            raise StoreDamaged("chains.parquet: truncated")
        return found


async def _prepared(market: TakenSnapshots, clock: ReplayClock, hours: range) -> PreparedCoin:
    return await prepare(
        underlying="BTC",
        instants=[NOW + hour * HOUR for hour in hours],
        clock=clock,
        market=market,
        history=market,
        fills=FillParams(),
    )


async def test_a_snapshot_that_cannot_be_read_is_left_out_and_named() -> None:
    """The others are run on; where none can be read, the run says why."""
    clock = ReplayClock([], NOW)
    market = _Broken([a_market(NOW + hour * HOUR) for hour in range(4)], clock)
    coin = await _prepared(market, clock, range(4))

    assert coin.instants == (NOW, NOW + 2 * HOUR, NOW + 3 * HOUR)
    assert coin.omissions[0].reason == "StoreDamaged: chains.parquet: truncated"
    fresh = ReplayClock([], NOW)
    alone = _Broken([a_market(NOW + hour * HOUR) for hour in range(2)], fresh)
    with pytest.raises(Unavailable, match="truncated"):
        await _prepared(alone, fresh, range(1, 2))


async def test_no_instants_are_refused() -> None:
    """A period without a single snapshot is no run of zero profit."""
    clock = ReplayClock([], NOW)
    with pytest.raises(ValueError, match="no instants"):
        await _prepared(_Broken([a_market(NOW)], clock), clock, range(0))


async def test_a_sale_that_risk_refuses_is_named_with_its_reasons() -> None:
    """A week that could not be sold is not silently without profit."""
    limits = evolve(research_limits("BTC", 1.0), max_margin_used_pct=1.0)
    rule = CallRule(
        schedule=Schedule.ALWAYS, target_dte=25.0, dte_min=1.0, dte_max=40.0, delta_min=0.0
    )
    coin = await prepared_by_hand([a_market(NOW + hour * HOUR) for hour in range(3)])
    setup = Setup(coin=coin, rule=rule, limits=limits)

    (told,) = (await by_tick(setup)).result.omissions
    assert told.subject == "BTC-27MAR26-110000-C"
    assert told.reason.startswith("refused: margin")
    assert "refused by risk" in by_kernel(setup).omissions[-1].reason
