"""Chance that can be asked for again."""

from datetime import timedelta

import numpy as np

from core.rng import rng_at
from tests.support.markets import NOW

DRAWS = 4_000


def draws(seed: int, name: str, later: timedelta = timedelta(0)) -> list[float]:
    """The first draws of one generator."""
    return list(rng_at(seed, name, NOW + later).random(8))


def test_the_same_question_gives_the_same_draws() -> None:
    """Seed, name and instant are all there is to it."""
    assert draws(7, "covered_call_v1/BTC") == draws(7, "covered_call_v1/BTC")


def test_another_seed_name_or_instant_gives_other_draws() -> None:
    """Down to a microsecond, and to a name that only looks like the sum of two."""
    known = draws(7, "a/BTC")

    assert draws(8, "a/BTC") != known
    assert draws(7, "a/ETH") != known
    assert draws(7, "a/BTC", timedelta(microseconds=1)) != known
    assert rng_at(1, "1|x", NOW).random() != rng_at(11, "|x", NOW).random()


def test_first_draws_of_following_ticks_are_independent_and_uniform() -> None:
    """Mean 1/2, variance 1/12 and no correlation from tick to tick, within 4 standard errors."""
    first = np.array(
        [rng_at(3, "s/BTC", NOW + timedelta(minutes=5 * tick)).random() for tick in range(DRAWS)]
    )
    error = DRAWS**-0.5

    assert abs(first.mean() - 0.5) < 4.0 * error * 12**-0.5
    assert abs(first.var() - 1.0 / 12.0) < 4.0 * error * (1.0 / 180.0) ** 0.5
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 4.0 * error
