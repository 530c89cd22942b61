"""Secondary guards: each at its limit, told beside the advice and never instead of it."""

from math import inf, nextafter

import pytest
from attrs import evolve

from core.greg.advice import GregPosition
from core.greg.catalogue import StrategyCode
from core.greg.guards import Guard, GuardFacts, firing, guards_of, with_guards
from core.greg.positions import advise

_STRADDLE, _STRANGLE, _CALENDAR = (
    StrategyCode.STRADDLE,
    StrategyCode.STRANGLE,
    StrategyCode.CALENDAR,
)
_PUT, _FLY, _BULL = StrategyCode.SHORT_PUT, StrategyCode.IRON_BUTTERFLY, StrategyCode.BULL_PUT


def up(value: float) -> float:
    """The nearest number above."""
    return nextafter(value, inf)


def down(value: float) -> float:
    """The nearest number below."""
    return nextafter(value, -inf)


def position(code: StrategyCode, **facts: float) -> GregPosition:
    """A position of *code*."""
    return GregPosition(position_id="p", code=code, underlying="BTC", **facts)


# guard, position, facts, and whether it fires
CASES = (
    (Guard.TIGHT_DELTA, position(_STRADDLE, net_delta=0.10), GuardFacts(), False),
    (Guard.TIGHT_DELTA, position(_STRADDLE, net_delta=-up(0.10)), GuardFacts(), True),
    (Guard.TIGHT_DELTA, position(_STRANGLE, net_delta=0.12), GuardFacts(), False),
    (Guard.TIGHT_DELTA, position(_STRANGLE, net_delta=up(0.12)), GuardFacts(), True),
    (Guard.TIGHT_DELTA, position(_CALENDAR, net_delta=5.0), GuardFacts(), False),
    (Guard.IV_RISE, position(_STRADDLE), GuardFacts(iv_since_entry=10.0), False),
    (Guard.IV_RISE, position(_STRADDLE), GuardFacts(iv_since_entry=up(10.0)), True),
    (Guard.IV_RISE, position(_STRANGLE), GuardFacts(iv_since_entry=50.0), False),
    (Guard.LAST_DAY, position(_FLY), GuardFacts(hours_to_expiry=24.0), True),
    (Guard.LAST_DAY, position(_FLY), GuardFacts(hours_to_expiry=up(24.0)), False),
    (Guard.LAST_DAY, position(_BULL), GuardFacts(hours_to_expiry=1.0), False),
    (Guard.CALENDAR_TARGET, position(_CALENDAR, profit_pct=0.25), GuardFacts(), True),
    (Guard.CALENDAR_TARGET, position(_CALENDAR, profit_pct=down(0.25)), GuardFacts(), False),
    (Guard.CALENDAR_TARGET, position(_CALENDAR), GuardFacts(front_iv=50.0, back_iv=50.0), False),
    (Guard.CALENDAR_TARGET, position(_CALENDAR), GuardFacts(front_iv=49.0, back_iv=50.0), True),
    (Guard.CALENDAR_LOSS, position(_CALENDAR), GuardFacts(loss_of_debit=1.0), False),
    (Guard.CALENDAR_LOSS, position(_CALENDAR), GuardFacts(loss_of_debit=up(1.0)), True),
    (
        Guard.TAKE_OWNERSHIP,
        position(_PUT),
        GuardFacts(hours_to_expiry=0.0, is_in_the_money=True),
        True,
    ),
    (
        Guard.TAKE_OWNERSHIP,
        position(_PUT),
        GuardFacts(hours_to_expiry=1.0, is_in_the_money=True),
        False,
    ),
    (Guard.FLY_TARGET, position(_FLY, profit_pct=0.40), GuardFacts(), True),
    (Guard.FLY_TARGET, position(_FLY, profit_pct=down(0.40)), GuardFacts(), False),
    (Guard.DOUBLE_LOSS, position(_FLY, loss_pct=2.0), GuardFacts(), True),
    (Guard.DOUBLE_LOSS, position(_FLY, loss_pct=down(2.0)), GuardFacts(), False),
    (Guard.DOUBLE_LOSS, position(_BULL, loss_pct=2.0), GuardFacts(), False),
    (Guard.DOUBLE_LOSS, position(_BULL, loss_pct=up(2.0)), GuardFacts(), True),
    (
        Guard.EXPIRING_IN_THE_MONEY,
        position(_BULL),
        GuardFacts(hours_to_expiry=0.0, is_in_the_money=True),
        True,
    ),
    (
        Guard.EXPIRING_IN_THE_MONEY,
        position(_BULL),
        GuardFacts(hours_to_expiry=0.0, is_in_the_money=False),
        False,
    ),
    (Guard.BLACK_SWAN, position(_STRADDLE), GuardFacts(market_cap_pct=-10.0), False),
    (Guard.BLACK_SWAN, position(_STRADDLE), GuardFacts(market_cap_pct=down(-10.0)), True),
    (Guard.OWN_CRASH, position(_STRADDLE), GuardFacts(index_day_pct=-10.0), True),
    (Guard.OWN_CRASH, position(_STRADDLE), GuardFacts(index_day_pct=up(-10.0)), False),
    (Guard.OWN_CRASH, position(_PUT), GuardFacts(index_hour_pct=-5.0), True),
    (Guard.OWN_CRASH, position(_PUT), GuardFacts(index_hour_pct=up(-5.0)), False),
    (Guard.OWN_CRASH, position(_BULL), GuardFacts(vol_index_day_points=15.0), True),
    (Guard.OWN_CRASH, position(_BULL), GuardFacts(vol_index_day_points=down(15.0)), False),
    (Guard.OWN_CRASH, position(_BULL), GuardFacts(market_cap_pct=-50.0), False),
)


@pytest.mark.parametrize(("guard", "held", "facts", "fires"), CASES)
def test_each_guard_at_its_limit(
    guard: Guard, held: GregPosition, facts: GuardFacts, fires: bool
) -> None:
    """As noted in the entry document; what is unknown is silent."""
    assert (guard in firing(held, facts, (guard,))) == fires
    assert firing(position(held.code), GuardFacts(), tuple(Guard)) == {}


def test_a_put_is_held_through_a_crash_unless_the_account_is_ill() -> None:
    """Below 1.2 it is closed; a health that is not known is told."""
    facts = GuardFacts(market_cap_pct=-15.0)
    unknown = firing(position(_PUT), facts, (Guard.BLACK_SWAN,))
    assert "health is unknown" in unknown[Guard.BLACK_SWAN]
    for health, word in ((None, "hold"), (1.2, "hold"), (inf, "hold"), (down(1.2), "close")):
        said = firing(position(_PUT), evolve(facts, health=health), (Guard.BLACK_SWAN,))
        assert said[Guard.BLACK_SWAN].startswith(word)


def test_a_guard_is_told_and_changes_nothing() -> None:
    """It stands in the metrics; action, reason and priority stay what they were."""
    held = position(_STRADDLE, net_delta=0.12, dte=30.0, profit_pct=0.1, loss_pct=0.0)
    plain = advise(held)
    assert plain is not None
    found = with_guards(plain, held, GuardFacts(), tuple(Guard))

    assert "0.120" in str(found.metrics["guard_tight_delta"])
    assert "black_swan: market_cap_pct unknown" in str(found.metrics["guards_not_evaluated"])
    assert evolve(found, metrics=plain.metrics) == plain
    assert with_guards(plain, held, GuardFacts(), ()) == plain


def test_guards_go_by_their_names() -> None:
    """An unknown one is refused, with those there are."""
    assert guards_of(["iv_rise", "black_swan"]) == (Guard.IV_RISE, Guard.BLACK_SWAN)
    with pytest.raises(ValueError, match="no guard moon; there are tight_delta"):
        guards_of(["moon"])
