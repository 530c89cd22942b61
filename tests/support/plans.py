"""Lives drawn from a seed: how long they are, and what goes wrong in them when."""

import random
from datetime import timedelta

from attrs import evolve, frozen

from core.execution.intents import ExecutionStyle
from tests.support.wire import Fault, Kind, Misses

CALM_TICKS = 4  # the last ones go undisturbed; recovery may use up the first of them
READS = ("account", "activity", "open_orders", "orders_by_label", "snapshot")
_OUTAGES = (timedelta(minutes=1), timedelta(minutes=31), timedelta(hours=25))


@frozen
class Plan:
    """One life before it is lived."""

    seed: int
    gaps: tuple[timedelta, ...]  # from one tick to the next
    misses: Misses
    style: ExecutionStyle
    faults: tuple[Fault, ...]


def planned(seed: int, ticks: int = 60, faults: float = 0.3) -> Plan:
    """The plan of *seed*: in a share *faults* of its *ticks* something begins to go wrong."""
    chance = random.Random(f"plan {seed}")
    gaps = tuple(_gap(chance) for _ in range(ticks))
    misses, style = chance.choice(list(Misses)), chance.choice(list(ExecutionStyle))
    drawn = [
        _fault(chance, tick)
        for tick in range(ticks - CALM_TICKS)
        if chance.random() < faults
        for _ in range(chance.randint(1, 4))
    ]
    return Plan(seed, gaps, misses, style, tuple(drawn))


def _gap(chance: random.Random) -> timedelta:
    minutes = chance.choice((5, 10, 20, 31, 60))
    if chance.random() < 0.15:
        minutes = chance.choice((180, 600, 1440))
    return timedelta(minutes=minutes, seconds=chance.randint(0, 59))


def _fault(chance: random.Random, tick: int) -> Fault:
    kind = chance.choice(list(Kind))
    fault = Fault(tick=tick, kind=kind, count=chance.randint(1, 20))
    if kind is Kind.READ_FAILS:
        return evolve(fault, method=chance.choice(READS), count=chance.randint(1, 4))
    if kind is Kind.OUTAGE:
        return evolve(fault, span=chance.choice(_OUTAGES))
    if kind is Kind.KILL:
        return evolve(fault, span=timedelta(minutes=chance.randint(1, 120)))
    if kind is Kind.JUMP:
        return evolve(fault, span=timedelta(seconds=chance.choice((3, 7, 40, 150, 900))))
    return fault
