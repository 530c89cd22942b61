"""Profiles: bands that do not overlap, caps that hold, and propensities that are true."""

from collections import Counter

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.policy.explore import ExploreParams
from core.training.profiles import (
    FALLBACK,
    PROFILES,
    Pick,
    ProfileMode,
    Room,
    TrainingParams,
    draw,
    expiry_day,
    picks_of,
    pools_of,
    profile_of,
    propensities,
)
from ports.decision_log import Candidate
from tests.support.training import candidate

GREEDY = TrainingParams()
SINGLE = TrainingParams(mode=ProfileMode.SINGLE)
DRAWS = 4000


def taken(
    candidates: list[Candidate],
    params: TrainingParams = GREEDY,
    room: Room | None = None,
    seed: int = 1,
) -> tuple[Pick, ...]:
    """What the profiles take."""
    pools = pools_of(candidates, params)
    choices = draw(pools, params, np.random.default_rng(seed))
    space = room or Room(slots=params.max_per_coin)
    return picks_of(candidates, pools, choices, space, params)


@st.composite
def chains(draw: st.DrawFn) -> list[Candidate]:
    """Up to a dozen calls of three expiries."""
    terms = st.tuples(
        st.floats(0.05, 0.6), st.floats(50.0, 5000.0), st.sampled_from((3.0, 7.0, 14.0))
    )
    return [
        candidate(delta, premium, days=days, strike=101_000.0 + 500.0 * number)
        for number, (delta, premium, days) in enumerate(draw(st.lists(terms, max_size=12)))
    ]


@pytest.mark.parametrize(
    ("delta", "name"),
    [
        (0.0999, None),
        (0.10, "conservative"),
        (0.2499, "conservative"),
        (0.25, "moderate"),
        (0.35, "aggressive"),
        (0.4999, "aggressive"),
        (0.50, None),
    ],
)
def test_a_delta_is_in_one_band_at_most(delta: float, name: str | None) -> None:
    """The lower end belongs to a band, the upper to the next."""
    found = profile_of(candidate(delta, 500.0), GREEDY)

    assert (found and found.name) == name


@given(chains(), st.integers(0, 6), st.integers(1, 3), st.integers(0, 50))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_no_cap_is_ever_broken(
    candidates: list[Candidate], slots: int, per_expiry: int, seed: int
) -> None:
    """Not of the coin, an expiry date or a profile; no call is taken twice."""
    params = evolve(GREEDY, max_per_expiry=per_expiry, explore=ExploreParams(0.5, 3))
    picks = taken(candidates, params, Room(slots=slots), seed)

    assert len(picks) <= slots
    assert len({pick.number for pick in picks}) == len(picks)
    assert max(Counter(pick.profile for pick in picks).values(), default=0) <= 2
    days = Counter(expiry_day(candidates[pick.number]) for pick in picks)
    assert max(days.values(), default=0) <= per_expiry


def test_a_ladder_takes_the_highest_premiums_of_each_profile_in_turn() -> None:
    """Two of each, as the profiles are ordered."""
    chain = [
        candidate(0.15, 100.0, days=3.0),
        candidate(0.20, 300.0, days=3.0),
        candidate(0.22, 200.0, days=7.0),
        candidate(0.30, 500.0, days=7.0),
        candidate(0.40, 900.0, days=14.0),
    ]

    assert [(pick.number, pick.profile) for pick in taken(chain)] == [
        (1, "conservative"),
        (2, "conservative"),
        (3, "moderate"),
        (4, "aggressive"),
    ]


def test_what_is_held_counts_against_the_expiry() -> None:
    """With three calls of a date already, the next best date is taken."""
    chain = [candidate(0.20, 300.0, days=3.0), candidate(0.22, 200.0, days=7.0)]
    full = Room(slots=6, taken={expiry_day(chain[0]): 3})

    assert [pick.number for pick in taken(chain, room=full)] == [1]


def test_single_takes_the_best_score_of_each_profile() -> None:
    """Premium/100 - 10 |delta - target| + 5 (IV/RV - 1): 3 beats 2.5 less the miss."""
    chain = [candidate(0.20, 300.0), candidate(0.15, 310.0), candidate(0.40, 100.0)]

    found = taken(chain, SINGLE)

    assert [(pick.number, pick.profile) for pick in found] == [
        (0, "conservative"),  # 3.0 - 0 + 1 against 3.1 - 0.5 + 1
        (2, "aggressive"),
    ]


def test_single_falls_back_on_the_premium_where_no_profile_matches() -> None:
    """One call of a gap between the bands in use; a ladder takes none."""
    ends = (PROFILES["conservative"], PROFILES["aggressive"])
    chain = [candidate(0.28, 200.0), candidate(0.32, 400.0)]

    (found,) = taken(chain, evolve(SINGLE, profiles=ends))

    assert (found.number, found.profile) == (1, FALLBACK)
    assert taken(chain, evolve(GREEDY, profiles=ends)) == ()


@pytest.mark.parametrize("mode", list(ProfileMode))
def test_propensities_are_how_often_a_call_is_taken(mode: ProfileMode) -> None:
    """Drawn four thousand times, each call comes as often as said, within 4 standard errors."""
    params = TrainingParams(mode=mode, explore=ExploreParams(0.4, 3), max_per_expiry=2)
    chain = [
        candidate(0.12 + 0.03 * number, 200.0 + 37.0 * (number * 5 % 7), days=3.0 + number % 3)
        for number in range(11)
    ]
    pools = pools_of(chain, params)
    room = Room(slots=4)
    said = propensities(chain, pools, room, params)
    rng, seen = np.random.default_rng(3), np.zeros(len(chain))
    for _ in range(DRAWS):
        for pick in picks_of(chain, pools, draw(pools, params, rng), room, params):
            seen[pick.number] += 1.0

    error = np.sqrt(said * (1.0 - said) / DRAWS)
    assert (np.abs(seen / DRAWS - said) <= 4.0 * error + 1e-12).all()
    assert ((said > 0.0) & (said < 1.0)).sum() >= 4


@given(chains())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_without_exploring_propensities_are_certain(candidates: list[Candidate]) -> None:
    """One for what is taken, zero for the rest."""
    pools = pools_of(candidates, GREEDY)
    said = propensities(candidates, pools, Room(slots=6), GREEDY)

    assert set(np.flatnonzero(said == 1.0)) == {pick.number for pick in taken(candidates)}
    assert set(said.tolist()) <= {0.0, 1.0}
