"""Recorded and invented markets brought into the one form in which they are compared."""

from collections.abc import Mapping

import numpy as np
from attrs import field, frozen

from core.analysis.universe_statistics import (
    TENORS,
    MarketSeries,
    SmileSeries,
    smile_statistics,
    statistics,
)
from core.simulation.universe import path_kernel as kernel
from core.simulation.universe.params import CoinUniverse
from core.simulation.universe.paths import CoinPath
from core.simulation.universe.surface import EssviColumns, deviation_at_delta, surfaces
from ports.columns import Floats, Ints, float_column, int_column

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_NORMAL_OF_25_DELTA = 0.6744897501960817
_MONTH = TENORS.index(30.0)


@frozen(kw_only=True, eq=False)
class RecordedSmiles:
    """Constant maturities of recorded chains at midnights, columns (n,); points, NaN if not."""

    at_ms: Ints = field(converter=int_column)
    index_usd: Floats = field(converter=float_column)
    atm: Floats = field(repr=False)  # (n, tenors)
    rr_30: Floats = field(converter=float_column)
    bf_30: Floats = field(converter=float_column)

    def until(self, end_ms: int) -> "RecordedSmiles":
        """Return the rows known at *end_ms*."""
        known = self.at_ms <= end_ms
        return RecordedSmiles(
            at_ms=self.at_ms[known],
            index_usd=self.index_usd[known],
            atm=self.atm[known],
            rr_30=self.rr_30[known],
            bf_30=self.bf_30[known],
        )

    def by_day(self) -> SmileSeries:
        """Return a row for every midnight from the first to the last; a missing one is NaN."""
        day = (self.at_ms - self.at_ms[0]) // _DAY_MS
        count = int(day[-1]) + 1

        def spread(column: Floats) -> Floats:
            whole = np.full((count, *column.shape[1:]), np.nan)
            whole[day] = column
            return whole

        return SmileSeries(
            log_price=spread(np.log(self.index_usd)),
            atm=spread(self.atm),
            rr_30=spread(self.rr_30),
            bf_30=spread(self.bf_30),
        )


@frozen(kw_only=True, eq=False)
class MarketHistory:
    """
    What was recorded of one coin: hourly closes, closes of the volatility index at midnight.

    Columns (n,) and (m,), oldest first; closes USD per coin, the index in points. Hours may be
    missing. *smiles* are None where there are no chains.
    """

    underlying: str
    closed_at_ms: Ints = field(converter=int_column)
    close: Floats = field(converter=float_column)
    index_at_ms: Ints = field(converter=int_column)
    vol_index: Floats = field(converter=float_column)
    smiles: RecordedSmiles | None = None

    def until(self, end_ms: int) -> "MarketHistory":
        """Return what was known at *end_ms*."""
        hours, days = self.closed_at_ms <= end_ms, self.index_at_ms <= end_ms
        return MarketHistory(
            underlying=self.underlying,
            closed_at_ms=self.closed_at_ms[hours],
            close=self.close[hours],
            index_at_ms=self.index_at_ms[days],
            vol_index=self.vol_index[days],
            smiles=None if self.smiles is None else self.smiles.until(end_ms),
        )


def recorded_series(history: MarketHistory) -> MarketSeries:
    """
    Return prices and index from the first midnight to the last; a missing hour has the price
    before it, and the smile is NaN.

    Raises:
        ValueError: It does not reach from one midnight to another.
    """
    first = -(-int(history.closed_at_ms[0]) // _DAY_MS) * _DAY_MS
    last = int(history.closed_at_ms[-1]) // _DAY_MS * _DAY_MS
    if last <= first:
        raise ValueError("less than a day of prices is no history")
    hours_ms = np.arange(first, last + 1, _HOUR_MS)
    rows = np.searchsorted(history.closed_at_ms, hours_ms, side="right") - 1
    midnights = hours_ms[::24]
    vol_index = np.full(len(midnights), np.nan)
    _, at, own = np.intersect1d(midnights, history.index_at_ms, return_indices=True)
    vol_index[at] = history.vol_index[own]
    unknown = np.full(len(midnights), np.nan)
    return MarketSeries(
        first_weekday=(first // _DAY_MS + 3) % 7,
        log_price=np.log(history.close[rows]),
        vol_index=vol_index,
        atm=np.full((len(midnights), len(TENORS)), np.nan),
        rr_30=unknown,
        bf_30=unknown,
    )


def recorded_statistics(history: MarketHistory) -> Mapping[str, float]:
    """Return every figure of *history*, those of smiles from its chains; NaN if not known."""
    found = dict(statistics(recorded_series(history)))
    if history.smiles is not None and len(history.smiles.at_ms):
        found.update(smile_statistics(history.smiles.by_day()))
    return found


def invented_series(coin: CoinUniverse, path: CoinPath) -> MarketSeries:
    """Return *path* with its constant maturities read off the surface of each midnight."""
    states = path.midnights()
    days = np.array(TENORS)
    surface = surfaces(coin.dynamics, states, days, np.broadcast_to(days, (states.shape[1], 6)))
    atm = 100.0 * np.sqrt(surface.theta * 365.0 / days)
    month = atm[:, _MONTH]
    smile = EssviColumns(
        theta=surface.theta[:, _MONTH], rho=surface.rho[:, _MONTH], psi=surface.psi[:, _MONTH]
    )
    call, put = (
        100.0 * np.sqrt(365.0 / 30.0) * deviation_at_delta(smile, is_call, _NORMAL_OF_25_DELTA)
        for is_call in (True, False)
    )
    return MarketSeries(
        first_weekday=path.begin.weekday(),
        log_price=path.states[kernel.LOG_PRICE],
        vol_index=coin.dynamics.index_ratio * month,
        atm=atm,
        rr_30=call - put,
        bf_30=0.5 * (call + put) - month,
    )
