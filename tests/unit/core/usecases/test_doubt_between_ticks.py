"""Between ticks: orders in doubt are asked for in time, and those whose time ends are cancelled."""

import asyncio
from collections import deque
from datetime import datetime, timedelta

import pytest
from attrs import define, evolve

from core.usecases.agent import Agent
from ports.decision_log import Entry, OrderUpdated, Sent
from ports.trading import Account, OrderState
from tests.support.markets import NOW
from tests.support.scripts import FIRST, scripted, shown
from tests.support.worlds import Fault, FaultyTrading, Stage

_IN_DOUBT = [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LATE, Fault.AWAY, Fault.OTHER_LABEL]


def staged(bid_amount: float = 10.0) -> Stage:
    """A call is sold at the first of two ticks, an hour apart."""
    stage = scripted()
    stage.ticks = [NOW, NOW + timedelta(hours=1)]
    stage.shown = [
        shown(at, 100_000.0, (FIRST, 104_000.0), bid_amount=bid_amount) for at in stage.ticks
    ]
    return stage


async def settled_at(stage: Stage) -> datetime:
    """When the first order was no longer in doubt."""
    told = [each for each in await stage.entries() if isinstance(each, OrderUpdated)]
    assert told[0].state is OrderState.UNKNOWN
    return next(each.at for each in told if each.state is not OrderState.UNKNOWN)


async def test_an_order_that_is_there_is_found_at_once() -> None:
    """A lost answer costs a look-up and no waiting."""
    stage = staged()
    rig = await stage.rig()
    rig.trading.faults.append(Fault.LOST_AFTER)

    await Agent(rig.desk, asyncio.Event()).run()

    assert await settled_at(stage) == stage.ticks[0]


@pytest.mark.parametrize("fault", _IN_DOUBT)
async def test_doubt_ends_within_five_seconds_of_validity(fault: Fault) -> None:
    """What became of a placement is known at valid_until + 5 s, however far the next tick is."""
    stage = staged()
    rig = await stage.rig()
    rig.trading.faults.append(fault)

    await Agent(rig.desk, asyncio.Event()).run()

    sent = next(each for each in await stage.entries() if isinstance(each, Sent))
    assert await settled_at(stage) <= sent.intent.valid_until + timedelta(seconds=5)


async def test_look_ups_that_fail_are_repeated_with_growing_pauses() -> None:
    """Half a second, then twice as long each time up to ten, until the venue answers."""
    stage = staged()

    def lose(entry: Entry) -> None:
        if isinstance(entry, Sent):
            rig.trading.failing["orders_by_label"] = 8  # at once, and seven times later

    rig = await stage.rig(watch=lose)
    rig.trading.faults.append(Fault.LOST_AFTER)
    await Agent(rig.desk, asyncio.Event()).run()

    sent = next(each for each in await stage.entries() if isinstance(each, Sent))
    late = await settled_at(stage) - sent.intent.valid_until
    # 1 s after validity, then 0.5 + 0.5 + 1 + 2 + 4 + 8 + 10 s of pauses
    assert late == timedelta(seconds=27, milliseconds=1)


async def test_a_venue_that_stays_silent_is_left_to_the_ticks() -> None:
    """After a minute of trying, the next tick is the next attempt."""
    stage = staged()

    def lose(entry: Entry) -> None:
        if isinstance(entry, Sent):
            rig.trading.failing["orders_by_label"] = 13

    rig = await stage.rig(watch=lose)
    rig.trading.faults.append(Fault.LOST_AFTER)
    await Agent(rig.desk, asyncio.Event()).run()

    assert await settled_at(stage) == stage.ticks[1]


async def test_a_cancel_that_fails_is_repeated() -> None:
    """An order whose time has ended is cancelled a moment after the venue did not answer."""
    stage = staged(bid_amount=0.1)

    def lose(entry: Entry) -> None:
        if isinstance(entry, Sent):
            rig.trading.failing["cancel"] = 2

    rig = await stage.rig(watch=lose)
    await Agent(rig.desk, asyncio.Event()).run()

    told = [each for each in await stage.entries() if isinstance(each, OrderUpdated)]
    sent = next(each for each in await stage.entries() if isinstance(each, Sent))
    ended = next(each for each in told if each.state is OrderState.CANCELLED)
    assert ended.at == sent.intent.expires_at + timedelta(seconds=1)


@define(eq=False)
class Behind(FaultyTrading):
    """A venue whose clock is four seconds behind ours."""

    async def account(self, underlying: str) -> Account:
        """See Trading."""
        account = await super().account(underlying)
        return evolve(account, read_at=account.read_at - timedelta(seconds=4))


async def test_a_venue_behind_our_clock_may_still_take_the_order() -> None:
    """An unknown label is no proof before validity has ended by the venue's own time."""
    stage = staged()
    rig = await stage.rig()
    trading = Behind(rig.trading.venue, faults=deque([Fault.LOST_BEFORE]))
    desk = evolve(rig.desk, world=evolve(rig.desk.world, trading=trading))
    await Agent(desk, asyncio.Event()).run()

    sent = next(each for each in await stage.entries() if isinstance(each, Sent))
    after = await settled_at(stage) - sent.intent.valid_until
    assert timedelta(seconds=5) < after < timedelta(seconds=7)
