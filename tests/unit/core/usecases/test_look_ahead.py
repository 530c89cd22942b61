"""No decision depends on what comes after it."""

import asyncio
from collections.abc import Sequence

import pytest
from attrs import evolve

from adapters.memory.snapshots import MemorySnapshots
from core.simulation.replay import ReplayClock, ReplayMarket
from core.simulation.venue import SimulatedVenue
from core.usecases.agent import Agent
from core.usecases.bookkeeper import Bookkeeper
from core.usecases.desk import Desk
from ports.decision_log import Decided, Record
from ports.market_data import MarketSnapshot
from ports.venue_log import Deposit
from ports.world import World
from tests.support.scripts import MARKETS, scripted
from tests.support.worlds import Stage, quiet_past


async def replayed(stage: Stage, recording: Sequence[MarketSnapshot]) -> list[Record]:
    """The journal of a life lived through *recording*, with its own past of the index before."""
    past = quiet_past(until=MARKETS[0].taken_at)
    clock = ReplayClock([each.taken_at for each in recording], recording[0].taken_at)
    market = await ReplayMarket.opened(MemorySnapshots(recording), clock, ("BTC",))
    keeper = Bookkeeper(stage.journal, stage.snapshots, "test")
    venue = await SimulatedVenue.opened(
        market=market,
        history=market,
        clock=clock,
        log=stage.venue_log,
        deposits=(Deposit("BTC", 10.0),),
    )
    rig = await stage.rig()
    rig.market.past = past
    rig.market.clock = clock  # type: ignore[assignment]
    world = World(
        environment="test",
        market=market,
        history=rig.market,
        trading=venue,
        clock=clock,
        log=stage.journal,
        positions=stage.snapshots,
        controls=stage.controls,
    )
    desk = Desk(world=world, keeper=keeper, strategies=stage.strategies, params=stage.params)
    await Agent(desk, asyncio.Event()).run()
    return [record async for record in stage.journal.records()]


def altered(market: MarketSnapshot) -> MarketSnapshot:
    """Another price, other quotes, at the same instant."""
    chain = evolve(
        market.chain,
        bid=market.chain.bid + 0.05,
        ask=market.chain.ask + 0.06,
        mark=market.chain.mark + 0.055,
        mark_iv=market.chain.mark_iv * 1.5,
        forward=market.chain.forward * 1.2,
    )
    return MarketSnapshot(
        market.underlying, market.taken_at, market.index_usd * 1.2, chain, market.rules
    )


def until(records: Sequence[Record], last: MarketSnapshot) -> list[str]:
    """The checksums of what was written down before the next market came."""
    later = [each.taken_at for each in MARKETS if each.taken_at > last.taken_at]
    return [record.checksum for record in records if not later or record.entry.at < min(later)]


@pytest.mark.parametrize("seen", range(1, len(MARKETS)))
async def test_a_decision_does_not_change_with_the_future(seen: int) -> None:
    """Whatever is recorded after the first *seen* markets: until then the journals are equal."""
    future = [altered(each) for each in MARKETS[seen:]]
    as_it_was = await replayed(scripted(), MARKETS)
    otherwise = await replayed(scripted(), [*MARKETS[:seen], *future])
    last = MARKETS[seen - 1]

    assert until(as_it_was, last) == until(otherwise, last)
    assert [record.checksum for record in as_it_was] != [each.checksum for each in otherwise]
    decided = [each for each in otherwise if isinstance(each.entry, Decided)]
    assert len(decided) == len(MARKETS)


async def test_a_decision_sees_a_snapshot_of_then_or_before() -> None:
    """Never one stamped later."""
    for record in await replayed(scripted(), MARKETS):
        if isinstance(record.entry, Decided):
            assert record.entry.market_at <= record.entry.at
