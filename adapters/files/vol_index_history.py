"""Volatility over recorded daily closes of the index; nothing else was recorded."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
from attrs import define, evolve, field

from adapters.files.vol_index_closes import read_closes
from ports.checks import epoch_ms
from ports.volatility import VolIndexSeries


@define(eq=False)
class RecordedVolatility:
    """The closes in *directory*, read once; None for no folder, which knows nothing."""

    directory: Path | None
    _series: dict[str, VolIndexSeries] = field(factory=dict, init=False)

    async def vol_index(
        self,
        underlying: str,
        step: timedelta,  # noqa: ARG002  there are only days
        start: datetime,
        end: datetime,
    ) -> VolIndexSeries:
        """
        See Volatility; a day's close was known when the day ended.

        Raises:
            Unavailable: There is no file of *underlying*.

            StoreDamaged: A row is not a date and a positive number.
        """
        if underlying not in self._series:
            self._series[underlying] = self._read(underlying)
        series = self._series[underlying]
        closed = series.closed_at_ms
        inside = (closed > epoch_ms(start)) & (closed <= epoch_ms(end))
        return evolve(series, closed_at_ms=closed[inside], close=series.close[inside])

    async def published_vol(self, underlying: str) -> float | None:  # noqa: ARG002
        """See Volatility: it was not recorded."""
        return None

    async def predicted_funding(self, underlying: str) -> float | None:  # noqa: ARG002
        """See Volatility: it was not recorded."""
        return None

    def _read(self, underlying: str) -> VolIndexSeries:
        if self.directory is None:
            return VolIndexSeries(underlying, np.empty(0, dtype=np.int64), np.empty(0))
        closes = read_closes(self.directory, underlying)
        midnights = [datetime.combine(each.day + timedelta(days=1), time(), UTC) for each in closes]
        return VolIndexSeries(
            underlying,
            np.array([epoch_ms(at) for at in midnights], dtype=np.int64),
            np.array([each.close for each in closes]),
        )
