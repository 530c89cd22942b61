"""What every Clock promises, and what each of them adds."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.memory.clock import SteppedClock
from adapters.system.clock import SystemClock
from ports.clock import Clock
from tests.support.entries import NOW

MINUTE = timedelta(minutes=1)


def memory() -> Clock:
    return SteppedClock(NOW, [NOW + MINUTE, NOW + 3 * MINUTE])


def system() -> Clock:
    return SystemClock(MINUTE)


def told(instants: Iterator[datetime]) -> SystemClock:
    """A system clock whose wall shows *instants*, one a look."""
    return SystemClock(MINUTE, lambda: next(instants))


@pytest.fixture(params=[memory, system], ids=lambda make: make.__name__)
def clock(request: pytest.FixtureRequest) -> Clock:
    make: Callable[[], Clock] = request.param
    return make()


async def test_now_is_utc_and_never_goes_back(clock: Clock) -> None:
    """Instants are aware, in UTC, in order."""
    instants = [clock.now() for _ in range(100)]

    assert {instant.utcoffset() for instant in instants} == {timedelta(0)}
    assert instants == sorted(instants)


async def test_waiting_ends_at_the_instant_or_after(clock: Clock) -> None:
    """sleep_until() returns when the instant has come."""
    instant = clock.now() + timedelta(milliseconds=5)
    await clock.sleep_until(instant)

    assert clock.now() >= instant


async def test_waiting_for_the_past_ends_at_once(clock: Clock) -> None:
    """An instant that has passed is not waited for, and time does not go back to it."""
    before = clock.now()
    await asyncio.wait_for(clock.sleep_until(before - timedelta(days=1)), timeout=1)

    assert clock.now() >= before


async def test_ticks_come_in_order(clock: Clock) -> None:
    """The tick after a tick is later than it."""
    first = clock.next_tick(None)
    assert first is not None
    second = clock.next_tick(first)

    assert second is not None
    assert second > first


def test_a_stepped_clock_ends() -> None:
    """A recorded clock answers its ticks wherever now is, then None."""
    clock = memory()

    assert clock.next_tick(None) == NOW + MINUTE
    assert clock.next_tick(NOW + MINUTE) == NOW + 3 * MINUTE
    assert clock.next_tick(NOW + 2 * MINUTE) == NOW + 3 * MINUTE
    assert clock.next_tick(NOW + 3 * MINUTE) is None


def test_a_wall_clock_that_is_set_back_stands_still() -> None:
    """now() repeats the latest instant until the wall has caught up."""
    seconds = [0, 10, 4, 9, 11]
    clock = told(NOW + timedelta(seconds=second) for second in seconds)

    assert [(clock.now() - NOW).seconds for _ in range(4)] == [10, 10, 10, 11]


@pytest.mark.parametrize(
    ("now_s", "after_s", "due_s"),
    [
        (0, None, 0),  # the first tick
        (5, 0, 60),  # a short tick
        (60, 0, 60),  # a tick of exactly the interval
        (61, 0, 120),  # one tick was missed
        (7000, 0, 7020),  # after a pause of two hours
        (10, 50, 10),  # the last tick was due in a future that a wrong clock showed
        (10, -20, 10),  # the last tick was that of an earlier process
    ],
)
def test_system_ticks_keep_their_grid(now_s: int, after_s: int | None, due_s: int) -> None:
    """The next tick is whole intervals after the last one and never in the past."""
    clock = told(iter([NOW, NOW + timedelta(seconds=now_s)]))
    after = None if after_s is None else NOW + timedelta(seconds=after_s)

    assert clock.next_tick(after) == NOW + timedelta(seconds=due_s)


async def test_waiting_notices_a_wall_clock_set_forward() -> None:
    """A wait of a year ends as soon as the wall shows that it is over."""
    year = timedelta(days=365)
    clock = told(iter([NOW, NOW + year - timedelta(milliseconds=1), NOW + year]))

    await asyncio.wait_for(clock.sleep_until(NOW + year), timeout=1)


async def test_waiting_can_be_cancelled() -> None:
    """A cancelled wait ends at once."""
    clock = SystemClock(MINUTE)
    waiting = asyncio.create_task(clock.sleep_until(datetime(9000, 1, 1, tzinfo=UTC)))
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, timeout=1)


@pytest.mark.parametrize("interval", [timedelta(0), -MINUTE])
def test_an_interval_must_be_positive(interval: timedelta) -> None:
    """A clock without an interval is refused."""
    with pytest.raises(ValueError, match="interval"):
        SystemClock(interval)
