"""Lives drawn from a seed: how long they are, and what goes wrong in them when."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import numpy as np
from attrs import evolve, frozen

from apps.exchange.faults.drawn import CHOICES, DRAWABLE, ORDERS, drawn
from apps.exchange.faults.kinds import Fault, FaultKind
from core.execution.intents import ExecutionStyle
from tests.support.markets import NOW
from tests.support.troubles import RECORDS, REQUESTS, Kind, Mishap
from tests.support.virtual import Misses

_Choice = TypeVar("_Choice")

CALM_TICKS = 4  # the last ones go undisturbed; recovery may use up the first of them
_LOOK_UPS = "private/get_*_by_label"
_SENT = ("private/buy", "private/sell", "private/cancel")
# Nobody can tell an order that lists do not show yet from one that is not there; the agent waits
# a second for them, as section 3 of the specification says.
_LIST_LAG = timedelta(milliseconds=900)
_BUSY_S = 3.0  # behind the beginning of a tick
_MINUTES = (5, 10, 20, 31, 60)
_LONG_MINUTES = (180, 600, 1440)
_JUMPS_S = (-900, -40, -7, -3, 3, 7, 40, 900)
_FREEZES_S = (2, 7, 40, 900)
_BY_HAND = (timedelta(minutes=1), timedelta(minutes=20), timedelta(minutes=120))


@frozen
class Plan:
    """One life before it is lived: its troubles are on our side, and on the venue's."""

    seed: int
    gaps: tuple[timedelta, ...]  # from one tick to the next
    misses: Misses
    style: ExecutionStyle
    strategies: int
    is_watched: bool  # whether its health is
    is_over_http: bool  # by the real HTTP client, or past it
    troubles: tuple[Mishap | Fault, ...]

    @property
    def ticks(self) -> tuple[datetime, ...]:
        """When its ticks are due."""
        return ticks_of(self.gaps)


def ticks_of(gaps: Sequence[timedelta]) -> tuple[datetime, ...]:
    """The instants that lie *gaps* apart."""
    return tuple(NOW + sum(gaps[:row], timedelta()) for row in range(len(gaps)))


def planned(seed: int, ticks: int = 60, faults: float = 0.3) -> Plan:
    """The plan of *seed*: at a share *faults* of its *ticks* something begins to go wrong."""
    chance = np.random.default_rng([seed, 1])
    gaps = tuple(_gap(chance) for _ in range(ticks))
    due = ticks_of(gaps)
    troubles = [
        _mishap(chance, tick) if chance.random() < 0.5 else _fault(chance, due[tick])
        for tick in range(ticks - CALM_TICKS)
        if chance.random() < faults
        for _ in range(int(chance.integers(1, 5)))
    ]
    return Plan(
        seed=seed,
        gaps=gaps,
        misses=_one_of(chance, tuple(Misses)),
        style=_one_of(chance, tuple(ExecutionStyle)),
        strategies=int(chance.integers(1, 3)),
        is_watched=bool(chance.random() < 0.25),
        is_over_http=seed % 16 == 0,
        troubles=tuple(_without_repeated_losses(troubles)),
    )


def _gap(chance: np.random.Generator) -> timedelta:
    minutes = _one_of(chance, _LONG_MINUTES if chance.random() < 0.15 else _MINUTES)
    return timedelta(minutes=minutes, seconds=int(chance.integers(60)))


def _fault(chance: np.random.Generator, due_at: datetime) -> Fault:
    """A fault of the venue: most of those that can happen to orders do, or to their look-up."""
    starts_at = due_at + timedelta(seconds=float(chance.random()) * _BUSY_S)
    fault = drawn(chance, starts_at, DRAWABLE)
    if set(ORDERS) <= set(CHOICES[fault.kind].methods) and chance.random() < 0.7:
        if chance.random() < 0.7:
            return evolve(fault, method=_one_of(chance, _SENT))
        times = 1 if fault.kind is FaultKind.TOKENS_LOST else int(chance.integers(1, 8))
        return evolve(fault, method=_LOOK_UPS, times=times)
    if fault.kind is FaultKind.ORDERS_LAG:
        return evolve(fault, lag=_LIST_LAG)
    if fault.code is not None and fault.is_about("public/auth"):
        return evolve(fault, method="private/*")  # who is refused at the door stops, as it should
    return fault


def _mishap(chance: np.random.Generator, tick: int) -> Mishap:
    kind = _one_of(chance, tuple(Kind))
    after_s = float(chance.random()) * (_BUSY_S if chance.random() < 0.7 else 150.0)
    mishap = Mishap(tick=tick, kind=kind, after=timedelta(seconds=after_s))
    if kind in RECORDS:
        return evolve(mishap, count=int(chance.integers(1, 21)))
    if kind in REQUESTS:
        span = timedelta(seconds=_one_of(chance, _FREEZES_S))
        return evolve(mishap, count=int(chance.integers(1, 41)), span=span)
    if kind is Kind.CLOCK_SET:
        return evolve(mishap, span=timedelta(seconds=_one_of(chance, _JUMPS_S)))
    if kind in (Kind.TRADED_BY_HAND, Kind.ORDERED_BY_HAND):
        return evolve(mishap, span=_one_of(chance, _BY_HAND))
    return evolve(mishap, span=timedelta(minutes=int(chance.integers(1, 121))))


def _without_repeated_losses(troubles: Iterable[Mishap | Fault]) -> Iterator[Mishap | Fault]:
    """Tokens are lost once in a life: refused twice running they stop the agent, as they should."""
    has_lost = False
    for trouble in troubles:
        is_loss = trouble.kind is FaultKind.TOKENS_LOST
        if not (is_loss and has_lost):
            yield trouble
        has_lost = has_lost or is_loss


def _one_of(chance: np.random.Generator, choices: Sequence[_Choice]) -> _Choice:
    return choices[int(chance.integers(len(choices)))]
