"""Lives in which trading is stopped at one instant, by whatever can stop it."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum, auto

import numpy as np
from attrs import evolve, frozen

from apps.exchange.faults.kinds import Fault, FaultKind
from ports.controls import RuntimeControls
from ports.decision_log import Decided, Halted, RollEnded, RollStarted, Ticked
from tests.support.events import Event, Violation
from tests.support.invariants import lingering
from tests.support.plans import Plan, planned
from tests.support.simulation import lived
from tests.support.troubles import Kind, Mishap

_TICKS = 9
_FIRST, _LAST = 0, 3  # ticks at which it may happen: two more follow before a person releases it
_BUSY = 0.8  # the share of instants at which the agent is at work
_DECIDING_S, _ANY_TIME_S = (0.35, 0.85), (0.0, 150.0)  # behind the beginning of a tick
_FOR_GOOD = timedelta(days=365)
_INVALID_CREDENTIALS = 13004


class Moment(StrEnum):
    """What was under way when it came."""

    NOTHING = auto()
    BATCH = auto()  # the strategies' turns, which lead to one order or several
    ROLL = auto()  # begun, and not yet ended


@frozen
class Stopped:
    """What one stop came to; *moment* is None if it never came."""

    seed: int
    by: str
    moment: Moment | None
    violations: tuple[Violation, ...]


def stopped(seed: int) -> Stopped:
    """The life of *seed*, stopped at an instant of its own."""
    plan = _plan(seed)
    life = lived(plan)
    (trouble,) = plan.troubles
    return Stopped(
        seed=seed,
        by=trouble.kind.value,
        moment=_moment(life.history),
        violations=(
            *(each for each in life.violations if each.invariant != "halt"),
            *lingering(life.history),
        ),
    )


def _plan(seed: int) -> Plan:
    chance = np.random.default_rng([seed, 2])
    plan = evolve(planned(seed, _TICKS, faults=0.0), strategies=2)
    tick = int(chance.integers(_FIRST, _LAST + 1))
    is_busy = chance.random() < _BUSY
    after = timedelta(seconds=chance.uniform(*(_DECIDING_S if is_busy else _ANY_TIME_S)))
    kinds = (Kind.KILLED, Kind.KILLED_BY_FILE, Kind.KILLED_BY_DRAWDOWN, None)
    kind = kinds[seed % len(kinds)]
    if kind is not None:
        return evolve(plan, troubles=(Mishap(tick=tick, kind=kind, after=after, span=_FOR_GOOD),))
    fatal = Fault(
        kind=FaultKind.ERROR,
        method="private/get_*",
        starts_at=plan.ticks[tick] + after,
        code=_INVALID_CREDENTIALS,
    )
    return evolve(plan, troubles=(fatal,))


def _moment(history: Sequence[Event]) -> Moment | None:
    in_turns, rolls = False, 0
    for event in history:
        in_turns = (in_turns or isinstance(event, Decided)) and not isinstance(event, Ticked)
        rolls += isinstance(event, RollStarted) - isinstance(event, RollEnded)
        if isinstance(event, Halted) or (isinstance(event, RuntimeControls) and event.kill_switch):
            if rolls:
                return Moment.ROLL
            return Moment.BATCH if in_turns else Moment.NOTHING
    return None
