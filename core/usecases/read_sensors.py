"""Read the sensors of a coin: ask each port what it has, and keep the answers for a while."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar, cast

from attrs import define, field, frozen

from core.context.sensor_readings import sensor_bundle
from core.context.sensor_values import DataSource, SensorBundle, SensorInputs, SensorParams
from ports.errors import PortError
from ports.history import History
from ports.market_data import MarketData
from ports.volatility import Volatility

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_RANKED = timedelta(days=181)
_LASTS = timedelta(minutes=10)  # an answer; daily bars are made of hourly ones, so all alike

_Answer = TypeVar("_Answer")


@frozen
class _Kept:
    """An answer of a port and when it was given; a failure is never kept."""

    answer: object
    at: datetime


@define(eq=False, kw_only=True)
class SensorReader:
    """
    Sensors from the ports of one market.

    Answers are kept for ten minutes. A port that fails voids what depends on it, and its words
    are among the faults of the bundle; it is asked again the next time.
    """

    market: MarketData
    history: History
    volatility: Volatility
    data_source: DataSource
    params: SensorParams = field(factory=SensorParams)
    _kept: dict[tuple[str, str], _Kept] = field(factory=dict, init=False)

    async def read(
        self,
        underlying: str,
        now: datetime,
        *,
        iv_state: float | None = None,
        iv_7d: float | None = None,
    ) -> SensorBundle:
        """Return the sensors of *underlying* at *now*; what cannot be had is unknown in them."""
        faults: list[str] = []

        async def ask(name: str, question: Callable[[], Awaitable[_Answer]]) -> _Answer | None:
            return await self._answer((underlying, name), now, question, faults)

        past, index = self.history, self.volatility
        since = now - self.params.history - _DAY
        candles = await ask("candles", lambda: past.candles(underlying, _HOUR, since, now))
        chain = await ask("chain", lambda: self.market.snapshot(underlying))
        closes = await ask(
            "index closes", lambda: index.vol_index(underlying, _DAY, now - _RANKED, now)
        )
        latest = await ask(
            "index today", lambda: index.vol_index(underlying, _HOUR, now - _DAY, now)
        )
        published = await ask("published volatility", lambda: index.published_vol(underlying))
        funding = await ask("funding", lambda: index.predicted_funding(underlying))
        inputs = SensorInputs(
            underlying=underlying,
            now=now,
            data_source=self.data_source,
            candles=candles,
            snapshot=chain,
            vol_index=closes,
            vol_index_now=latest,
            published_vol=published,
            funding=funding,
            iv_state=iv_state,
            iv_7d=iv_7d,
            faults=tuple(faults),
        )
        return sensor_bundle(inputs, self.params)

    async def _answer(
        self,
        key: tuple[str, str],
        now: datetime,
        question: Callable[[], Awaitable[_Answer]],
        faults: list[str],
    ) -> _Answer | None:
        kept = self._kept.get(key)
        if kept is not None and timedelta(0) <= now - kept.at < _LASTS:
            return cast(_Answer, kept.answer)
        try:
            answer = await question()
        except PortError as error:
            faults.append(f"{key[1]}: {error}")
            return None
        self._kept[key] = _Kept(answer, now)
        return answer
