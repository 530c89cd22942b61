"""Sell calls against coin held: one opening at a time, and a reason for everything else."""

from collections import Counter
from datetime import timedelta
from math import nan

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.policy.explore import ExploreParams
from core.selectors.filters import SENTENCES
from core.strategies.base import Proposal
from core.strategies.catalogue import CATALOGUE, strategies_of
from core.strategies.covered_call import CoveredCall, CoveredCallParams
from core.view import TickView
from ports.controls import RuntimeControls
from ports.decision_log import ActionType, RollStarted
from ports.positions import OrderRecord
from ports.trading import OrderState
from tests.support.books import intent
from tests.support.calls import later, weekly
from tests.support.markets import NOW, Listed, call, put
from tests.support.views import PARAMS, short, view

ROWS = (weekly(104_000.0), weekly(106_000.0), weekly(110_000.0))
OPEN, NOTHING, ROLL = (
    ActionType.OPEN_COVERED_CALL,
    ActionType.DO_NOTHING,
    ActionType.ROLL_COVERED_CALL,
)


def proposed(shown: TickView, params: CoveredCallParams = PARAMS) -> Proposal:
    """What the strategy wants."""
    return CoveredCall("s", params).propose(shown)


def order_on(strike: float) -> OrderRecord:
    """A working order of the strategy."""
    order = intent(call(strike, later(7.0)), position_id="w")
    return OrderRecord(intent=order, state=OrderState.OPEN, sent_at=NOW, updated_at=NOW)


def test_the_best_candidate_is_sold() -> None:
    """At the order size, in a new position, with the whole story of the choice."""
    found = proposed(view(*ROWS))
    (action,) = found.actions

    assert (action.type, action.reason, action.amount) == (OPEN, "best", 0.5)
    assert action.contract == found.candidates[0].contract
    scores = [each.score for each in found.candidates]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3
    assert action.position_id is not None
    assert action.position_id.startswith(f"s-{found.candidates[0].contract.symbol}-")
    assert action.choice is not None
    assert (action.choice.rank, action.choice.propensity) == (0, 1.0)


def test_nothing_passes_and_the_reason_is_told() -> None:
    """An empty market and one of which no call will do."""
    none = proposed(view())
    dear = evolve(PARAMS, filters=evolve(PARAMS.filters, premium_min_usd=1e9))
    few = proposed(view(*ROWS), dear)

    assert [each.reason for each in (*none.actions, *few.actions)] == ["no_candidate"] * 2
    assert few.candidates == ()
    assert [each.code for each in few.skipped] == ["premium_low"]


@pytest.mark.parametrize(
    "hindrance",
    [
        {"working": (order_on(104_000.0),)},
        {
            "rolls": (
                RollStarted(
                    at=NOW,
                    strategy_id="s",
                    position_id="p",
                    from_contract=call(1.0),
                    contract=call(2.0),
                    amount=1.0,
                    expires_at=NOW,
                ),
            )
        },
    ],
    ids=["order", "roll"],
)
def test_nothing_is_opened_while_something_is_under_way(hindrance: dict[str, object]) -> None:
    """An order of its own that works, or a roll that is not done."""
    found = proposed(view(*ROWS, **hindrance))  # type: ignore[arg-type]

    assert [(each.type, each.reason) for each in found.actions] == [(NOTHING, "order_working")]


def test_no_more_calls_than_allowed() -> None:
    """One is the default; with room for two there is a second."""
    shown = view(*ROWS, positions=(short(call(104_000.0, later(7.0))),))

    assert proposed(shown).actions[-1].reason == "position_open"
    two = proposed(shown, evolve(PARAMS, max_calls=2))
    assert two.actions[-1].type is OPEN
    assert two.actions[-1].contract != call(104_000.0, later(7.0))


@pytest.mark.parametrize(
    ("balance_coin", "held", "amount"),
    [
        (10.0, 0.0, 0.5),
        (0.5, 0.0, 0.5),
        (0.49, 0.0, 0.4),
        (1.0, 0.7, 0.3),
        (0.30000000000000004, 0.2, 0.1),
        (0.1, 0.0, 0.1),
        (0.09, 0.0, None),
        (0.5, 0.5, None),
        (0.5, 0.9, None),
        (-1.0, 0.0, None),
    ],
)
def test_the_size_is_what_the_coin_still_covers(
    balance_coin: float, held: float, amount: float | None
) -> None:
    """Clamped down to whole steps, never up; below the smallest order there is none."""
    positions = (short(call(120_000.0, later(30.0)), held),) if held else ()
    shown = view(*ROWS, positions=positions, balance_coin=balance_coin)
    action = proposed(shown, evolve(PARAMS, max_calls=9)).actions[-1]

    if amount is None:
        assert (action.type, action.reason) == (NOTHING, "too_small")
    else:
        assert (action.type, action.amount) == (OPEN, amount)


def test_a_coin_without_an_order_size_is_not_traded() -> None:
    """Nothing stands in for a size that is not set."""
    found = proposed(view(*ROWS), evolve(PARAMS, order_size={}))

    assert found.actions[-1].reason == "too_small"


def test_every_call_held_has_its_action_before_the_opening() -> None:
    """In the order of the positions; busy ones are left out."""
    rows = (weekly(101_500.0, 0.9), weekly(120_000.0, 0.9), *ROWS)
    near, far = short(rows[0].contract), short(rows[1].contract, position_id="q")
    shown = view(*rows, positions=(near, far))
    found = proposed(shown)

    assert [(each.position_id, each.reason) for each in found.actions] == [
        ("p", "defend_by_roll"),
        ("q", "let_expire"),
        (None, "position_open"),
    ]
    order = evolve(order_on(101_500.0), intent=intent(rows[0].contract, position_id="p"))
    busy = proposed(evolve(shown, working=(order,)))
    assert [each.position_id for each in busy.actions] == ["q", None]


def test_two_rolls_and_an_opening_go_to_three_contracts() -> None:
    """No candidate is taken twice in one decision."""
    rows = (weekly(101_000.0, 0.9), weekly(101_500.0, 0.9), *ROWS)
    shown = view(
        *rows, positions=(short(rows[0].contract), short(rows[1].contract, position_id="q"))
    )
    found = proposed(shown, evolve(PARAMS, max_calls=9))
    taken = [each.contract for each in found.actions if each.contract]

    assert [each.type for each in found.actions] == [ROLL, ROLL, OPEN]
    assert len(set(taken)) == 3


def test_the_same_view_gives_the_same_proposal() -> None:
    """And another seed may not: chance is drawn for the instant the tick was due."""
    params = evolve(PARAMS, explore=ExploreParams(1.0, 3))
    shown = view(*ROWS)

    assert proposed(shown, params) == proposed(shown, params)
    later_now = evolve(shown, now=NOW + timedelta(seconds=9))
    assert (
        proposed(later_now, params).actions[0].contract
        == proposed(shown, params).actions[0].contract
    )
    chosen = {proposed(view(*ROWS, seed=seed), params).actions[0].contract for seed in range(30)}
    assert len(chosen) == 3


def test_a_person_may_set_exploration_and_windows_while_it_runs() -> None:
    """The overlay goes before its own parameters."""
    shown = view(*ROWS)
    curious = [
        proposed(evolve(view(*ROWS, seed=seed), controls=RuntimeControls(explore_prob=1.0)))
        for seed in range(30)
    ]
    assert any(each.actions[0].reason == "explore" for each in curious)

    strict = evolve(shown, controls=RuntimeControls(dte_min=8.0))
    assert proposed(strict).actions[0].reason == "no_candidate"


def test_an_unknown_score_is_refused() -> None:
    """The message names those there are."""
    with pytest.raises(ValueError, match="carry"):
        evolve(PARAMS, score="best_guess")


rows_drawn = st.lists(
    st.builds(
        lambda strike, days, change: evolve(weekly(strike, days), **change),
        st.sampled_from([95e3, 100e3, 101e3, 102e3, 105e3, 110e3, 120e3]),
        st.sampled_from([0.5, 1.5, 3.0, 7.0, 14.0]),
        st.sampled_from(
            [
                {},
                {"bid": nan},
                {"ask": nan},
                {"mark": nan},
                {"mark_iv": nan},
                {"open_interest": nan},
                {"forward": nan},
                {"bid": 0.5},
            ]
        ),
    ),
    max_size=12,
    unique_by=lambda row: row.contract,
)


@given(rows_drawn, st.integers(0, 3), st.booleans(), st.integers(1, 3))
@settings(derandomize=True, deadline=None)
def test_every_call_above_the_index_is_accounted_for_once(
    rows: list[Listed], holds: int, works: bool, max_calls: int
) -> None:
    """Taken by an action, or passed over with one code that has its sentence."""
    positions = tuple(
        short(row.contract, position_id=f"p{number}") for number, row in enumerate(rows[:holds])
    )
    puts = [evolve(weekly(105_000.0), contract=put(105_000.0, later(7.0)))]
    shown = view(*rows, *puts, positions=positions, working=(order_on(99e3),) if works else ())
    found = proposed(shown, evolve(PARAMS, max_calls=max_calls, explore=ExploreParams(0.5, 3)))

    taken = [each.contract.symbol for each in found.actions if each.contract]
    told = Counter(symbol for each in found.skipped for symbol in each.symbols)
    above = {row.contract.symbol for row in rows if row.contract.strike > 100_000.0}
    assert set(told.values()) <= {1}
    assert not set(taken) & set(told)
    assert set(taken) | set(told) == above
    assert {each.code for each in found.skipped} <= set(SENTENCES)
    assert {each.contract.symbol for each in found.candidates} <= above
    assert found.actions


def test_the_catalogue_makes_strategies_by_name() -> None:
    """In the order asked for; a name it does not know is refused with those it knows."""
    (made,) = strategies_of(("covered_call_v1",), PARAMS)

    assert (made.strategy_id, made.underlyings) == ("covered_call_v1", ("BTC",))
    assert made.policy_version == PARAMS.policy_version
    assert all(len(name) <= 20 for name in CATALOGUE)
    with pytest.raises(ValueError, match="covered_call_v1"):
        strategies_of(("covered_call_v9",), PARAMS)
