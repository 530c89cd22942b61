"""Markets to run the same promises against: invented, and recorded from the invented one."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Protocol

from attrs import define

from adapters.memory.snapshots import MemorySnapshots
from core.simulation.replay import ReplayClock, ReplayMarket
from core.simulation.synthetic import SyntheticMarket
from core.simulation.synthetic_params import SyntheticParams
from ports.clock import Clock
from ports.history import History
from ports.market_data import MarketData, MarketSnapshot

START = datetime(2025, 2, 5, 9, 30, tzinfo=UTC)  # a Wednesday
DAYS = 4
STEP = timedelta(hours=6)


class Market(MarketData, History, Protocol):
    """What is and what was."""


@define
class MarketRig:
    """A market that is History too, on a clock that stands at *start* and may go to *end*."""

    market: Market
    clock: Clock
    start: datetime = START
    end: datetime = START + timedelta(days=DAYS)


def invented(seed: int, start: datetime = START) -> MarketRig:
    """A synthetic market of both coins."""
    clock = ReplayClock((), start)
    return MarketRig(SyntheticMarket(seed, clock, ("BTC", "ETH"), SyntheticParams()), clock)


async def synthetic() -> MarketRig:
    """The rig of seed 5."""
    return invented(5)


async def replay() -> MarketRig:
    """Four days of that market, recorded every six hours."""
    recorder, archive = invented(5), MemorySnapshots()
    instants = [START + STEP * number for number in range(4 * DAYS + 1)]
    for instant in instants:
        await recorder.clock.sleep_until(instant)
        for underlying in ("BTC", "ETH"):
            await archive.save(await recorder.market.snapshot(underlying))
    clock = ReplayClock(instants, START)
    return MarketRig(await ReplayMarket.opened(archive, clock, ("BTC", "ETH")), clock)


async def at(instant: datetime, seed: int = 5, underlying: str = "BTC") -> MarketSnapshot:
    """The invented market as it is at *instant*."""
    return await invented(seed, instant).market.snapshot(underlying)


def bits(snapshot: MarketSnapshot) -> str:
    """A hash of every number in *snapshot*."""
    chain = snapshot.chain
    columns = (chain.expiry_ms, chain.strike, chain.bid, chain.ask, chain.mark, chain.mark_iv)
    more = (chain.bid_amount, chain.ask_amount, chain.open_interest, chain.volume, chain.forward)
    whole = b"".join(column.tobytes() for column in (*columns, *more))
    return sha256(whole + repr(snapshot.index_usd).encode()).hexdigest()
