"""Harvests by hand: chains that are free of arbitrage, with what stands beside them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from attrs import define, evolve, field

from core.pricing.black76 import premium_coin
from core.usecases.harvest import derive
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.errors import PortError
from ports.instruments import ContractRules, Settlement
from ports.market_data import MarketSnapshot
from ports.snapshots import Delivered, FutureQuote, Harvest, HarvestArchive, MarketLevels
from tests.support.markets import NOW, RULES

EXPIRIES = (
    datetime(2026, 3, 27, 8, tzinfo=NOW.tzinfo),
    datetime(2026, 6, 26, 8, tzinfo=NOW.tzinfo),
)
STRIKES = (80_000.0, 90_000.0, 100_000.0, 110_000.0, 120_000.0)
LEVELS = MarketLevels(
    dvol=52.25,
    futures=(
        FutureQuote(
            symbol="BTC-PERPETUAL",
            bid=99_999.5,
            ask=100_000.5,
            mark=100_000.0,
            open_interest=1e9,
            volume_usd=2e8,
            current_funding=0.0001,
            funding_8h=0.00012,
        ),
        FutureQuote(symbol="BTC-27MAR26", bid=100_100.0, ask=100_110.0, mark=100_105.0),
    ),
    delivered=(Delivered("2026-03-02", 99_500.0), Delivered("2026-03-01", 99_000.0)),
)


def sound_chain(
    at: datetime = NOW,
    forward: float = 100_000.0,
    *,
    underlying: str = "BTC",
    settlement: Settlement = Settlement.INVERSE,
) -> ChainTable:
    """Calls and puts of two expiries at one volatility, quoted a tick about their marks."""
    rows = [
        (expiry, strike, is_call)
        for expiry in EXPIRIES
        for strike in STRIKES
        for is_call in (True, False)
    ]
    expiry_ms = np.array([epoch_ms(expiry) for expiry, _, _ in rows], dtype=np.int64)
    strike = np.array([strike for _, strike, _ in rows])
    is_call = np.array([is_call for _, _, is_call in rows])
    forwards = np.full(len(rows), forward)
    iv = np.full(len(rows), 0.55)
    tenor = (expiry_ms - epoch_ms(at)) / (365 * 86_400_000)
    mark = premium_coin(forwards, strike, tenor, iv, is_call)
    per_coin = forward if settlement is Settlement.LINEAR else 1.0
    return ChainTable(
        underlying=underlying,
        settlement=settlement,
        expiry_ms=expiry_ms,
        strike=strike,
        is_call=is_call,
        forward=forwards,
        bid=(mark - 0.0004) * per_coin,
        ask=(mark + 0.0004) * per_coin,
        bid_amount=np.full(len(rows), np.nan),
        ask_amount=np.full(len(rows), np.nan),
        mark=mark * per_coin,
        mark_iv=iv,
        open_interest=np.full(len(rows), 25.0),
        volume=np.full(len(rows), 3.0),
        quoted_at_ms=np.full(len(rows), epoch_ms(at)),
    )


def sound_harvest(
    at: datetime = NOW,
    forward: float = 100_000.0,
    *,
    underlying: str = "BTC",
    settlement: Settlement = Settlement.INVERSE,
    levels: MarketLevels = LEVELS,
    rules: ContractRules = RULES,
) -> Harvest:
    """What a pass at *at* reads where all is well."""
    chain = sound_chain(at, forward, underlying=underlying, settlement=settlement)
    market = MarketSnapshot(underlying, at, forward - 100.0, chain, rules)
    return Harvest(market=market, interest_rate=np.zeros(len(chain)), levels=levels)


def with_chain(harvest: Harvest, chain: ChainTable) -> Harvest:
    """*harvest* with other rows."""
    rates = np.zeros(len(chain))
    return evolve(harvest, market=evolve(harvest.market, chain=chain), interest_rate=rates)


async def keep_all(archive: HarvestArchive, harvests: Sequence[Harvest]) -> None:
    """Keep *harvests* with their derived columns."""
    for harvest in harvests:
        await archive.keep(harvest, derive(harvest.market))


def series_of(
    count: int, step: timedelta = timedelta(minutes=15), start: datetime = NOW
) -> list[Harvest]:
    """*count* harvests, a step apart, each at a forward of its own."""
    return [
        sound_harvest(start + number * step, 100_000.0 + 10.0 * number) for number in range(count)
    ]


@define(eq=False)
class ToldSource:
    """
    A HarvestSource that answers by script: for each currency a list of harvests or failures,
    one after the other, the last one again and again.
    """

    script: dict[str, list[PortError | tuple[Harvest, ...]]]
    asked: list[str] = field(factory=list)

    async def harvest(self, currency: str) -> tuple[Harvest, ...]:
        """See HarvestSource."""
        self.asked.append(currency)
        replies = self.script[currency]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, PortError):
            raise reply
        return reply
