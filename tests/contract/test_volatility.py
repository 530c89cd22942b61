"""Volatility: what every source of it promises."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from adapters.deribit.volatility import DeribitVolatility
from adapters.files.vol_index_history import RecordedVolatility
from core.usecases.read_volatility import KeptVolatility
from ports.checks import epoch_ms
from ports.volatility import Volatility
from tests.support.deribit_venue import ScriptedVenue, result
from tests.support.markets import StillClock

DAY = timedelta(days=1)
LAST = datetime(2026, 3, 1, tzinfo=UTC)
CLOSES = {LAST - number * DAY: 40.0 + number for number in range(10)}


def recorded(folder: Path) -> Volatility:
    """The closes in a file; a day's is dated by its beginning there."""
    rows = [f"{at - DAY:%Y-%m-%d},{close}" for at, close in sorted(CLOSES.items())]
    path = folder / "btc_dvol_daily_close_2026.csv"
    path.write_text("\n".join(("date,dvol_close", *rows)) + "\n", encoding="utf-8")
    return RecordedVolatility(folder)


def deribit(folder: Path) -> Volatility:
    """The closes told by a venue, which dates a bar by its beginning."""

    def bars(asked: dict[str, Any]) -> httpx.Response:
        params = asked["params"]
        rows = [
            [epoch_ms(at - DAY), close, close, close, close]
            for at, close in sorted(CLOSES.items())
            if params["start_timestamp"] <= epoch_ms(at - DAY) <= params["end_timestamp"]
        ]
        return result({"data": rows, "continuation": None}, at=LAST + DAY)(asked)

    venue = ScriptedVenue().on("public/get_volatility_index_data", bars)
    return DeribitVolatility(venue.client(with_credentials=False))


def kept(folder: Path) -> Volatility:
    """The closes in the file, asked for now and then."""
    return KeptVolatility(source=recorded(folder), clock=StillClock(LAST + DAY))


@pytest.fixture(params=[recorded, deribit, kept], ids=lambda make: make.__name__)
def volatility(request: pytest.FixtureRequest, tmp_path: Path) -> Volatility:
    """Each source with the same ten closes."""
    make: Callable[[Path], Volatility] = request.param
    return make(tmp_path)


async def test_closes_of_a_span(volatility: Volatility) -> None:
    """After its start and up to its end, oldest first, at the instant they were known."""
    found = await volatility.vol_index("BTC", DAY, LAST - 3 * DAY, LAST - DAY)

    assert found.underlying == "BTC"
    assert found.closed_at_ms.tolist() == [epoch_ms(LAST - number * DAY) for number in (2, 1)]
    assert found.close.tolist() == [42.0, 41.0]


async def test_nothing_is_empty(volatility: Volatility) -> None:
    """A span without a close is no failure."""
    found = await volatility.vol_index("BTC", DAY, LAST - 60 * DAY, LAST - 50 * DAY)
    assert len(found.close) == 0


async def test_columns_are_read_only(volatility: Volatility) -> None:
    """What is handed out cannot be changed."""
    found = await volatility.vol_index("BTC", DAY, LAST - 3 * DAY, LAST)
    with pytest.raises(ValueError, match="read-only"):
        np.multiply(found.close, 2.0, out=found.close)
