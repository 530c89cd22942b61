"""DeribitVolatility: the volatility index, published volatility and predicted funding."""

from datetime import datetime, timedelta

import numpy as np
from attrs import frozen
from pydantic import FiniteFloat

from adapters.deribit.client import DeribitClient
from adapters.deribit.models import Foreign, Milliseconds, Quoted
from adapters.deribit.parse import COINS, read_as
from adapters.deribit.published_vol import DeribitPublishedVol
from ports.checks import epoch_ms
from ports.errors import Malformed, Unavailable
from ports.volatility import VolIndexSeries

_RESOLUTIONS = {timedelta(hours=1): "3600", timedelta(hours=12): "43200", timedelta(days=1): "1D"}
_MS = timedelta(milliseconds=1)
_MOST_PAGES = 50


class IndexBars(Foreign):
    """public/get_volatility_index_data: bars by their beginning, in percent."""

    data: list[list[FiniteFloat]]  # beginning in ms, open, high, low, close
    continuation: Milliseconds | None = None


class _Perpetual(Foreign):
    """public/ticker of a perpetual."""

    current_funding: Quoted = float("nan")


@frozen(eq=False)
class DeribitVolatility:
    """Volatility by the venue's public methods."""

    client: DeribitClient

    async def vol_index(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> VolIndexSeries:
        """
        See Volatility; a *step* that the venue does not have becomes its next longer one.

        Raises:
            Malformed: The answer is not a list of bars.
        """
        _check(underlying)
        bar = min((each for each in _RESOLUTIONS if each >= step), default=timedelta(days=1))
        bar_ms, start_ms, until_ms = bar // _MS, epoch_ms(start), epoch_ms(end)
        closes: dict[int, float] = {}
        asked_ms: int | None = until_ms
        for _ in range(_MOST_PAGES):
            if asked_ms is None or asked_ms < start_ms - bar_ms:
                break
            answer = await self.client.read(
                "public/get_volatility_index_data",
                currency=underlying,
                resolution=_RESOLUTIONS[bar],
                start_timestamp=max(start_ms - bar_ms + 1, 0),
                end_timestamp=asked_ms,
            )
            page = read_as(IndexBars, answer)
            last_ms = min(until_ms, epoch_ms(answer.answered_at))
            closes |= {
                closed: close
                for closed, close in _closes(page, bar_ms)
                if start_ms < closed <= last_ms
            }
            asked_ms = page.continuation
        closed_at = sorted(closes)
        return VolIndexSeries(
            underlying,
            np.array(closed_at, dtype=np.int64),
            np.array([closes[at] for at in closed_at], dtype=np.float64),
        )

    async def published_vol(self, underlying: str) -> float | None:
        """
        See Volatility; the venue's hourly figure of the last fifteen days.

        Raises:
            Malformed: The answer is not a list of instants and figures.
        """
        told = (await DeribitPublishedVol(self.client).published_series(underlying)).percent
        return float(told[-1]) if len(told) and told[-1] > 0.0 else None

    async def predicted_funding(self, underlying: str) -> float | None:
        """See Volatility."""
        _check(underlying)
        answer = await self.client.read("public/ticker", instrument_name=f"{underlying}-PERPETUAL")
        rate = read_as(_Perpetual, answer).current_funding
        return rate if np.isfinite(rate) else None


def _closes(page: IndexBars, bar_ms: int) -> list[tuple[int, float]]:
    if any(len(row) != 5 or row[4] <= 0.0 for row in page.data):
        raise Malformed("volatility index: a bar is not a beginning and four levels")
    return [(int(row[0]) + bar_ms, row[4]) for row in page.data]


def _check(underlying: str) -> None:
    if underlying not in COINS:
        raise Unavailable(f"the venue has no volatility index of {underlying}")
