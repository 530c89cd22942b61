"""Constant maturities of recorded chains, a day at a time."""

from collections.abc import Sequence
from math import nan

import numpy as np
from attrs import frozen

from core.analysis.universe_series import RecordedSmiles
from core.analysis.universe_statistics import TENORS
from core.surface.fit import FitParams
from core.surface.prepare import PrepareParams, prepare
from core.surface.readings import smile_at
from core.surface.surface import fit_surface
from ports.checks import epoch_ms
from ports.market_data import MarketSnapshot

_DAY_MS = 86_400_000


@frozen(kw_only=True)
class SmileDay:
    """What one snapshot says of the midnight that follows it; points, NaN if nothing."""

    at_ms: int
    index_usd: float
    atm: tuple[float, ...]  # by TENORS
    rr_30: float
    bf_30: float


def smile_day(snapshot: MarketSnapshot) -> SmileDay:
    """Return the reading of *snapshot*, the last of its UTC day."""
    prepared = prepare(snapshot, PrepareParams())
    fit = fit_surface(prepared, snapshot.taken_at, snapshot.index_usd, FitParams())
    at_ms = (epoch_ms(snapshot.taken_at) // _DAY_MS + 1) * _DAY_MS
    if fit.surface is None:
        unknown = (nan,) * len(TENORS)
        return SmileDay(
            at_ms=at_ms, index_usd=snapshot.index_usd, atm=unknown, rr_30=nan, bf_30=nan
        )
    readings = {days: smile_at(fit.surface, days) for days in TENORS}
    month = readings[30.0].wing_25
    return SmileDay(
        at_ms=at_ms,
        index_usd=snapshot.index_usd,
        atm=tuple(100.0 * readings[days].atm_iv for days in TENORS),
        rr_30=100.0 * month.risk_reversal,
        bf_30=100.0 * month.butterfly,
    )


def recorded_smiles(days: Sequence[SmileDay]) -> RecordedSmiles | None:
    """Return *days*, oldest first, as columns; None where there are none."""
    if not days:
        return None
    return RecordedSmiles(
        at_ms=[day.at_ms for day in days],
        index_usd=[day.index_usd for day in days],
        atm=np.array([day.atm for day in days]),
        rr_30=[day.rr_30 for day in days],
        bf_30=[day.bf_30 for day in days],
    )
