"""The clock of a stepped exchange: its time is the exchange's, and waiting moves both."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from attrs import define, field, frozen

from adapters.deribit.client import DeribitClient
from adapters.deribit.clock import SteppedVenueClock
from adapters.deribit.rpc import Answer, Param
from adapters.deribit.throttle import Throttle
from ports.errors import Unavailable
from tests.support.exchanges import START, ExchangeRig, served

HOUR = timedelta(hours=1)
TICKS = [START + 3 * HOUR, START + HOUR]


@frozen(eq=False)
class Rig:
    exchange: ExchangeRig
    clock: SteppedVenueClock


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[Rig]:
    """A served exchange and its clock."""
    async with (
        served() as exchange,
        DeribitClient.opened(f"http://127.0.0.1:{exchange.port}") as client,
    ):
        yield Rig(exchange, await SteppedVenueClock.opened(client, TICKS))


async def test_it_begins_with_the_time_of_the_exchange(rig: Rig) -> None:
    """To the microsecond, aware, and in seconds as the throttle counts them."""
    assert rig.clock.now() == START
    assert rig.clock.now_s() == START.timestamp()


async def test_waiting_moves_the_exchange(rig: Rig) -> None:
    """Afterwards both stand at the very instant, microseconds included."""
    instant = datetime(2025, 3, 3, 12, 34, 56, 789_012, tzinfo=UTC)
    await rig.clock.sleep_until(instant)

    assert rig.clock.now() == rig.exchange.exchange.now == instant


async def test_waiting_for_the_past_moves_nothing(rig: Rig) -> None:
    """Time does not go back."""
    await rig.clock.sleep_until(START - HOUR)

    assert rig.clock.now() == rig.exchange.exchange.now == START


async def test_ticks_come_in_order_and_end(rig: Rig) -> None:
    """The first later than the last one, whatever the time is; None behind the last."""
    assert rig.clock.next_tick(None) == START + HOUR
    assert rig.clock.next_tick(START + HOUR) == START + 3 * HOUR
    assert rig.clock.next_tick(START + 3 * HOUR) is None


async def test_an_exchange_that_is_gone_cannot_be_waited_for() -> None:
    """The failure is told, and the clock stands where it stood."""
    async with DeribitClient.opened("http://127.0.0.1:9") as nobody:
        clock = SteppedVenueClock(nobody, TICKS, START)
        with pytest.raises(Unavailable, match="the time of the exchange cannot be moved"):
            await clock.sleep_until(START + HOUR)

    assert clock.now() == START


@define(eq=False)
class Moved:
    """Rpc to an exchange that only notes how far it is moved, in hours."""

    hours: list[float] = field(factory=list)

    async def send(self, method: str, params: dict[str, Param], token: str | None = None) -> Answer:
        assert (method, token) == ("paper/advance", None)
        self.hours.append(float(str(params["seconds"])) / 3600.0)
        return Answer(method=method, status=200, result=0)

    async def close(self) -> None:
        pass


async def test_a_long_wait_is_many_requests() -> None:
    """None moves more than six hours, so that its answer comes in time; together they are all."""
    moved = Moved()
    await SteppedVenueClock(DeribitClient(rpc=moved), [], START).sleep_until(START + 15 * HOUR)

    assert moved.hours == [6.0, 6.0, 3.0]


async def test_no_limit_of_ours_holds_time_back() -> None:
    """The exchange counts no credits for being moved, and so neither do we."""

    async def wait(wait_s: float) -> None:
        raise AssertionError(f"held back for {wait_s} s")

    moved = Moved()
    client = DeribitClient(rpc=moved, throttle=Throttle(sleep=wait))
    await SteppedVenueClock(client, [], START).sleep_until(START + 1200 * HOUR)

    assert len(moved.hours) == 200
