"""How numbers and instants look on every screen; what is not known is a dash."""

from datetime import datetime
from math import isnan

_DASH = "-"


def coin(amount: float) -> str:
    """Coin earned or owned, with its sign."""
    return _DASH if isnan(amount) else f"{round(amount, 6) + 0.0:+.6f}"  # never -0


def usd(amount: float) -> str:
    """USD earned or owned, with its sign."""
    return _DASH if isnan(amount) else f"{round(amount, 2) + 0.0:+,.2f}"


def index(price_usd: float) -> str:
    """A price of the coin itself, USD."""
    return _DASH if isnan(price_usd) else f"{price_usd:,.2f}"


def price(price_coin: float) -> str:
    """A price of one contract, coin."""
    return _DASH if isnan(price_coin) else f"{price_coin:.4f}"


def size(contracts: float) -> str:
    """A number of contracts."""
    return _DASH if isnan(contracts) else f"{contracts:g}"


def percent(share_pct: float) -> str:
    """A percentage that is one already."""
    return _DASH if isnan(share_pct) else f"{share_pct:.1f}"


def vol(iv: float) -> str:
    """A volatility in vol points: 0.65 reads 65.0."""
    return _DASH if isnan(iv) else f"{100.0 * iv:.1f}"


def decimals(number: float, places: int) -> str:
    """A number with *places* behind the point."""
    return _DASH if isnan(number) else f"{number:.{places}f}"


def instant(at: datetime | None) -> str:
    """An instant to the second, UTC."""
    return _DASH if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def day(at: datetime) -> str:
    """The UTC day of an instant."""
    return f"{at:%Y-%m-%d}"


def span(seconds: float) -> str:
    """
    A length of time in its two largest units.

    >>> span(42.4), span(-3.0), span(7265.0), span(190000.0)
    ('42 s', '0 s', '2 h 1 min', '2 d 4 h')
    """
    whole = max(int(seconds), 0)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
