"""One order from its last check to its end: sent once, looked up in doubt, cancelled in time."""

from datetime import timedelta

import pytest
from attrs import evolve

from core.usecases.orders import catch_up, resolve, submit, sweep
from ports.decision_log import Alarm, Denied, Entry, Halted, Sent
from ports.errors import StoreUnwritable, Unavailable
from ports.positions import OrderRecord
from ports.trading import OrderState
from tests.support.books import updated
from tests.support.half_call import an_order, ready
from tests.support.markets import NOW
from tests.support.worlds import Fault, Rig


async def send(rig: Rig) -> OrderRecord:
    """Send an order that nothing stops."""
    record = await submit(rig.desk, *await an_order(rig))
    assert record is not None
    return record


def record_of(rig: Rig) -> OrderRecord:
    """The only order in the book."""
    (record,) = rig.desk.keeper.book.orders.values()
    return record


async def told(rig: Rig, kind: type[Entry]) -> list[Entry]:
    """The entries of one *kind*."""
    return [entry for entry in await rig.stage.entries() if isinstance(entry, kind)]


async def refusals(rig: Rig) -> list[str]:
    """The codes of the controls that stopped orders."""
    denied = [each for each in await rig.stage.entries() if isinstance(each, Denied)]
    return [breach.code for each in denied for breach in each.breaches]


@pytest.mark.parametrize(
    ("fault", "state", "at_venue"),
    [
        (Fault.NOTHING, OrderState.FILLED, 1),
        (Fault.REFUSED, OrderState.REJECTED, 0),
        (Fault.LOST_BEFORE, OrderState.UNKNOWN, 0),
        (Fault.LOST_AFTER, OrderState.UNKNOWN, 1),
        (Fault.AWAY, OrderState.UNKNOWN, 0),
        (Fault.LATE, OrderState.UNKNOWN, 0),
        (Fault.OTHER_LABEL, OrderState.UNKNOWN, 1),
        (Fault.OTHER_AMOUNT, OrderState.UNKNOWN, 1),
        (Fault.NO_TRADES, OrderState.FILLED, 1),
    ],
)
async def test_every_answer_means_one_state(fault: Fault, state: OrderState, at_venue: int) -> None:
    """Only what is certain is said to be; nothing but what never left is tried again."""
    rig = await ready(fault)
    record = await send(rig)

    assert record.state is state
    assert len(rig.trading.requests) == 1
    assert len(rig.stage.venue_orders()) == at_venue
    if state is OrderState.UNKNOWN:
        assert (record.working_amount, rig.desk.keeper.book.open_positions()) == (0.5, ())


async def test_what_never_left_is_sent_again_with_the_same_label() -> None:
    """At most three times in all; then it counts as not placed."""
    rig = await ready(Fault.NEVER_SENT, Fault.NEVER_SENT)
    assert (await send(rig)).state is OrderState.FILLED
    assert len({intent.label for intent in rig.trading.requests}) == 1
    assert len(rig.stage.venue_orders()) == 1

    rig = await ready(*[Fault.NEVER_SENT] * 9)
    assert (await send(rig)).state is OrderState.NOT_PLACED
    assert len(rig.trading.requests) == 3


async def test_what_never_left_is_not_sent_after_its_time() -> None:
    """The venue would not take it."""
    rig = await ready(*[Fault.NEVER_SENT] * 9)

    async def slow() -> None:
        await rig.later(seconds=4)

    rig.trading.before_place = slow

    assert (await send(rig)).state is OrderState.NOT_PLACED
    assert len(rig.trading.requests) == 2


async def test_what_never_left_is_not_sent_after_a_kill() -> None:
    """A person may have stopped us between two tries: the second is a request of its own."""
    rig = await ready(*[Fault.NEVER_SENT] * 2)

    async def kill() -> None:
        await rig.stage.controls.change(NOW, "me", "enough", {"kill_switch": True})

    rig.trading.before_place = kill

    assert (await send(rig)).state is OrderState.NOT_PLACED
    assert len(rig.trading.requests) == 1


async def test_the_intent_is_in_the_journal_before_it_is_sent() -> None:
    """Durably: at the moment of the request its Sent is the last entry."""
    rig = await ready()

    async def look() -> None:
        last = (await rig.stage.entries())[-1]
        assert isinstance(last, Sent)
        assert last.intent == rig.trading.requests[-1]

    rig.trading.before_place = look
    await send(rig)
    assert len(rig.trading.requests) == 1


async def test_without_a_journal_nothing_is_sent() -> None:
    """A write that fails stops the order before the request."""
    rig = await ready()
    intent, reading = await an_order(rig)

    class FullLog:
        """A log that takes nothing."""

        async def append(self, entry: Entry) -> None:
            raise StoreUnwritable("disk full")

    rig.desk.keeper._log = FullLog()  # type: ignore[assignment]
    with pytest.raises(StoreUnwritable):
        await submit(rig.desk, intent, reading)
    assert rig.trading.requests == []
    assert rig.desk.keeper.book.orders == {}


async def test_a_kill_between_decision_and_sending_stops_the_order() -> None:
    """The controls are read at the last moment: nothing is sent, and the journal says why."""
    rig = await ready()
    intent, reading = await an_order(rig)
    await rig.stage.controls.change(NOW, "me", "enough", {"kill_switch": True})

    assert await submit(rig.desk, intent, reading) is None
    assert rig.trading.requests == []
    assert await refusals(rig) == ["kill_switch"]


async def test_a_kill_in_the_settings_cannot_be_overlaid() -> None:
    """The controls of a person do not turn it off."""
    rig = await ready()
    rig.desk = evolve(rig.desk, params=evolve(rig.desk.params, kill_switch=True))
    await rig.stage.controls.change(NOW, "me", "go on", {"kill_switch": False})

    assert await submit(rig.desk, *await an_order(rig)) is None
    assert rig.trading.requests == []


async def test_every_action_of_a_batch_is_checked_by_itself() -> None:
    """A kill after the first order stops the second."""
    rig = await ready(rests=True)
    await send(rig)
    await rig.stage.controls.change(NOW, "me", "enough", {"kill_switch": True})
    intent, reading = await an_order(rig)
    other = evolve(intent, label="other", position_id="q")

    assert await submit(rig.desk, other, reading) is None
    assert len(rig.trading.requests) == 1
    assert "kill_switch" in await refusals(rig)


async def test_an_unknown_order_is_found_by_its_label() -> None:
    """Accepted and never answered: its state and its trades are booked, and nothing is sent."""
    rig = await ready(Fault.LOST_AFTER)
    record = await send(rig)

    await resolve(rig.desk, record)
    await catch_up(rig.desk, "BTC")

    assert (record_of(rig).state, record_of(rig).booked_amount) == (OrderState.FILLED, 0.5)
    assert rig.desk.keeper.book.open_positions()[0].open_legs[0].size == -0.5
    assert len(rig.trading.requests) == 1


async def test_what_a_sweep_finds_filled_it_books_at_once() -> None:
    """The trades told after the look-up are not left for the next tick."""
    rig = await ready(Fault.LOST_AFTER)
    await send(rig)
    await sweep(rig.desk, "BTC")

    assert (record_of(rig).state, record_of(rig).booked_amount) == (OrderState.FILLED, 0.5)


async def test_no_order_is_not_placed_before_its_time_is_over() -> None:
    """As long as the venue might take it, an unknown label proves nothing."""
    rig = await ready(Fault.LOST_BEFORE)
    record = await send(rig)
    for seconds in (0, 5, 1):
        await rig.later(seconds=seconds)
        await sweep(rig.desk, "BTC")
        assert record_of(rig).state is OrderState.UNKNOWN

    assert rig.clock.now() == record.intent.valid_until + timedelta(seconds=1)
    await rig.later(milliseconds=1)
    await sweep(rig.desk, "BTC")
    assert record_of(rig).state is OrderState.NOT_PLACED


async def test_resolving_waits_for_that_instant() -> None:
    """Then asks again."""
    rig = await ready(Fault.LATE)
    record = await send(rig)
    await resolve(rig.desk, record)

    assert rig.clock.now() > record.intent.valid_until + timedelta(seconds=1)
    assert record_of(rig).state is OrderState.FILLED
    assert rig.trading.reads.count("orders_by_label") == 2


async def test_a_slow_answer_proves_nothing_of_later() -> None:
    """The list was made before the order came in, and was read after its time was over."""
    rig = await ready(Fault.LATE)
    await send(rig)

    async def slow() -> None:
        await rig.later(seconds=10)

    rig.trading.after_lookup = slow
    await sweep(rig.desk, "BTC")

    assert len(rig.stage.venue_orders()) == 1
    assert record_of(rig).state is OrderState.UNKNOWN
    await sweep(rig.desk, "BTC")
    assert record_of(rig).state is OrderState.FILLED


async def test_a_failed_look_up_proves_nothing() -> None:
    """However late: the order stays unknown, and counts in full."""
    rig = await ready(Fault.LOST_BEFORE)
    await send(rig)
    await rig.later(seconds=60)
    rig.trading.failing["orders_by_label"] = 2
    for _ in range(2):
        with pytest.raises(Unavailable):
            await sweep(rig.desk, "BTC")
        assert record_of(rig).state is OrderState.UNKNOWN
        assert record_of(rig).working_amount == 0.5

    await sweep(rig.desk, "BTC")
    assert record_of(rig).state is OrderState.NOT_PLACED


async def test_no_order_goes_where_one_is_unknown() -> None:
    """Nothing else is sent on that contract."""
    rig = await ready(Fault.LOST_BEFORE)
    await send(rig)

    assert await submit(rig.desk, *await an_order(rig)) is None
    assert len(rig.trading.requests) == 1


async def test_what_outlives_its_time_is_cancelled() -> None:
    """Not before it, and what was filled stays."""
    rig = await ready(rests=True)
    record = await send(rig)
    assert record.state is OrderState.PARTIAL

    await rig.clock.sleep_until(record.intent.expires_at - timedelta(seconds=1))
    await sweep(rig.desk, "BTC")
    assert record_of(rig).state is OrderState.PARTIAL
    await rig.later(seconds=1)
    await sweep(rig.desk, "BTC")

    assert (record_of(rig).state, record_of(rig).booked_amount) == (OrderState.CANCELLED, 0.2)
    assert await rig.trading.open_orders("BTC") == ()


async def test_a_cancel_is_repeated_until_it_is_seen_to_hold() -> None:
    """A cancel without answer leaves the order working; the next sweep tries again."""
    rig = await ready(rests=True)
    await send(rig)
    await rig.later(seconds=120)
    rig.trading.failing["cancel"] = 1
    with pytest.raises(Unavailable):
        await sweep(rig.desk, "BTC")
    assert record_of(rig).state is OrderState.PARTIAL

    await sweep(rig.desk, "BTC")
    assert record_of(rig).state is OrderState.CANCELLED


async def test_an_order_that_ended_before_the_cancel_is_as_it_ended() -> None:
    """The refusal of the cancel leads to another look."""
    rig = await ready(rests=True)
    await send(rig)
    await rig.later(seconds=120)
    (working,) = await rig.trading.open_orders("BTC")

    async def somebody_else() -> None:
        rig.trading.after_lookup = None
        await rig.trading.venue.cancel(working)

    rig.trading.after_lookup = somebody_else
    await sweep(rig.desk, "BTC")

    assert record_of(rig).state is OrderState.CANCELLED


async def test_trades_that_come_late_are_booked_once() -> None:
    """Hidden, then told twice and backwards: the position is what was traded."""
    rig = await ready(Fault.NO_TRADES)
    rig.trading.hides_trades = 1
    await send(rig)
    await sweep(rig.desk, "BTC")
    assert (record_of(rig).state, record_of(rig).working_amount) == (OrderState.FILLED, 0.5)
    assert rig.desk.keeper.book.open_positions() == ()

    rig.trading.doubles_trades = True
    await sweep(rig.desk, "BTC")
    await sweep(rig.desk, "BTC")

    assert rig.desk.keeper.book.open_positions()[0].open_legs[0].size == -0.5
    assert record_of(rig).working_amount == 0.0
    assert await told(rig, Alarm) == []


async def test_a_late_trade_on_an_ended_order_is_booked_and_alarms() -> None:
    """The order was seen cancelled unfilled; the state stays, the trade counts."""
    rig = await ready(Fault.LOST_AFTER)
    record = await send(rig)
    gone = updated(OrderState.NOT_PLACED, label=record.intent.label, at=rig.clock.now())
    await rig.desk.keeper.record(gone)
    await sweep(rig.desk, "BTC")

    assert record_of(rig).state is OrderState.NOT_PLACED
    assert rig.desk.keeper.book.open_positions()[0].open_legs[0].size == -0.5
    (alarm,) = await told(rig, Alarm)
    assert isinstance(alarm, Alarm)
    assert "late trade" in alarm.subject


async def test_two_orders_of_one_label_halt() -> None:
    """One intent is one order: when the venue has two, nothing new is risked."""
    rig = await ready(Fault.LOST_AFTER, rests=True)
    record = await send(rig)
    await rig.trading.venue.place(record.intent)  # somewhere on the way it was doubled
    await sweep(rig.desk, "BTC")

    assert await told(rig, Halted)
    assert record.intent.label in rig.desk.keeper.book.halted


async def test_trades_of_a_first_tick_that_was_cut_are_found_days_later() -> None:
    """Before the first mark there is no instant to look back from but that of the order."""
    rig = await ready(Fault.LOST_AFTER)
    await send(rig)
    await rig.later(days=3)
    await sweep(rig.desk, "BTC")

    assert (record_of(rig).state, record_of(rig).booked_amount) == (OrderState.FILLED, 0.5)
