"""Agent, adapter and exchange through whole lives in which everything goes wrong."""

import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from functools import partial
from multiprocessing import Pool

import pytest
from attrs import evolve

from apps.exchange.faults.drawn import DRAWABLE
from apps.exchange.faults.kinds import Fault, FaultKind
from core.execution.intents import ExecutionStyle
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
from tests.support.kills import Moment, stopped
from tests.support.plans import planned
from tests.support.simulate import simulated, spare_the_collector
from tests.support.simulation import Wiring, lived
from tests.support.troubles import Kind, Mishap
from tests.support.virtual import Misses

_SEEDS = 200
_TICKS = 24  # of a life: enough for every kind of trouble in so many
_MOST_SEEDS = 500  # within which a defect must be noticed
_STOPS = 500
_PROCESSES = 2


def test_no_invariant_breaks() -> None:
    """Nothing is doubled, lost, forgotten or exceeded, and in the end the books agree."""
    with Pool(_PROCESSES, initializer=spare_the_collector) as pool:
        results = pool.map(partial(simulated, ticks=_TICKS), range(_SEEDS), chunksize=5)

    assert {each.seed: each.violations for each in results if each.violations} == {}


def test_lives_are_eventful() -> None:
    """A few seeds see every end of an order, rolls, deliveries, stops, doubt and many starts."""
    lives = [lived(planned(seed)) for seed in range(8)]
    happened = {type(event) for each in lives for event in each.history}
    told = {
        event.state for each in lives for event in each.history if isinstance(event, OrderUpdated)
    }
    faults = {each.fault.kind for life in lives for each in life.happened}

    assert {Sent, Delivered, RollStarted, RollEnded, RuntimeControls, Alarm} <= happened
    assert told >= set(OrderState) - {
        OrderState.SENT,
        OrderState.DENIED,
        OrderState.PENDING_CANCEL,
        OrderState.EXPIRED,
    }
    assert sum(each.starts for each in lives) > 3 * len(lives)
    assert len(faults) > len(DRAWABLE) / 2


LATE_LISTS = Fault(kind=FaultKind.ORDERS_LAG, span=timedelta(minutes=20), lag=timedelta(minutes=10))
NO_CREDITS = Fault(kind=FaultKind.TURNED_AWAY, method="private/sell", times=2)
KILL = Mishap(tick=5, kind=Kind.KILLED, after=timedelta(seconds=1.3), span=timedelta(hours=1))
LESSONS = [
    pytest.param(6, 28, 20, (LATE_LISTS,), id="an order once confirmed was said not to be there"),
    pytest.param(
        135,
        12,
        5,
        (NO_CREDITS, KILL),
        id="an order that waited for its turn left after a kill",
    ),
]


@pytest.mark.parametrize(("seed", "ticks", "at", "troubles"), LESSONS)
def test_a_defect_once_found_does_not_come_back(
    seed: int, ticks: int, at: int, troubles: tuple[Mishap | Fault, ...]
) -> None:
    """The shortest life that showed it, lived again; its faults begin with tick number *at*."""
    plan = evolve(
        planned(seed, ticks),
        misses=Misses.CAUGHT_UP,
        style=ExecutionStyle.PATIENT,
        strategies=2,
        is_watched=False,
    )
    begun = (
        evolve(each, starts_at=plan.ticks[at]) if isinstance(each, Fault) else each
        for each in troubles
    )

    assert lived(evolve(plan, troubles=tuple(begun))).violations == ()


def test_a_stop_holds_from_its_instant_on() -> None:
    """
    By person, file, drawdown and health, in batches and rolls too: nothing that raises risk
    leaves after the request in flight, and working openings are gone within two ticks.
    """
    with Pool(_PROCESSES, initializer=spare_the_collector) as pool:
        stops = pool.map(stopped, range(_STOPS), chunksize=5)
    came = Counter((each.by, each.moment) for each in stops if each.moment is not None)

    assert {each.seed: each.violations for each in stops if each.violations} == {}
    assert {by for by, _ in came} == {each.by for each in stops}
    assert {moment for _, moment in came} == set(Moment)
    assert came.total() > 0.9 * _STOPS


@pytest.fixture(scope="module")
def here() -> list[str]:
    """The fingerprints of three lives in this process."""
    return [simulated(seed, 20).fingerprint for seed in range(3)]


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_is_the_same_life_in_any_process(here: list[str], hash_seed: str) -> None:
    """Another process with another order of sets writes the same journals, byte for byte."""
    program = (
        "from tests.support.simulate import simulated, spare_the_collector\n"
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
    lives = (simulated(seed, _TICKS, wiring=wiring) for seed in range(_MOST_SEEDS))

    assert any(invariant in {each.invariant for each in life.violations} for life in lives)
