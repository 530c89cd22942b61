"""The step of a fit against the normal equations, and against other steps."""

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.universe_step import LocalMisses, planned


def local(seed: int, misses: int = 12, figures: int = 5) -> LocalMisses:
    """Random misses, half of them with a floor at zero, and bounds that some steps meet."""
    rng = np.random.default_rng(seed)
    floor = np.where(np.arange(misses) % 2 == 0, -np.inf, 0.0)
    return LocalMisses(
        value=rng.normal(size=misses),
        floor=floor,
        slopes=rng.normal(size=(misses, figures)),
        low=-rng.random(figures),
        high=rng.random(figures),
        drift=rng.normal(size=figures),
        ridge=0.05,
    )


def cost(of: LocalMisses, step: np.ndarray, damping: float) -> float:
    """What a step is to make least."""
    misses = np.maximum(of.floor, of.value + of.slopes @ step)
    away = of.drift + step
    return float(misses @ misses + damping * step @ step + of.ridge * away @ away)


def test_a_step_without_floors_and_bounds_is_that_of_least_squares() -> None:
    """The normal equations have the same answer."""
    rough = local(1)
    free = evolve(rough, floor=np.full(12, -np.inf), low=np.full(5, -99.0), high=np.full(5, 99.0))
    square = free.slopes.T @ free.slopes + (0.3 + free.ridge) * np.eye(5)

    exact = np.linalg.solve(square, -(free.slopes.T @ free.value + free.ridge * free.drift))

    assert planned(free, 0.3) == pytest.approx(exact, abs=1e-7)


@given(seed=st.integers(0, 2000), damping=st.floats(0.05, 10.0))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_no_step_inside_the_bounds_is_better(seed: int, damping: float) -> None:
    """Not near, not far: the sum is convex and the step is its least."""
    of = local(seed)
    step = planned(of, damping)
    rng = np.random.default_rng(seed + 1)

    assert (of.low <= step).all()
    assert (step <= of.high).all()
    for share in (1e-3, 0.1, 1.0):
        other = step + share * (rng.uniform(of.low, of.high) - step)
        assert cost(of, step, damping) <= cost(of, other, damping) + 1e-9
