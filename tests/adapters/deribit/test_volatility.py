"""DeribitVolatility: closed bars of the index, published volatility, and funding to come."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from adapters.deribit.volatility import DeribitVolatility
from ports.checks import epoch_ms
from ports.errors import Malformed, Unavailable
from tests.support.deribit_venue import NOW, ScriptedVenue, raw, result
from tests.support.recorded import recorded_data

INDEX, PUBLISHED, TICKER = (
    "public/get_volatility_index_data",
    "public/get_historical_volatility",
    "public/ticker",
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def volatility(venue: ScriptedVenue) -> DeribitVolatility:
    """Volatility by *venue*."""
    return DeribitVolatility(venue.client(with_credentials=False))


def hour(number: int) -> int:
    """The beginning of a bar *number* hours after NOW, in milliseconds."""
    return epoch_ms(NOW + number * HOUR)


def bars(*numbers: int, continuation: int | None = None) -> dict[str, Any]:
    """Bars that began so many hours after NOW, each with a close of its own."""
    return {
        "data": [[hour(number), 40.0, 60.0, 30.0, 50.0 + number / 100.0] for number in numbers],
        "continuation": continuation,
    }


async def test_a_bar_is_dated_by_its_end() -> None:
    """And the one under way, or before the start, is left out."""
    venue = ScriptedVenue().on(INDEX, result(bars(-4, -3, -2, -1, 0)))
    found = await volatility(venue).vol_index("BTC", HOUR, NOW - 3 * HOUR, NOW + DAY)

    assert [(ms - hour(0)) // 3_600_000 for ms in found.closed_at_ms.tolist()] == [-2, -1, 0]
    assert found.close.tolist() == [49.97, 49.98, 49.99]
    (asked,) = venue.params(INDEX)
    assert (asked["currency"], asked["resolution"]) == ("BTC", "3600")


async def test_pages_are_followed_to_the_start() -> None:
    """By the continuation, which is where the next one ends."""

    def page(asked: dict[str, Any]) -> httpx.Response:
        is_first = asked["params"]["end_timestamp"] == hour(0)
        told = bars(-2, -1, continuation=hour(-3)) if is_first else bars(-4, -3)
        return result(told)(asked)

    venue = ScriptedVenue().on(INDEX, page)
    found = await volatility(venue).vol_index("ETH", HOUR, NOW - 4 * HOUR, NOW)

    assert len(found.close) == 4
    assert venue.count(INDEX) == 2


async def test_a_step_the_venue_lacks_is_the_next_longer_one() -> None:
    """Days are the longest there are."""
    venue = ScriptedVenue().on(INDEX, result({"data": [], "continuation": None}))
    for step in (2 * HOUR, DAY, 7 * DAY):
        await volatility(venue).vol_index("BTC", step, NOW - DAY, NOW)
    assert [each["resolution"] for each in venue.params(INDEX)] == ["43200", "1D", "1D"]


@pytest.mark.parametrize(
    "told",
    [
        {"data": [[1, 2.0, 3.0]]},
        {"data": [[1, 2.0, 3.0, 4.0, "5"]]},
        {"data": [[hour(-2), 2.0, 3.0, 4.0, 0.0]]},
        {"bars": []},
        [],
    ],
)
async def test_what_is_no_bar_is_malformed(told: object) -> None:
    """Nothing of it is taken."""
    venue = ScriptedVenue().on(INDEX, result(told))
    with pytest.raises(Malformed):
        await volatility(venue).vol_index("BTC", HOUR, NOW - DAY, NOW)


async def test_published_volatility_is_the_newest() -> None:
    """None where there is none, or none that is a volatility."""
    for told, value in (
        ([[hour(-2), 40.0], [hour(-1), 41.5]], 41.5),
        ([], None),
        ([[hour(-1), 0.0]], None),
    ):
        venue = ScriptedVenue().on(PUBLISHED, result(told))
        assert await volatility(venue).published_vol("BTC") == value


async def test_funding_is_of_the_perpetual() -> None:
    """The one building up; None where the ticker tells none."""
    for told, value in (
        ({"current_funding": 0.00012}, 0.00012),
        ({"current_funding": None}, None),
        ({}, None),
    ):
        venue = ScriptedVenue().on(TICKER, result(told))
        assert await volatility(venue).predicted_funding("ETH") == value
        assert venue.params(TICKER)[0]["instrument_name"] == "ETH-PERPETUAL"


async def test_other_coins_are_unavailable() -> None:
    """Without a question."""
    venue = ScriptedVenue()
    desk = volatility(venue)
    for question in (
        desk.vol_index("SOL", HOUR, NOW - DAY, NOW),
        desk.published_vol("SOL"),
        desk.predicted_funding("SOL"),
    ):
        with pytest.raises(Unavailable):
            await question


async def test_a_venue_that_is_down_is_unavailable() -> None:
    """After its retries."""
    venue = ScriptedVenue().on(TICKER, raw(503, "closed"))
    with pytest.raises(Unavailable):
        await volatility(venue).predicted_funding("BTC")


async def test_recorded_answers_are_read() -> None:
    """Bars of the index and the ticker of the perpetual as the venue told them."""
    folder = recorded_data() / "responses" / "recorded"
    name = "public_get_volatility_index_data__volatility_index_2026-09-20.json"
    told = json.loads((folder / name).read_text(encoding="utf-8"))
    told = told.get("result", told) if isinstance(told, dict) else {"data": told}
    rows = told["data"]
    venue = ScriptedVenue().on(INDEX, result({"data": rows, "continuation": None}))
    step = timedelta(milliseconds=rows[1][0] - rows[0][0])
    found = await volatility(venue).vol_index("BTC", step, NOW - 3650 * DAY, NOW + DAY)
    known = [row for row in rows if row[0] + step // timedelta(milliseconds=1) <= hour(0)]
    assert found.close.tolist() == [row[4] for row in sorted(known)]

    ticker = json.loads(
        (folder / "public_ticker__btc_perpetual_2026-05-22.json").read_text(encoding="utf-8")
    )
    venue = ScriptedVenue().on(TICKER, result(ticker.get("result", ticker)))
    assert await volatility(venue).predicted_funding("BTC") is not None
