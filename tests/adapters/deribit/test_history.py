"""DeribitHistory: closed bars of the perpetual, asked for once, and the venue's delivery prices."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from attrs import define, field

from adapters.deribit.history import DeribitHistory
from ports.checks import epoch_ms
from ports.errors import Malformed, Unavailable
from ports.history import Candles, DeliveryPrice
from tests.support.deribit_venue import NOW, Reply, ScriptedVenue, raw, result
from tests.support.recorded import recorded_data

CHART, DELIVERIES = "public/get_tradingview_chart_data", "public/get_delivery_prices"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOUR_MS = 3_600_000


def price(begun_ms: int) -> float:
    """The close of the bar that began then, different for each."""
    return 80_000.0 + begun_ms // HOUR_MS % 1000


def chart(begun_ms: list[int]) -> dict[str, Any]:
    closes = [price(ms) for ms in begun_ms]
    return {
        "status": "ok" if begun_ms else "no_data",
        "ticks": begun_ms,
        "open": [close - 1 for close in closes],
        "high": [close + 5 for close in closes],
        "low": [close - 5 for close in closes],
        "close": closes,
        "volume": [1.0] * len(closes),
        "cost": [1.0] * len(closes),
    }


@define
class Hourly:
    """A venue with hourly bars since *first*, at *now*; the bar under way is told too."""

    now: datetime = NOW + timedelta(minutes=20)
    first: datetime = NOW - 5 * DAY
    venue: ScriptedVenue = field(factory=ScriptedVenue)

    def __attrs_post_init__(self) -> None:
        self.venue.on(CHART, self._bars)

    def _bars(self, asked: dict[str, Any]) -> httpx.Response:
        params = asked["params"]
        begun = range(epoch_ms(self.first), epoch_ms(self.now) + 1, HOUR_MS)
        told = [ms for ms in begun if params["start_timestamp"] <= ms <= params["end_timestamp"]]
        return result(chart(told), at=self.now)(asked)

    def history(self) -> DeribitHistory:
        return DeribitHistory(self.venue.client(with_credentials=False))


def closed(bars: Candles) -> list[int]:
    """The ends of *bars* in hours from NOW."""
    return [(ms - epoch_ms(NOW)) // HOUR_MS for ms in bars.closed_at_ms.tolist()]


async def test_a_bar_is_dated_by_its_end() -> None:
    """The venue dates a bar by its beginning; what it says was known an hour later."""
    bars = await Hourly().history().candles("BTC", HOUR, NOW - 3 * HOUR, NOW)

    assert closed(bars) == [-2, -1, 0]
    assert bars.close.tolist() == [price(epoch_ms(NOW) + hour * HOUR_MS) for hour in (-3, -2, -1)]
    assert np.array_equal(bars.open, bars.close - 1)
    assert np.array_equal(bars.high, bars.close + 5)
    assert np.array_equal(bars.low, bars.close - 5)


async def test_bars_are_of_the_perpetual() -> None:
    """In the venue's resolution."""
    world = Hourly()
    await world.history().candles("ETH", HOUR, NOW - 3 * HOUR, NOW)

    (params,) = world.venue.params(CHART)
    assert (params["instrument_name"], params["resolution"]) == ("ETH-PERPETUAL", "60")


async def test_the_bar_under_way_is_not_told() -> None:
    """However late the end, what has not closed by the venue's time is left out."""
    world = Hourly()
    bars = await world.history().candles("BTC", HOUR, NOW - 2 * HOUR, NOW + 900 * DAY)

    assert closed(bars) == [-1, 0]
    assert world.venue.count(CHART) == 1


async def test_what_was_told_is_not_asked_again() -> None:
    """The same bars cost one question; an hour later only the new bar is asked for."""
    world = Hourly()
    history = world.history()
    first = await history.candles("BTC", HOUR, NOW - 4 * HOUR, NOW)
    again = await history.candles("BTC", HOUR, NOW - 3 * HOUR, NOW)
    assert world.venue.count(CHART) == 1
    world.now += HOUR
    later = await history.candles("BTC", HOUR, NOW - 4 * HOUR, NOW + HOUR)

    assert closed(again) == [-2, -1, 0]
    assert closed(later) == [*closed(first), 1]
    newest = world.venue.params(CHART)[1]
    assert newest["start_timestamp"] > epoch_ms(NOW) - HOUR_MS
    assert newest["end_timestamp"] == epoch_ms(NOW)


async def test_a_bar_never_changes() -> None:
    """What the venue says of it later is not heard."""
    world = Hourly()
    history = world.history()
    first = await history.candles("BTC", HOUR, NOW - 4 * HOUR, NOW)
    world.venue.on(CHART, result(chart([])))
    later = await history.candles("BTC", HOUR, NOW - 4 * HOUR, NOW + 2 * HOUR)

    assert np.array_equal(first.close, later.close)


async def test_an_earlier_start_is_asked_for() -> None:
    """What lies before the known bars is not taken for empty."""
    history = Hourly().history()
    await history.candles("BTC", HOUR, NOW - 2 * HOUR, NOW)

    assert closed(await history.candles("BTC", HOUR, NOW - 4 * HOUR, NOW)) == [-3, -2, -1, 0]


async def test_a_missing_last_bar_is_asked_for_again() -> None:
    """A bar that the venue publishes late is not lost."""
    world = Hourly()
    history = world.history()
    world.venue.on(CHART, result(chart([epoch_ms(NOW) - 2 * HOUR_MS]), at=NOW))
    assert closed(await history.candles("BTC", HOUR, NOW - 2 * HOUR, NOW)) == [-1]
    world.venue.on(CHART, result(chart([epoch_ms(NOW) - HOUR_MS]), at=NOW))

    assert closed(await history.candles("BTC", HOUR, NOW - 2 * HOUR, NOW)) == [-1, 0]


async def test_a_long_past_comes_in_parts() -> None:
    """260 days of hours are more than one answer holds, and come whole."""
    world = Hourly(first=NOW - 300 * DAY)
    bars = await world.history().candles("BTC", HOUR, NOW - 260 * DAY, NOW)

    assert closed(bars) == list(range(-260 * 24 + 1, 1))
    assert world.venue.count(CHART) == 2
    spans = [each["end_timestamp"] - each["start_timestamp"] for each in world.venue.params(CHART)]
    assert max(spans) <= 5000 * HOUR_MS


async def test_nothing_is_known_before_the_beginning() -> None:
    """no_data is an empty table."""
    bars = await Hourly().history().candles("BTC", HOUR, NOW - 30 * DAY, NOW - 29 * DAY)

    assert len(bars.close) == 0


@pytest.mark.parametrize(
    ("step", "resolution"),
    [
        (timedelta(seconds=10), "1"),
        (timedelta(minutes=4), "5"),
        (timedelta(hours=4), "360"),
        (timedelta(hours=12), "720"),
        (timedelta(hours=13), "1D"),
        (DAY, "1D"),
    ],
)
async def test_a_step_the_venue_lacks_becomes_the_next_longer(
    step: timedelta, resolution: str
) -> None:
    """Never more than one bar a step."""
    world = Hourly()
    await world.history().candles("BTC", step, NOW - 3 * DAY, NOW)

    assert world.venue.params(CHART)[0]["resolution"] == resolution


async def test_bars_longer_than_a_day_are_unavailable() -> None:
    """The venue has none."""
    with pytest.raises(Unavailable, match="7 days"):
        await Hourly().history().candles("BTC", 7 * DAY, NOW - 30 * DAY, NOW)


async def test_bars_that_cannot_be_are_left_out() -> None:
    """Without a close there is no bar; prices out of order leave the close alone; each once."""
    told = chart([epoch_ms(NOW) - hours * HOUR_MS for hours in (2, 4, 3, 3, 1, 5)])
    told["close"][0] = None
    told["high"][1] = 1.0
    told["open"][2], told["low"][2] = told["close"][2] + 2, told["close"][2] + 1
    told["low"][4] = "low"
    world = Hourly()
    world.venue.on(CHART, result(told))
    bars = await world.history().candles("BTC", HOUR, NOW - 6 * HOUR, NOW)

    assert closed(bars) == [-4, -3, -2, 0]
    assert np.isnan(bars.high).tolist() == [False, True, True, True]
    assert np.isfinite(bars.close).all()


@pytest.mark.parametrize(
    "told",
    [
        {"status": "ok"},
        chart([0]) | {"close": []},
        chart([0]) | {"status": "perhaps"},
        chart([0]) | {"ticks": ["soon"]},
    ],
)
async def test_a_chart_of_another_shape_is_malformed(told: dict[str, Any]) -> None:
    """Columns are whole or nothing."""
    world = Hourly()
    world.venue.on(CHART, result(told))
    with pytest.raises(Malformed):
        await world.history().candles("BTC", HOUR, NOW - HOUR, NOW)


@pytest.mark.parametrize("underlying", ["DOGE", "SOL"])
async def test_an_unknown_underlying_is_unavailable(underlying: str) -> None:
    """It is refused in our words, for bars and deliveries."""
    history = Hourly().history()
    with pytest.raises(Unavailable, match=underlying):
        await history.candles(underlying, HOUR, NOW - DAY, NOW)
    with pytest.raises(Unavailable, match=underlying):
        await history.delivery_price(underlying, NOW)


async def test_no_answer_is_unavailable() -> None:
    """And nothing is kept of it."""
    world = Hourly()
    history = world.history()
    working = world.venue.replies[CHART]
    world.venue.on(CHART, raw(503, ""))
    with pytest.raises(Unavailable):
        await history.candles("BTC", HOUR, NOW - HOUR, NOW)
    world.venue.replies[CHART] = working

    assert closed(await history.candles("BTC", HOUR, NOW - HOUR, NOW)) == [0]


async def test_recorded_bars_are_read() -> None:
    """Daily bars of September 2026; the last one had not closed when it was told."""
    path = "responses/recorded/public_get_tradingview_chart_data__tradingview_chart_2026-09-20.json"
    told = json.loads((recorded_data() / path).read_bytes())
    at = datetime(2026, 9, 20, 21, 17, tzinfo=UTC)
    world = Hourly()
    world.venue.on(CHART, result(told, at=at))
    bars = await world.history().candles("BTC", DAY, at - 30 * DAY, at)

    assert bars.close.tolist() == told["close"][:-1]
    assert bars.low.tolist() == told["low"][:-1]
    assert bars.closed_at_ms[-1] == told["ticks"][-1]


def deliveries(*rows: tuple[str, float], total: int | None = None, at: datetime = NOW) -> Reply:
    """Rows of delivery prices, as the venue lists them."""
    data = [{"date": day, "delivery_price": usd} for day, usd in rows]
    return result({"data": data, "records_total": total or len(data)}, at=at)


def on_day(day: int) -> datetime:
    return datetime(2026, 9, day, 8, tzinfo=UTC)


async def delivered(venue: ScriptedVenue, expiry: datetime) -> DeliveryPrice | None:
    return await DeribitHistory(venue.client(with_credentials=False)).delivery_price("BTC", expiry)


async def test_a_delivery_price_is_the_venue_s() -> None:
    """By the day of the expiry, without error."""
    venue = ScriptedVenue().on(DELIVERIES, deliveries(("2026-09-18", 3.0), ("2026-09-17", 2.0)))

    assert await delivered(venue, on_day(17)) == DeliveryPrice(2.0, "venue", 0.0)
    assert venue.params(DELIVERIES)[0] == {"index_name": "btc_usd", "offset": 0, "count": 1000}


async def test_a_delivery_price_is_asked_for_once() -> None:
    """It never changes."""
    venue = ScriptedVenue().on(
        DELIVERIES, deliveries(("2026-09-18", 3.0)), deliveries(("2026-09-18", 4.0))
    )
    history = DeribitHistory(venue.client(with_credentials=False))
    answers = [await history.delivery_price("BTC", on_day(18)) for _ in range(2)]

    assert answers == [DeliveryPrice(3.0, "venue")] * 2
    assert venue.count(DELIVERIES) == 1


@pytest.mark.parametrize(("day", "total"), [(18, 3), (19, 3), (16, 9), (1, 3)])
async def test_a_price_that_is_not_known_is_none(day: int, total: int) -> None:
    """Not yet delivered, to come, never told, or before the list begins: asked for once."""
    before = on_day(18) - timedelta(seconds=1)
    told = (("2026-09-18", 3.0), ("2026-09-17", 2.0), ("2026-09-15", 1.0))
    venue = ScriptedVenue().on(DELIVERIES, deliveries(*told, total=total, at=before))

    assert await delivered(venue, on_day(day)) is None
    assert venue.count(DELIVERIES) == 1


async def test_a_delivery_price_is_looked_for_page_by_page() -> None:
    """As far back as the list goes, and no further than the day."""
    venue = ScriptedVenue().on(
        DELIVERIES,
        deliveries(("2026-09-17", 4.0), ("2026-09-16", 3.0), total=4),
        deliveries(("2026-09-15", 2.0), ("2026-09-14", 1.0), total=4),
    )

    assert await delivered(venue, on_day(14)) == DeliveryPrice(1.0, "venue")
    assert [params["offset"] for params in venue.params(DELIVERIES)] == [0, 2]


async def test_recorded_delivery_prices_are_read() -> None:
    """18 September 2026 was delivered at 77,720.28 USD."""
    path = "responses/recorded/public_get_delivery_prices__delivery_prices_2026-09-20.json"
    told = json.loads((recorded_data() / path).read_bytes())
    venue = ScriptedVenue().on(DELIVERIES, result(told, at=on_day(20) + HOUR))

    assert await delivered(venue, on_day(18)) == DeliveryPrice(77_720.28, "venue")
