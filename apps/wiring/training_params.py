"""Settings as the parameters of training: profiles, caps, exploration, filters."""

from attrs import evolve

from apps.settings.root import Settings
from apps.wiring.params import covered_call_params
from core.policy.explore import ExploreParams
from core.selectors.filters import FilterParams
from core.strategies.base import Strategy
from core.strategies.covered_call import CoveredCall
from core.training.decisions import CollectingParams
from core.training.profiles import PROFILES, ProfileMode, TrainingParams, training_filters
from core.training.strategy import TrainingCalls


def training_params(settings: Settings) -> TrainingParams:
    """The profiles that choose, and their caps."""
    policy = settings.policy
    return TrainingParams(
        profiles=tuple(PROFILES[name] for name in policy.training_strategies),
        mode=ProfileMode(policy.training_profile_mode),
        max_per_coin=policy.max_calls_per_underlying_training,
        max_per_expiry=policy.training_max_calls_per_expiry,
        explore=ExploreParams(settings.effective_explore_prob, policy.explore_top_k),
    )


def entry_filters(settings: Settings) -> FilterParams:
    """What live trading opens: the windows of the mode, or while training of the profiles."""
    filters = covered_call_params(settings).filters
    if not settings.is_training_on_testnet:
        return filters
    return training_filters(filters, training_params(settings))


def in_training(settings: Settings, strategy: Strategy) -> Strategy:
    """*strategy*, or while training on testnet the profiles in place of one that sells calls."""
    if not settings.is_training_on_testnet or not isinstance(strategy, CoveredCall):
        return strategy
    params = evolve(strategy.params, filters=entry_filters(settings))
    calls = evolve(strategy, params=params)
    return TrainingCalls(strategy.strategy_id, calls, training_params(settings))


def collecting_params(settings: Settings) -> CollectingParams:
    """
    What is a candidate, and who chooses.

    Under the limits of research spread, open interest, premium and IV over RV are there to be
    learned from, and rule nothing out.
    """
    training = training_params(settings)
    filters = training_filters(covered_call_params(settings).filters, training)
    if settings.backtest.backtest_limits == "research":
        filters = evolve(
            filters,
            max_spread_pct=200.0,
            min_open_interest=0.0,
            premium_min_usd=0.0,
            ivrv_min=0.0,
        )
    return CollectingParams(filters=filters, training=training, seed=settings.venue.seed)
