"""Trades and the marked account as columns, and numbers that may be undefined."""

from math import isfinite
from typing import TypeAlias

import numpy as np
from attrs import fields, frozen

from core.backtest.names import Kind, Numeraire
from ports.backtest_runs import BacktestTrade, EquityCurve, ExitReason
from ports.checks import epoch_ms
from ports.columns import Bools, Floats, Ints, bool_column, float_column, int_column

DAY_MS = 86_400_000
DAYS_A_YEAR = 365.0

Figures: TypeAlias = dict[str, float | None]  # by key; None is undefined

_UNTRADED = (ExitReason.EXPIRED, ExitReason.ASSIGNED, ExitReason.LEFT_OPEN)  # ends without a trade


def known(value: float) -> float | None:
    """*value*, or None where it is not a finite number."""
    return float(value) if isfinite(value) else None


def ratio(above: float, below: float) -> float | None:
    """*above* / *below*, or None where that is not a number."""
    return known(above / below) if below != 0.0 else None


def percent(above: float, below: float) -> float | None:
    """The same in percent."""
    return ratio(100.0 * above, below)


def mean(values: Floats) -> float | None:
    """The mean of *values*, or None of none."""
    return known(float(np.mean(values))) if len(values) else None


@frozen(eq=False)
class TradeColumns:
    """Trades in the order of their end, columns (n,); names and units of BacktestTrade."""

    is_call: Bools
    is_closed: Bools
    is_assigned: Bools
    is_expired: Bools
    is_bought_back: Bools
    chain: Ints
    opened_ms: Ints
    closed_ms: Ints
    expiry_ms: Ints
    strike: Floats
    amount: Floats
    entry_index_usd: Floats
    exit_index_usd: Floats
    entry_coin: Floats
    exit_coin: Floats
    entry_mark_coin: Floats
    exit_mark_coin: Floats
    entry_delta: Floats
    entry_iv: Floats
    entry_dte: Floats
    entry_forward_usd: Floats
    fees_coin: Floats
    fees_usd: Floats
    pnl_coin: Floats
    pnl_usd: Floats

    @classmethod
    def of(cls, trades: tuple[BacktestTrade, ...]) -> "TradeColumns":
        """Return the columns of *trades*."""
        rows = sorted(trades, key=lambda each: (each.closed_at, each.number))
        reasons = [each.exit_reason for each in rows]
        return cls(
            is_call=bool_column([each.contract.is_call for each in rows]),
            is_closed=bool_column([reason is not ExitReason.LEFT_OPEN for reason in reasons]),
            is_assigned=bool_column([reason is ExitReason.ASSIGNED for reason in reasons]),
            is_expired=bool_column([reason is ExitReason.EXPIRED for reason in reasons]),
            is_bought_back=bool_column([reason not in _UNTRADED for reason in reasons]),
            chain=int_column([each.chain for each in rows]),
            opened_ms=int_column([epoch_ms(each.opened_at) for each in rows]),
            closed_ms=int_column([epoch_ms(each.closed_at) for each in rows]),
            expiry_ms=int_column([epoch_ms(each.contract.expiry) for each in rows]),
            strike=float_column([each.contract.strike for each in rows]),
            **{name: float_column([getattr(each, name) for each in rows]) for name in _NUMBERS},
        )

    def __len__(self) -> int:
        return len(self.amount)

    def where(self, rows: Bools | Ints) -> "TradeColumns":
        """Those of *rows*: a mask (n,) or row numbers."""
        return TradeColumns(**{name: getattr(self, name)[rows] for name in _NAMES})

    def of_kind(self, kind: Kind) -> "TradeColumns":
        """Calls, puts or all."""
        if kind is Kind.ALL:
            return self
        return self.where(self.is_call if kind is Kind.CALLS else ~self.is_call)

    @property
    def sold(self) -> "TradeColumns":
        """Those of options sold: the legs of a structure that were bought are left out."""
        return self.where(self.amount > 0.0)

    def pnl(self, numeraire: Numeraire) -> Floats:
        """P&L after fees."""
        return self.pnl_coin if numeraire is Numeraire.COIN else self.pnl_usd

    def fees(self, numeraire: Numeraire) -> Floats:
        """Fees paid."""
        return self.fees_coin if numeraire is Numeraire.COIN else self.fees_usd

    def notional(self, numeraire: Numeraire) -> Floats:
        """What was traded, one coin a contract, at the index of the sale."""
        return np.abs(self.amount) * self.entry_rate(numeraire)

    def entry_rate(self, numeraire: Numeraire) -> Floats:
        """What one coin is worth at the sale."""
        return np.ones(len(self)) if numeraire is Numeraire.COIN else self.entry_index_usd

    def exit_rate(self, numeraire: Numeraire) -> Floats:
        """What one coin is worth at the end."""
        return np.ones(len(self)) if numeraire is Numeraire.COIN else self.exit_index_usd

    def entry_slippage(self, numeraire: Numeraire) -> Floats:
        """The mark less the price of the sale, of all contracts; NaN without a mark."""
        gap = self.entry_mark_coin - self.entry_coin
        return self.amount * gap * self.entry_rate(numeraire)

    def exit_slippage(self, numeraire: Numeraire) -> Floats:
        """The price of the buy-back less the mark; zero where nothing was bought back."""
        gap = np.where(self.is_bought_back, self.exit_coin - self.exit_mark_coin, 0.0)
        return self.amount * gap * self.exit_rate(numeraire)

    @property
    def days(self) -> Floats:
        """Days from sale to end."""
        return (self.closed_ms - self.opened_ms) / DAY_MS


_NAMES = tuple(each.name for each in fields(TradeColumns))
_NUMBERS = _NAMES[_NAMES.index("amount") :]


@frozen(eq=False)
class Account:
    """The marked account in one numeraire, columns (n,), oldest first."""

    numeraire: Numeraire
    at_ms: Ints
    equity: Floats
    low: Floats  # least of the bar that ends at the mark
    high: Floats
    margin: Floats
    rate: Floats  # what one coin is worth

    @classmethod
    def of(cls, curve: EquityCurve, numeraire: Numeraire) -> "Account":
        """
        Return *curve* in *numeraire*, without the marks at which its value was not known.

        The ends of a bar in USD are taken at the index of its mark.
        """
        kept = valued(curve)
        is_coin = numeraire is Numeraire.COIN
        rate = np.ones(len(kept.at_ms)) if is_coin else kept.index_usd
        equity = kept.equity_coin * rate
        return cls(
            numeraire=numeraire,
            at_ms=kept.at_ms,
            equity=equity,
            low=np.fmin(kept.low_coin * rate, equity),
            high=np.fmax(kept.high_coin * rate, equity),
            margin=kept.margin_coin * rate,
            rate=rate,
        )

    @property
    def years(self) -> float:
        """Length in years of 365 days."""
        return float(self.at_ms[-1] - self.at_ms[0]) / (DAYS_A_YEAR * DAY_MS)


def valued(curve: EquityCurve) -> EquityCurve:
    """The marks of *curve* at which its value was known."""
    rows = np.isfinite(curve.equity_coin)
    if rows.all():
        return curve
    names = [each.name for each in fields(EquityCurve)]
    return EquityCurve(**{name: getattr(curve, name)[rows] for name in names})


def closing_rows(at_ms: Ints, bucket: Ints) -> Ints:
    """The first row and the last row of each *bucket* (n,) of marks, without repetition."""
    is_last = np.append(bucket[1:] != bucket[:-1], True)
    return np.union1d([0], np.flatnonzero(is_last)) if len(at_ms) else np.zeros(0, dtype=np.int64)


def days_of(at_ms: Ints) -> Ints:
    """UTC days since 1970; a bar that ends at 00:00 belongs to the day before."""
    return (at_ms - 1) // DAY_MS


def months_of(at_ms: Ints) -> Ints:
    """Calendar months since 1970, UTC, with the same rule."""
    return (at_ms - 1).astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)


def weeks_of(at_ms: Ints) -> Ints:
    """Weeks from Monday to Sunday since 1970, UTC, with the same rule."""
    return (days_of(at_ms) + 3) // 7


def changes(values: Floats) -> Floats:
    """Returns from each of *values* (n,) to the next (n - 1,)."""
    found: Floats = values[1:] / values[:-1] - 1.0
    return found
