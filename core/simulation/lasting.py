"""One picture of a market for a moment: many questions of one tick, one look."""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta

from attrs import define, field

from ports.clock import Clock
from ports.market_data import MarketData, MarketSnapshot


@define(eq=False, kw_only=True)
class LastingMarket:
    """
    MarketData that shows one snapshot of *market* for *lasts*, or until *reason* is another.

    A simulated venue on a market over the wire looks at it for every request it answers.
    """

    market: MarketData
    clock: Clock
    lasts: timedelta
    reason: Callable[[], Hashable]
    _shown: dict[str, "_Shown"] = field(factory=dict, init=False)

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """See MarketData; raises what *market* raises."""
        now, reason = self.clock.now(), self.reason()
        shown = self._shown.get(underlying)
        if shown is None or shown.reason != reason or now - shown.at >= self.lasts:
            shown = _Shown(await self.market.snapshot(underlying), now, reason)
            self._shown[underlying] = shown
        return shown.snapshot


@define
class _Shown:
    snapshot: MarketSnapshot
    at: datetime
    reason: Hashable
