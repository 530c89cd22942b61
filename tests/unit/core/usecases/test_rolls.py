"""Rolls: the new call is sold only for what of the old one is bought back, and in time."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest
from attrs import evolve

from core.usecases.agent import Agent
from ports.decision_log import Alarm, Entry, OrderUpdated, RollEnded, RollStarted, Sent
from ports.market_data import MarketSnapshot
from ports.trading import OrderState, Side
from tests.support.markets import call
from tests.support.scripts import FIRST, MARKETS, SECOND, scripted
from tests.support.worlds import Crash, CutLog, Fault, Rig, Stage

OLD, NEW = call(104_000.0, FIRST).symbol, call(108_000.0, SECOND).symbol
DUE = MARKETS[1].taken_at


def again(market: MarketSnapshot, at: datetime, offered: float = 10.0) -> MarketSnapshot:
    """*market* shown at *at*, with so many contracts offered of each call."""
    chain = market.chain
    stamp = np.full(len(chain), int(at.timestamp() * 1000))
    amounts = np.full(len(chain), offered)
    chain = evolve(chain, quoted_at_ms=stamp, ask_amount=amounts)
    return MarketSnapshot(market.underlying, at, market.index_usd, chain, market.rules)


def staged(offered: float = 10.0, *minutes: float) -> Stage:
    """A call is sold, then is to be rolled; further ticks so many *minutes* after that."""
    stage = scripted()
    later = [DUE + timedelta(minutes=each) for each in minutes]
    stage.shown = [
        MARKETS[0],
        again(MARKETS[1], DUE, offered),
        *(again(MARKETS[1], at) for at in later),
    ]
    stage.ticks = [each.taken_at for each in stage.shown]
    return stage


async def rolled(
    stage: Stage, *faults: Fault, watch: Callable[[Entry], None] = lambda _: None
) -> Rig:
    """The first call is sold without a fault; *faults* befall the legs of the roll."""
    await Agent((await stage.rig()).desk, asyncio.Event()).run(ticks=1)
    rig = await stage.rig(watch=watch)
    rig.trading.faults.extend(faults)
    await Agent(rig.desk, asyncio.Event()).run()
    return rig


async def outcomes(stage: Stage) -> list[tuple[str, float]]:
    """How rolls ended, and how much they sold."""
    return [
        (entry.outcome, entry.opened)
        for entry in await stage.entries()
        if isinstance(entry, RollEnded)
    ]


async def alarms(stage: Stage) -> list[str]:
    """What a person was told."""
    return [entry.subject for entry in await stage.entries() if isinstance(entry, Alarm)]


async def test_a_roll_buys_back_and_then_sells() -> None:
    """In this order, the same amount, in one position."""
    rig = await rolled(staged())
    back, new = rig.trading.requests

    assert (back.side, back.contract.symbol, back.reduce_only) == (Side.BUY, OLD, True)
    assert (new.side, new.contract.symbol, new.amount) == (Side.SELL, NEW, 0.5)
    assert back.position_id == new.position_id
    assert await outcomes(rig.stage) == [("done", 0.5)]
    assert await alarms(rig.stage) == []
    (position,) = rig.desk.keeper.book.open_positions()
    assert position.num_rolls == 1


async def test_the_second_leg_waits_for_the_end_of_the_first() -> None:
    """Filled in part and still working: nothing is sold; once it has ended, what was bought."""
    stage = staged(0.3, 5)
    rig = await rolled(stage)
    entries = await stage.entries()
    sells = [entry for entry in entries if isinstance(entry, Sent)][2:]
    ended = [
        entry
        for entry in entries
        if isinstance(entry, OrderUpdated) and entry.state is OrderState.CANCELLED
    ]

    assert [(each.intent.contract.symbol, each.intent.amount) for each in sells][:1] == [(NEW, 0.3)]
    assert entries.index(ended[0]) < entries.index(sells[0])
    assert await outcomes(stage) == [("partial", 0.3)]
    ours, theirs = await rig.sizes()
    assert ours == theirs
    assert ours[NEW] == -0.3


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.NEVER_SENT])
async def test_without_the_first_leg_there_is_no_second(fault: Fault) -> None:
    """The roll is abandoned with an alarm; the call is held as before."""
    stage = staged()
    rig = await rolled(stage, *[fault] * 3)

    assert all(intent.contract.symbol == OLD for intent in rig.trading.requests)
    assert await outcomes(stage) == [("abandoned", 0.0)]
    assert await alarms(stage) == ["roll abandoned"]
    assert (await rig.sizes())[1] == {OLD: -0.5}


async def test_without_the_second_leg_the_short_is_smaller() -> None:
    """Refused: the roll is abandoned with an alarm, nothing is short."""
    stage = staged()
    rig = await rolled(stage, Fault.NOTHING, Fault.REFUSED)

    assert await outcomes(stage) == [("abandoned", 0.0)]
    assert await alarms(stage) == ["roll abandoned"]
    assert (await rig.sizes()) == ({}, {})


async def test_a_second_leg_filled_in_part_is_not_tried_again() -> None:
    """Its rest is cancelled in time, and the roll ends with what was sold."""
    stage = staged(10.0, 5)
    little = [evolve(each.chain, bid_amount=np.full(2, 0.2)) for each in stage.shown[1:]]
    stage.shown = [
        MARKETS[0],
        *(
            MarketSnapshot(each.underlying, each.taken_at, each.index_usd, chain, each.rules)
            for each, chain in zip(stage.shown[1:], little, strict=True)
        ),
    ]
    rig = await rolled(stage)

    assert [intent.side for intent in rig.trading.requests] == [Side.BUY, Side.SELL]
    assert await outcomes(stage) == [("partial", 0.2)]
    assert await alarms(stage) == ["roll partial"]
    assert (await rig.sizes())[1] == {NEW: -0.2}


async def test_a_kill_between_the_legs_stops_the_second() -> None:
    """The control is asked before each leg."""
    stage = staged(10.0, 5)
    await Agent((await stage.rig()).desk, asyncio.Event()).run(ticks=1)
    rig = await stage.rig()

    async def kill() -> None:
        await stage.controls.change(DUE, "me", "enough", {"kill_switch": True})

    rig.trading.before_place = kill
    await Agent(rig.desk, asyncio.Event()).run()

    assert [intent.side for intent in rig.trading.requests] == [Side.BUY]
    assert await outcomes(stage) == [("abandoned", 0.0)]
    assert "roll abandoned" in await alarms(stage)
    assert (await rig.sizes()) == ({}, {})


async def test_a_lost_answer_to_the_first_leg_is_looked_up_before_the_second() -> None:
    """The next tick finds it filled and sells."""
    stage = staged(10.0, 5)
    rig = await rolled(stage, Fault.LOST_AFTER)

    assert [intent.side for intent in rig.trading.requests] == [Side.BUY, Side.SELL]
    assert await outcomes(stage) == [("done", 0.5)]
    assert (await rig.sizes())[1] == {NEW: -0.5}


async def test_trades_not_told_yet_hold_the_second_leg_back() -> None:
    """Filled, as the venue says, but by trades we do not know: nothing is sold until we do."""
    stage = staged(10.0, 5, 8)

    def hide(entry: Entry) -> None:
        if isinstance(entry, Sent) and entry.intent.side is Side.BUY:
            rig.trading.hides_trades = 1

    await Agent((await stage.rig()).desk, asyncio.Event()).run(ticks=1)
    rig = await stage.rig(watch=hide)
    rig.trading.hides_trades = 0
    rig.trading.faults.append(Fault.NO_TRADES)
    await Agent(rig.desk, asyncio.Event()).run()

    sent = [entry for entry in await stage.entries() if isinstance(entry, Sent)]
    assert [entry.intent.side for entry in sent] == [Side.SELL, Side.BUY, Side.SELL]
    assert sent[-1].at == DUE + timedelta(minutes=8)
    assert await outcomes(stage) == [("done", 0.5)]
    assert (await rig.sizes())[1] == {NEW: -0.5}


async def test_a_roll_out_of_time_sells_nothing_any_more() -> None:
    """What is bought back stays bought back, and a person is told."""
    stage = staged(10.0, 11)

    def lose(entry: Entry) -> None:
        if isinstance(entry, Sent):
            rig.trading.failing["orders_by_label"] = 13  # until nobody asks before the next tick

    rig = await stage.rig()
    await Agent(rig.desk, asyncio.Event()).run(ticks=1)
    rig = await stage.rig(watch=lose)
    rig.trading.faults.append(Fault.LOST_AFTER)
    await Agent(rig.desk, asyncio.Event()).run()

    assert (await outcomes(stage))[0] == ("abandoned", 0.0)
    assert "roll abandoned" in await alarms(stage)
    ended = next(each for each in await stage.entries() if isinstance(each, RollEnded))
    assert ended.reason == "out of time"
    assert (await rig.sizes())[1].get(OLD) is None


async def _killed_between(stage: Stage) -> None:
    """The first leg is filled and written down; then the process dies."""
    await Agent((await stage.rig()).desk, asyncio.Event()).run(ticks=1)
    count = 1
    while True:
        probe = staged()
        await Agent((await probe.rig()).desk, asyncio.Event()).run(ticks=1)
        await _dies(probe, count)
        last = (await probe.entries())[-1]
        if isinstance(last, OrderUpdated) and last.state is OrderState.FILLED:
            break
        count += 1
    await _dies(stage, count)


async def _dies(stage: Stage, count: int) -> None:
    rig = await stage.rig(CutLog(stage.journal, count, is_written=True))
    with pytest.raises(Crash):
        await Agent(rig.desk, asyncio.Event()).run()


async def test_a_crash_between_the_legs_leaves_the_short_reduced() -> None:
    """Never naked; taken up in time, the roll is finished under all controls."""
    stage = staged(10.0, 5)
    await _killed_between(stage)
    rig = await stage.rig()
    assert (await rig.sizes()) == ({}, {})
    assert len(rig.desk.keeper.book.rolls) == 1

    await Agent(rig.desk, asyncio.Event()).run()
    assert await outcomes(stage) == [("done", 0.5)]
    assert (await rig.sizes())[1] == {NEW: -0.5}


async def test_a_crash_between_the_legs_and_a_late_return_abandons() -> None:
    """After its ten minutes a roll ends with an alarm, and nothing is sold for it."""
    stage = staged()
    await _killed_between(stage)
    late = DUE + timedelta(minutes=30)
    stage.shown = [*stage.shown, again(MARKETS[1], late)]
    stage.ticks = [*stage.ticks[:1], late]
    rig = await stage.rig(start=late)
    before = len(await stage.entries())
    await Agent(rig.desk, asyncio.Event()).run()
    told = (await stage.entries())[before:]

    (ended,) = [entry for entry in told if isinstance(entry, RollEnded)]
    assert (ended.outcome, ended.reason) == ("abandoned", "out of time")
    assert "roll abandoned" in [entry.subject for entry in told if isinstance(entry, Alarm)]
    assert not [entry for entry in told if isinstance(entry, RollStarted)]
    labels = [intent.label for intent in rig.trading.requests]
    assert not [label for label in labels if label.endswith("roll_open")]
