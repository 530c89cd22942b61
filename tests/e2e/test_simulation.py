"""The agent through whole lives in which everything goes wrong, and what would be noticed."""

import asyncio
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from attrs import evolve

from ports.controls import RuntimeControls
from ports.decision_log import Alarm, Delivered, OrderUpdated, RollEnded, RollStarted, Sent
from ports.trading import OrderState
from tests.support.defects import (
    BlindRetry,
    ControlsOncePerLoop,
    FailureAsAbsence,
    FillsTwice,
    WritesAfterSending,
)
from tests.support.plans import planned
from tests.support.simulate import simulated
from tests.support.simulation import Wiring, live
from tests.support.wire import Fault, Kind

_SEEDS = 60
_MOST_SEEDS = 500  # within which a defect must be noticed


@pytest.mark.parametrize(
    "seeds", [range(first, first + 10) for first in range(0, _SEEDS, 10)], ids=str
)
def test_no_invariant_breaks(seeds: range) -> None:
    """Nothing is doubled, lost, forgotten or exceeded, and in the end the books agree."""
    broken = {seed: found for seed in seeds if (found := simulated(seed, 40).violations)}

    assert broken == {}


def test_lives_are_eventful() -> None:
    """A few seeds see every end of an order, rolls, deliveries, stops, doubt and many starts."""
    lives = [asyncio.run(live(planned(seed, 40))) for seed in range(8)]
    happened = {type(event) for each in lives for event in each.history}
    told = {
        event.state for each in lives for event in each.history if isinstance(event, OrderUpdated)
    }

    assert {Sent, Delivered, RollStarted, RollEnded, RuntimeControls, Alarm} <= happened
    assert told >= set(OrderState) - {
        OrderState.SENT,
        OrderState.DENIED,
        OrderState.PENDING_CANCEL,
        OrderState.EXPIRED,
    }
    assert sum(each.starts for each in lives) > 3 * len(lives)


LESSONS = [
    pytest.param(
        8,
        (
            Fault(tick=13, kind=Kind.STOP, count=15),
            Fault(tick=13, kind=Kind.TRADES_HIDDEN, count=16),
        ),
        id="a delivery that waits for trades halted",
    ),
    pytest.param(
        80,
        (
            Fault(tick=42, kind=Kind.NEVER_SENT),
            Fault(tick=42, kind=Kind.KILL, count=11, span=timedelta(minutes=48)),
        ),
        id="what never left was sent again after a kill",
    ),
]


@pytest.mark.parametrize(("seed", "faults"), LESSONS)
async def test_a_defect_once_found_does_not_come_back(seed: int, faults: tuple[Fault, ...]) -> None:
    """The shortest life that showed it, lived again."""
    assert (await live(evolve(planned(seed), faults=faults))).violations == ()


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_is_the_same_life_in_any_process(hash_seed: str) -> None:
    """Another process with another order of sets writes the same journals, byte for byte."""
    here = [simulated(seed, 20).fingerprint for seed in range(3)]
    program = (
        "from tests.support.simulate import simulated\n"
        "for seed in range(3): print(simulated(seed, 20).fingerprint)"
    )
    there = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=True,
    )

    assert there.stdout.split() == here


@pytest.mark.parametrize(
    ("wiring", "invariant"),
    [
        pytest.param(Wiring(trading=BlindRetry), "I1", id="submits are repeated blindly"),
        pytest.param(Wiring(trading=FailureAsAbsence), "I7", id="a failed look-up is absence"),
        pytest.param(Wiring(log=WritesAfterSending), "I2", id="intents are written after sending"),
        pytest.param(Wiring(controls=ControlsOncePerLoop), "I5", id="controls are read once"),
        pytest.param(Wiring(log=FillsTwice), "I6", id="fills are applied twice after restart"),
    ],
)
def test_a_planted_defect_is_noticed(wiring: Wiring, invariant: str) -> None:
    """One defect at a time: the invariant it breaks is reported before many seeds are lived."""
    assert any(
        invariant in {each.invariant for each in simulated(seed, wiring=wiring).violations}
        for seed in range(_MOST_SEEDS)
    )
