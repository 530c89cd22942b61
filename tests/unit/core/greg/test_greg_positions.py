"""Advice for open positions: every limit below, at and above, what is missing, and priorities."""

from math import inf, nan, nextafter

import pytest
from attrs import evolve

from core.greg.advice import Advice, GregPosition, Priority, priority_of
from core.greg.catalogue import HedgeMode, StrategyCode
from core.greg.management import (
    FundingConvention,
    PositionLimits,
    PositionVariant,
    position_rules,
)
from core.greg.positions import advise, advise_all

_HOLD, _CLOSE, _TAKE = Advice.HOLD, Advice.CLOSE, Advice.TAKE_PROFIT
_HEDGE, _ROLL, _ASSIGN = Advice.HEDGE, Advice.ROLL, Advice.ASSIGN


def position(code: StrategyCode, **facts: float | None) -> GregPosition:
    """A position of *code* on BTC."""
    return GregPosition(position_id="p1", code=code, underlying="BTC", **facts)


STRADDLE = position(StrategyCode.STRADDLE, net_delta=0.0, dte=30.0, profit_pct=0.1, loss_pct=0.0)
STRANGLE = evolve(STRADDLE, code=StrategyCode.STRANGLE)
CALENDAR = position(
    StrategyCode.CALENDAR, spot_price=1e5, strike=1e5, front_dte=5.0, profit_pct=0.1
)
SHORT_PUT = position(StrategyCode.SHORT_PUT, profit_pct=0.1, delta_abs=0.25, funding_rate=0.0001)
IRON_FLY = position(
    StrategyCode.IRON_BUTTERFLY,
    spot_price=1e5,
    center_strike=1e5,
    lower_wing=9e4,
    upper_wing=115_000.0,
    profit_pct=0.1,
)
BULL_PUT = position(StrategyCode.BULL_PUT, spot_price=1e5, short_strike=9.5e4, profit_pct=0.1)
BEAR_CALL = position(StrategyCode.BEAR_CALL, spot_price=1e5, short_strike=1.05e5, profit_pct=0.1)
# position, the fact that moves, its limit, and the advice below it, at it and above it
EDGES = (
    (STRADDLE, "loss_pct", 2.0, (_HOLD, _CLOSE, _CLOSE)),
    (STRADDLE, "profit_pct", 0.50, (_HOLD, _TAKE, _TAKE)),
    (STRADDLE, "net_delta", 0.15, (_HOLD, _HOLD, _HEDGE)),
    (STRADDLE, "net_delta", -0.15, (_HEDGE, _HOLD, _HOLD)),
    (STRADDLE, "dte", 21.0, (_ROLL, _ROLL, _HOLD)),
    (STRANGLE, "loss_pct", 2.0, (_HOLD, _CLOSE, _CLOSE)),
    (STRANGLE, "profit_pct", 0.50, (_HOLD, _TAKE, _TAKE)),
    (STRANGLE, "net_delta", 0.20, (_HOLD, _HOLD, _HEDGE)),
    (STRANGLE, "net_delta", -0.20, (_HEDGE, _HOLD, _HOLD)),
    (STRANGLE, "dte", 21.0, (_ROLL, _ROLL, _HOLD)),
    (CALENDAR, "spot_price", 105_000.0, (_HOLD, _CLOSE, _CLOSE)),
    (CALENDAR, "spot_price", 95_000.0, (_CLOSE, _CLOSE, _HOLD)),
    (CALENDAR, "front_dte", 1.0, (_CLOSE, _CLOSE, _HOLD)),
    (CALENDAR, "profit_pct", 0.30, (_HOLD, _TAKE, _TAKE)),
    (SHORT_PUT, "profit_pct", 0.70, (_HOLD, _TAKE, _TAKE)),
    (SHORT_PUT, "delta_abs", 0.80, (_HOLD, _ASSIGN, _ASSIGN)),
    (IRON_FLY, "spot_price", 90_000.0, (_CLOSE, _CLOSE, _HOLD)),
    (IRON_FLY, "spot_price", 115_000.0, (_HOLD, _CLOSE, _CLOSE)),
    (IRON_FLY, "profit_pct", 0.30, (_HOLD, _TAKE, _TAKE)),
    (BULL_PUT, "spot_price", 95_000.0, (_CLOSE, _CLOSE, _HOLD)),
    (BULL_PUT, "profit_pct", 0.60, (_HOLD, _TAKE, _TAKE)),
    (BEAR_CALL, "spot_price", 105_000.0, (_HOLD, _CLOSE, _CLOSE)),
    (BEAR_CALL, "profit_pct", 0.60, (_HOLD, _TAKE, _TAKE)),
)
NEEDED = (
    (STRADDLE, ("loss_pct", "profit_pct", "net_delta", "dte")),
    (STRANGLE, ("loss_pct", "profit_pct", "net_delta", "dte")),
    (CALENDAR, ("spot_price", "strike", "front_dte", "profit_pct")),
    (SHORT_PUT, ("profit_pct", "delta_abs")),
    (IRON_FLY, ("spot_price", "lower_wing", "upper_wing", "profit_pct")),
    (BULL_PUT, ("spot_price", "short_strike", "profit_pct")),
    (BEAR_CALL, ("spot_price", "short_strike", "profit_pct")),
)


def advice(held: GregPosition) -> Advice:
    """What is advised for *held*."""
    found = advise(held)
    assert found is not None
    return found.action


@pytest.mark.parametrize(("held", "name", "limit", "advices"), EDGES)
def test_each_limit_at_the_nearest_numbers(
    held: GregPosition, name: str, limit: float, advices: tuple[Advice, ...]
) -> None:
    """The nearest number below a limit, the limit itself, and the nearest above."""
    values = (nextafter(limit, -inf), limit, nextafter(limit, inf))
    found = [advice(evolve(held, **{name: value})) for value in values]

    assert found == list(advices)


@pytest.mark.parametrize("unknown", [None, nan, inf])
@pytest.mark.parametrize(("held", "names"), NEEDED)
def test_what_is_missing_is_said(
    held: GregPosition, names: tuple[str, ...], unknown: float | None
) -> None:
    """Each fact a rule needs: without it the position is held, and nothing stands in for it."""
    for name in names:
        found = advise(evolve(held, **{name: unknown}))
        assert found is not None
        assert (found.action, found.data_missing) == (Advice.HOLD, (name,))


@pytest.mark.parametrize("price", [0.0, -5.0])
def test_a_price_that_is_none_is_unknown(price: float) -> None:
    """Zero and less: no strike is touched by it."""
    found = advise(
        position(StrategyCode.BULL_PUT, spot_price=price, short_strike=95_000.0, profit_pct=0.1)
    )
    assert found is not None
    assert (found.action, found.data_missing) == (Advice.HOLD, ("spot_price",))


def test_all_that_is_missing_is_said_at_once() -> None:
    """Of every rule of the family, in the order they are asked."""
    found = advise(position(StrategyCode.STRADDLE, net_delta=0.0))
    assert found is not None
    assert found.data_missing == ("loss_pct", "profit_pct", "dte")


def test_holding_quotes_every_figure() -> None:
    """With the limit it stays within."""
    found = advise(STRADDLE)
    assert found is not None
    for told in ("0.00x credit < 2x", "10.0% < 50%", "|0.000| <= 0.15", "30 days to expiry > 21"):
        assert told in found.reason


def test_advice_comes_the_most_urgent_first() -> None:
    """High, then medium, then low; what has no rules is left out."""
    closing = evolve(STRADDLE, loss_pct=3.0, position_id="p2")
    taking = evolve(STRANGLE, profit_pct=0.6, position_id="p3")
    nothing = position(StrategyCode.NO_TRADE)
    found = advise_all([STRADDLE, taking, nothing, closing])
    assert [each.position_id for each in found] == ["p2", "p3", "p1"]
    late = evolve(STRADDLE, dte=20.0)
    rolled = advise_all([late], selected={"BTC": StrategyCode.STRADDLE})
    assert rolled[0].priority is Priority.MEDIUM
    assert advise_all([late], selected={"ETH": StrategyCode.STRADDLE})[0].priority is Priority.LOW


def test_a_rule_that_fires_needs_nothing_that_comes_after() -> None:
    """A loss of three credits closes, whatever else is unknown."""
    assert advice(position(StrategyCode.STRADDLE, loss_pct=3.0)) is Advice.CLOSE


def test_one_advice_the_first_that_fires() -> None:
    """Loss before profit before delta before days; the calendar's move before its front leg."""
    tilted = evolve(STRADDLE, loss_pct=2.5, profit_pct=0.9, net_delta=0.5, dte=3.0)
    assert advice(tilted) is Advice.CLOSE
    assert advice(evolve(tilted, loss_pct=0.0)) is Advice.TAKE_PROFIT
    assert advice(evolve(tilted, loss_pct=0.0, profit_pct=0.0)) is Advice.HEDGE
    late = evolve(tilted, loss_pct=0.0, profit_pct=0.0, net_delta=0.0)
    assert advice(late) is Advice.ROLL
    moved = advise(evolve(CALENDAR, spot_price=2e5, front_dte=0.0, profit_pct=0.9))
    assert moved is not None
    assert "from the strike" in moved.reason
    assert advice(evolve(SHORT_PUT, profit_pct=0.9, delta_abs=0.9)) is Advice.TAKE_PROFIT


@pytest.mark.parametrize(
    ("variant", "held", "name", "limit", "advices"),
    [
        (
            PositionVariant.EARLY_PUT,
            evolve(SHORT_PUT, loss_pct=0.0),
            *("delta_abs", 0.5, (_HOLD, _ASSIGN, _ASSIGN)),
        ),
        (
            PositionVariant.EARLY_PUT,
            SHORT_PUT,
            *("loss_pct", 2.0, (_HOLD, _ASSIGN, _ASSIGN)),
        ),
        (
            PositionVariant.EXPECTED_MOVE,
            evolve(CALENDAR, spot_price=1.06e5),
            *("expected_move_pct", 0.06, (_CLOSE, _CLOSE, _HOLD)),
        ),
        (
            PositionVariant.BREAK_EVEN,
            evolve(IRON_FLY, credit_usd=8000.0, loss_pct=0.0),
            *("spot_price", 92_000.0, (_CLOSE, _CLOSE, _HOLD)),
        ),
        (
            PositionVariant.BREAK_EVEN,
            evolve(IRON_FLY, credit_usd=8000.0),
            *("loss_pct", 1.0, (_HOLD, _CLOSE, _CLOSE)),
        ),
    ],
)
def test_variants_at_their_limits(
    variant: PositionVariant,
    held: GregPosition,
    name: str,
    limit: float,
    advices: tuple[Advice, ...],
) -> None:
    """The nearest numbers about each; what they need and do not have is said."""
    values = (nextafter(limit, -inf), limit, nextafter(limit, inf))
    found = [advise(evolve(held, **{name: each}), variants={variant}) for each in values]
    assert [each.action for each in found if each] == list(advices)
    missing = advise(evolve(held, **{name: None}), variants={variant})
    assert missing is not None
    assert name in missing.data_missing


def test_a_hedge_and_a_roll_are_told_together() -> None:
    """Where the setting says so; what comes first stays the action."""
    both = evolve(STRADDLE, net_delta=0.2, dte=20.0)
    found = advise(both, variants={PositionVariant.HEDGE_AND_ROLL})
    plain = advise(both)
    assert found is not None
    assert plain is not None
    assert (found.action, found.secondary_actions) == (_HEDGE, (_ROLL,))
    assert evolve(found, secondary_actions=()) == plain
    closing = advise(evolve(both, loss_pct=3.0), variants={PositionVariant.HEDGE_AND_ROLL})
    assert closing is not None
    assert closing.secondary_actions == ()


def test_variants_change_nothing_when_off() -> None:
    """No limit of theirs is asked without them."""
    for held in (SHORT_PUT, CALENDAR, IRON_FLY):
        known = evolve(held, loss_pct=1.5, expected_move_pct=1e-9, credit_usd=1e-9, delta_abs=0.6)
        assert advice(known) is Advice.HOLD


def test_reasons_quote_figure_and_limit() -> None:
    """And a hedge names its direction and size."""
    long_delta = advise(evolve(STRADDLE, net_delta=0.22))
    short_delta = advise(evolve(STRADDLE, net_delta=-0.22))
    assert long_delta is not None
    assert short_delta is not None
    assert "short the perpetual" in long_delta.reason
    assert "0.220" in long_delta.reason
    assert "0.15" in long_delta.reason
    assert "long the perpetual" in short_delta.reason
    rolled = advise(evolve(STRADDLE, dte=20.0))
    assert rolled is not None
    assert "20" in rolled.reason
    assert "21" in rolled.reason
    assert "re-centre" in rolled.reason


@pytest.mark.parametrize(
    ("rate", "convention", "where"),
    [
        (0.0001, FundingConvention.AS_SPECIFIED, "through the perp"),
        (0.0, FundingConvention.AS_SPECIFIED, "through the perp"),
        (-0.0001, FundingConvention.AS_SPECIFIED, "by spot"),
        (0.0001, FundingConvention.CARRY_AWARE, "by spot"),
        (0.0, FundingConvention.CARRY_AWARE, "by spot"),
        (-0.0001, FundingConvention.CARRY_AWARE, "through the perp"),
    ],
)
def test_taking_the_coin_follows_funding(
    rate: float, convention: FundingConvention, where: str
) -> None:
    """As specified, or as the carry says; either way the carry is told."""
    found = advise(evolve(SHORT_PUT, delta_abs=0.9, funding_rate=rate), convention=convention)

    assert found is not None
    assert where in found.reason
    other = {"by spot": "perp", "through the perp": "spot"}[where]
    assert other not in found.reason
    assert f"{-rate:+.5%} a period" in found.reason


def test_unknown_funding_prefers_nothing() -> None:
    """There is no preference to state."""
    found = advise(evolve(SHORT_PUT, delta_abs=0.9, funding_rate=None))

    assert found is not None
    assert "perp" not in found.reason
    assert "spot" not in found.reason


def test_nothing_is_advised_for_what_has_no_rules() -> None:
    """No trade is no position."""
    assert advise(position(StrategyCode.NO_TRADE)) is None


def test_metrics_are_those_of_the_family() -> None:
    """By the names of the interface."""
    names = {
        held.code: set(found.metrics)
        for held in (STRADDLE, CALENDAR, SHORT_PUT, IRON_FLY, BULL_PUT, BEAR_CALL)
        if (found := advise(held)) is not None
    }
    assert names[StrategyCode.STRADDLE] == {
        *("net_delta", "target_delta_abs", "dte", "profit_pct", "loss_pct"),
    }
    assert names[StrategyCode.CALENDAR] == {
        *("spot_price", "strike", "price_move_pct", "front_dte", "profit_pct"),
    }
    assert names[StrategyCode.SHORT_PUT] == {"delta_abs", "profit_pct", "funding_rate"}
    assert names[StrategyCode.IRON_BUTTERFLY] == {
        *("spot_price", "center_strike", "lower_wing", "upper_wing", "profit_pct"),
    }
    spread = {"spot_price", "short_strike", "is_bull_put", "profit_pct"}
    assert names[StrategyCode.BULL_PUT] == names[StrategyCode.BEAR_CALL] == spread
    bull = advise(BULL_PUT)
    assert bull is not None
    assert bull.metrics["is_bull_put"] is True


def test_priorities_in_their_order() -> None:
    """Closing, heavy losses and tilts are high; the rest by the action, a roll by the selector."""
    assert priority_of(Advice.CLOSE, STRADDLE) is Priority.HIGH
    assert priority_of(Advice.HOLD, evolve(STRADDLE, loss_pct=2.0)) is Priority.HIGH
    assert priority_of(Advice.HOLD, evolve(STRADDLE, net_delta=-0.31)) is Priority.HIGH
    assert priority_of(Advice.HEDGE, evolve(STRADDLE, net_delta=0.3)) is Priority.MEDIUM
    assert priority_of(Advice.TAKE_PROFIT, STRADDLE) is Priority.MEDIUM
    assert priority_of(Advice.ASSIGN, SHORT_PUT) is Priority.MEDIUM
    assert priority_of(Advice.HOLD, STRADDLE) is Priority.LOW
    assert priority_of(Advice.ROLL, STRADDLE) is Priority.LOW
    assert priority_of(Advice.ROLL, STRADDLE, StrategyCode.STRADDLE) is Priority.MEDIUM


def rules(**told: object) -> dict[str, object]:
    """A rule document of the position engine."""
    return {"meta": {"module": "POSITION_ENGINE", "version": "1.1"}, **told}


def test_limits_come_from_the_document() -> None:
    """A number changed there changes the advice."""
    late = position_rules(rules(calibration={"straddle_close_at_dte": 35}))
    found = advise(STRADDLE, late)

    assert found is not None
    assert found.action is Advice.ROLL


def test_hedges_come_from_the_document() -> None:
    """Without a block none; without a band 0.15; an unknown mode is none; the old word is read."""
    told = {
        "STRATEGY_A_STRADDLE": {"mode": "delta_hedge_perp"},
        "STRATEGY_A_STRANGLE": {"mode": "LIGHT_DELTA", "delta_threshold": 0.3},
        "STRATEGY_B_CALENDAR": {"mode": "SOMETIMES"},
        "STRATEGY_C_SHORT_PUT": {"mode": "DYNAMIC_DELTA", "delta_threshold": 0.1},
    }
    revision_1_0 = position_rules(rules()).hedges
    found = position_rules(rules(hedges=told)).hedges

    straddle, strangle = found[StrategyCode.STRADDLE], found[StrategyCode.STRANGLE]
    assert (straddle.mode, straddle.band) == (HedgeMode.DYNAMIC_DELTA, 0.15)
    assert (strangle.mode, strangle.band) == (HedgeMode.LIGHT_DELTA, 0.3)
    assert found[StrategyCode.CALENDAR].mode is HedgeMode.NONE
    fly, put = found[StrategyCode.IRON_BUTTERFLY], found[StrategyCode.SHORT_PUT]
    assert (fly.mode, fly.band, put.mode) == (HedgeMode.NONE, 999.0, HedgeMode.NONE)
    assert {(each.mode, each.band) for each in revision_1_0.values()} == {(HedgeMode.NONE, 999.0)}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"meta": {"module": "ENTRY_ENGINE", "version": "8.0"}}, "module ENTRY_ENGINE"),
        (rules(calibration={"straddle_profit": 1}), "straddle_profit: unknown"),
        (rules(calibration={"spread_profit_take_pct": nan}), "not a finite number"),
        (rules(hedges=[1]), "hedges"),
        (
            rules(hedges={"STRATEGY_A_STRADDLE": {"mode": "NONE", "delta_threshold": "x"}}),
            "STRATEGY_A_STRADDLE.delta_threshold",
        ),
    ],
)
def test_a_foreign_document_is_refused(told: dict[str, object], said: str) -> None:
    """With what is wrong in it."""
    with pytest.raises(ValueError, match=said):
        position_rules(told)


def test_every_limit_can_be_overridden() -> None:
    """By its own name, and by no other."""
    assert PositionLimits().overridden({"short_put_stop_delta_abs": 0.5}) == PositionLimits(
        short_put_stop_delta_abs=0.5
    )


def test_codes_may_be_plain_words() -> None:
    """As a document or a log tells them; one that is unknown has no advice."""
    for held in (STRADDLE, CALENDAR, SHORT_PUT, IRON_FLY, BULL_PUT, BEAR_CALL):
        plain = advise(evolve(held, code=str(held.code)))
        ours = advise(held)
        assert plain is not None
        assert ours is not None
        assert (plain.action, plain.metrics, plain.priority) == (
            ours.action,
            ours.metrics,
            ours.priority,
        )
    assert advise(evolve(STRADDLE, code="STRATEGY_E_JADE_LIZARD")) is None
