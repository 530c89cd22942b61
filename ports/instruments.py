"""Contracts by their terms, and the grids of price and size they trade on."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache
from math import ceil, floor
from typing import Self, TypeAlias

import numpy as np
from attrs import field, frozen
from attrs.validators import optional

from ports.checks import not_negative, positive, utc
from ports.columns import Bools, Floats

YEAR = timedelta(days=365)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_SYMBOL = re.compile(
    r"([A-Z]+)(_USDC)?-(\d{1,2})([A-Z]{3})(\d{2})-([1-9]\d*|\d+d\d+)-([CP])", re.ASCII
)
_FUTURE = re.compile(r"([A-Z]+)-(?:PERPETUAL|(\d{1,2})([A-Z]{3})(\d{2}))", re.ASCII)


class OptionKind(StrEnum):
    """The right the holder has."""

    CALL = "call"
    PUT = "put"


class Settlement(StrEnum):
    """Quoted and settled in the coin, or in USDC."""

    INVERSE = "inverse"
    LINEAR = "linear"


@frozen(cache_hash=True)
class OptionContract:
    """
    A European option on one coin, known by its terms.

    >>> expiry = datetime(2026, 3, 27, 8, tzinfo=UTC)
    >>> call = OptionContract("BTC", expiry, 100_000.0, OptionKind.CALL)
    >>> call.symbol
    'BTC-27MAR26-100000-C'
    >>> OptionContract.from_symbol("BTC-27MAR26-100000-C") == call
    True
    >>> call.years_left(expiry - timedelta(days=73))
    0.2
    """

    underlying: str
    expiry: datetime = field(validator=utc)
    strike: float = field(validator=positive)  # USD per coin
    kind: OptionKind
    settlement: Settlement = Settlement.INVERSE

    @classmethod
    @lru_cache(maxsize=16_384)  # a few thousand names come again with every chain
    def from_symbol(cls, symbol: str) -> Self:
        """
        Return the contract that the venue calls *symbol*.

        Raises:
            ValueError: The text does not name an option.
        """
        match = _SYMBOL.fullmatch(symbol)
        if match is None or match[4] not in _MONTHS:
            raise ValueError(f"not the name of an option: {symbol!r}")
        coin, linear, day, month, year, strike, kind = match.groups()
        return cls(
            underlying=coin,
            expiry=_expiry(day, month, year),
            strike=float(strike.replace("d", ".")),
            kind=OptionKind.CALL if kind == "C" else OptionKind.PUT,
            settlement=Settlement.LINEAR if linear else Settlement.INVERSE,
        )

    @cached_property
    def symbol(self) -> str:
        """The venue's name: day without leading zero, `d` for a decimal point."""
        family = "_USDC" if self.settlement is Settlement.LINEAR else ""
        strike = format(Decimal(repr(self.strike)).normalize(), "f").replace(".", "d")
        return (
            f"{self.underlying}{family}-{_day(self.expiry)}-{strike}-{self.kind.value[0].upper()}"
        )

    def __lt__(self, other: "OptionContract") -> bool:
        """Whether it comes sooner in a list: by coin, expiry, strike, calls first, family."""
        return self._place < other._place

    @cached_property
    def _place(self) -> tuple[str, datetime, float, str, str]:
        return (self.underlying, self.expiry, self.strike, self.kind, self.settlement)

    @property
    def is_call(self) -> bool:
        """Whether the holder may buy."""
        return self.kind is OptionKind.CALL

    @property
    def is_daily(self) -> bool:
        """Whether it is listed for a few days only: every expiry that is no Friday."""
        return self.expiry.weekday() != 4

    def years_left(self, now: datetime) -> float:
        """Years from *now* to expiry; zero once it has passed."""
        return max(0.0, (self.expiry - now) / YEAR)

    def days_left(self, now: datetime) -> float:
        """Days from *now* to expiry, fractional; zero once it has passed."""
        return max(0.0, (self.expiry - now) / timedelta(days=1))

    def payoff_coin(self, delivery_price_usd: float) -> float:
        """Coin paid to the holder of one contract delivered at *delivery_price_usd*."""
        gain_usd = delivery_price_usd - self.strike
        return max(gain_usd if self.is_call else -gain_usd, 0.0) / delivery_price_usd


@frozen
class FutureContract:
    """
    An inverse future on one coin, counted in USD and settled in coin; *expiry* is None for the
    perpetual.

    >>> perpetual = FutureContract("BTC")
    >>> perpetual.symbol, FutureContract.from_symbol("BTC-PERPETUAL") == perpetual
    ('BTC-PERPETUAL', True)
    >>> FutureContract.from_symbol("ETH-26JUN26").symbol
    'ETH-26JUN26'
    >>> perpetual.profit_coin(50_000.0, 50_000.0, 62_500.0)
    0.2
    """

    underlying: str
    expiry: datetime | None = field(default=None, validator=optional(utc))

    @classmethod
    def from_symbol(cls, symbol: str) -> Self:
        """
        Return the future that the venue calls *symbol*.

        Raises:
            ValueError: The text does not name an inverse future.
        """
        match = _FUTURE.fullmatch(symbol)
        if match is None or match[3] not in (None, *_MONTHS):
            raise ValueError(f"not the name of a future: {symbol!r}")
        coin, day, month, year = match.groups()
        return cls(coin, None if day is None else _expiry(day, month, year))

    @property
    def symbol(self) -> str:
        """The venue's name."""
        return f"{self.underlying}-{'PERPETUAL' if self.expiry is None else _day(self.expiry)}"

    def profit_coin(self, size_usd: float, entry: float, now: float) -> float:
        """
        Coin earned by *size_usd*, negative short, from price *entry* to price *now*.

            Q (1 / entry - 1 / now) = Q (now - entry) / (entry now)

        Prices in USD per coin, both above zero.
        """
        return size_usd * (now - entry) / (entry * now)


Contract: TypeAlias = OptionContract | FutureContract


def contract_named(symbol: str) -> Contract:
    """
    Return the option or future that the venue calls *symbol*.

    Raises:
        ValueError: The text names neither.
    """
    if _FUTURE.fullmatch(symbol):
        return FutureContract.from_symbol(symbol)
    return OptionContract.from_symbol(symbol)


@frozen
class TickStep:
    """A wider tick from a price on."""

    above_price: float
    tick_size: float = field(validator=positive)


@frozen(kw_only=True)
class ContractRules:
    """
    What the venue says of one family of options: grids, and fees in coin per contract.

    >>> rules = ContractRules(
    ...     tick_size=0.0001, tick_steps=(TickStep(0.005, 0.0005),), amount_step=0.1, min_amount=0.1
    ... )
    >>> rules.price_up(0.00512), rules.price_down(0.00512), rules.price_down(0.00123)
    (0.0055, 0.005, 0.0012)
    >>> rules.lots(0.30000000000000004), rules.lots_down(0.29)
    (3, 2)
    """

    tick_size: float = field(validator=positive)
    tick_steps: tuple[TickStep, ...] = ()
    amount_step: float = field(validator=positive)
    min_amount: float = field(validator=positive)
    trade_fee_coin: float = field(default=0.0003, validator=not_negative)
    delivery_fee_coin: float = field(default=0.00015, validator=not_negative)
    fee_cap: float = field(default=0.125, validator=not_negative)  # share of the option's value

    def tick_at(self, price: float) -> float:
        """The tick in force at *price*."""
        wider = [step.tick_size for step in self.tick_steps if price >= step.above_price]
        return wider[-1] if wider else self.tick_size

    def price_up(self, price: float) -> float:
        """The lowest price on the grid that is not below *price*."""
        tick = self.tick_at(price)
        return _on_grid(ceil(price / tick - _GRID_SLACK), tick)

    def price_down(self, price: float) -> float:
        """The highest price on the grid that is not above *price*."""
        tick = self.tick_at(price)
        return _on_grid(floor(price / tick + _GRID_SLACK), tick)

    def is_on_tick(self, price: float) -> bool:
        """Whether an order at *price* would be taken."""
        return abs(price / self.tick_at(price) - round(price / self.tick_at(price))) < _GRID_SLACK

    def ticks_at(self, prices: Floats) -> Floats:
        """The tick in force at each of *prices*, (n,)."""
        ticks = np.full(prices.shape, self.tick_size)
        for step in self.tick_steps:
            ticks[prices >= step.above_price] = step.tick_size
        return ticks

    def are_on_tick(self, prices: Floats) -> Bools:
        """Where an order at *prices* would be taken, (n,); false where there is none."""
        steps = prices / self.ticks_at(prices)
        return np.asarray(np.abs(steps - np.round(steps)) < _GRID_SLACK)

    def lots(self, amount: float) -> int:
        """
        *amount* as a whole number of steps.

        Raises:
            ValueError: It is not one.
        """
        lots = round(amount / self.amount_step)
        if abs(amount / self.amount_step - lots) > _GRID_SLACK:
            raise ValueError(f"amount must be a multiple of {self.amount_step}, was {amount}")
        return lots

    def lots_down(self, amount: float) -> int:
        """The whole steps in *amount*, never rounded up."""
        return floor(amount / self.amount_step + _GRID_SLACK)

    def lots_up(self, amount: float) -> int:
        """The whole steps that cover *amount*."""
        return ceil(amount / self.amount_step - _GRID_SLACK)

    def amount(self, lots: int) -> float:
        """The amount of *lots* steps."""
        return _on_grid(lots, self.amount_step)

    def trade_fee(self, price: float, amount: float) -> float:
        """Coin charged for trading *amount* contracts at *price*."""
        return min(self.trade_fee_coin, self.fee_cap * price) * amount

    def delivery_fee(self, contract: OptionContract, payoff_coin: float, amount: float) -> float:
        """Coin charged for delivering *amount* contracts; dailies are free."""
        if contract.is_daily:
            return 0.0
        return min(self.delivery_fee_coin, self.fee_cap * payoff_coin) * amount


_GRID_SLACK = 1e-6  # of a step: far above float rounding, far below a real difference


@lru_cache(maxsize=65_536)  # the prices and amounts of a chain are asked for again and again
def _on_grid(steps: int, step: float) -> float:
    """*steps* x *step* as the nearest float of the decimal that the venue would print."""
    return float(steps * Decimal(repr(step)))


def _expiry(day: str, month: str, year: str) -> datetime:
    """The instant of 27, MAR, 26: 08:00 UTC."""
    return datetime(2000 + int(year), _MONTHS.index(month) + 1, int(day), 8, tzinfo=UTC)


def _day(expiry: datetime) -> str:
    """The date as names have it: 27MAR26."""
    return f"{expiry.day}{_MONTHS[expiry.month - 1]}{expiry.year % 100:02d}"
