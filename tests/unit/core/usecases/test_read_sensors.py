"""Reading sensors: what a failing port voids, what is kept, and past days one by one."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.context.sensor_values import DataSource, SensorBundle
from core.context.sensors import SENSORS
from core.greg.thresholds import EntryRules
from core.simulation.spliced_history import SplicedHistory
from core.usecases.greg_history import sensor_days
from core.usecases.read_sensors import SensorReader
from ports.checks import epoch_ms
from ports.errors import StoreDamaged, Unavailable
from ports.history import Candles, DeliveryPrice
from tests.support.markets import MovableMarket, StillClock, ToldHistory
from tests.support.sensing import HOUR, ToldVolatility, chain_at, daily_index, hourly

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


class PathHistory(ToldHistory):
    """A history of hourly bars that can be made to fail."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.whole = hourly(until, 300)
        self.failure: Unavailable | None = None
        self.asked = 0

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """See History."""
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        closed = self.whole.closed_at_ms
        rows = (closed > epoch_ms(start)) & (closed <= epoch_ms(end))
        columns = ("closed_at_ms", "open", "high", "low", "close")
        return Candles(underlying, *(getattr(self.whole, name)[rows] for name in columns))


def reader(
    history: PathHistory | None = None,
    volatility: ToldVolatility | None = None,
    market: MovableMarket | None = None,
) -> SensorReader:
    """A reader of a market that has everything, with what is given in its place."""
    if market is None:
        market = MovableMarket()
        market.show(chain_at(NOW, (7.0, 30.0)))
    return SensorReader(
        market=market,
        history=history or PathHistory(NOW),
        volatility=volatility
        or ToldVolatility(
            closes=daily_index(NOW, [44.0, 46.0] * 20), published=50.0, funding=0.0001
        ),
        data_source=DataSource.RECORDED,
    )


async def test_everything_is_read() -> None:
    """Nothing is missing where every port answers, for one coin as for the other."""
    found = await reader().read("BTC", NOW)

    assert found.missing_sensors == ()
    assert found.faults == ()
    assert found.rv_30d.source == "published"
    assert found.iv_30d.source == "volatility index"


async def test_a_failing_chain_voids_what_needs_it() -> None:
    """Its words are among the faults, and the rest is known."""
    found = await reader(market=MovableMarket(failure=Unavailable("closed"))).read("BTC", NOW)

    assert set(found.missing_sensors) == {
        *("vrp_7d", "front_rv_iv_ratio", "skew_25d", "term_structure_spread")
    }
    assert "chain: closed" in found.faults


async def test_failing_candles_void_everything() -> None:
    """Whatever else is known."""
    history = PathHistory(NOW)
    history.failure = Unavailable("no chart")
    found = await reader(history=history).read("BTC", NOW)

    assert found.missing_sensors == SENSORS
    assert "candles: no chart" in found.faults


async def test_a_failure_is_not_kept() -> None:
    """The next look asks again, at once."""
    history = PathHistory(NOW)
    volatility = ToldVolatility(failure=StoreDamaged("line 3"))
    desk = reader(history=history, volatility=volatility)
    first = await desk.read("BTC", NOW)
    volatility.failure, volatility.funding = None, 0.0002
    second = await desk.read("BTC", NOW)

    assert first.sensors.predicted_funding_rate is None
    assert second.sensors.predicted_funding_rate == 0.0002
    assert history.asked == 1


async def test_answers_are_kept_for_ten_minutes() -> None:
    """Not a moment longer, and never for another coin."""
    history = PathHistory(NOW + HOUR)
    desk = reader(history=history)
    asked = []
    for minutes, coin in ((0, "BTC"), (9.99, "BTC"), (10, "BTC"), (10, "ETH")):
        await desk.read(coin, NOW + timedelta(minutes=minutes))
        asked.append(history.asked)

    assert asked == [1, 1, 2, 3]


async def test_past_days_end_at_their_midnight() -> None:
    """A row a day; a day of which nothing is known says why."""
    history, clock = PathHistory(datetime(2026, 3, 9, tzinfo=UTC)), StillClock(NOW - 90 * HOUR)
    seen: list[SensorBundle] = []
    days = []
    span = (date(2026, 3, 7), date(2026, 3, 9))
    async for day in sensor_days(reader(history=history), clock, "BTC", span, EntryRules()):
        days.append(day)
        seen.append(day.bundle)

    assert [day.day for day in days] == [date(2026, 3, number) for number in (7, 8, 9)]
    assert [bundle.at for bundle in seen] == [
        datetime(2026, 3, number, tzinfo=UTC) for number in (8, 9, 10)
    ]
    assert [day.is_missing for day in days] == [False, False, True]
    assert "it ends on 2026-03-08" in days[2].why_missing
    assert clock.now() == datetime(2026, 3, 10, tzinfo=UTC)


class SparseHistory(ToldHistory):
    """Four closes a day, and prices of deliveries."""


async def test_earlier_bars_end_where_the_recording_begins() -> None:
    """None of them is later than its first instant, and the rest is the recording's."""
    begins = NOW - 10 * HOUR
    own = SparseHistory(
        closes={begins + number * HOUR: 99.0 for number in range(0, 11, 5)},
        deliveries={NOW: DeliveryPrice(100.0, "told")},
        funding_8h=0.0008,
    )
    history = SplicedHistory(own, {"BTC": hourly(NOW, 2)}, begins)
    found = await history.candles("BTC", HOUR, NOW - 13 * HOUR, NOW)

    hours = ((found.closed_at_ms - epoch_ms(NOW)) // 3_600_000).tolist()
    assert hours == [-12, -11, -10, -5, 0]
    assert found.close[-3:].tolist() == [99.0] * 3
    assert len((await history.candles("ETH", HOUR, NOW - 13 * HOUR, NOW)).close) == 3
    assert await history.funding("BTC", NOW - 8 * HOUR, NOW) == pytest.approx(0.0008)
    assert await history.delivery_price("BTC", NOW) == DeliveryPrice(100.0, "told")
