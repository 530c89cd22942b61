"""Volatility history: what joins, what is appended, and that nothing looks ahead."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from attrs import define, field

from adapters.files.vol_history import ParquetVolHistory
from core.usecases.vol_history import VolSources, update_vol_history
from ports.checks import epoch_ms
from ports.errors import StoreDamaged, Unavailable
from ports.vol_history import PublishedSeries
from ports.volatility import VolIndexSeries
from tests.support.markets import NOW, ToldHistory

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000
START = NOW - timedelta(days=60)


@define(eq=False)
class ToldVolatility:
    """An index of 50 at every hour, known up to *until*; published figures as given."""

    until: datetime
    published: PublishedSeries = field(factory=lambda: PublishedSeries([], []))
    asked_from: list[datetime] = field(factory=list)

    async def vol_index(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> VolIndexSeries:
        """See Volatility."""
        self.asked_from.append(start)
        first = -(-epoch_ms(start + timedelta(milliseconds=1)) // HOUR_MS)
        last = epoch_ms(min(end, self.until)) // HOUR_MS
        at_ms = np.arange(first, last + 1, dtype=np.int64) * HOUR_MS
        return VolIndexSeries(underlying, at_ms, 50.0 + at_ms % 7)

    async def published_vol(self, underlying: str) -> float | None:
        """See Volatility."""
        return None

    async def predicted_funding(self, underlying: str) -> float | None:
        """See Volatility."""
        return None

    async def published_series(self, coin: str) -> PublishedSeries:
        """See PublishedVol."""
        if coin != "BTC":
            raise Unavailable(f"no volatility of {coin}")
        return self.published


def closes(hourly: float = 0.01) -> dict[datetime, float]:
    """Hourly closes that rise and fall by turns, by the same log return."""
    price, told = 100.0, {}
    for hour in range(60 * 24 + 1):
        price *= np.exp(hourly if hour % 2 else -hourly)
        told[START + hour * HOUR] = float(price)
    return told


def sources(volatility: ToldVolatility, history: ToldHistory | None = None) -> VolSources:
    past = history or ToldHistory(closes=closes())
    return VolSources(volatility=volatility, history=past, published=volatility)


async def test_a_history_has_the_columns_of_others(tmp_path: Path) -> None:
    """Those six in their order, then our check, in percent and UTC."""
    store = ParquetVolHistory(tmp_path)
    await update_vol_history(sources(ToldVolatility(NOW)), store, "BTC", 10, NOW)
    table = pq.read_table(tmp_path / "btc_volatility_history.parquet")

    assert table.column_names == [
        "timestamp",
        "iv_30d",
        "rv_30d",
        "vrp_30d",
        "currency",
        "harvest_time",
        "rv_30d_official",
    ]
    assert len(table) == 240
    assert table["timestamp"].to_pylist()[-1] == NOW
    assert set(table["currency"].to_pylist()) == {"BTC"}


async def test_realised_volatility_covers_the_whole_window(tmp_path: Path) -> None:
    """A return of one percent an hour is 100 sqrt(8760) percent of a percent a year, each hour."""
    store = ParquetVolHistory(tmp_path)
    told = await update_vol_history(sources(ToldVolatility(NOW)), store, "BTC", 20, NOW)
    kept = await store.read("BTC")

    assert told.without_realised == 0
    assert np.allclose(kept.rv_30d, 100.0 * 0.01 * np.sqrt(8760.0), rtol=1e-9)
    assert np.allclose(kept.vrp_30d, kept.iv_30d - kept.rv_30d)


async def test_hours_before_enough_prices_lack_it(tmp_path: Path) -> None:
    """Less than nine tenths of thirty days is not known, and is counted."""
    store = ParquetVolHistory(tmp_path)
    told = await update_vol_history(sources(ToldVolatility(NOW)), store, "BTC", 50, NOW)

    assert told.without_realised == 17 * 24 - 1
    assert np.isnan((await store.read("BTC")).rv_30d[0])


async def test_nothing_looks_ahead(tmp_path: Path) -> None:
    """Prices and published figures of later hours change no earlier row."""
    published = PublishedSeries([epoch_ms(NOW) - 5 * HOUR_MS], [77.0])
    later = PublishedSeries([epoch_ms(NOW) - 5 * HOUR_MS, epoch_ms(NOW)], [77.0, 99.0])
    wild = {at: price * (3.0 if at > NOW - HOUR else 1.0) for at, price in closes().items()}
    one, other = ParquetVolHistory(tmp_path / "one"), ParquetVolHistory(tmp_path / "other")
    await update_vol_history(sources(ToldVolatility(NOW, published)), one, "BTC", 5, NOW)
    changed = sources(ToldVolatility(NOW, later), ToldHistory(closes=wild))
    await update_vol_history(changed, other, "BTC", 5, NOW)
    before, after = await one.read("BTC"), await other.read("BTC")

    assert np.array_equal(before.rv_30d[:-1], after.rv_30d[:-1])
    assert before.rv_30d[-1] != after.rv_30d[-1]
    assert np.array_equal(before.rv_official[:-1], after.rv_official[:-1], equal_nan=True)
    assert after.rv_official[-1] == 99.0


async def test_published_figures_last_two_hours(tmp_path: Path) -> None:
    """The newest at or before an hour, then it is not known."""
    published = PublishedSeries([epoch_ms(NOW) - 4 * HOUR_MS], [77.0])
    store = ParquetVolHistory(tmp_path)
    told = await update_vol_history(sources(ToldVolatility(NOW, published)), store, "BTC", 1, NOW)
    official = (await store.read("BTC")).rv_official

    assert official[-5:-2].tolist() == [77.0, 77.0, 77.0]
    assert np.isnan(official[[0, -6, -2, -1]]).all()
    assert told.official_gap == pytest.approx(np.sqrt(8760.0) - 77.0)


async def test_later_hours_are_appended(tmp_path: Path) -> None:
    """What is kept stays as it was harvested; only what is newer is asked for."""
    store, volatility = ParquetVolHistory(tmp_path), ToldVolatility(NOW)
    await update_vol_history(sources(volatility), store, "BTC", 5, NOW)
    before = await store.read("BTC")
    volatility.until = later = NOW + 3 * HOUR
    told = await update_vol_history(sources(volatility), store, "BTC", 5, later)
    after = await store.read("BTC")

    assert (told.added, told.rows) == (3, 123)
    assert volatility.asked_from[1] == NOW
    assert np.array_equal(after.harvested_at_ms[:120], before.harvested_at_ms)
    assert np.array_equal(after.rv_30d[:120], before.rv_30d, equal_nan=True)


async def test_earlier_hours_are_put_before(tmp_path: Path) -> None:
    """A longer time asked for later fills in, and no hour is there twice."""
    store, volatility = ParquetVolHistory(tmp_path), ToldVolatility(NOW)
    await update_vol_history(sources(volatility), store, "BTC", 2, NOW)
    told = await update_vol_history(sources(volatility), store, "BTC", 5, NOW)
    kept = await store.read("BTC")

    assert (told.added, told.rows) == (72, 120)
    assert (np.diff(kept.at_ms) == HOUR_MS).all()


async def test_a_damaged_history_is_left_as_it_is(tmp_path: Path) -> None:
    """It is named, and not begun anew."""
    path = tmp_path / "btc_volatility_history.parquet"
    path.write_bytes(b"PAR1 but not for long")

    with pytest.raises(StoreDamaged, match="btc_volatility_history"):
        await update_vol_history(
            sources(ToldVolatility(NOW)), ParquetVolHistory(tmp_path), "BTC", 2, NOW
        )
    assert path.read_bytes() == b"PAR1 but not for long"


async def test_a_coin_without_answers_adds_nothing(tmp_path: Path) -> None:
    """The failure is the caller's to tell, and no file is made."""
    with pytest.raises(Unavailable, match="ETH"):
        await update_vol_history(
            sources(ToldVolatility(NOW)), ParquetVolHistory(tmp_path), "ETH", 2, NOW
        )
    assert len(await ParquetVolHistory(tmp_path).read("ETH")) == 0
