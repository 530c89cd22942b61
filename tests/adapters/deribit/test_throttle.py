"""Throttle: never more than the venue gives, and cancels before all else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.deribit.throttle import LIMITS, UNLIMITED, Limit, Throttle
from ports.errors import RateLimited
from tests.support.deribit_venue import Watch

BUY, CANCEL, TICKER = "private/buy", "private/cancel", "public/ticker"


def throttle(watch: Watch, longest_wait_s: float = 5.0) -> Throttle:
    return Throttle(now_s=watch.now_s, sleep=watch.sleep, longest_wait_s=longest_wait_s)


async def waited(throttle: Throttle, watch: Watch, method: str) -> float:
    """The seconds until the turn of *method*."""
    before = watch.seconds
    await throttle.turn(method)
    return watch.seconds - before


@pytest.mark.parametrize(
    ("method", "burst", "per_second"),
    [
        (TICKER, 100, 20),
        ("private/get_positions", 100, 20),
        ("public/get_instruments", 50, 1),
        ("private/get_transaction_log", 8, 1),
        (CANCEL, 20, 5),
    ],
)
async def test_a_burst_passes_and_then_the_rate(method: str, burst: int, per_second: float) -> None:
    """So many requests at once as the venue's table says, then one each 1/rate seconds."""
    watch = Watch()
    turns = throttle(watch)

    assert [await waited(turns, watch, method) for _ in range(burst)] == [0.0] * burst
    assert await waited(turns, watch, method) == pytest.approx(1 / per_second)
    assert await waited(turns, watch, method) == pytest.approx(1 / per_second)


async def test_cancels_have_room_that_orders_cannot_take() -> None:
    """When orders have to wait, five cancels still go at once."""
    watch = Watch()
    turns = throttle(watch)
    while await waited(turns, watch, BUY) == 0.0:
        pass

    assert [await waited(turns, watch, CANCEL) for _ in range(5)] == [0.0] * 5


async def test_classes_do_not_wait_for_each_other() -> None:
    """An empty bucket of orders leaves reads free."""
    watch = Watch()
    turns = throttle(watch)
    for _ in range(20):
        await turns.turn(CANCEL)

    assert await waited(turns, watch, TICKER) == 0.0


async def test_nobody_waits_for_ever() -> None:
    """A turn that comes too late is refused at once, and costs nothing."""
    watch = Watch()
    turns = throttle(watch, longest_wait_s=0.1)
    for _ in range(20):
        await turns.turn(CANCEL)
    before = watch.seconds

    with pytest.raises(RateLimited, match="private/cancel"):
        await turns.turn(CANCEL)
    assert watch.seconds == before
    watch.seconds += 0.2
    assert await waited(turns, watch, CANCEL) == 0.0


async def test_the_venue_is_believed_when_it_has_no_credits() -> None:
    """After a refusal the next request waits for the refill."""
    watch = Watch()
    turns = throttle(watch)
    turns.emptied(TICKER)

    assert await waited(turns, watch, TICKER) == pytest.approx(1 / 20)


async def test_limits_of_the_account_only_narrow() -> None:
    """A smaller limit is kept to, a larger one is not used."""
    watch = Watch()
    turns = throttle(watch)
    turns.narrow(matching=Limit(burst=4, per_second=2), other=Limit(burst=9000, per_second=900))

    assert [await waited(turns, watch, BUY) for _ in range(3)] == [0.0] * 3
    assert await waited(turns, watch, BUY) == pytest.approx(1 / 2)
    assert await waited(turns, watch, CANCEL) == 0.0
    assert [await waited(turns, watch, TICKER) for _ in range(100)] == [0.0] * 100
    assert await waited(turns, watch, TICKER) > 0.0


@settings(derandomize=True, deadline=None)
@given(pauses=st.lists(st.floats(0, 3), min_size=1, max_size=80))
async def test_no_window_holds_more_than_the_venue_allows(pauses: list[float]) -> None:
    """Between any two requests there are at most burst + rate x time of them."""
    watch = Watch()
    turns, limit = throttle(watch), LIMITS["matching"]
    sent_at = []
    for pause_s in pauses:
        watch.seconds += pause_s / 10
        await turns.turn(CANCEL)
        sent_at.append(watch.seconds)

    for first in range(len(sent_at)):
        for last in range(first, len(sent_at)):
            span_s = sent_at[last] - sent_at[first]
            assert last - first + 1 <= limit.burst + limit.per_second * span_s + 1e-6


async def test_a_venue_that_counts_nothing_is_not_waited_for() -> None:
    """With UNLIMITED, and an account that tells as much, thousands of requests pass at once."""
    watch = Watch()
    turns = Throttle(limits=UNLIMITED, now_s=watch.now_s, sleep=watch.sleep)
    turns.narrow(matching=Limit(1e6, 1e6), other=Limit(1e6, 1e6))

    assert sum([await waited(turns, watch, TICKER) for _ in range(5000)]) == 0.0
