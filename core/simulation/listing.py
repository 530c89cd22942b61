"""What Deribit lists: the expiries, strikes and contract rules of its inverse options in 2026."""

from datetime import UTC, datetime, timedelta
from math import ceil, exp, floor, log

import numpy as np
from attrs import frozen

from ports.columns import Floats
from ports.instruments import ContractRules, TickStep

COINS = ("BTC", "ETH")

_HOUR_OF_EXPIRY = 8  # UTC
_FRIDAY = 4
_DAILY_LIFE = timedelta(days=4)
_WEEKLY_LIFE = timedelta(days=22)
_LONGEST_LIFE = timedelta(days=372)  # a quarterly: 52 or 53 weeks and a day


@frozen
class _Band:
    """Strikes every *step_usd*, from so many standard deviations below the price to above it."""

    step_usd: float
    below: float
    above: float


def deribit_rules(underlying: str) -> ContractRules:
    """
    Return the ticks, amounts and fees of inverse options on *underlying*, BTC or ETH.

    Raises:
        ValueError: It is neither.
    """
    if underlying not in COINS:
        raise ValueError(f"no inverse options are listed on {underlying!r}")
    smallest = 0.1 if underlying == "BTC" else 1.0
    return ContractRules(
        tick_size=0.0001,
        tick_steps=(TickStep(0.005, 0.0005),),
        amount_step=smallest,
        min_amount=smallest,
    )


def listed_expiries(now: datetime) -> tuple[datetime, ...]:
    """
    Return the expiries listed at *now*, nearest first: 11 to 13, all at 08:00 UTC.

    Four dailies, Fridays up to three weeks ahead, the last Fridays of the next three months,
    and of the next four quarters.
    """
    today = datetime(now.year, now.month, now.day, _HOUR_OF_EXPIRY, tzinfo=UTC)
    days = (today + timedelta(days=ahead) for ahead in range(_LONGEST_LIFE.days + 1))
    near = now + _DAILY_LIFE
    return tuple(
        expiry
        for expiry in days
        if expiry > now
        and (expiry <= near or expiry.weekday() == _FRIDAY)
        and listed_since(expiry) <= now
    )


def listed_since(expiry: datetime) -> datetime:
    """
    Return when *expiry*, at 08:00 UTC, is listed.

    Each is listed on the Thursday before the one that it follows in its own series ends:
    a quarterly a year ahead, a monthly three months, a weekly 22 days; a daily four days.
    """
    if expiry.weekday() != _FRIDAY:
        return expiry - _DAILY_LIFE
    if expiry != _last_friday(expiry.year, expiry.month):
        return expiry - _WEEKLY_LIFE
    if expiry.month % 3 == 0:
        return _last_friday(expiry.year - 1, expiry.month) - timedelta(days=1)
    quarter_ago = expiry.year * 12 + expiry.month - 1 - 3
    return _last_friday(quarter_ago // 12, quarter_ago % 12 + 1) - timedelta(days=1)


def listed_strikes(
    underlying: str, expiry: datetime, index_usd: Floats, deviation: Floats
) -> Floats:
    """
    Return the strikes of *expiry* in USD, ascending, (n,).

    *index_usd* and *deviation* (volatility to expiry x √years left) say how the market stood
    from the listing of *expiry* to now, oldest first, (m,). At each instant the strikes that
    reach deltas of about 0.01 and 0.99 are added, fine steps near the price and coarser ones
    outside; none is ever taken away, so what is listed once stays listed until expiry.
    Steps are those of 2026, times 1, 2 or 5 and a power of ten as the price at listing differs
    from 2026's. The venue sets them by hand: a live market reads its list of instruments.

    Raises:
        ValueError: *underlying* is not BTC or ETH.
    """
    scale = _price_scale(float(index_usd[0]) / _usual_price(underlying))
    log_index = np.log(index_usd)
    grids = [
        _multiples(
            round(band.step_usd * scale, 6),
            exp((log_index - band.below * deviation).min()),
            exp((log_index + band.above * deviation).max()),
        )
        for band in _bands(underlying, expiry - listed_since(expiry))
    ]
    return np.unique(np.concatenate(grids))


def _last_friday(year: int, month: int) -> datetime:
    first_of_next = datetime(year + month // 12, month % 12 + 1, 1, _HOUR_OF_EXPIRY, tzinfo=UTC)
    last_day = first_of_next - timedelta(days=1)
    return last_day - timedelta(days=(last_day.weekday() - _FRIDAY) % 7)


def _usual_price(underlying: str) -> float:
    if underlying not in COINS:
        raise ValueError(f"no inverse options are listed on {underlying!r}")
    return 80_000.0 if underlying == "BTC" else 2_400.0  # the middle of 2026, USD


def _price_scale(ratio: float) -> float:
    """The 1, 2 or 5 times a power of ten that lies nearest to *ratio*, in logarithms."""
    power = 10.0 ** floor(log(ratio, 10.0))
    return min((power * nice for nice in (1, 2, 5, 10)), key=lambda scale: abs(log(scale / ratio)))


def _multiples(step: float, low: float, high: float) -> Floats:
    """The multiples of *step* from *low* to *high*, and one beyond on either side."""
    return np.arange(max(floor(low / step), 1), ceil(high / step) + 1, dtype=np.float64) * step


# Steps and widths after the chains recorded from January to May 2026.
_BTC_BANDS = (
    (_Band(500, 0.8, 0.8), _Band(1_000, 3.0, 3.0)),
    (_Band(1_000, 0.75, 0.75), _Band(2_000, 1.4, 1.4), _Band(5_000, 3.0, 3.0)),
    (
        _Band(1_000, 0.5, 0.5),
        _Band(2_000, 1.0, 1.0),
        _Band(5_000, 3.0, 1.4),
        _Band(10_000, 3.0, 2.0),
        _Band(20_000, 3.0, 3.0),
    ),
    (
        _Band(2_000, 0.4, 0.4),
        _Band(5_000, 3.0, 0.9),
        _Band(10_000, 3.0, 1.3),
        _Band(20_000, 3.0, 1.8),
        _Band(100_000, 3.0, 3.0),
    ),
)
_ETH_BANDS = (
    (_Band(25, 0.9, 0.9), _Band(50, 1.5, 1.5), _Band(100, 3.0, 3.0)),
    (_Band(50, 0.9, 0.9), _Band(100, 1.5, 1.5), _Band(200, 3.0, 3.0)),
    (
        _Band(50, 0.4, 0.4),
        _Band(100, 3.0, 1.2),
        _Band(200, 3.0, 2.0),
        _Band(500, 3.0, 3.0),
    ),
    (
        _Band(100, 3.0, 0.7),
        _Band(200, 3.0, 1.1),
        _Band(500, 3.0, 1.8),
        _Band(2_000, 3.0, 3.0),
    ),
)


def _bands(underlying: str, life: timedelta) -> tuple[_Band, ...]:
    """The bands of dailies, weeklies, monthlies or quarterlies, told apart by their life."""
    series = _BTC_BANDS if underlying == "BTC" else _ETH_BANDS
    ends = (_DAILY_LIFE, _WEEKLY_LIFE, timedelta(days=120))
    return series[sum(life > end for end in ends)]
