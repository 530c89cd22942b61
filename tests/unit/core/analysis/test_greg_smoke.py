"""The smoke harness: each market calls for its strategy, and each strategy lives through moves."""

import pytest
from attrs import evolve

from core.analysis.greg_environments import CORE, EXTENDED, regime_results
from core.analysis.greg_smoke import (
    MOVES,
    SPOT_USD,
    SmokeRules,
    SmokeStrategy,
    flat_market,
    moved,
    smoke_test,
)
from core.greg.advice import Advice
from core.greg.catalogue import StrategyCode
from core.greg.hedging import HEDGEABLE
from core.greg.management import PositionRules
from core.greg.thresholds import EntryRules, EntryThresholds
from ports.instruments import OptionKind
from tests.support import greg_markets
from tests.support.markets import NOW

RULES = SmokeRules(
    position=PositionRules(), hedges=PositionRules().hedges, windows=EntryRules().windows
)


def tried(underlying: str) -> tuple[SmokeStrategy, ...]:
    market = flat_market(underlying, SPOT_USD[underlying], NOW)
    return smoke_test(market, RULES, "SMOKE_1")


def test_the_matrix_is_that_of_the_specification() -> None:
    """Row for row, the core set first."""
    typed = (
        *("STRADDLE", "STRANGLE", "CALENDAR", "SHORT_PUT", "BULL_PUT", "BEAR_CALL"),
        *("IRON_FLY", "RUNAWAY", "NOTHING"),
    )

    assert [each.sensors for each in EXTENDED] == [getattr(greg_markets, name) for name in typed]
    assert len(CORE) == 6


def test_every_market_calls_for_its_strategy() -> None:
    """6 of 6, 9 of 9."""
    assert [each.regime.name for each in regime_results(EntryRules()) if not each.matches] == []


def test_a_wrong_choice_is_found() -> None:
    """A limit that was moved makes the rows that lean on it fail."""
    rules = EntryRules(thresholds=evolve(EntryThresholds(), straddle_vrp_min=25.0))
    wrong = [each for each in regime_results(rules) if not each.matches]

    assert [each.regime.name for each in wrong] == ["rich and calm"]
    assert wrong[0].found is StrategyCode.STRANGLE


@pytest.mark.parametrize("underlying", ["BTC", "ETH"])
def test_every_strategy_lives_through_every_move(underlying: str) -> None:
    """7 of 7, each with an id of the run; only the hedgeable ones are hedged, back to zero."""
    found = tried(underlying)

    assert all(each.opened for each in found)
    assert len({each.position_id for each in found}) == 7
    assert all(each.position_id.startswith("SMOKE_1_") for each in found)
    for each in found:
        assert [step.move for step in each.steps] == list(MOVES)
        hedges = [step.hedge for step in each.steps if step.hedge is not None]
        assert not hedges or each.code in HEDGEABLE
        assert all(hedge.net_delta_after == 0.0 for hedge in hedges)


def test_each_move_starts_from_the_untouched_position() -> None:
    """What is said at no move does not depend on the moves before; a straddle leans both ways."""
    straddle = tried("BTC")[0]
    by_move = {step.move: step for step in straddle.steps}

    assert by_move[0.0].hedge is None
    assert by_move[0.05].hedge is not None
    assert by_move[0.05].hedge.net_delta_before < -0.15


@pytest.mark.parametrize("underlying", ["BTC", "ETH"])
def test_a_calendar_is_closed_at_its_limit_either_way(underlying: str) -> None:
    """Strikes are round, so five percent up and five percent down are the limit itself."""
    calendar = next(each for each in tried(underlying) if each.code is StrategyCode.CALENDAR)

    assert {step.move for step in calendar.steps if step.action == Advice.CLOSE} == {0.05, -0.05}


def test_marks_of_a_moved_market_keep_parity() -> None:
    """call - put = 1 - strike / forward, wherever the price went."""
    market = moved(flat_market("BTC", 100_000.0, NOW), -0.05)
    chain = market.chain
    for row in range(0, len(chain), 7):
        contract = chain.contract(row)
        other = evolve(contract, kind=OptionKind.PUT if contract.is_call else OptionKind.CALL)
        twin = chain.row_of(other)
        assert twin is not None
        sign = 1.0 if contract.is_call else -1.0
        gap = sign * (chain.mark[row] - chain.mark[twin])
        assert gap == pytest.approx(1.0 - contract.strike / 95_000.0, abs=1e-12)


def test_what_cannot_be_opened_is_said() -> None:
    """A market without a front expiry has no calendar; the others are opened all the same."""
    market = flat_market("BTC", 100_000.0, NOW)
    chain = market.chain
    only_back = evolve(market, chain=chain.where(chain.expiry_ms == chain.expiry_ms.max()))
    found = {each.code: each for each in smoke_test(only_back, RULES, "SMOKE_1")}

    assert found[StrategyCode.CALENDAR].error
    assert sum(each.opened for each in found.values()) == 6
