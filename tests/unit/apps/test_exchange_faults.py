"""Faults as values: what is drawn from a seed, and what becomes of a request under them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from attrs import evolve

from adapters.memory.clock import SteppedClock
from apps.exchange.faults.drawn import CHOICES, DRAWABLE, OF_REQUESTS, ORDERS, Draws, drawn
from apps.exchange.faults.kinds import PLAIN, SPANS, Cut, Fault, FaultKind, course_of
from apps.exchange.faults.runtime import Faults

_NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def armed(*faults: Fault) -> tuple[Faults, SteppedClock]:
    """*faults*, armed at _NOW."""
    clock = SteppedClock(_NOW, ())
    made = Faults(clock)
    made.arm(*faults)
    return made, clock


def many(seed: int, *kinds: FaultKind) -> list[Fault]:
    """Two thousand faults of one of *kinds* each, from _NOW on."""
    chance = np.random.default_rng(seed)
    return [drawn(chance, _NOW, kinds) for _ in range(2000)]


def test_a_seed_draws_one_sequence() -> None:
    """The same seed gives the same faults, another one others."""
    assert many(7, *DRAWABLE) == many(7, *DRAWABLE)
    assert many(7, *DRAWABLE) != many(8, *DRAWABLE)


def test_every_kind_is_drawn() -> None:
    """All kinds come but those that need a name, each with its start."""
    faults = many(7, *DRAWABLE)

    assert {fault.kind for fault in faults} == set(FaultKind) - {FaultKind.DELISTED}
    assert {fault.starts_at for fault in faults} == {_NOW}


def test_chance_hits_its_share_of_requests() -> None:
    """At a rate of 0.3 something happens to 3 requests of 10: 600 of 2000, +- 3 deviations."""
    draws = Draws(7, 0.3, (FaultKind.DROPPED,))

    assert 540 < sum(bool(draws.next("public/ticker")) for _ in range(2000)) < 660


def test_every_kind_has_choices_and_a_course() -> None:
    """No kind was forgotten; those of requests change something, the others may not."""
    assert set(CHOICES) == set(FaultKind)
    for kind in OF_REQUESTS:
        assert course_of(Fault(kind=kind, span=_MINUTE)) != PLAIN


def test_no_order_is_doubled_by_chance() -> None:
    """An order that arrives twice is two orders: no client can help that."""
    draws = Draws(7, 1.0, (FaultKind.DOUBLED,))

    assert [draws.next(method) for method in ORDERS[:2]] == [(), ()]
    assert draws.next("private/get_positions") != ()
    assert not any(
        fault.is_about(method) for fault in many(7, FaultKind.DOUBLED) for method in ORDERS[:2]
    )


def test_nothing_armed_is_plain() -> None:
    """Without faults, and after calm, every request takes its plain course."""
    faults, _ = armed(Fault(kind=FaultKind.DROPPED, times=9))
    faults.calm()

    assert faults.course("private/buy") is PLAIN
    assert faults.happened == []


async def test_a_fault_waits_for_its_start() -> None:
    """Before *starts_at* it happens to nobody."""
    faults, clock = armed(Fault(kind=FaultKind.DROPPED, starts_at=_NOW + _MINUTE))

    before = faults.course("private/buy")
    await clock.sleep_until(_NOW + _MINUTE)

    assert before is PLAIN
    assert faults.course("private/buy").cut is Cut.DROPPED
    assert faults.course("private/buy") is PLAIN


@pytest.mark.parametrize("first", [FaultKind.MAINTENANCE, FaultKind.DROPPED])
async def test_an_outage_comes_before_all_else(first: FaultKind) -> None:
    """Nothing answers then, whatever was armed before; that waits for its turn."""
    other = Fault(kind=first, span=2 * _MINUTE)
    faults, clock = armed(other, Fault(kind=FaultKind.OUTAGE, span=_MINUTE))

    during = faults.course("private/buy")
    await clock.sleep_until(_NOW + _MINUTE)

    assert during == course_of(Fault(kind=FaultKind.OUTAGE))
    assert faults.course("private/buy") == course_of(other)


def test_lists_lag_besides_what_else_happens() -> None:
    """A lag is added to the course of a read, and to that of nothing else."""
    lag = Fault(kind=FaultKind.TRADES_LAG, span=_MINUTE, lag=_MINUTE)
    faults, _ = armed(lag, Fault(kind=FaultKind.WRONG_ID, times=2))

    read, order = faults.course("private/get_user_trades_by_currency"), faults.course("private/buy")

    assert read == evolve(order, lags=course_of(lag).lags)
    assert order == course_of(Fault(kind=FaultKind.WRONG_ID))


def test_what_is_not_the_venues_always_works() -> None:
    """Methods of the paper exchange itself are neither hit nor counted."""
    faults, _ = armed(Fault(kind=FaultKind.DROPPED))

    assert faults.course("paper/faults") is PLAIN
    assert faults.course("private/buy").cut is Cut.DROPPED


async def test_offsets_add_up_while_they_hold() -> None:
    """Two skews at once are their sum; each ends by itself."""
    faults, clock = armed(
        Fault(kind=FaultKind.CLOCK_SKEWED, span=_MINUTE, offset=timedelta(seconds=8)),
        Fault(kind=FaultKind.CLOCK_SKEWED, span=2 * _MINUTE, offset=-timedelta(seconds=3)),
    )

    offsets = [faults.offset]
    for _ in range(2):
        await clock.sleep_until(clock.now() + _MINUTE)
        offsets.append(faults.offset)

    assert offsets == [timedelta(seconds=5), -timedelta(seconds=3), timedelta(0)]


def test_kinds_are_of_requests_or_of_spans() -> None:
    """Each kind is one of both; only those of spans may last."""
    assert set(OF_REQUESTS) == set(DRAWABLE) - SPANS
