"""
Simulate whole lives of the agent, one a seed, and say which seeds break an invariant.

    scripts/simulate --seeds 0..500 [--ticks 60] [--faults 0.3] [--jobs N] [--json]
    scripts/simulate --seed 37

Prints a fingerprint of each journal: the same seed gives the same one anywhere. A seed that
fails is lived again with fewer faults until none can be left out.
"""

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing import Pool

from attrs import evolve, frozen

from ports.controls import RuntimeControls
from ports.decision_log import Alarm, Halted, Opened, OrderUpdated, Sent
from ports.venue_log import VenueStep
from tests.support.events import Event, Requested, Violation
from tests.support.plans import Plan, planned
from tests.support.simulation import HONEST, Wiring, lived
from tests.support.troubles import Mishap

_MOST_LIVES = 200  # that a trace may cost to shorten


@frozen
class Result:
    """What one seed came to."""

    seed: int
    fingerprint: str
    starts: int
    orders: int
    violations: tuple[Violation, ...]


def simulated(seed: int, ticks: int = 60, faults: float = 0.3, wiring: Wiring = HONEST) -> Result:
    """The result of *seed*."""
    life = lived(planned(seed, ticks, faults), wiring)
    orders = sum(isinstance(event, Sent) for event in life.history)
    return Result(seed, life.fingerprint, life.starts, orders, life.violations)


def shortest(plan: Plan, wiring: Wiring = HONEST) -> Plan:
    """*plan* without every trouble that its first violation does not need."""
    wanted = _broken(plan, wiring)
    lives, size = 0, max(1, len(plan.troubles) // 2)
    while size and lives < _MOST_LIVES:
        start = 0
        while start < len(plan.troubles):
            fewer = evolve(plan, troubles=plan.troubles[:start] + plan.troubles[start + size :])
            lives += 1
            if _broken(fewer, wiring) & wanted:
                plan = fewer
            else:
                start += size
        size //= 2
    return plan


def trace(plan: Plan, wiring: Wiring = HONEST) -> Iterator[str]:
    """The troubles of *plan*, and orders and trades as they came, a line each."""
    yield f"seed {plan.seed}: {len(plan.gaps)} ticks, {plan.misses}, {plan.style}"
    for trouble in plan.troubles:
        if isinstance(trouble, Mishap):
            yield f"  {plan.ticks[trouble.tick] + trouble.after} {trouble}"
        else:
            yield f"  {trouble.starts_at} {trouble}"
    life = lived(plan, wiring)
    concerned = " ".join(violation.detail for violation in life.violations)
    concerned += " ".join(
        event.intent.label
        for event in life.history
        if isinstance(event, Sent) and event.intent.contract.symbol in concerned
    )
    for event in life.history:
        yield from _lines(event, concerned)
    yield from (f"  {each.invariant}: {each.detail}" for each in life.violations)


def _lines(event: Event, concerned: str) -> Iterator[str]:
    """What *event* says of the labels and symbols that are *concerned*."""
    if isinstance(event, Sent) and event.intent.label in concerned:
        intent = event.intent
        what = f"{intent.side} {intent.amount} {intent.contract.symbol}"
        yield f"  {event.at:%d %H:%M:%S.%f} wrote {intent.label}: {what}"
    elif isinstance(event, Requested) and event.label in concerned:
        yield f"  left {event.label}: {event.amount} {event.symbol}"
    elif isinstance(event, RuntimeControls):
        yield f"  a person: kill switch {event.kill_switch}"
    elif isinstance(event, Opened | Halted | Alarm):
        yield f"  {event.at:%d %H:%M:%S.%f} {event}"
    elif isinstance(event, OrderUpdated) and event.label in concerned:
        trades = ", ".join(f"{fill.trade_id} {fill.amount}" for fill in event.fills)
        yield f"  {event.at:%d %H:%M:%S.%f} told {event.label}: {event.state} {trades}"
    elif isinstance(event, VenueStep):
        for order in event.orders:
            if (order.label or "") in concerned:
                filled = f"{order.filled_amount} of {order.amount}"
                yield f"  {event.at:%d %H:%M:%S.%f} venue {order.label}: {order.state} {filled}"
        for delivery in event.deliveries:
            if delivery.contract.symbol in concerned:
                yield f"  {event.at:%d %H:%M:%S.%f} venue delivers {delivery.contract.symbol}"


def _broken(plan: Plan, wiring: Wiring) -> set[str]:
    """The invariants that *plan* breaks."""
    return {each.invariant for each in lived(plan, wiring).violations}


def _seeds(text: str) -> range:
    first, _, last = text.partition("..")
    return range(int(first), int(last))


def main() -> None:
    """Simulate what the arguments say; exit 1 if any invariant broke."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0].strip())
    parser.add_argument("--seeds", type=_seeds, default=range(500), help="FIRST..END")
    parser.add_argument("--seed", type=int, help="this one only, with its trace")
    parser.add_argument("--ticks", type=int, default=60)
    parser.add_argument("--faults", type=float, default=0.3, help="share of ticks disturbed")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", action="store_true", help="one JSON object a seed")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + 1) if given.seed is not None else given.seeds
    began = time.monotonic()
    failed = []
    live_one = partial(simulated, ticks=given.ticks, faults=given.faults)
    with Pool(given.jobs, initializer=_spare_the_collector) as pool:
        for result in pool.imap(live_one, seeds, chunksize=4):
            _report(result, as_json=given.json)
            failed += [result.seed] if result.violations else []
    rate = len(seeds) / (time.monotonic() - began)
    for seed in failed[:3]:
        shorter = shortest(planned(seed, given.ticks, given.faults))
        print("\n".join(trace(shorter)), file=sys.stderr)
    said = f"{len(seeds)} seeds, {len(failed)} with violations, {rate:.2f} schedules/s"
    print(said, file=sys.stderr)
    sys.exit(1 if failed else 0)


def _spare_the_collector() -> None:
    """What was imported stays, and most of a life is gone before it could be garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _report(result: Result, *, as_json: bool) -> None:
    broken = [f"{each.invariant}: {each.detail}" for each in result.violations]
    if as_json:
        fields = {
            "seed": result.seed,
            "hash": result.fingerprint,
            "starts": result.starts,
            "orders": result.orders,
            "violations": broken,
        }
        print(json.dumps(fields))
        return
    print(f"{result.seed:6} {result.fingerprint[:16]} {result.orders:4} orders")
    for line in broken:
        print(f"       {line}")


if __name__ == "__main__":
    main()
