"""How much of an option's risk the perpetual takes away: by delta and by net delta."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from core.pricing.black76 import delta, net_delta, tenor_years
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.columns import Bools, Floats, Ints, float_column
from ports.market_data import MarketSnapshot

SHORTEST, LONGEST = timedelta(hours=4), timedelta(hours=8)  # what counts as six hours
_LEAST_DELTA = 0.01


@frozen(eq=False, kw_only=True)
class OptionIntervals:
    """
    Options held from one snapshot to the next, a row each; columns (n,).

    change: of the mark, coin per contract; move: what a coin of the perpetual earned, 1 - S0/S1;
    delta, net_delta as the interval began; days to expiry then.
    """

    change: Floats = field(converter=float_column)
    move: Floats = field(converter=float_column)
    delta: Floats = field(converter=float_column)
    net_delta: Floats = field(converter=float_column)
    days: Floats = field(converter=float_column)

    def __len__(self) -> int:
        return len(self.change)

    def where(self, rows: Bools) -> "OptionIntervals":
        """The rows for which *rows*, (n,), is true."""
        return OptionIntervals(
            change=self.change[rows],
            move=self.move[rows],
            delta=self.delta[rows],
            net_delta=self.net_delta[rows],
            days=self.days[rows],
        )

    @property
    def is_out(self) -> Bools:
        """Whether the option is out of the money by its delta."""
        rows: Bools = np.abs(self.delta) < 0.5
        return rows


@frozen(kw_only=True)
class Reduction:
    """
    What hedging takes off the variance of the change in value, in percent of it.

    *name* says which options, *count* how many intervals of them.
    """

    name: str
    count: int
    by_delta_pct: float
    by_net_delta_pct: float


def intervals_between(before: MarketSnapshot, after: MarketSnapshot) -> OptionIntervals | None:
    """
    Return the options that both snapshots mark; None unless about six hours lie between them.

    The hedge is made at the index, since that is what the perpetual follows. Options
    whose delta is within a hundredth of 0 or 1 are left out: they are nothing, or the coin itself.
    """
    if not SHORTEST <= after.taken_at - before.taken_at <= LONGEST:
        return None
    first, second = _common(before.chain, after.chain)
    chain = before.chain
    tenor = tenor_years(chain.expiry_ms[first], epoch_ms(before.taken_at))
    terms = (
        chain.forward[first],
        chain.strike[first],
        tenor,
        chain.mark_iv[first],
        chain.is_call[first],
    )
    found = OptionIntervals(
        change=after.chain.mark[second] - chain.mark[first],
        move=np.full(len(first), 1.0 - before.index_usd / after.index_usd),
        delta=delta(*terms),
        net_delta=net_delta(*terms),
        days=365.0 * tenor,
    )
    reached = np.abs(found.delta)
    is_known = np.isfinite(found.change) & np.isfinite(found.net_delta)
    return found.where(is_known & (reached >= _LEAST_DELTA) & (reached <= 1.0 - _LEAST_DELTA))


def joined(parts: Sequence[OptionIntervals]) -> OptionIntervals:
    """All of *parts* as one table."""
    return OptionIntervals(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("change", "move", "delta", "net_delta", "days")
        }
    )


def reductions(intervals: OptionIntervals) -> tuple[Reduction, ...]:
    """Return the reduction for all options, by side of the money, and by time and delta."""
    every = np.ones(len(intervals), dtype=np.bool_)
    reached, days = np.abs(intervals.delta), intervals.days
    chosen = (
        ("all", every),
        ("out of the money", intervals.is_out),
        ("in the money", ~intervals.is_out),
        ("|delta| 0.05-0.15", (reached >= 0.05) & (reached < 0.15)),
        ("|delta| 0.15-0.35", (reached >= 0.15) & (reached < 0.35)),
        ("|delta| 0.35-0.65", (reached >= 0.35) & (reached < 0.65)),
        ("|delta| 0.65-0.95", (reached >= 0.65) & (reached < 0.95)),
        ("below 7 d", days < 7.0),
        ("7-45 d", (days >= 7.0) & (days <= 45.0)),
        ("above 45 d", days > 45.0),
    )
    return tuple(
        _reduction(name, intervals.where(rows)) for name, rows in chosen if np.count_nonzero(rows)
    )


def _reduction(name: str, rows: OptionIntervals) -> Reduction:
    bare = float(np.var(rows.change))
    hedged, better = (
        float(np.var(rows.change - by * rows.move)) for by in (rows.delta, rows.net_delta)
    )
    return Reduction(
        name=name,
        count=len(rows),
        by_delta_pct=100.0 * (1.0 - hedged / bare),
        by_net_delta_pct=100.0 * (1.0 - better / bare),
    )


def _common(before: ChainTable, after: ChainTable) -> tuple[Ints, Ints]:
    """The rows of either chain that hold the same contract."""
    first, second = _terms(before), _terms(after)
    _, ours, theirs = np.intersect1d(first, second, return_indices=True)
    return ours, theirs


def _terms(chain: ChainTable) -> NDArray[np.void]:
    """What tells contracts of one coin apart, a record each, (n,)."""
    terms = np.empty(len(chain), dtype=[("expiry", "i8"), ("strike", "f8"), ("is_call", "?")])
    terms["expiry"], terms["strike"], terms["is_call"] = (
        chain.expiry_ms,
        chain.strike,
        chain.is_call,
    )
    return terms
