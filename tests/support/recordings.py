"""Somebody else's recordings: calls of an invented market in monthly files, to be spoilt."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from adapters.memory.clock import SteppedClock
from core.simulation.synthetic import SyntheticMarket
from core.simulation.synthetic_params import SyntheticParams
from ports.market_data import MarketSnapshot
from tests.support.archives import START

MARCH, APRIL = "btc_chain_2026-03.parquet", "btc_chain_2026-04.parquet"
Row = dict[str, Any]
_NEAR_YEARS = 15.0 / 365.0  # beyond what a weekly rule looks at


def write_recording(directory: Path, days: int = 45, per_day: int = 2) -> Path:
    """Record the near BTC calls of *days* from 2 March 2026 on, and return *directory*."""
    rows = asyncio.run(_rows(days, per_day))
    for name, month in ((MARCH, "2026-03"), (APRIL, "2026-04")):
        of_month = [row for row in rows if row["timestamp"].startswith(month)]
        pq.write_table(pa.Table.from_pylist(of_month), directory / name)
    return directory


def rows_of(file: Path) -> list[Row]:
    """The rows of *file*."""
    rows: list[Row] = pq.read_table(file).to_pylist()
    return rows


def rewrite(file: Path, change: Callable[[list[Row]], list[Row]]) -> None:
    """Let the rows of *file* be what *change* makes of them."""
    pq.write_table(pa.Table.from_pylist(change(rows_of(file))), file)


async def _rows(days: int, per_day: int) -> list[Row]:
    clock = SteppedClock(START, ())
    market = SyntheticMarket(3, clock, ("BTC",), SyntheticParams())
    rows: list[Row] = []
    for number in range(days * per_day):
        await clock.sleep_until(START + number * timedelta(days=1) / per_day)
        rows += _rows_of(await market.snapshot("BTC"))
    return rows


def _rows_of(snapshot: MarketSnapshot) -> list[Row]:
    chain = snapshot.chain
    near = chain.years_left(snapshot.taken_at) < _NEAR_YEARS
    chain = chain.where(chain.is_call & near)
    return [
        {
            "timestamp": snapshot.taken_at.isoformat(),
            "instrument_name": contract.symbol,
            "expiry_datetime": contract.expiry.isoformat(),
            "strike": contract.strike,
            "option_type": contract.kind.value,
            "underlying": float(chain.forward[row]),
            "bid_price": float(chain.bid[row]),
            "ask_price": float(chain.ask[row]),
            "mark_price": float(chain.mark[row]),
            "implied_volatility": float(chain.mark_iv[row]),
            "open_interest": float(chain.open_interest[row]),
            "volume": 1_000.0,
            "index_price": snapshot.index_usd,
        }
        for row, contract in enumerate(chain.contracts)
    ]
