"""DeribitHistory: bars of the perpetual, which follows the index, and delivery prices."""

from datetime import date, datetime, timedelta

import numpy as np
from attrs import define, evolve, field, frozen

from adapters.deribit.client import DeribitClient
from adapters.deribit.models import Chart, DeliveryPrices
from adapters.deribit.parse import COINS, funding_of, read_as
from ports.checks import epoch_ms
from ports.columns import Bools
from ports.errors import Malformed, Unavailable
from ports.history import Candles, DeliveryPrice

_RESOLUTIONS = {
    **{timedelta(minutes=n): str(n) for n in (1, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720)},
    timedelta(days=1): "1D",
}
_BARS_PER_CALL = 4000  # the venue tells of 5,000 at most, and drops older ones in silence
_PRICES_PER_CALL = 1000
_MS = timedelta(milliseconds=1)
_COLUMNS = ("closed_at_ms", "open", "high", "low", "close")


@frozen(eq=False)
class _Known:
    """All bars that closed after *from_ms*, up to the last of them."""

    from_ms: int
    bars: Candles

    @property
    def until_ms(self) -> int:
        return int(self.bars.closed_at_ms[-1]) if len(self.bars.close) else self.from_ms


@define(eq=False)
class DeribitHistory:
    """
    History by the venue's public methods.

    What has been answered once is kept and not asked again: closed bars do not change.
    """

    client: DeribitClient
    _known: dict[tuple[str, str], _Known] = field(factory=dict, init=False)
    _delivered: dict[tuple[str, date], DeliveryPrice] = field(factory=dict, init=False)

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """
        See History; the bars are of the perpetual.

        A *step* that the venue does not have becomes its next longer one; there is none beyond
        a day, which is Unavailable.
        """
        _check(underlying)
        bar = min((each for each in _RESOLUTIONS if each >= step), default=None)
        if bar is None:
            raise Unavailable(f"the venue has no bars of {step}")
        key, start_ms, end_ms = (underlying, _RESOLUTIONS[bar]), epoch_ms(start), epoch_ms(end)
        known = self._known.get(key)
        if known is None or start_ms < known.from_ms:
            known = _Known(start_ms, _no_bars(underlying))
        bar_ms = bar // _MS
        if (known.until_ms // bar_ms + 1) * bar_ms <= end_ms:  # a bar may have begun since
            more = await self._fetch(underlying, bar, known.until_ms, end_ms)
            known = _Known(known.from_ms, _joined(known.bars, more))
            self._known[key] = known
        closed = known.bars.closed_at_ms
        return _where(known.bars, (closed > start_ms) & (closed <= end_ms))

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """See History; the venue's own sum of the perpetual's funding."""
        _check(underlying)
        if start >= end:
            return 0.0
        answer = await self.client.read(
            "public/get_funding_rate_value",
            instrument_name=f"{underlying}-PERPETUAL",
            start_timestamp=epoch_ms(start),
            end_timestamp=epoch_ms(end),
        )
        return funding_of(answer)

    async def delivery_price(self, underlying: str, expiry: datetime) -> DeliveryPrice | None:
        """See History; the venue's own figure, without error."""
        _check(underlying)
        key = (underlying, expiry.date())
        if key not in self._delivered:
            price_usd = await self._look_up(underlying, expiry)
            if price_usd is None:
                return None
            self._delivered[key] = DeliveryPrice(price_usd, "venue")
        return self._delivered[key]

    async def _fetch(
        self, underlying: str, bar: timedelta, after_ms: int, end_ms: int
    ) -> list[Candles]:
        """The bars that closed in (*after_ms*, *end_ms*] and by the venue's time now."""
        bar_ms, parts = bar // _MS, []
        while after_ms < end_ms:
            until_ms = min(end_ms, after_ms + _BARS_PER_CALL * bar_ms)
            answer = await self.client.read(
                "public/get_tradingview_chart_data",
                instrument_name=f"{underlying}-PERPETUAL",
                resolution=_RESOLUTIONS[bar],
                start_timestamp=after_ms - bar_ms + 1,  # the venue dates a bar by its beginning
                end_timestamp=until_ms - bar_ms,
            )
            now_ms = epoch_ms(answer.answered_at)
            bars = _bars_of(underlying, read_as(Chart, answer), bar_ms)
            closed = bars.closed_at_ms
            parts.append(_where(bars, (closed > after_ms) & (closed <= min(until_ms, now_ms))))
            if until_ms >= now_ms:
                break
            after_ms = until_ms
        return parts

    async def _look_up(self, underlying: str, expiry: datetime) -> float | None:
        """Page from the newest delivery back to that of *expiry*; None if there is none."""
        wanted, offset = expiry.date().isoformat(), 0
        while True:
            answer = await self.client.read(
                "public/get_delivery_prices",
                index_name=f"{underlying.lower()}_usd",
                offset=offset,
                count=_PRICES_PER_CALL,
            )
            page = read_as(DeliveryPrices, answer)
            if expiry > answer.answered_at:
                return None
            for row in page.data:
                if row.date == wanted:
                    return row.delivery_price
            offset += len(page.data)
            if not page.data or page.data[-1].date < wanted or offset >= page.records_total:
                return None


def _check(underlying: str) -> None:
    if underlying not in COINS:
        raise Unavailable(f"the venue has no history of {underlying}")


def _bars_of(underlying: str, chart: Chart, bar_ms: int) -> Candles:
    """The bars of *chart*, oldest first; one without a close is left out."""
    columns = (chart.open, chart.high, chart.low, chart.close)
    if any(len(column) != len(chart.ticks) for column in columns):
        raise Malformed(f"the chart of {underlying} has columns of different lengths")
    begun, first = np.unique(np.array(chart.ticks, dtype=np.int64), return_index=True)
    opened, high, low, close = (np.array(column, dtype=np.float64)[first] for column in columns)
    in_order = (low > 0) & (low <= np.minimum(opened, close)) & (high >= np.maximum(opened, close))
    bars = Candles(
        underlying=underlying,
        closed_at_ms=begun + bar_ms,
        open=np.where(in_order, opened, np.nan),
        high=np.where(in_order, high, np.nan),
        low=np.where(in_order, low, np.nan),
        close=close,
    )
    return _where(bars, close > 0)


def _no_bars(underlying: str) -> Candles:
    none = np.empty(0)
    return Candles(
        underlying=underlying, closed_at_ms=none, open=none, high=none, low=none, close=none
    )


def _joined(known: Candles, more: list[Candles]) -> Candles:
    parts = [known, *more]
    return Candles(
        underlying=known.underlying,
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS},
    )


def _where(bars: Candles, rows: Bools) -> Candles:
    return evolve(bars, **{name: getattr(bars, name)[rows] for name in _COLUMNS})
