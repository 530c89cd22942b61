"""Greg as a strategy: it advises beside others in its own name, and never orders."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from core.context.sensor_values import DataSource
from core.greg.catalogue import STRATEGY_ID
from core.greg.thresholds import EntryRules, EntryThresholds
from core.strategies.base import Proposal
from core.strategies.catalogue import CATALOGUE, strategies_of
from core.strategies.greg import Greg, GregParams
from core.view import TickView
from ports.decision_log import ActionType
from ports.instruments import OptionContract, OptionKind
from ports.positions import Leg, TrackedPosition
from ports.volatility import VolatilityReading
from tests.support.books import account
from tests.support.calls import CONTEXT
from tests.support.sensing import chain_at, daily_index, hourly
from tests.support.views import PARAMS

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARKET = chain_at(NOW, (2.0, 9.0, 23.0, 37.0, 58.0))


def seen(*positions: TrackedPosition) -> TickView:
    """A market with a history, and *positions* held."""
    return TickView(
        now=NOW,
        due_at=NOW,
        seed=7,
        snapshot=MARKET,
        account=account(balance_coin=10.0),
        context=CONTEXT,
        positions=positions,
        working=(),
        rolls=(),
        candles=hourly(NOW, 260),
    )


def proposed(view: TickView, **limits: float) -> Proposal:
    """What Greg proposes under *limits*."""
    rules = EntryRules(thresholds=evolve(EntryThresholds(), **limits))
    return Greg(STRATEGY_ID, GregParams(entry=rules)).propose(view)


ANYTHING = {
    "safety_adx_high": 100.0,
    "safety_chop_high": 10.0,
    "straddle_vrp_min": -200.0,
    "straddle_adx_max": 101.0,
    "straddle_chop_max": 10.0,
    "skew_neutral_threshold": 100.0,
}


def test_it_is_in_the_catalogue_in_its_own_name() -> None:
    """Beside covered calls, each with its own id."""
    made = strategies_of(("covered_call_v1", STRATEGY_ID), PARAMS)

    # what only advises speaks before any order is considered
    assert [each.strategy_id for each in made] == ["greg_vrp_harvester", "covered_call_v1"]
    assert made[0].underlyings == PARAMS.underlyings
    assert made[0].policy_version == "greg_v8.0"
    assert len(STRATEGY_ID) <= 20
    assert STRATEGY_ID in CATALOGUE


@pytest.mark.parametrize("limits", [{}, ANYTHING])
def test_it_never_orders(limits: dict[str, float]) -> None:
    """Whatever it would open, its action is to do nothing, with the reason."""
    found = proposed(seen(), **limits)

    assert [action.type for action in found.actions] == [ActionType.DO_NOTHING]
    assert found.actions[0].strategy_id == STRATEGY_ID
    assert found.actions[0].amount == 0.0


def test_it_says_what_it_would_trade() -> None:
    """The strategy, its step, the contracts, and that it may not."""
    (action,) = proposed(seen(), **ANYTHING).actions

    assert action.reason == "advises_entry"
    assert "STRATEGY_A_STRADDLE at STRADDLE_CHECK" in action.detail
    assert "contracts each: sell BTC-16APR26-100000-C, sell BTC-16APR26-100000-P" in action.detail
    assert "disabled for orders" in action.detail


def test_what_no_cap_leaves_room_for_is_refused_and_logged() -> None:
    """An account too small for a lot: the decision says so, and a line that is no suggestion."""
    found = proposed(evolve(seen(), account=account(balance_coin=0.5)), **ANYTHING)
    (action,), (line,) = found.actions, found.advice

    assert action.type is ActionType.DO_NOTHING
    assert action.reason == "entry_refused"
    assert "2 % of equity at risk leaves 0.0" in action.detail
    assert (line.action_type, line.strategy_type) == ("OPEN", "STRATEGY_A_STRADDLE")
    assert line.position_id == "greg_vrp_harvester-STRATEGY_A_STRADDLE-BTC"
    assert line.reason == action.detail
    assert line.vrp_30d is not None
    assert not line.is_suggestion


@pytest.mark.parametrize(("held", "is_refused"), [(2, False), (3, True)])
def test_so_many_positions_on_a_coin(held: int, is_refused: bool) -> None:
    """Two open, and a third may be; three, and none, whatever the account could carry."""
    contract = OptionContract("BTC", NOW + timedelta(days=37), 130_000.0, OptionKind.CALL)
    mine = tuple(
        TrackedPosition(
            position_id=f"greg-STRATEGY_A_STRADDLE-{number}",
            strategy_id=STRATEGY_ID,
            underlying="BTC",
            opened_at=NOW,
            legs=(Leg(contract=contract, opened_at=NOW, size=-0.1, sold_coin=0.01),),
        )
        for number in range(held)
    )
    entry = proposed(evolve(seen(*mine), account=account(balance_coin=50.0)), **ANYTHING).actions[
        -1
    ]

    assert (entry.reason == "entry_refused") == is_refused
    assert ("3 positions are open" in entry.detail) == is_refused


def test_it_says_why_it_would_trade_nothing() -> None:
    """The step and what it lacks."""
    (action,) = proposed(evolve(seen(), candles=None)).actions

    assert action.reason == "no_setup"
    assert "NO_TRADE at DEFAULT" in action.detail
    assert "lacks a sensor" in action.detail


def test_it_advises_for_what_it_holds() -> None:
    """An action for each position of its own, by the position engine."""
    contract = OptionContract("BTC", NOW + timedelta(days=37), 1e5, OptionKind.CALL)
    legs = tuple(
        Leg(contract=evolve(contract, kind=kind), opened_at=NOW, size=-0.5, sold_coin=0.01)
        for kind in OptionKind
    )
    mine = TrackedPosition(
        position_id="greg-STRATEGY_A_STRADDLE-1",
        strategy_id=STRATEGY_ID,
        underlying="BTC",
        opened_at=NOW,
        legs=legs,
    )
    held, entry = proposed(seen(mine)).actions

    assert held.reason == "advises_close"
    assert held.position_id == mine.position_id
    assert "loss" in held.detail
    assert held.type is ActionType.DO_NOTHING
    assert entry.position_id is None


def test_what_the_venue_publishes_decides() -> None:
    """The index of the tick is its implied volatility, and its funding that of a put taken up."""
    contract = OptionContract("BTC", NOW + timedelta(days=37), 130_000.0, OptionKind.PUT)
    mine = TrackedPosition(
        position_id="greg-STRATEGY_C_SHORT_PUT-1",
        strategy_id=STRATEGY_ID,
        underlying="BTC",
        opened_at=NOW,
        legs=(Leg(contract=contract, opened_at=NOW, size=-0.5, sold_coin=0.15),),
    )
    told = VolatilityReading(
        daily=daily_index(NOW, [60.0] * 30), published=41.5, funding=-0.0001, faults=("a word",)
    )
    (logged,) = proposed(evolve(seen(mine), volatility=told)).advice
    (unpublished,) = proposed(seen(mine)).advice

    assert logged.vrp_30d == 18.5
    assert unpublished.vrp_30d != 18.5
    assert "ownership by spot" in logged.reason
    assert "ownership" not in unpublished.reason


def test_an_invented_market_is_marked() -> None:
    """The sensors of a strategy carry their source; without another word it is synthetic."""
    assert GregParams().data_source is DataSource.SYNTHETIC
