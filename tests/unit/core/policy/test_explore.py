"""Epsilon-greedy choice: propensities that are true, and draws that can be repeated."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.policy.explore import ExploreParams, choose
from core.rng import rng_at
from ports.decision_log import Choice
from tests.support.markets import NOW

DRAWS = 20_000


def propensities(candidates: int, params: ExploreParams) -> dict[int, float]:
    """The propensity that every rank was drawn with, by drawing until all were seen."""
    rng, found = np.random.default_rng(1), dict[int, float]()
    for _ in range(20_000):
        choice = choose(candidates, params, rng)
        found[choice.rank] = choice.propensity
    return found


@pytest.mark.parametrize("epsilon", [0.1, 0.25, 0.7, 1.0])
@pytest.mark.parametrize(("candidates", "top_k"), [(1, 3), (2, 3), (3, 3), (9, 3), (9, 1), (5, 9)])
def test_propensities_sum_to_one(epsilon: float, candidates: int, top_k: int) -> None:
    """Over every choice that can be made there is nothing left and nothing twice."""
    found = propensities(candidates, ExploreParams(epsilon, top_k))

    assert set(found) == set(range(min(candidates, top_k)))
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-12)


def test_frequencies_match_propensities() -> None:
    """Each rank comes as often as its propensity says, within 4 standard errors."""
    params, rng = ExploreParams(0.25, 3), np.random.default_rng(2)
    choices = [choose(8, params, rng) for _ in range(DRAWS)]
    counts = Counter(choice.rank for choice in choices)
    expected = {0: 0.75 + 0.25 / 3, 1: 0.25 / 3, 2: 0.25 / 3}

    assert {choice.rank: choice.propensity for choice in choices} == pytest.approx(expected)
    for rank, share in expected.items():
        error = (share * (1 - share) / DRAWS) ** 0.5
        assert abs(counts[rank] / DRAWS - share) < 4.0 * error


def test_the_same_seed_chooses_the_same() -> None:
    """For the same name and instant, choice after choice."""

    def run(seed: int) -> list[Choice]:
        rng = rng_at(seed, "covered_call_v1/BTC", NOW)
        return [choose(5, ExploreParams(0.5, 3), rng) for _ in range(50)]

    assert run(7) == run(7)
    assert run(7) != run(8)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 100))
@settings(derandomize=True, deadline=None)
def test_without_exploration_it_is_the_best_for_certain(
    candidates: int, top_k: int, seed: int
) -> None:
    """Rank 0 with propensity one, and no chance is used up."""
    rng = np.random.default_rng(seed)
    choice = choose(candidates, ExploreParams(0.0, top_k), rng)

    assert (choice.rank, choice.propensity, choice.explored) == (0, 1.0, False)
    assert rng.random() == np.random.default_rng(seed).random()


@given(st.integers(1, 50), st.integers(1, 50), st.floats(0.0, 1.0), st.integers(0, 100))
@settings(derandomize=True, deadline=None)
def test_a_choice_says_what_it_was_made_of(
    candidates: int, top_k: int, epsilon: float, seed: int
) -> None:
    """The rank is in the pool, the pool among the candidates; the best is never exploration."""
    choice = choose(candidates, ExploreParams(epsilon, top_k), np.random.default_rng(seed))

    assert 0 <= choice.rank < choice.pool == min(top_k, candidates)
    assert choice.explored is (choice.rank != 0)
    assert choice.epsilon == epsilon
    assert 0.0 < choice.propensity <= 1.0


@pytest.mark.parametrize("epsilon", [-0.1, 1.1, float("nan")])
def test_epsilon_is_a_probability(epsilon: float) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="epsilon must be within 0 and 1"):
        ExploreParams(epsilon)


def test_a_pool_holds_at_least_the_best() -> None:
    """Nothing can be drawn from nothing."""
    with pytest.raises(ValueError, match="top_k must be at least 1"):
        ExploreParams(0.1, 0)
