"""
Lose the answers to requests of one sort, and say how soon it was known what became of them.

    scripts/lost_answers [--count 1000] [--sort submit|cancel|edit|roll] [--seed 0]

Whole lives of the real agent on a virtual clock; edits, which it never makes, by its client.
Answers are lost in every way there is: before or after the request was processed, late, torn,
foreign, or as a code that leaves it open.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count

import numpy as np
from attrs import evolve

from core.execution.intents import ExecutionStyle
from ports.decision_log import OrderUpdated, Sent
from ports.trading import OrderIntent, OrderState
from ports.venue_log import VenueStep
from tests.support.losses import VALID_FOR, Loss, Tally, loss_of
from tests.support.lost_edits import lost_edits
from tests.support.plans import CALM_TICKS, Plan, planned
from tests.support.simulation import Life, lived


class Sort(StrEnum):
    """Whose answers are lost."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    EDIT = "edit"
    ROLL = "roll"  # either leg of one


_METHODS = {
    Sort.SUBMIT: ("private/buy", "private/sell"),
    Sort.ROLL: ("private/buy", "private/sell"),
    Sort.CANCEL: ("private/cancel",),
}


def lost_answers(sort: Sort, wanted: int, seed: int = 0) -> Tally:
    """Live lives from *seed* on until *wanted* answers were lost."""
    if sort is Sort.EDIT:
        return lost_edits(wanted, seed)
    losses: list[Loss] = []
    violations: list[str] = []
    doubled = 0
    for number in count(seed):
        life = lived(_plan(number, sort))
        losses += _lost_cancels(life) if sort is Sort.CANCEL else _lost_orders(life, sort)
        violations += [f"seed {number}: {each}" for each in life.violations]
        doubled += _doubled(life)
        if len(losses) >= wanted:
            break
    return Tally(tuple(losses), doubled, tuple(violations))


def _plan(seed: int, sort: Sort) -> Plan:
    """A life in which with each tick one more answer to each method of *sort* is lost."""
    chance = np.random.default_rng([seed, 2])
    plan = planned(seed, faults=0.0)
    faults = [
        loss_of(method, chance, due_at)
        for due_at in plan.ticks[:-CALM_TICKS]
        for method in _METHODS[sort]
    ]
    style = ExecutionStyle.PATIENT if sort is Sort.CANCEL else plan.style
    return evolve(plan, style=style, troubles=tuple(faults))


def _lost_orders(life: Life, sort: Sort) -> Iterator[Loss]:
    """Every order that was in doubt, and when it was no longer."""
    for label, told in _told(life).items():
        if told[0].state is OrderState.UNKNOWN and (sort is Sort.SUBMIT or ".roll_" in label):
            known_at = next(
                (each.at for each in told if each.state is not OrderState.UNKNOWN), None
            )
            yield Loss(label, _after(known_at, _sent(life)[label].valid_until))


def _lost_cancels(life: Life) -> Iterator[Loss]:
    """Every cancel that was lost, and when the last of the orders due then was seen to end."""
    told, sent = _told(life), _sent(life)
    for happened in life.happened:
        due = [label for label, intent in sent.items() if intent.expires_at <= happened.at]
        ends = {label: _end(told[label]) for label in due}
        late = {label: end for label, end in ends.items() if end is None or end >= happened.at}
        for label, end in late.items():
            yield Loss(label, _after(end, happened.at + VALID_FOR))


def _end(told: list[OrderUpdated]) -> datetime | None:
    return next((each.at for each in told if each.state.is_terminal), None)


def _after(known_at: datetime | None, valid_until: datetime) -> timedelta | None:
    return None if known_at is None else known_at - valid_until


def _sent(life: Life) -> dict[str, OrderIntent]:
    return {each.intent.label: each.intent for each in life.history if isinstance(each, Sent)}


def _told(life: Life) -> dict[str, list[OrderUpdated]]:
    told: dict[str, list[OrderUpdated]] = {label: [] for label in _sent(life)}
    for event in life.history:
        if isinstance(event, OrderUpdated):
            told[event.label].append(event)
    return told


def _doubled(life: Life) -> int:
    steps = (event for event in life.history if isinstance(event, VenueStep))
    orders = {order.order_id: order.label for step in steps for order in step.orders}
    return sum(number > 1 for number in Counter(orders.values()).values())


def main() -> int:
    """Lose, print a line for each sort, and return 1 if anything was doubled or late."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--sort", type=Sort, choices=list(Sort), default=None)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    is_good = True
    for sort in list(Sort) if given.sort is None else [given.sort]:
        tally = lost_answers(sort, given.count, given.seed)
        known = sorted(each.known_after for each in tally.losses if each.known_after is not None)
        print(
            f"{sort:6} lost {len(tally.losses)}  doubled {tally.doubled}  late "
            f"{len(tally.unresolved)}  violations {len(tally.violations)}  "
            f"known by valid_until + {known[-1].total_seconds():.3f} s at the latest",
            flush=True,
        )
        for each in (*tally.unresolved, *tally.violations):
            print(f"  {each}")
        is_good &= not (tally.doubled or tally.unresolved or tally.violations)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
