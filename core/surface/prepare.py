"""One snapshot made ready for fits: which quotes count, and why the others do not."""

from enum import IntEnum
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from core.pricing.black76 import delta as black_delta
from core.pricing.black76 import tenor_years
from core.pricing.implied import IvStatus, Statuses, implied_vol
from core.surface.forwards import with_forwards
from ports.checks import epoch_ms
from ports.columns import Bools, Floats, Ints
from ports.instruments import ContractRules, Settlement
from ports.market_data import MarketSnapshot

RowStatuses: TypeAlias = NDArray[np.int8]

_HOUR_YEARS = 1.0 / (365.0 * 24.0)
_FEWEST = 6  # quotes of an expiry below which wide ones are taken back


class RowStatus(IntEnum):
    """What became of a row of the chain: USED in a fit, or the first reason against it."""

    USED = 0
    BAD_TERMS = 1  # the strike is not positive, or there is no forward
    EXPIRED = 2
    TOO_SOON = 3  # less than PrepareParams.least_hours to go
    ONE_SIDED = 4  # no bid, or no ask
    CROSSED = 5  # bid at or above ask
    STALE = 6
    NO_TIME_VALUE = 7  # the bid is at or below the intrinsic value
    ABOVE_MAX = 8  # a quote at or above what any volatility gives
    OUTSIDE_DELTA = 9
    OTHER_SIDE = 10  # in the money, or the looser one of call and put at its strike
    COARSE_TICK = 11  # one tick is worth too much volatility
    WIDE = 12


@frozen(kw_only=True)
class PrepareParams:
    """Which quotes a fit may use. Volatilities are fractions: 0.05 is five points."""

    least_hours: float = 6.0
    least_delta: float = 0.01
    largest_delta: float = 0.6
    both_sides_within: float = 0.25  # deviations of log-moneyness
    oldest_s: float = 60.0
    largest_tick_iv: float = 0.10
    largest_half_spread: float = 0.05
    least_half_spread: float = 0.001  # of what a fit is told: quotes are not surer than this


@frozen(kw_only=True, eq=False)
class ExpiryQuotes:
    """
    The quotes of one expiry that a fit may use, columns (m,) by rising k = ln(K / F).

    Units: iv, half_spread fractions; vega relative to the largest possible one.
    """

    expiry_ms: int
    tenor: float  # years
    forward: float  # USD per coin, the median of its rows
    k: Floats
    iv: Floats  # of the middle between bid and ask volatility
    half_spread: Floats
    vega: Floats


@frozen(kw_only=True, eq=False)
class Prepared:
    """
    A snapshot's rows with their status, columns (n,) in the order of the chain.

    bid_iv, ask_iv, iv and delta are NaN where they cannot be had; expiries holds every expiry
    of the chain that is not too soon, also those without a quote to use.
    """

    status: RowStatuses
    tenor: Floats
    forward: Floats
    k: Floats
    bid_iv: Floats
    ask_iv: Floats
    iv: Floats
    delta: Floats
    is_out: Bools  # out of the money
    expiries: tuple[ExpiryQuotes, ...]

    def count(self, status: RowStatus) -> int:
        """How many rows have *status*."""
        return int(np.count_nonzero(self.status == status))

    @property
    def half_spread(self) -> Floats:
        """Half the distance of bid and ask volatility, (n,)."""
        return 0.5 * (self.ask_iv - self.bid_iv)


def prepare(snapshot: MarketSnapshot, params: PrepareParams) -> Prepared:
    """
    Return every row of *snapshot* with its status, and the quotes to fit by expiry.

    The forward is the venue's, row by row, since quotes of one snapshot may be seconds apart;
    an expiry without one takes it from parity of its quotes.
    """
    rows = _read(snapshot)
    status = _screened(snapshot, rows, params)
    expiry_ms = snapshot.chain.expiry_ms
    late = rows.tenor >= params.least_hours * _HOUR_YEARS
    expiries = []
    for expiry in np.unique(expiry_ms[late & np.isfinite(rows.forward)]).tolist():
        of_expiry = np.flatnonzero(expiry_ms == expiry)
        _choose(of_expiry, snapshot.chain.strike, rows, status, params)
        expiries.append(_quotes(expiry, of_expiry, rows, status, params))
    return Prepared(
        status=status,
        tenor=rows.tenor,
        forward=rows.forward,
        k=rows.k,
        bid_iv=rows.bid_iv,
        ask_iv=rows.ask_iv,
        iv=rows.iv,
        delta=rows.delta,
        is_out=rows.is_out,
        expiries=tuple(expiries),
    )


@frozen(kw_only=True, eq=False)
class _Rows:
    """What follows from the quotes of each row, (n,)."""

    tenor: Floats
    forward: Floats
    k: Floats
    bid_iv: Floats
    ask_iv: Floats
    bid_status: Statuses
    ask_status: Statuses
    tick_iv: Floats  # what one tick about the middle is worth
    iv: Floats
    delta: Floats  # absolute
    is_out: Bools


@np.errstate(over="ignore", invalid="ignore")  # an absurd quote is a row with a reason
def _read(snapshot: MarketSnapshot) -> _Rows:
    chain = snapshot.chain
    strike = np.where((chain.strike > 0.0) & np.isfinite(chain.strike), chain.strike, np.nan)
    forward = with_forwards(chain)
    tenor = tenor_years(chain.expiry_ms, epoch_ms(snapshot.taken_at))
    unit = np.ones(len(chain)) if chain.settlement is Settlement.INVERSE else forward
    terms = (forward, strike, tenor, chain.is_call)
    bid_iv, bid_status = implied_vol(chain.bid / unit, *terms)
    ask_iv, ask_status = implied_vol(chain.ask / unit, *terms)
    middle = 0.5 * chain.bid + 0.5 * chain.ask
    half_tick = 0.5 * _ticks(snapshot.rules, middle)
    low_iv, low_status = implied_vol((middle - half_tick) / unit, *terms)
    high_iv, _ = implied_vol((middle + half_tick) / unit, *terms)
    iv = 0.5 * (bid_iv + ask_iv)
    return _Rows(
        tenor=tenor,
        forward=forward,
        k=np.log(strike) - np.log(forward),
        bid_iv=bid_iv,
        ask_iv=ask_iv,
        bid_status=bid_status,
        ask_status=ask_status,
        tick_iv=high_iv - np.where(low_status == IvStatus.BELOW_INTRINSIC, 0.0, low_iv),
        iv=iv,
        delta=np.abs(black_delta(forward, strike, tenor, iv, chain.is_call)),
        is_out=chain.is_call == (strike >= forward),
    )


def _screened(snapshot: MarketSnapshot, rows: _Rows, params: PrepareParams) -> RowStatuses:
    """The first reason against each row, of those that need no other row."""
    chain = snapshot.chain
    age_s = (epoch_ms(snapshot.taken_at) - chain.quoted_at_ms) / 1000.0
    worthless = (IvStatus.BELOW_INTRINSIC, IvStatus.AT_INTRINSIC)
    inside = (rows.delta >= params.least_delta) & (rows.delta <= params.largest_delta)
    reasons = (
        (RowStatus.BAD_TERMS, ~np.isfinite(rows.k)),
        (RowStatus.EXPIRED, rows.tenor <= 0.0),
        (RowStatus.TOO_SOON, rows.tenor < params.least_hours * _HOUR_YEARS),
        (RowStatus.ONE_SIDED, ~((chain.bid > 0.0) & (chain.ask > 0.0))),
        (RowStatus.CROSSED, chain.bid >= chain.ask),
        (RowStatus.STALE, age_s > params.oldest_s),
        (RowStatus.NO_TIME_VALUE, np.isin(rows.bid_status, worthless)),
        (RowStatus.NO_TIME_VALUE, np.isin(rows.ask_status, worthless)),
        (RowStatus.ABOVE_MAX, ~np.isfinite(rows.iv)),
        (RowStatus.OUTSIDE_DELTA, ~inside),
        (RowStatus.COARSE_TICK, ~(rows.tick_iv <= params.largest_tick_iv)),
    )
    codes = [np.int8(reason) for reason, _ in reasons]
    return np.select([rows_hit for _, rows_hit in reasons], codes, np.int8(RowStatus.USED))


def _choose(
    of_expiry: Ints, strike: Floats, rows: _Rows, status: RowStatuses, params: PrepareParams
) -> None:
    """Leave one usable row a strike of one expiry, and no wide ones where there are enough."""
    used = of_expiry[status[of_expiry] == RowStatus.USED]
    out = used[rows.is_out[used]]
    reach = 0.0
    if len(out):
        nearest = out[np.argmin(np.abs(rows.k[out]))]
        reach = params.both_sides_within * rows.iv[nearest] * np.sqrt(rows.tenor[nearest])
    half_spread = rows.ask_iv - rows.bid_iv
    deep = ~rows.is_out[used] & (np.abs(rows.k[used]) >= reach)
    status[used[deep]] = RowStatus.OTHER_SIDE
    used = used[~deep]
    by_strike = used[np.lexsort((half_spread[used], strike[used]))]
    looser = by_strike[1:][np.diff(strike[by_strike]) == 0.0]
    status[looser] = RowStatus.OTHER_SIDE
    used = used[status[used] == RowStatus.USED]
    is_wide = half_spread[used] > 2.0 * params.largest_half_spread
    if np.count_nonzero(~is_wide) >= _FEWEST:
        status[used[is_wide]] = RowStatus.WIDE


def _quotes(
    expiry_ms: int, of_expiry: Ints, rows: _Rows, status: RowStatuses, params: PrepareParams
) -> ExpiryQuotes:
    used = of_expiry[status[of_expiry] == RowStatus.USED]
    used = used[np.argsort(rows.k[used])]
    known = of_expiry[np.isfinite(rows.forward[of_expiry])]
    tenor = float(rows.tenor[of_expiry[0]])
    deviation = rows.iv[used] * np.sqrt(tenor)
    d1 = 0.5 * deviation - rows.k[used] / deviation
    return ExpiryQuotes(
        expiry_ms=expiry_ms,
        tenor=tenor,
        forward=float(np.median(rows.forward[known])),
        k=rows.k[used],
        iv=rows.iv[used],
        half_spread=np.maximum(
            0.5 * (rows.ask_iv[used] - rows.bid_iv[used]), params.least_half_spread
        ),
        vega=np.exp(-0.5 * d1 * d1),
    )


def _ticks(rules: ContractRules, price: Floats) -> Floats:
    """The tick in force at each *price*, (n,)."""
    tick = np.full(price.shape, rules.tick_size)
    for step in rules.tick_steps:
        tick[price >= step.above_price] = step.tick_size
    return tick
