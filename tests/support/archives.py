"""Small recorded markets: a synthetic market put into an archive, a few snapshots a day."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.files.snapshots import ParquetSnapshots
from adapters.memory.clock import SteppedClock
from core.simulation.synthetic import SyntheticMarket
from core.simulation.synthetic_params import SyntheticParams

START = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)


def write_archive(directory: Path, days: int, seed: int = 3, per_day: int = 4) -> Path:
    """Record *days* of a synthetic BTC and ETH market into *directory* and return it."""
    asyncio.run(_write(directory, days, seed, per_day))
    return directory


async def _write(directory: Path, days: int, seed: int, per_day: int) -> None:
    clock = SteppedClock(START, ())
    market = SyntheticMarket(seed, clock, ("BTC", "ETH"), SyntheticParams())
    archive = ParquetSnapshots(directory)
    for number in range(days * per_day):
        await clock.sleep_until(START + number * timedelta(days=1) / per_day)
        for underlying in ("BTC", "ETH"):
            await archive.save(await market.snapshot(underlying))
