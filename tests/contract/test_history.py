"""What every History promises."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import pytest_asyncio

from ports.checks import epoch_ms
from ports.errors import Unavailable
from ports.history import Candles
from tests.support.deribit_rigs import market_over_http, market_over_websocket
from tests.support.rigs import MarketRig, replay, synthetic

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EXPIRY = datetime(2025, 2, 7, 8, tzinfo=UTC)


async def invented_one(_: AsyncExitStack) -> MarketRig:
    return await synthetic()


async def recorded_one(_: AsyncExitStack) -> MarketRig:
    return await replay()


Make = Callable[[AsyncExitStack], Awaitable[MarketRig]]
MAKES = (invented_one, recorded_one, market_over_http, market_over_websocket)


@pytest_asyncio.fixture(params=MAKES, ids=lambda make: make.__name__)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[MarketRig]:
    """One rig per implementation."""
    make: Make = request.param
    async with AsyncExitStack() as stack:
        yield await make(stack)


async def test_bars_lie_between_start_and_end(rig: MarketRig) -> None:
    """Bars closed after the start, at the end or before, and come oldest first."""
    await rig.clock.sleep_until(rig.end)
    start, end = rig.start, rig.start + 2 * DAY
    closed = (await rig.market.candles("BTC", HOUR, start, end)).closed_at_ms

    assert len(closed) >= 7
    assert closed[0] > epoch_ms(start)
    assert closed[-1] <= epoch_ms(end)
    assert (np.diff(closed) > 0).all()


@pytest.mark.parametrize("minutes", [0, 1, 29, 30, 31, 360, 1000])
async def test_no_bar_is_later_than_now(rig: MarketRig, minutes: int) -> None:
    """However late the end, what has not closed by now is not told."""
    await rig.clock.sleep_until(rig.start + timedelta(minutes=minutes))
    bars = await rig.market.candles("BTC", HOUR, rig.start - DAY, rig.end + 100 * DAY)

    assert len(bars.close) >= 1
    assert bars.closed_at_ms[-1] <= epoch_ms(rig.clock.now())


async def test_a_bar_never_changes(rig: MarketRig) -> None:
    """What was told of the past is told the same way later: nothing of the future was in it."""
    await rig.clock.sleep_until(rig.start + timedelta(hours=37, minutes=20))
    then = rig.clock.now()
    told = await rig.market.candles("BTC", HOUR, rig.start - DAY, then)
    await rig.clock.sleep_until(rig.end)
    later = await rig.market.candles("BTC", HOUR, rig.start - DAY, then)

    assert same_bars(told, later)


async def test_bars_are_no_denser_than_asked(rig: MarketRig) -> None:
    """A step has one bar at most."""
    await rig.clock.sleep_until(rig.end)
    bars = await rig.market.candles("BTC", DAY, rig.start, rig.end)

    assert 3 <= len(bars.close) <= 5


async def test_prices_of_a_bar_are_in_order(rig: MarketRig) -> None:
    """Low, open, close and high are so, or not known; the close is always known."""
    await rig.clock.sleep_until(rig.end)
    bars = await rig.market.candles("ETH", HOUR, rig.start, rig.end)

    assert (bars.close > 0).all()
    assert not (bars.low > np.minimum(bars.open, bars.close)).any()
    assert not (bars.high < np.maximum(bars.open, bars.close)).any()


async def test_nothing_is_known_before_the_beginning(rig: MarketRig) -> None:
    """Where nothing is known the answer is empty."""
    long_ago = datetime(2019, 1, 1, tzinfo=UTC)

    assert len((await rig.market.candles("BTC", HOUR, long_ago, long_ago + DAY)).close) == 0


async def test_a_delivery_price_is_not_known_before_expiry(rig: MarketRig) -> None:
    """Until eight o'clock there is none."""
    await rig.clock.sleep_until(EXPIRY - timedelta(seconds=1))

    assert await rig.market.delivery_price("BTC", EXPIRY) is None


async def test_a_delivery_price_never_changes(rig: MarketRig) -> None:
    """Once it is known it stays, and it is one of the prices about that time."""
    answers = []
    for hours in (8, 24, 40):
        await rig.clock.sleep_until(EXPIRY + timedelta(hours=hours))
        answers.append(await rig.market.delivery_price("BTC", EXPIRY))
    bars = await rig.market.candles("BTC", HOUR, EXPIRY - DAY, EXPIRY + DAY)
    price = answers[0]

    assert price is not None
    assert answers == [price] * 3
    assert bars.close.min() * 0.99 < price.price_usd < bars.close.max() * 1.01


async def test_an_unknown_underlying_is_unavailable(rig: MarketRig) -> None:
    """What is not covered is refused in our words."""
    with pytest.raises(Unavailable, match="DOGE"):
        await rig.market.candles("DOGE", HOUR, rig.start, rig.end)
    with pytest.raises(Unavailable, match="DOGE"):
        await rig.market.delivery_price("DOGE", EXPIRY)


def same_bars(first: Candles, second: Candles) -> bool:
    names = ("closed_at_ms", "open", "high", "low", "close")
    return all(
        np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True)
        for name in names
    )


async def test_parts_of_funding_add_up(rig: MarketRig) -> None:
    """Two halves of a span, wherever it is cut, are the whole of it."""
    await rig.clock.sleep_until(rig.end)
    start, end = rig.start, rig.start + timedelta(hours=30)
    cut = start + timedelta(hours=7, minutes=13)
    whole = await rig.market.funding("BTC", start, end)
    parts = [await rig.market.funding("BTC", *part) for part in ((start, cut), (cut, end))]

    assert sum(parts) == pytest.approx(whole, abs=1e-15)
    assert abs(whole) < 0.02  # of thirty hours: 0.5 % in eight is the most


async def test_no_funding_is_later_than_now(rig: MarketRig) -> None:
    """What is to come counts nothing, and an unknown coin has none."""
    await rig.clock.sleep_until(rig.start + timedelta(hours=3))
    now = rig.clock.now()

    assert await rig.market.funding("BTC", now, rig.end) == 0.0
    until_now = await rig.market.funding("BTC", rig.start, now)
    assert await rig.market.funding("BTC", rig.start, rig.end) == until_now
    with pytest.raises(Unavailable):
        await rig.market.funding("SOL", rig.start, now)
