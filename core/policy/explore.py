"""Epsilon-greedy choice among scored candidates, with the probability it was made with."""

import numpy as np
from attrs import field, frozen

from ports.decision_log import Choice


@frozen
class ExploreParams:
    """With probability *epsilon* draw uniformly among the best *top_k*."""

    epsilon: float = field(default=0.0)
    top_k: int = field(default=3)

    @epsilon.validator
    def _is_probability(self, _: object, value: float) -> None:
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"epsilon must be within 0 and 1, was {value}")

    @top_k.validator
    def _is_a_pool(self, _: object, value: int) -> None:
        if value < 1:
            raise ValueError(f"top_k must be at least 1, was {value}")


def choose(candidates: int, params: ExploreParams, rng: np.random.Generator) -> Choice:
    """
    Choose one of *candidates* (at least one, best first), and say with what propensity.

    The best is drawn with probability 1 - epsilon + epsilon / k, each other of the k best with
    epsilon / k; a draw that gives the best is not counted as exploration.
    """
    pool = min(params.top_k, candidates)
    explores = params.epsilon > 0.0 and rng.random() < params.epsilon
    rank = int(rng.integers(pool)) if explores else 0
    propensity = params.epsilon / pool + (0.0 if rank else 1.0 - params.epsilon)
    return Choice(
        rank=rank,
        pool=pool,
        epsilon=params.epsilon,
        propensity=propensity,
        explored=rank != 0,
    )
