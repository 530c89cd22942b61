"""What can be wrong with the quotes of one snapshot: each check is a mask over its rows."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ports.columns import Bools, Floats, Ints
from ports.snapshots import RawTable

_S_PER_YEAR = 365.0 * 86_400.0
_NAME = re.compile(r"[A-Z]+(?:_[A-Z]+)?-\d{1,2}[A-Z]{3}\d{2}-\d+(?:d\d+)?-[CP]")


class Flaw(StrEnum):
    """What may be wrong with a row."""

    BAD_NAME = "name is no option's"
    DUPLICATE = "instrument is there twice"
    EXPIRED = "expired when it was taken"
    CROSSED = "bid above ask"
    MARK_OUTSIDE = "mark outside bid and ask"
    IV_RANGE = "mark volatility outside 1 to 500 points"
    BOUNDS = "mark outside the bounds without arbitrage"
    PARITY = "call and put miss parity with the forward"
    BUTTERFLY = "marks are not convex in the strike"
    CALENDAR = "total variance falls with the expiry"


@frozen(kw_only=True)
class CheckParams:
    """
    How far a figure may be off before it is a flaw; coin per contract.

    *mark_slack* is the widest tick; the others are what rounding and a minute between mark and
    forward make of sound recordings, a few of 1e-4 near an expiry.
    """

    mark_slack: float = 0.0005
    bounds_slack: float = 0.0005
    parity_slack: float = 0.001
    butterfly_slack: float = 0.0002
    calendar_slack: float = 1e-4  # of total variance
    calendar_reach: float = 0.3  # log moneyness within which expiries are compared


@frozen(eq=False, kw_only=True)
class Quotes:
    """
    The rows of one snapshot in the units of checks, columns (n,); NaN is not known.

    Prices in coin, of linear options over the forward; mark_iv 0.65 is 65 %; tenor years.
    """

    name: NDArray[np.str_]
    expiry_s: Floats
    tenor: Floats
    strike: Floats
    is_call: Bools
    forward: Floats
    bid: Floats
    ask: Floats
    mark: Floats
    mark_iv: Floats

    @classmethod
    def of(cls, table: RawTable) -> "Quotes":
        """The rows of *table*, which has the required columns in their types."""

        def floats(name: str) -> Floats:
            return np.asarray(table.columns[name].values, dtype=np.float64)

        def texts(name: str) -> NDArray[np.str_]:
            return np.asarray(table.columns[name].values, dtype=np.str_)

        expiry_s, forward = floats("expiry_timestamp"), floats("underlying_price")
        is_linear = np.char.endswith(texts("underlying"), "_USDC")
        per_coin = np.where(is_linear, forward, 1.0)
        return cls(
            name=texts("instrument_name"),
            expiry_s=expiry_s,
            tenor=(expiry_s - floats("harvest_time") / 1000.0) / _S_PER_YEAR,
            strike=floats("strike"),
            is_call=texts("option_type") == "C",
            forward=forward,
            bid=floats("best_bid_price") / per_coin,
            ask=floats("best_ask_price") / per_coin,
            mark=floats("mark_price") / per_coin,
            mark_iv=floats("mark_iv") / 100.0,
        )


def flaws_of(quotes: Quotes, params: CheckParams) -> Mapping[Flaw, Bools]:
    """
    Return a mask, (n,), for each flaw: the rows that have it.

    A row of which a figure is missing has none of the flaws that need it.
    """
    return {flaw: check(quotes, params) for flaw, check in _CHECKS.items()}


def _bad_names(quotes: Quotes, _: CheckParams) -> Bools:
    return np.array([_NAME.fullmatch(each) is None for each in quotes.name], dtype=np.bool_)


def _duplicates(quotes: Quotes, _: CheckParams) -> Bools:
    """Every row of an instrument but its first."""
    first = np.unique(quotes.name, return_index=True)[1]
    repeated = np.ones(len(quotes.name), dtype=np.bool_)
    repeated[first] = False
    return repeated


def _expired(quotes: Quotes, _: CheckParams) -> Bools:
    return quotes.tenor <= 0.0


def _crossed(quotes: Quotes, _: CheckParams) -> Bools:
    return quotes.bid > quotes.ask


def _marks_outside(quotes: Quotes, params: CheckParams) -> Bools:
    slack = params.mark_slack
    return (quotes.mark < quotes.bid - slack) | (quotes.mark > quotes.ask + slack)


def _wild_ivs(quotes: Quotes, _: CheckParams) -> Bools:
    return (quotes.mark_iv <= 0.01) | (quotes.mark_iv >= 5.0)


def _out_of_bounds(quotes: Quotes, params: CheckParams) -> Bools:
    """A call is worth (1 - K/F)+ to 1, a put (K/F - 1)+ to K/F."""
    share = quotes.strike / quotes.forward
    gain = np.where(quotes.is_call, 1.0 - share, share - 1.0)
    most = np.where(quotes.is_call, 1.0, share)
    slack = params.bounds_slack
    return (quotes.mark < np.maximum(gain, 0.0) - slack) | (quotes.mark > most + slack)


def _off_parity(quotes: Quotes, params: CheckParams) -> Bools:
    """Both of a call and a put of one strike with C - P other than 1 - K/F."""
    flawed = np.zeros(len(quotes.name), dtype=np.bool_)
    order = np.lexsort((~quotes.is_call, quotes.strike, quotes.expiry_s))
    calls, puts = order[:-1], order[1:]
    is_pair = (
        (quotes.expiry_s[calls] == quotes.expiry_s[puts])
        & (quotes.strike[calls] == quotes.strike[puts])
        & quotes.is_call[calls]
        & ~quotes.is_call[puts]
    )
    calls, puts = calls[is_pair], puts[is_pair]
    share = quotes.strike[calls] / quotes.forward[calls]
    gap = np.abs(quotes.mark[calls] - quotes.mark[puts] - (1.0 - share))
    flawed[calls[gap > params.parity_slack]] = True
    flawed[puts[gap > params.parity_slack]] = True
    return flawed


def _not_convex(quotes: Quotes, params: CheckParams) -> Bools:
    """The middle of three strikes of one expiry and kind that costs more than those beside it."""
    flawed = np.zeros(len(quotes.name), dtype=np.bool_)
    for rows in _by_strike(quotes):
        low, middle, high = rows[:-2], rows[1:-1], rows[2:]
        width = quotes.strike[high] - quotes.strike[low]
        with np.errstate(invalid="ignore", divide="ignore"):
            weight = (quotes.strike[high] - quotes.strike[middle]) / width
        beside = weight * quotes.mark[low] + (1.0 - weight) * quotes.mark[high]
        flawed[middle[quotes.mark[middle] > beside + params.butterfly_slack]] = True
    return flawed


def _falling_variance(quotes: Quotes, params: CheckParams) -> Bools:
    """A strike whose total variance lies below that of the expiry before, at its moneyness."""
    flawed = np.zeros(len(quotes.name), dtype=np.bool_)
    with np.errstate(invalid="ignore", divide="ignore"):
        k = np.log(quotes.strike / quotes.forward)
    variance = quotes.mark_iv**2 * quotes.tenor
    usable = np.isfinite(k) & np.isfinite(variance) & (np.abs(k) <= params.calendar_reach)
    before: Ints | None = None
    for expiry_s in np.unique(quotes.expiry_s[usable]):
        rows = np.flatnonzero(usable & (quotes.expiry_s == expiry_s))
        rows = rows[np.argsort(k[rows], kind="stable")]
        if before is not None:
            inside = rows[(k[rows] >= k[before[0]]) & (k[rows] <= k[before[-1]])]
            least = np.interp(k[inside], k[before], variance[before])
            flawed[inside[variance[inside] < least - params.calendar_slack]] = True
        before = rows
    return flawed


def _by_strike(quotes: Quotes) -> "list[Ints]":
    """The rows of each expiry and kind, by strike."""
    found: list[Ints] = []
    for expiry_s in np.unique(quotes.expiry_s[np.isfinite(quotes.expiry_s)]):
        for is_call in (True, False):
            rows = np.flatnonzero((quotes.expiry_s == expiry_s) & (quotes.is_call == is_call))
            found.append(rows[np.argsort(quotes.strike[rows], kind="stable")])
    return found


_CHECKS: Mapping[Flaw, Callable[[Quotes, CheckParams], Bools]] = {
    Flaw.BAD_NAME: _bad_names,
    Flaw.DUPLICATE: _duplicates,
    Flaw.EXPIRED: _expired,
    Flaw.CROSSED: _crossed,
    Flaw.MARK_OUTSIDE: _marks_outside,
    Flaw.IV_RANGE: _wild_ivs,
    Flaw.BOUNDS: _out_of_bounds,
    Flaw.PARITY: _off_parity,
    Flaw.BUTTERFLY: _not_convex,
    Flaw.CALENDAR: _falling_variance,
}
