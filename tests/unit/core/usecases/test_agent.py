"""The loop: recovery in its order, and a life that goes on wherever it was cut."""

import asyncio
from datetime import timedelta

import numpy as np
import pytest
from attrs import evolve

from core.execution.book import after, fold, state_hash
from core.execution.orders import label_of
from core.usecases.agent import FINISHED, STOPPED, Agent, Unhealthy, recover
from ports.codec import from_json, to_json
from ports.decision_log import (
    ENTRIES,
    Alarm,
    Closed,
    ControlsSeen,
    Decided,
    Delivered,
    Entry,
    Opened,
    OrderUpdated,
    RollEnded,
    Sent,
    Ticked,
)
from ports.errors import StoreDamaged
from ports.market_data import MarketSnapshot
from ports.positions import Book
from ports.trading import Order, OrderState
from tests.support.markets import NOW
from tests.support.scripts import MARKETS, scripted
from tests.support.worlds import Crash, CutLog, Fault, Rig, Stage


async def lived(stage: Stage, ticks: int | None = None) -> Rig:
    """One process from start to end of its market, or for so many ticks."""
    rig = await stage.rig()
    await Agent(rig.desk, asyncio.Event()).run(ticks=ticks)
    return rig


async def cut(stage: Stage, dies_at: int, *, is_written: bool) -> bool:
    """A process that dies at its record *dies_at*; False if it ended before."""
    rig = await stage.rig(CutLog(stage.journal, dies_at, is_written))
    try:
        await Agent(rig.desk, asyncio.Event()).run()
    except Crash:
        return True
    return False


def kinds(entries: list[Entry]) -> list[str]:
    """What kinds of entries there are, in order."""
    return [type(entry).__name__ for entry in entries]


async def test_the_script_shows_what_it_says() -> None:
    """An opening, a roll, a profit taken, a part filled and cancelled, a delivery, an opening."""
    stage = scripted()
    rig = await lived(stage)
    entries = await stage.entries()

    done = [
        action.reason
        for entry in entries
        if isinstance(entry, Decided)
        for action in entry.approved
    ]
    assert done == ["best", "defend_by_roll", "take_profit", "best", "best"]
    assert [entry.outcome for entry in entries if isinstance(entry, RollEnded)] == ["done"]
    assert [
        (entry.state, entry.filled_amount)
        for entry in entries
        if isinstance(entry, OrderUpdated) and entry.filled_amount == 0.3
    ] == [(OrderState.PARTIAL, 0.3), (OrderState.CANCELLED, 0.3)]
    assert [entry.delivery.size for entry in entries if isinstance(entry, Delivered)] == [-0.3]
    assert not [entry for entry in entries if isinstance(entry, Alarm)]
    assert len(rig.desk.keeper.book.open_positions()) == 1


async def test_the_book_and_the_venue_agree_in_the_end() -> None:
    """Every contract in its size, and the money to the last digit."""
    rig = await lived(scripted())
    account = await rig.trading.account("BTC")
    book = rig.desk.keeper.book

    ours, theirs = await rig.sizes()
    assert ours == theirs
    wealth = book.wealth["BTC"]
    assert wealth.other_coin == pytest.approx(0.0, abs=1e-14)
    assert wealth.equity_coin == pytest.approx(account.equity_coin, abs=1e-15)
    assert wealth.first_equity_coin == pytest.approx(10.0, abs=1e-14)


async def test_the_same_seed_and_market_give_the_same_journal() -> None:
    """Byte for byte, checksum for checksum."""
    first, second = scripted(), scripted()
    await lived(first)
    await lived(second)

    seals = [
        [(record.seq, record.checksum) async for record in stage.journal.records()]
        for stage in (first, second)
    ]
    assert seals[0] == seals[1]
    assert len(seals[0]) > 40


async def test_the_fold_of_the_journal_is_the_running_book_at_every_step() -> None:
    """What another process would read, entry by entry, has the same fingerprint."""
    stage, shadow, steps = scripted(), [Book(environment="test")], [0]

    def watch(entry: Entry) -> None:
        read = ENTRIES.decode(from_json(to_json(ENTRIES.encode(entry))))
        shadow[0] = after(read, shadow[0])
        steps[0] += 1
        assert state_hash(shadow[0]) == state_hash(rig.desk.keeper.book)

    rig = await stage.rig(watch=watch)
    await Agent(rig.desk, asyncio.Event()).run()

    entries = await stage.entries()
    assert steps[0] == len(entries)
    assert state_hash(fold(Book(), entries)) == state_hash(rig.desk.keeper.book)


async def test_taking_up_the_book_comes_in_its_order() -> None:
    """
    Who we are, the controls, what became of unknown orders, then our openings are cancelled and
    what happened meanwhile is booked: before anything new is decided.
    """
    stage = scripted()
    await cut(stage, 5, is_written=False)  # the venue has the order, the journal only its intent
    await stage.controls.change(NOW, "me", "careful", {"delta_max": 0.3})
    before = len(await stage.entries())
    rig = await stage.rig()
    await recover(rig.desk)
    told = (await stage.entries())[before:]

    assert kinds(told)[:3] == ["Opened", "ControlsSeen", "OrderUpdated"]
    assert not rig.desk.keeper.book.working
    assert not [entry for entry in told if isinstance(entry, Decided | Sent)]
    assert rig.desk.keeper.book.open_positions()[0].open_legs[0].size == -0.5


async def test_an_opening_found_working_is_cancelled() -> None:
    """Whatever rests at the venue from before is not for this process to wait for."""
    stage = scripted()
    stage.shown = [MARKETS[3]]
    stage.ticks = [MARKETS[3].taken_at]
    await cut(stage, 6, is_written=True)  # filled in part, the rest works
    assert [order.state for order in await _working(stage)] == [OrderState.PARTIAL]

    rig = await stage.rig()
    await recover(rig.desk)

    assert await _working(stage) == ()
    (record,) = rig.desk.keeper.book.orders.values()
    assert (record.state, record.booked_amount) == (OrderState.CANCELLED, 0.3)


async def test_an_opening_that_arrives_while_we_look_for_it_is_cancelled_too() -> None:
    """It was in no list at first; it is found, and does not stay."""
    stage = scripted()
    stage.shown = [resting(MARKETS[0])]
    stage.ticks = [NOW]
    await cut(stage, 5, is_written=False)
    (sent,) = [entry for entry in await stage.entries() if isinstance(entry, Sent)]
    stage.venue_log.kept[1:] = []  # it is still under way
    rig = await stage.rig()
    rig.trading.late.append(sent.intent)

    await recover(rig.desk)

    assert await rig.trading.open_orders("BTC") == ()
    assert rig.desk.keeper.book.working == ()


async def test_half_a_book_is_not_traded_on() -> None:
    """While the venue does not answer for taking up the book, nothing else is done; it failed."""
    stage = scripted()
    rig = await stage.rig()
    rig.trading.failing["activity"] = 999
    with pytest.raises(Unhealthy, match="never taken up"):
        await Agent(rig.desk, asyncio.Event()).run()

    entries = await stage.entries()
    assert set(kinds(entries)) == {"Opened", "Alarm", "Ticked", "Closed"}
    assert rig.trading.requests == []


async def test_an_outage_costs_its_ticks_and_nothing_else() -> None:
    """The failure is written down; when the venue is back the life goes on."""
    stage = scripted()
    rig = await stage.rig()
    rig.trading.failing["account"] = 1
    await Agent(rig.desk, asyncio.Event()).run()
    entries = await stage.entries()

    alarms = [entry for entry in entries if isinstance(entry, Alarm)]
    assert [alarm.subject for alarm in alarms] == ["Unavailable on BTC"]
    assert [type(entry) for entry in entries].count(Ticked) == len(MARKETS)
    assert rig.trading.requests


async def test_what_only_a_person_can_mend_ends_the_loop() -> None:
    """A damaged store is raised; nothing is sent after it."""
    stage = scripted()
    rig = await stage.rig()
    rig.market.failure = None
    await recover(rig.desk)
    rig.market.failure = StoreDamaged("the archive")

    with pytest.raises(StoreDamaged):
        await Agent(rig.desk, asyncio.Event()).run()
    assert rig.trading.requests == []


async def test_an_outage_while_killed_does_not_end_the_loop() -> None:
    """What a killed tick could not read is read in the next."""
    stage = scripted()
    await stage.controls.change(NOW, "me", "enough", {"kill_switch": True})

    def fail_after(entry: Entry) -> None:
        if isinstance(entry, Ticked):
            rig.trading.failing["activity"] = 1  # the first read of the next tick

    rig = await stage.rig(watch=fail_after)
    await Agent(rig.desk, asyncio.Event()).run()

    entries = await stage.entries()
    assert isinstance(entries[-1], Closed)
    assert len([entry for entry in entries if isinstance(entry, Alarm)]) == len(MARKETS) - 1
    assert rig.trading.requests == []


async def test_a_kill_cancels_openings_and_lets_closings_go() -> None:
    """What rests is cancelled within a tick; a call in danger is still bought back."""
    stage = scripted()
    stage.shown = [resting(MARKETS[0]), *MARKETS[1:]]
    await lived(stage, ticks=1)
    await stage.controls.change(NOW, "me", "enough", {"kill_switch": True})
    rig = await lived(stage)

    assert all(intent.reduce_only for intent in rig.trading.requests)
    assert await rig.trading.open_orders("BTC") == ()


async def test_stopping_puts_the_book_down() -> None:
    """The last entry says why, and the snapshot is of that very record."""
    stage = scripted()
    rig = await lived(stage, ticks=2)
    last = (await stage.entries())[-1]

    assert isinstance(last, Closed)
    assert last.reason == STOPPED
    snapshot = await stage.snapshots.load()
    assert snapshot is not None
    assert (snapshot.seq, snapshot.book) == (rig.desk.keeper.seq, rig.desk.keeper.book)
    assert isinstance((await lived(stage)).stage, Stage)
    assert [entry.reason for entry in await stage.entries() if isinstance(entry, Closed)] == [
        STOPPED,
        FINISHED,
    ]


async def test_a_stop_that_is_set_before_ends_before_the_first_tick() -> None:
    """Nothing is decided."""
    stage = scripted()
    rig = await stage.rig()
    stop = asyncio.Event()
    stop.set()
    await Agent(rig.desk, stop).run()

    assert kinds(await stage.entries()) == ["Opened", "Closed"]


async def test_changed_controls_are_written_down_once() -> None:
    """As the agent first saw them."""
    stage = scripted()
    await stage.controls.change(NOW, "me", "try", {"explore_prob": 0.1})
    await lived(stage)

    assert kinds(await stage.entries()).count("ControlsSeen") == 1


async def test_a_fall_within_the_day_sets_the_kill_switch() -> None:
    """By the limit that is set; it is latched until a person releases it."""
    stage = scripted()
    first, second = MARKETS[2], MARKETS[3]
    stage.shown = [
        MARKETS[0],
        at_index(first, 100_000.0),
        at_index(second, 90_000.0),
        MARKETS[4],
    ]
    stage.ticks = [each.taken_at for each in stage.shown]
    limits = evolve(stage.params.limits, daily_drawdown_limit_pct=5.0)
    stage.params = evolve(stage.params, limits=limits)
    rig = await lived(stage)

    controls = await stage.controls.read()
    assert controls.kill_switch
    assert "fell" in controls.kill_reason
    seen = [entry for entry in await stage.entries() if isinstance(entry, ControlsSeen)]
    assert seen[-1].controls == controls
    sent_after = [each for each in rig.trading.requests if not each.reduce_only]
    assert all(each.valid_until < seen[-1].at + timedelta(seconds=6) for each in sent_after)


async def test_labels_go_on_counting_after_a_restart() -> None:
    """No number is given twice, even to the same action at the same instant."""
    stage = scripted()
    await cut(stage, 5, is_written=False)
    stage.venue_log.kept[1:] = []  # the request was lost with the process
    await lived(stage)
    sent = [entry.intent.label for entry in await stage.entries() if isinstance(entry, Sent)]

    assert len(sent) == len(set(sent))
    assert sent[0] == label_of("covered_call_v1", NOW, 1, "open")
    assert sent[1].endswith(".000002.open")


async def test_opened_says_who_is_at_work() -> None:
    """Environment, seed and strategies."""
    stage = scripted()
    await lived(stage, ticks=1)
    opened = (await stage.entries())[0]

    assert isinstance(opened, Opened)
    assert (opened.environment, opened.seed, opened.strategies) == (
        "test",
        7,
        ("covered_call_v1",),
    )


async def test_whatever_is_lost_the_book_converges() -> None:
    """After faults on every order of a life, three quiet ticks later nothing is unknown."""
    for fault in Fault:
        stage = scripted()
        rig = await stage.rig()
        rig.trading.faults.extend([fault] * 3)
        await Agent(rig.desk, asyncio.Event()).run()
        book = rig.desk.keeper.book
        ours, theirs = await rig.sizes()

        assert book.reconciliations["BTC"].clean, fault
        assert not [each for each in book.working if each.state is OrderState.UNKNOWN], fault
        assert ours == theirs, fault
        assert not book.halted, fault


async def test_nothing_is_opened_while_trades_are_awaited() -> None:
    """An order known to be filled is a position to come: the coin is not written against twice."""
    stage = scripted()
    stage.shown = [MARKETS[4], MARKETS[5]]
    stage.ticks = [each.taken_at for each in stage.shown]

    def hide(entry: Entry) -> None:
        if isinstance(entry, Sent):
            rig.trading.hides_trades = 9

    rig = await stage.rig(watch=hide)
    rig.trading.faults.append(Fault.LOST_AFTER)
    await Agent(rig.desk, asyncio.Event()).run()

    assert len(rig.trading.requests) == 1
    decided = [each for each in await stage.entries() if isinstance(each, Decided)]
    assert [each.actions[-1].reason for each in decided] == ["best", "order_working"]


def resting(market: MarketSnapshot) -> MarketSnapshot:
    """*market* with so little bid that an order rests there, filled in part."""
    amounts = np.full(len(market.chain), 0.1)
    chain = evolve(market.chain, bid_amount=amounts)
    return MarketSnapshot(market.underlying, market.taken_at, market.index_usd, chain, market.rules)


def at_index(market: MarketSnapshot, index_usd: float) -> MarketSnapshot:
    """*market* with another index and nothing else."""
    return MarketSnapshot(market.underlying, market.taken_at, index_usd, market.chain, market.rules)


async def _working(stage: Stage) -> tuple[Order, ...]:
    rig = await stage.rig()
    return await rig.trading.open_orders("BTC")
