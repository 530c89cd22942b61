"""What ignored suggestions would have earned, from stored marks: approximate, before costs."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import fsum, isfinite

import numpy as np
from attrs import field, frozen

from core.greg.advice import Advice
from core.greg.holdings import Holding
from core.stats.bootstrap import Interval, interval
from ports.greg_log import GregEntry
from ports.instruments import OptionContract

LEAST = 8  # outcomes that an interval needs
NEAR = timedelta(hours=6)  # of an instant: how far its mark may lie
_DRAWS = 2_000
_HORIZONS: dict[str, timedelta | None] = {
    "one day": timedelta(days=1),
    "three days": timedelta(days=3),
    "exit or expiry": None,
}
HORIZONS = tuple(_HORIZONS)
_DOES_NOTHING = frozenset({Advice.HOLD})


@frozen(kw_only=True)
class Marks:
    """The index and the marks of contracts, coin, as they were stored at one instant."""

    at: datetime
    index_usd: float
    coin: Mapping[OptionContract, float]


def _in_order(marks: Iterable[Marks]) -> tuple[Marks, ...]:
    return tuple(sorted(marks, key=_at))


@frozen
class StoredMarks:
    """All that was stored of one coin, oldest first."""

    kept: tuple[Marks, ...] = field(converter=_in_order)

    def near(self, at: datetime, contracts: Sequence[OptionContract]) -> Marks | None:
        """What was stored nearest to *at*, within hours, of all *contracts*; None without it."""
        start = bisect_left(self.kept, at - NEAR, key=_at)
        stop = bisect_left(self.kept, at + NEAR, key=_at)
        known = (
            each
            for each in self.kept[start:stop]
            if all(isfinite(each.coin.get(one, float("nan"))) for one in contracts)
        )
        return min(known, key=lambda each: abs(each.at - at), default=None)


@frozen(kw_only=True)
class Suggested:
    """A suggestion with the position as it was then, and what became of both."""

    entry: GregEntry
    holding: Holding
    followed: bool
    ended_at: datetime  # the position's own end, or its first expiry


@frozen(kw_only=True)
class Outcome:
    """
    One ignored suggestion later on: what the position had earned then, and how much more it would
    have earned had it been followed; USD.
    """

    entry: GregEntry
    horizon: str
    pnl_usd: float
    gain_usd: float


@frozen(kw_only=True)
class Comparison:
    """
    The outcomes of one action of one strategy at one horizon: *mean* gain of following with its
    90 % interval, None below LEAST of them; *total_usd* is the sum.
    """

    action: str
    strategy: str
    horizon: str
    count: int
    total_usd: float
    mean_usd: float
    bounds: Interval | None


@frozen(kw_only=True)
class WhatIf:
    """What following would have changed; *unknown* counts what no marks were stored for."""

    ignored: int
    outcomes: tuple[Outcome, ...]
    comparisons: tuple[Comparison, ...]
    unknown: int


def what_if(
    suggested: Sequence[Suggested],
    marks: Mapping[str, StoredMarks],
    rng: np.random.Generator,
) -> WhatIf:
    """
    Return what following the ignored ones of *suggested* would have earned; *marks* by coin.

    Like is compared with like: the same action of the same strategy. HOLD asks for nothing.
    """
    ignored = [
        each
        for each in suggested
        if not each.followed and each.entry.action_type not in _DOES_NOTHING
    ]
    found = [
        _outcome(each, horizon, marks[each.entry.underlying])
        for each in ignored
        for horizon in HORIZONS
        if each.entry.underlying in marks
    ]
    outcomes = tuple(each for each in found if each is not None)
    keys = sorted({(one.entry.action_type, one.entry.strategy_type) for one in outcomes})
    comparisons = [
        _comparison(
            [
                one
                for one in outcomes
                if (one.entry.action_type, one.entry.strategy_type) == key
                and one.horizon == horizon
            ],
            rng,
        )
        for key in keys
        for horizon in HORIZONS
    ]
    return WhatIf(
        ignored=len(ignored),
        outcomes=outcomes,
        comparisons=tuple(each for each in comparisons if each is not None),
        unknown=len(ignored) * len(HORIZONS) - len(outcomes),
    )


def instants_of(suggested: Suggested) -> tuple[datetime, ...]:
    """The instants whose marks *suggested* is judged by, but for those after its end."""
    said_at, ends_at = suggested.entry.timestamp, suggested.ended_at
    later = (ends_at if after is None else said_at + after for after in _HORIZONS.values())
    return (said_at, *(at for at in later if at <= ends_at))


def _outcome(suggested: Suggested, horizon: str, marks: StoredMarks) -> Outcome | None:
    """One horizon of one suggestion; None where marks are missing, or the position had ended."""
    entry, ends_at = suggested.entry, suggested.ended_at
    after = _HORIZONS[horizon]
    at = ends_at if after is None else entry.timestamp + after
    if at > ends_at or at <= entry.timestamp:
        return None
    contracts = [leg.contract for leg in suggested.holding.legs]
    then, later = marks.near(entry.timestamp, contracts), marks.near(at, contracts)
    if then is None or later is None or not then.at < later.at:
        return None
    before_coin, after_coin = (_profit(suggested.holding, each) for each in (then, later))
    gain_coin = _gain(suggested, then, later, before_coin - after_coin)
    if not isfinite(gain_coin):
        return None
    return Outcome(
        entry=entry,
        horizon=horizon,
        pnl_usd=after_coin * later.index_usd,
        gain_usd=gain_coin * later.index_usd,
    )


def _gain(suggested: Suggested, then: Marks, later: Marks, closed_coin: float) -> float:
    """
    Coin that following brings more than holding: what is closed keeps its value of then, what is
    hedged or taken up moves with the coin.
    """
    move = 1.0 - then.index_usd / later.index_usd  # of one coin long, in coin
    if suggested.entry.action_type == Advice.HEDGE:
        delta = suggested.entry.net_delta
        return float("nan") if delta is None else -delta * move
    if suggested.entry.action_type == Advice.ASSIGN:
        return closed_coin + suggested.holding.contracts * move
    return closed_coin


def _profit(holding: Holding, marks: Marks) -> float:
    return holding.credit_coin + fsum(leg.size * marks.coin[leg.contract] for leg in holding.legs)


def _comparison(outcomes: Sequence[Outcome], rng: np.random.Generator) -> Comparison | None:
    if not outcomes:
        return None
    gains = np.array([each.gain_usd for each in sorted(outcomes, key=_when)])
    bounds = None
    if len(gains) >= LEAST and np.any(gains != gains[0]):
        bounds = interval(gains, lambda drawn: drawn.mean(axis=1), rng, draws=_DRAWS)
    first = outcomes[0]
    return Comparison(
        action=first.entry.action_type,
        strategy=first.entry.strategy_type,
        horizon=first.horizon,
        count=len(gains),
        total_usd=fsum(gains),
        mean_usd=float(gains.mean()),
        bounds=bounds,
    )


def _when(outcome: Outcome) -> datetime:
    return outcome.entry.timestamp


def _at(marks: Marks) -> datetime:
    return marks.at
