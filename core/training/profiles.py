"""Training profiles: several ways of choosing calls at once, so that data covers them all."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import product

import numpy as np
from attrs import evolve, field, frozen

from core.policy.explore import ExploreParams, choose
from core.selectors.filters import FilterParams
from core.selectors.score import training_points
from ports.columns import Floats, float_column
from ports.decision_log import Candidate, Choice

FALLBACK = "fallback"
_LEGS = 2


class ProfileMode(StrEnum):
    """How many calls each profile takes, and by what."""

    SINGLE = "single"  # one, of the best score
    LADDER = "ladder"  # up to its legs, of the highest premium


@frozen(kw_only=True)
class Profile:
    """Calls with a delta from *delta_min* up to, and without, *delta_max*: bands never overlap."""

    name: str
    target_delta: float
    delta_min: float
    delta_max: float
    max_legs: int = _LEGS

    def score(self, candidate: Candidate) -> float:
        """The points of *candidate*: higher is better."""
        return float(
            training_points(
                candidate.premium_usd, candidate.delta, candidate.ivrv, self.target_delta
            )
        )


PROFILES: Mapping[str, Profile] = {
    each.name: each
    for each in (
        Profile(name="conservative", target_delta=0.20, delta_min=0.10, delta_max=0.25),
        Profile(name="moderate", target_delta=0.30, delta_min=0.25, delta_max=0.35),
        Profile(name="aggressive", target_delta=0.40, delta_min=0.35, delta_max=0.50),
    )
}
DTE_MIN, DTE_MAX = 1.0, 21.0  # of every profile, days


@frozen(kw_only=True)
class TrainingParams:
    """The profiles in use, in order, and the most calls of one coin and of one expiry date."""

    profiles: tuple[Profile, ...] = tuple(PROFILES.values())
    mode: ProfileMode = ProfileMode.LADDER
    max_per_coin: int = 6
    max_per_expiry: int = 3
    explore: ExploreParams = field(factory=ExploreParams)


@frozen(kw_only=True)
class Room:
    """How many more calls there may be: on the coin, and of each expiry date that has some."""

    slots: int
    taken: Mapping[str, int] = field(factory=dict)  # by expiry date


@frozen
class Pool:
    """What one profile chooses from: numbers of candidates, best first, and how many it takes."""

    profile: str
    numbers: tuple[int, ...]
    max_legs: int


@frozen
class Pick:
    """Candidate *number* is taken by *profile*; *choice* is how its pool was entered."""

    number: int
    profile: str
    choice: Choice


def training_filters(filters: FilterParams, params: TrainingParams) -> FilterParams:
    """*filters* with the windows of the profiles together: else half a band would be empty."""
    return evolve(
        filters,
        dte_min=DTE_MIN,
        dte_max=DTE_MAX,
        delta_min=min(each.delta_min for each in params.profiles),
        delta_max=max(each.delta_max for each in params.profiles),
    )


def profile_of(candidate: Candidate, params: TrainingParams) -> Profile | None:
    """The profile whose band *candidate* is in; None if it is in none."""
    for profile in params.profiles:
        if profile.delta_min <= candidate.delta < profile.delta_max:
            return profile
    return None


def pools_of(candidates: Sequence[Candidate], params: TrainingParams) -> tuple[Pool, ...]:
    """
    The pools of the profiles that have candidates, in order.

    Single profiles without any share one fallback: everything there is, by premium.
    """
    is_ladder = params.mode is ProfileMode.LADDER
    pools = []
    for profile in params.profiles:
        inside = [
            number for number, each in enumerate(candidates) if profile_of(each, params) is profile
        ]
        worth = [
            candidates[number].premium_usd if is_ladder else profile.score(candidates[number])
            for number in inside
        ]
        if inside:
            legs = profile.max_legs if is_ladder else 1
            pools.append(Pool(profile.name, _best_first(inside, worth), legs))
    if not pools and candidates and not is_ladder:
        worth = [each.premium_usd for each in candidates]
        pools.append(Pool(FALLBACK, _best_first(range(len(candidates)), worth), 1))
    return tuple(pools)


def draw(
    pools: Sequence[Pool], params: TrainingParams, rng: np.random.Generator
) -> tuple[Choice, ...]:
    """How each of *pools* is entered: at its best, or at random among its best few."""
    return tuple(choose(len(pool.numbers), params.explore, rng) for pool in pools)


def picks_of(
    candidates: Sequence[Candidate],
    pools: Sequence[Pool],
    choices: Sequence[Choice],
    room: Room,
    params: TrainingParams,
) -> tuple[Pick, ...]:
    """
    What the profiles take in turn, each from where its choice entered its pool and then down it.

    No candidate is taken twice; a full expiry date is passed over, and a full coin ends it all.
    """
    taken = dict(room.taken)
    picks: list[Pick] = []
    for pool, choice in zip(pools, choices, strict=True):
        legs = 0
        for number in _entered_at(pool.numbers, choice.rank):
            if len(picks) >= room.slots:
                return tuple(picks)
            day = expiry_day(candidates[number])
            if legs < pool.max_legs and taken.get(day, 0) < params.max_per_expiry:
                picks.append(Pick(number, pool.profile, choice))
                taken[day] = taken.get(day, 0) + 1
                legs += 1
    return tuple(picks)


def propensities(
    candidates: Sequence[Candidate], pools: Sequence[Pool], room: Room, params: TrainingParams
) -> Floats:
    """
    The probability that each of *candidates* is taken, (n,): summed over all ways to choose.

    There are at most k for each profile, where k is how many exploration draws from.
    """
    found = np.zeros(len(candidates))
    for choices in _ways(pools, params.explore):
        chance = float(np.prod([each.propensity for each in choices]))
        for pick in picks_of(candidates, pools, choices, room, params):
            found[pick.number] += chance
    return float_column(np.minimum(found, 1.0))


def expiry_day(candidate: Candidate) -> str:
    """The UTC day on which *candidate* expires."""
    return candidate.contract.expiry.date().isoformat()


def _best_first(numbers: Sequence[int], worth: Sequence[float]) -> tuple[int, ...]:
    order = np.argsort(-np.array(worth), kind="stable")
    return tuple(numbers[int(place)] for place in order)


def _entered_at(numbers: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return (numbers[rank], *numbers[:rank], *numbers[rank + 1 :])


def _ways(pools: Sequence[Pool], explore: ExploreParams) -> Iterator[tuple[Choice, ...]]:
    """Every way the pools can be entered that has a chance at all."""
    return product(*(_entrances(len(pool.numbers), explore) for pool in pools))


def _entrances(candidates: int, explore: ExploreParams) -> list[Choice]:
    pool = min(explore.top_k, candidates)
    chances = [
        explore.epsilon / pool + (0.0 if rank else 1.0 - explore.epsilon) for rank in range(pool)
    ]
    return [
        Choice(rank=rank, pool=pool, epsilon=explore.epsilon, propensity=chance, explored=rank != 0)
        for rank, chance in enumerate(chances)
        if chance > 0.0
    ]
