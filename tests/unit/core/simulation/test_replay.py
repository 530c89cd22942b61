"""Recorded markets lived through again: never a later snapshot, delivery prices by their law."""

from datetime import UTC, datetime, timedelta
from math import log, sqrt

import numpy as np
import pytest

from adapters.memory.snapshots import MemorySnapshots
from core.simulation.replay import ReplayClock, ReplayMarket
from ports.errors import Unavailable
from ports.history import DeliveryPrice
from tests.support.markets import DAILY, FRIDAY, Listed, call, snapshot

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST = datetime(2026, 3, 2, 10, tzinfo=UTC)
INSTANTS = [FIRST + 6 * HOUR * number for number in range(9)]


async def opened(
    prices: dict[datetime, float], start: datetime = FIRST
) -> tuple[ReplayMarket, ReplayClock]:
    """A recording of *prices* that has two contracts, one expiring on the way."""
    archive = MemorySnapshots(
        snapshot(
            Listed(contract=call(90_000.0, DAILY), mark=0.1),
            Listed(contract=call(90_000.0, FRIDAY), mark=0.12),
            taken_at=instant,
            index_usd=index_usd,
        )
        for instant, index_usd in prices.items()
    )
    clock = ReplayClock(list(prices), start)
    return await ReplayMarket.opened(archive, clock, ("BTC",)), clock


async def recorded(start: datetime = FIRST) -> tuple[ReplayMarket, ReplayClock]:
    """The index goes up by a thousand every six hours."""
    return await opened(
        {at: 100_000.0 + 1_000.0 * number for number, at in enumerate(INSTANTS)}, start
    )


async def test_the_clock_stops_at_every_recorded_instant() -> None:
    """From tick to tick one comes by all instants once, in order, and then to the end."""
    clock = ReplayClock([INSTANTS[2], INSTANTS[0], INSTANTS[1], INSTANTS[1]], INSTANTS[0])
    seen: list[datetime] = []
    while (tick := clock.next_tick(seen[-1] if seen else None)) is not None:
        await clock.sleep_until(tick)
        seen.append(clock.now())

    assert seen == INSTANTS[:3]


async def test_the_clock_may_stand_between_instants() -> None:
    """Sleeping to any instant is allowed; no tick is lost by it."""
    clock = ReplayClock(INSTANTS, INSTANTS[0])
    await clock.sleep_until(INSTANTS[3] + HOUR)

    assert clock.now() == INSTANTS[3] + HOUR
    assert clock.next_tick(INSTANTS[1]) == INSTANTS[2]
    assert clock.next_tick(INSTANTS[1] + HOUR) == INSTANTS[2]


async def test_the_clock_never_goes_back() -> None:
    """Sleeping to the past returns at once and changes nothing."""
    clock = ReplayClock(INSTANTS, INSTANTS[3])
    await clock.sleep_until(INSTANTS[0])

    assert clock.now() == INSTANTS[3]


@pytest.mark.parametrize("minutes", [0, 1, 359, 360, 361, 1000, 2879])
async def test_a_snapshot_is_never_a_later_one(minutes: int) -> None:
    """Whatever the time, the newest snapshot taken by then is shown."""
    market, clock = await recorded()
    await clock.sleep_until(FIRST + timedelta(minutes=minutes))
    shown = await market.snapshot("BTC")

    assert shown.taken_at == max(at for at in INSTANTS if at <= clock.now())
    assert shown.index_usd == 100_000.0 + 1_000.0 * (minutes // 360)


async def test_before_the_first_snapshot_nothing_is_shown() -> None:
    """A microsecond before it there is no market yet."""
    market, _ = await recorded(FIRST - timedelta(microseconds=1))

    with pytest.raises(Unavailable, match="BTC"):
        await market.snapshot("BTC")


async def test_what_expired_since_is_dropped() -> None:
    """An old snapshot does not bring back a contract that has expired by now."""
    market, clock = await recorded()
    await clock.sleep_until(DAILY - timedelta(seconds=1))
    before = (await market.snapshot("BTC")).chain
    await clock.sleep_until(DAILY)
    after = (await market.snapshot("BTC")).chain

    assert before.contracts == (call(90_000.0, DAILY), call(90_000.0, FRIDAY))
    assert after.contracts == (call(90_000.0, FRIDAY),)


async def test_bars_are_the_recorded_instants() -> None:
    """Each closes when it was recorded, at the index of that instant; no more is known."""
    market, clock = await recorded()
    await clock.sleep_until(INSTANTS[3] + HOUR)
    bars = await market.candles("BTC", HOUR, INSTANTS[0], INSTANTS[8])

    assert bars.closed_at_ms.tolist() == [at.timestamp() * 1000 for at in INSTANTS[1:4]]
    assert bars.close.tolist() == [101_000.0, 102_000.0, 103_000.0]
    assert np.isnan([bars.open, bars.high, bars.low]).all()


async def test_a_longer_step_takes_the_first_of_each() -> None:
    """Of a day asked for by days the first recorded price is told, as soon as it is known."""
    market, clock = await recorded()
    await clock.sleep_until(INSTANTS[3])  # 04:00 of the second day
    bars = await market.candles("BTC", DAY, INSTANTS[0] - DAY, INSTANTS[8])

    assert bars.close.tolist() == [100_000.0, 103_000.0]


async def test_delivery_waits_for_a_snapshot_after_expiry() -> None:
    """At expiry nothing is known; at the first snapshot behind it everything is."""
    market, clock = await recorded()
    await clock.sleep_until(DAILY + HOUR)
    waiting = await market.delivery_price("BTC", DAILY)
    await clock.sleep_until(DAILY + 2 * HOUR)

    assert waiting is None
    assert await market.delivery_price("BTC", DAILY) is not None


async def test_delivery_between_snapshots_is_log_linear() -> None:
    """At 07:45 between 04:00 and 10:00, the price has gone 3.75 of 6 hours of the way."""
    before, after = DAILY - 4 * HOUR, DAILY + 2 * HOUR
    market, _ = await opened({before: 80_000.0, after: 125_000.0}, after)
    delivered = await market.delivery_price("BTC", DAILY)

    assert delivered is not None
    assert delivered.price_usd == pytest.approx(80_000.0 ** (2.25 / 6) * 125_000.0 ** (3.75 / 6))
    assert delivered.source == "interpolated"


async def test_the_error_is_that_of_a_bridge() -> None:
    """Of one move m over 6 hours it is F |m| √(3.75 x 2.25) / 6: σ² is m² per 6 hours."""
    before, after = DAILY - 4 * HOUR, DAILY + 2 * HOUR
    market, _ = await opened({before: 80_000.0, after: 125_000.0}, after)
    delivered = await market.delivery_price("BTC", DAILY)

    assert delivered is not None
    move = log(125_000.0 / 80_000.0)
    expected = delivered.price_usd * move * sqrt(3.75 * 2.25) / 6
    assert delivered.error_usd == pytest.approx(expected)


async def test_delivery_takes_what_was_recorded_in_the_last_half_hour() -> None:
    """Their mean, the ends of the window included, whatever stands beside it."""
    inside = {DAILY - timedelta(minutes=30): 100.0, DAILY - timedelta(minutes=7): 104.0}
    outside = {DAILY - timedelta(minutes=31): 50.0, DAILY + timedelta(minutes=1): 50.0}
    market, _ = await opened(inside | outside | {DAILY: 108.0}, DAILY + HOUR)
    delivered = await market.delivery_price("BTC", DAILY)

    assert delivered is not None
    assert delivered.price_usd == pytest.approx(104.0)
    assert delivered.source == "recorded index"


async def test_delivery_is_not_guessed_from_one_side() -> None:
    """Where nothing was recorded before the last half hour it stays unknown."""
    market, _ = await opened({DAILY + HOUR: 100.0, DAILY + 7 * HOUR: 101.0}, DAILY + DAY)

    assert await market.delivery_price("BTC", DAILY) is None


@pytest.mark.parametrize("minute", [None, 0, 15, 29])
async def test_errors_are_as_large_as_they_say(minute: int | None) -> None:
    """On 250 random walks the miss, over its error, is one on average, or a little less."""
    misses = []
    for seed in range(250):
        true, delivered = await _simulated(np.random.default_rng(seed), minute)
        misses.append((delivered.price_usd - true) / delivered.error_usd)

    assert 0.85 < sqrt(np.mean(np.square(misses))) < 1.15


async def _simulated(rng: np.random.Generator, minute: int | None) -> tuple[float, DeliveryPrice]:
    """
    The mean of a random walk over the last half hour, and what a recording makes of it.

    Recorded every six hours for ten days up to 10:00, and at *minute* of the window.
    """
    start = DAILY + 2 * HOUR - 10 * DAY
    steps = 0.0005 * rng.standard_normal(10 * 1440)
    index_usd = 100_000.0 * np.exp(np.concatenate([[0.0], np.cumsum(steps)]))
    expiry = 10 * 1440 - 120
    taken = list(range(0, 10 * 1440 + 1, 360))
    if minute is not None:
        taken.append(expiry - 30 + minute)
    prices = {start + timedelta(minutes=at): float(index_usd[at]) for at in taken}
    market, _ = await opened(prices, DAILY + DAY)
    delivered = await market.delivery_price("BTC", DAILY)
    assert delivered is not None
    return float(index_usd[expiry - 29 : expiry + 1].mean()), delivered
