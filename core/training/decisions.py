"""One decision of the collecting policy: what it saw, what it took, and with what probability."""

from math import nan

import numpy as np
from attrs import evolve, frozen

from core.context.sensors import Sensors
from core.rng import rng_at
from core.selectors.features import Features, features_of
from core.selectors.filters import FilterParams, sift
from core.training.profiles import (
    FALLBACK,
    Room,
    TrainingParams,
    draw,
    picks_of,
    pools_of,
    profile_of,
    propensities,
)
from ports.columns import Floats, Ints, int_column
from ports.decision_log import Candidate, MarketContext
from ports.market_data import MarketSnapshot

_DRAWS = "training"


@frozen(kw_only=True)
class CollectingParams:
    """Which calls are candidates, who chooses among them, and the seed of the choice."""

    filters: FilterParams  # with the windows of the profiles
    training: TrainingParams
    seed: int


@frozen(kw_only=True, eq=False)
class Sight:
    """All that was known of one coin when a decision was made."""

    snapshot: MarketSnapshot
    context: MarketContext
    sensors: Sensors
    bars_until_ms: int  # when the last bar closed that context and sensors were made from


@frozen(kw_only=True, eq=False)
class DecisionPoint:
    """A decision and its candidates in the order of the chain, columns (n,); n may be 0."""

    sight: Sight
    calls: Features
    profiles: tuple[str, ...]
    scores: Floats
    propensity: Floats
    pick_order: Ints  # 1 is the first call taken, 0 none

    def __len__(self) -> int:
        return len(self.calls)


def decide(sight: Sight, params: CollectingParams) -> DecisionPoint:
    """
    What the profiles take on *sight*, as though nothing were held.

    Each decision stands alone: the data are to tell what any call would have come to, whatever
    was sold before.
    """
    snapshot, context, training = sight.snapshot, sight.context, params.training
    every = features_of(snapshot, context.realized_vol_30d or context.realized_vol_7d)
    passing, _ = sift(every, params.filters)
    calls = every.where(passing)
    candidates = _candidates(calls, training)
    pools = pools_of(candidates, training)
    room = Room(slots=training.max_per_coin)
    rng = rng_at(params.seed, f"{_DRAWS}/{snapshot.underlying}", snapshot.taken_at)
    order = np.zeros(len(candidates), dtype=np.int64)
    picks = picks_of(candidates, pools, draw(pools, training, rng), room, training)
    for place, pick in enumerate(picks, start=1):
        order[pick.number] = place
    found = [profile_of(each, training) for each in candidates]
    return DecisionPoint(
        sight=sight,
        calls=calls,
        profiles=tuple(FALLBACK if each is None else each.name for each in found),
        scores=np.array([each.score for each in candidates]),
        propensity=propensities(candidates, pools, room, training),
        pick_order=int_column(order),
    )


def _candidates(calls: Features, params: TrainingParams) -> tuple[Candidate, ...]:
    """The calls as values, each with the points of its own profile; NaN where it has none."""
    bare = [calls.candidate(row, nan) for row in range(len(calls))]
    scored = []
    for candidate in bare:
        profile = profile_of(candidate, params)
        points = nan if profile is None else profile.score(candidate)
        scored.append(evolve(candidate, score=points))
    return tuple(scored)
