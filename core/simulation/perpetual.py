"""The perpetual beside a market of options: its mark, quotes, funding, grid and fees."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import log

import numpy as np
from attrs import frozen

from ports.checks import epoch_ms
from ports.columns import Floats, Ints
from ports.instruments import YEAR, ContractRules
from ports.market_data import MarketSnapshot

EIGHT_HOURS = timedelta(hours=8)
HOUR = timedelta(hours=1)
SHOWN_USD = 1_000_000.0  # on either side of the book
_BAND = 0.015  # of the mark, either way
MAKER_FEE = 0.0  # of the coin traded
_DEAD_ZONE = 0.00025  # a premium within it costs nothing
_FUNDING_CAP = 0.005  # of eight hours, either way
_TICKS_USD = {"BTC": 0.5, "ETH": 0.05}
_CONTRACTS_USD = {"BTC": 10.0, "ETH": 1.0}
_TAKER_FEES = (  # of the coin traded, from an instant on, newest first
    (datetime(2026, 8, 1, tzinfo=UTC), 0.00035),
    (datetime.min.replace(tzinfo=UTC), 0.0005),
)
_CARRY_DAYS = 30.0
_MS_PER_DAY = 86_400_000


@frozen
class PerpetualQuote:
    """
    The perpetual as it is shown: prices USD per coin, *funding_8h* a fraction. Orders beyond
    *least* and *most* are not taken.
    """

    mark: float
    bid: float
    ask: float
    least: float
    most: float
    funding_8h: float


def perpetual_quote(snapshot: MarketSnapshot) -> PerpetualQuote:
    """
    Return the perpetual of *snapshot*: a tick wide about its mark.

    No recording has its price, so it stands where holding it costs what holding the coin does:
    its premium is the one whose funding is the carry of the forwards about thirty days out.
    """
    mark = snapshot.index_usd * (1.0 + premium_for(rate_of(snapshot)))
    rules = future_rules(snapshot.underlying)
    bid = rules.price_down(mark)
    return PerpetualQuote(
        mark=mark,
        bid=bid,
        ask=rules.price_up(bid + rules.tick_size),
        least=rules.price_up(mark * (1.0 - _BAND)),
        most=rules.price_down(mark * (1.0 + _BAND)),
        funding_8h=funding_rate((mark - snapshot.index_usd) / snapshot.index_usd),
    )


def funding_rate(premium: float) -> float:
    """
    Return what a long position pays in eight hours, as a fraction of its coin.

        rate = max(0.025 %, p) + min(-0.025 %, p), at most 0.5 % either way

    *premium* p is (mark - index) / index. Source: Deribit, perpetual funding.
    """
    rate = max(_DEAD_ZONE, premium) + min(-_DEAD_ZONE, premium)
    return min(max(rate, -_FUNDING_CAP), _FUNDING_CAP)


def premium_for(rate: float) -> float:
    """Return the smallest premium that funding_rate turns into *rate*."""
    if rate == 0.0:
        return 0.0
    return rate + _DEAD_ZONE if rate > 0 else rate - _DEAD_ZONE


def rate_of(snapshot: MarketSnapshot) -> float:
    """Return the funding of eight hours that costs the carry of *snapshot*."""
    chain = snapshot.chain
    return carry_rate(chain.expiry_ms, chain.forward / snapshot.index_usd, snapshot.taken_at)


def carry_rate(expiry_ms: Ints, forward_ratio: Floats, at: datetime) -> float:
    """
    Return the funding of eight hours that costs the carry, ln(F / index) a year, of the expiry
    nearest to thirty days; within the cap.

    Shapes: (n,) each; *forward_ratio* is F / index. Zero where no forward of an expiry more
    than a day away is known: then nothing says that the perpetual is not worth its index.
    """
    left_days = (expiry_ms - epoch_ms(at)) / _MS_PER_DAY
    use = np.isfinite(forward_ratio) & (left_days > 1.0)
    if not use.any():
        return 0.0
    row = int(np.argmin(np.where(use, np.abs(left_days - _CARRY_DAYS), np.inf)))
    carry = log(float(forward_ratio[row])) / (float(left_days[row]) / 365.0)
    return min(max(carry * (EIGHT_HOURS / YEAR), -_FUNDING_CAP), _FUNDING_CAP)


def hours_in(start: datetime, end: datetime) -> Iterable[tuple[datetime, float]]:
    """The whole hours that (*start*, *end*] touches, each with its share of eight hours."""
    hour = start.replace(minute=0, second=0, microsecond=0)
    while hour < end:
        overlap = min(end, hour + HOUR) - max(start, hour)
        yield hour, overlap / EIGHT_HOURS
        hour += HOUR


def future_rules(underlying: str) -> ContractRules:
    """The grid of futures on *underlying*; their fees are shares of the coin: see fee_coin."""
    contract_usd = _CONTRACTS_USD[underlying]
    return ContractRules(
        tick_size=_TICKS_USD[underlying],
        amount_step=contract_usd,
        min_amount=contract_usd,
        trade_fee_coin=0.0,
        delivery_fee_coin=0.0,
    )


def taker_fee(at: datetime) -> float:
    """The fee of taking *at* an instant, as a fraction of the coin."""
    return next(fee for since, fee in _TAKER_FEES if at >= since)


def taker_fee_coin(amount_usd: float, price: float, at: datetime) -> float:
    """Coin charged for taking *amount_usd* at *price* USD per coin; making is free."""
    return taker_fee(at) * amount_usd / price
