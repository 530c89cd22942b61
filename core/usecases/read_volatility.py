"""What a venue publishes of volatility, asked for at most every ten minutes."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from attrs import define, field, frozen

from ports.checks import epoch_ms
from ports.clock import Clock
from ports.errors import PortError
from ports.volatility import Volatility, VolatilityReading, VolIndexSeries

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
RANKED = timedelta(days=181)  # closes that a rank of half a year looks at
_LASTS = timedelta(minutes=10)
_PATIENCE_S = 5.0

_Answer = TypeVar("_Answer")


async def volatility_now(
    source: Volatility | None, underlying: str, now: datetime, patience_s: float = _PATIENCE_S
) -> VolatilityReading | None:
    """
    Return what *source* publishes of *underlying* by *now*; what it does not answer is unknown.

    None where there is no source. All of it takes at most *patience_s*: nobody who trades on a
    chain waits longer for what only advice looks at.
    """
    if source is None:
        return None
    asked = _Asked(source, underlying, now)
    try:
        async with asyncio.timeout(patience_s):
            await asked.all()
    except TimeoutError:
        asked.faults.append(f"volatility: no answer within {patience_s:g} s")
    return VolatilityReading(**asked.answers, faults=tuple(asked.faults))


@frozen(eq=False)
class _Asked:
    """The questions of one reading, with the answers so far by their names."""

    source: Volatility
    underlying: str
    now: datetime
    answers: dict[str, Any] = field(factory=dict, init=False)
    faults: list[str] = field(factory=list, init=False)

    async def all(self) -> None:
        """Ask one question after the other; one that fails stops no other."""
        source, coin, now = self.source, self.underlying, self.now
        await self._ask("hourly", source.vol_index(coin, _HOUR, now - _DAY, now))
        await self._ask("funding", source.predicted_funding(coin))
        await self._ask("published", source.published_vol(coin))
        await self._ask("daily", source.vol_index(coin, _DAY, now - RANKED, now))

    async def _ask(self, name: str, question: Awaitable[object]) -> None:
        try:
            self.answers[name] = await question
        except PortError as error:
            self.faults.append(f"{name}: {error}")


@frozen
class _Kept:
    """An answer and when it was given; a failure is never kept."""

    answer: object
    at: datetime


@define(eq=False, kw_only=True)
class KeptVolatility:
    """
    *source*, asked again only once its last answer is ten minutes old.

    An index kept so ends where it ended when it was asked for.
    """

    source: Volatility
    clock: Clock
    _kept: dict[tuple[object, ...], _Kept] = field(factory=dict, init=False)

    async def vol_index(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> VolIndexSeries:
        """See Volatility."""
        found = await self._answer(
            ("index", underlying, step, end - start),
            lambda: self.source.vol_index(underlying, step, start, end),
        )
        closed = found.closed_at_ms
        inside = (closed > epoch_ms(start)) & (closed <= epoch_ms(end))
        return VolIndexSeries(underlying, closed[inside], found.close[inside])

    async def published_vol(self, underlying: str) -> float | None:
        """See Volatility."""
        return await self._answer(
            ("published", underlying), lambda: self.source.published_vol(underlying)
        )

    async def predicted_funding(self, underlying: str) -> float | None:
        """See Volatility."""
        return await self._answer(
            ("funding", underlying), lambda: self.source.predicted_funding(underlying)
        )

    async def _answer(
        self, key: tuple[object, ...], question: Callable[[], Awaitable[_Answer]]
    ) -> _Answer:
        kept, now = self._kept.get(key), self.clock.now()
        if kept is not None and timedelta(0) <= now - kept.at < _LASTS:
            return cast(_Answer, kept.answer)
        answer = await question()
        self._kept[key] = _Kept(answer, now)
        return answer
