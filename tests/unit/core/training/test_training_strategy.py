"""Training on a market: several calls at once, never beyond the caps or the coin."""

import numpy as np
import pytest
from attrs import evolve

from apps.settings.load import load
from apps.settings.root import Settings
from apps.wiring.desk import chosen_strategies
from apps.wiring.training_params import entry_filters
from core.policy.explore import ExploreParams
from core.strategies.covered_call import CoveredCall
from core.training.profiles import TrainingParams, training_filters
from core.training.strategy import TrainingCalls
from core.view import TickView
from ports.decision_log import Action, ActionType
from tests.support.calls import later, weekly
from tests.support.markets import call
from tests.support.views import PARAMS, short, view

OPEN, NOTHING = ActionType.OPEN_COVERED_CALL, ActionType.DO_NOTHING
CHAIN = tuple(
    weekly(strike, days=days)
    for days in (7.0, 14.0)
    for strike in np.arange(101_000.0, 121_000.0, 1_000.0)
)


def strategy(training: TrainingParams | None = None) -> TrainingCalls:
    """The profiles over the rules of the tests."""
    training = training or TrainingParams()
    params = evolve(PARAMS, filters=training_filters(PARAMS.filters, training))
    return TrainingCalls("s", CoveredCall("s", params), training)


def opened(shown: TickView, training: TrainingParams | None = None) -> list[Action]:
    """What is sold on *shown*."""
    found = strategy(training).propose(shown)
    return [action for action in found.actions if action.type is OPEN]


def settings_of(**policy: str) -> Settings:
    """The default settings with *policy*."""
    return load((), {f"policy.{name}": value for name, value in policy.items()}, {}, None).settings


def test_every_profile_sells_its_two() -> None:
    """Six calls at the order size, each tagged; no more than three on an expiry."""
    sold = opened(view(*CHAIN))

    assert [action.reason for action in sold] == [
        f"training_{name}" for name in ("conservative", "moderate", "aggressive") for _ in range(2)
    ]
    assert {action.amount for action in sold} == {0.5}
    expiries = [action.contract.expiry for action in sold if action.contract]
    assert max(expiries.count(each) for each in expiries) == 3
    assert len({action.position_id for action in sold}) == 6


def test_the_coin_that_is_left_bounds_what_is_sold() -> None:
    """With 1.2 coin: two whole orders and the rest, not one lot more."""
    sold = opened(view(*CHAIN, balance_coin=1.2))

    assert [action.amount for action in sold] == pytest.approx([0.5, 0.5, 0.2])


def test_calls_held_count_against_the_caps() -> None:
    """Four held leave two; with six there is a reason, and no order."""
    held = [short(call(130_000.0 + 1_000.0 * n, later(7.0)), position_id=str(n)) for n in range(6)]

    assert len(opened(view(*CHAIN, positions=tuple(held[:4])))) == 2
    found = strategy().propose(view(*CHAIN, positions=tuple(held)))
    assert (found.actions[-1].type, found.actions[-1].reason) == (NOTHING, "position_open")


def test_the_probability_of_every_call_is_told() -> None:
    """That of the call being taken at all, for learning from it."""
    sold = opened(view(*CHAIN), TrainingParams())
    assert [action.choice.propensity for action in sold if action.choice] == [1.0] * 6

    params = evolve(PARAMS, explore=ExploreParams(0.5, 3))
    exploring = evolve(strategy(), calls=CoveredCall("s", params))
    found = [action.choice for action in exploring.propose(view(*CHAIN)).actions if action.choice]
    assert all(0.0 < choice.propensity < 1.0 for choice in found)


def test_data_of_training_are_told_from_others() -> None:
    """The version of the policy says so in every decision."""
    assert strategy().policy_version == f"{PARAMS.policy_version}_training"


def test_settings_turn_it_on_in_research_on_testnet() -> None:
    """And it alone has the windows of the profiles."""
    (made,) = chosen_strategies(settings_of(training_mode="true", training_profile_mode="single"))
    assert isinstance(made, TrainingCalls)
    assert made.training.mode == "single"
    assert made.calls.params.filters.delta_max == 0.50
    assert entry_filters(settings_of(training_mode="true")) == made.calls.params.filters

    (plain,) = chosen_strategies(settings_of())
    assert isinstance(plain, CoveredCall)
    assert entry_filters(settings_of()).delta_max == plain.params.filters.delta_max == 0.40
