"""What is done with a short call that is held."""

from datetime import timedelta
from math import nan

import numpy as np
import pytest
from attrs import evolve

from core.policy.explore import ExploreParams
from core.selectors.features import features_of
from core.strategies.upkeep import UpkeepParams, held_call, upkeep
from core.view import TickView
from ports.decision_log import Action, ActionType, Candidate
from tests.support.calls import later, weekly
from tests.support.markets import NOW, Listed, call
from tests.support.views import short, view

HELD = call(102_000.0, later(0.5))
FAR = evolve(weekly(102_000.0, 0.5), contract=HELD, bid=0.001, ask=0.0012, mark=0.0011)
NEAR_ITM = evolve(FAR, bid=0.02, ask=0.021, mark=0.0205)
PARAMS = UpkeepParams()

NOTHING, CLOSE, ROLL = (
    ActionType.DO_NOTHING,
    ActionType.CLOSE_COVERED_CALL,
    ActionType.ROLL_COVERED_CALL,
)


def seen(
    row: Listed, *, index_usd: float = 100_000.0, sold_at: float = 0.02, held_for_h: float = 72.0
) -> TickView:
    """The held call as the market shows it in *row*."""
    position = short(row.contract, sold_at=sold_at, opened_at=NOW - timedelta(hours=held_for_h))
    return view(row, positions=(position,), index_usd=index_usd)


def candidates(*rows: Listed) -> tuple[Candidate, ...]:
    """*rows* as candidates, in the order given."""
    calls = features_of(view(*rows).snapshot, 0.5)
    by_contract = {calls.calls.contract(row): row for row in range(len(calls))}
    return tuple(calls.candidate(by_contract[row.contract], 1.0) for row in rows)


def done(shown: TickView, *targets: Listed, params: UpkeepParams = PARAMS, seed: int = 1) -> Action:
    """What is done with the held call when it could be rolled to *targets*."""
    (position,) = shown.positions
    held = held_call(position, position.legs[0], shown)
    return upkeep(held, candidates(*targets), shown, params, np.random.default_rng(seed))


LATER = evolve(weekly(104_000.0, 7.0), bid=0.03, ask=0.031, mark=0.0305)
DEARER = evolve(LATER, contract=call(106_000.0, later(7.0)), bid=0.025, ask=0.026, mark=0.0255)


def aged(row: Listed, days: float, strike: float = 102_000.0) -> Listed:
    """*row* with another expiry or strike."""
    return evolve(row, contract=call(strike, later(days)))


@pytest.mark.parametrize(
    ("days", "strike", "reason"),
    [
        (5.0, 110_000.0, "hold"),
        (1.0, 110_000.0, "hold"),  # equal to last_dte is not below it
        (0.99, 110_000.0, "let_expire"),
        (2.0, 99_900.0, "defend_by_roll"),  # in the money at two days, included
        (2.01, 99_900.0, "hold"),
        (1.0, 101_900.0, "defend_by_roll"),  # within 2 % at one day, included
        (1.01, 101_900.0, "hold"),
        (0.99, 102_000.0, "let_expire"),  # 2 % itself is not within
    ],
)
def test_the_moment_of_each_action(days: float, strike: float, reason: str) -> None:
    """By days left and distance to the strike."""
    row = aged(NEAR_ITM, days, strike)

    assert done(seen(row), aged(LATER, 9.0, 104_000.0)).reason == reason


@pytest.mark.parametrize(
    ("ask", "action"), [(0.004, CLOSE), (0.0041, NOTHING), (0.0001, CLOSE), (nan, NOTHING)]
)
def test_profit_is_taken_at_four_fifths(ask: float, action: ActionType) -> None:
    """Of the premium sold at 0.02: equal counts; without an offer nothing is captured."""
    row = evolve(aged(FAR, 5.0, 120_000.0), ask=ask)
    found = done(seen(row, sold_at=0.02))

    assert found.type is action
    assert found.reason == ("take_profit" if action is CLOSE else "hold")


def test_on_the_last_day_a_far_call_is_left_to_expire() -> None:
    """Whatever is earned: buying back costs more than waiting."""
    found = done(seen(aged(evolve(FAR, ask=0.0001), 0.9, 120_000.0)))

    assert (found.type, found.reason) == (NOTHING, "let_expire")


def test_a_roll_goes_to_the_best_target() -> None:
    """Of the same position, the whole size, from the old to the new."""
    found = done(seen(NEAR_ITM, index_usd=103_000.0), LATER, DEARER)

    assert (found.type, found.reason) == (ROLL, "defend_by_roll")
    assert (found.from_contract, found.contract) == (HELD, LATER.contract)
    assert (found.amount, found.position_id) == (0.5, "p")
    assert found.choice is not None
    assert found.choice.propensity == 1.0


def test_a_roll_is_for_credit_only() -> None:
    """Bid less fee must cover ask and fee: equal passes, a tick less does not."""
    cost = 0.021 + 0.0003
    exact = evolve(LATER, bid=cost + 0.0003)
    less = evolve(LATER, bid=cost + 0.0002)
    danger = seen(NEAR_ITM, index_usd=103_000.0)

    assert done(danger, exact).type is ROLL
    assert done(danger, less).type is not ROLL
    assert done(danger, less, params=evolve(PARAMS, credit_only=False)).type is ROLL


def test_without_an_offer_there_is_no_credit() -> None:
    """What it costs is not known, so no roll and no close."""
    danger = seen(evolve(NEAR_ITM, ask=nan), index_usd=103_000.0)

    assert done(danger, LATER).reason == "let_deliver"


def test_a_roll_goes_out_only() -> None:
    """Never to the same or an earlier expiry, unless that is allowed."""
    danger = seen(aged(NEAR_ITM, 1.5), index_usd=103_000.0)
    same, earlier = aged(LATER, 1.5, 104_000.0), aged(LATER, 1.0, 104_000.0)

    assert done(danger, same, earlier).type is not ROLL
    assert done(danger, same, params=evolve(PARAMS, out_only=False)).type is ROLL


def test_a_roll_never_goes_down_if_so_set() -> None:
    """The same strike is not down."""
    danger = seen(NEAR_ITM, index_usd=103_000.0)
    down, level = aged(LATER, 7.0, 101_000.0), aged(LATER, 7.0, 102_000.0)
    never_down = evolve(PARAMS, never_down=True)

    assert done(danger, down).contract == down.contract
    assert done(danger, down, params=never_down).type is not ROLL
    assert done(danger, down, level, params=never_down).contract == level.contract


def test_a_call_is_never_rolled_to_itself() -> None:
    """Even where expiry and strike would allow it."""
    danger = seen(NEAR_ITM, index_usd=103_000.0)
    free = evolve(PARAMS, out_only=False, credit_only=False)

    assert done(danger, evolve(LATER, contract=HELD), params=free).type is not ROLL


@pytest.mark.parametrize(("held_for_h", "rolls"), [(0.99, False), (1.0, True)])
def test_a_roll_waits_for_the_cooldown(held_for_h: float, rolls: bool) -> None:
    """An hour since the leg was opened, included."""
    danger = seen(NEAR_ITM, index_usd=103_000.0, held_for_h=held_for_h)

    assert (done(danger, LATER).type is ROLL) is rolls


@pytest.mark.parametrize(
    ("ask", "action", "reason"),
    [
        (0.0205, CLOSE, "defend_by_close"),
        (0.0250, NOTHING, "let_deliver"),
    ],
)
def test_without_a_roll_it_is_bought_back_if_that_is_cheap(
    ask: float, action: ActionType, reason: str
) -> None:
    """At most 5 % above what delivery is expected to cost: mark and delivery fee."""
    found = done(seen(evolve(NEAR_ITM, ask=ask), index_usd=103_000.0))

    assert (found.type, found.reason) == (action, reason)
    assert (found.amount, found.from_contract, found.contract) == (0.5, HELD, None)


def test_a_mark_of_zero_is_a_price() -> None:
    """Minutes before expiry the venue marks a near call at nothing: it is left to expire so."""
    found = done(seen(evolve(FAR, mark=0.0, bid=nan, ask=0.0001), index_usd=100_500.0))

    assert (found.type, found.reason) == (NOTHING, "let_deliver")


def test_a_call_without_mark_is_left_alone() -> None:
    """What delivery would cost is not known."""
    found = done(seen(evolve(NEAR_ITM, mark=nan), index_usd=103_000.0))

    assert (found.type, found.reason) == (NOTHING, "let_deliver")


def test_a_call_that_is_not_listed_any_more_is_left_alone() -> None:
    """Nobody quotes it."""
    shown = view(LATER, positions=(short(HELD),), index_usd=103_000.0)

    assert done(shown, LATER).type is NOTHING


def test_exploration_chooses_among_the_targets_of_a_roll() -> None:
    """With its propensity."""
    danger = seen(NEAR_ITM, index_usd=103_000.0)
    params = evolve(PARAMS, explore=ExploreParams(1.0, 2))
    found = [done(danger, LATER, DEARER, params=params, seed=seed) for seed in range(20)]

    assert {action.contract for action in found} == {LATER.contract, DEARER.contract}
    assert all(action.choice and action.choice.propensity == 0.5 for action in found)


def test_a_leg_that_was_never_sold_has_no_profit_to_take() -> None:
    """One that was found at the venue: nothing is known of its premium."""
    row = aged(FAR, 5.0, 120_000.0)
    position = short(row.contract)
    found_leg = evolve(position.legs[0], contracts_sold=0.0, sold_coin=0.0)
    shown = view(row, positions=(evolve(position, legs=(found_leg,)),))

    assert done(shown).reason == "hold"
