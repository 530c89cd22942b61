"""Reasons as they read, and what engines make of odd words and figures."""

from math import inf, nextafter
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from core.context.sensors import Sensors
from core.greg.advice import Advice, GregPosition
from core.greg.catalogue import HedgeMode, StrategyCode
from core.greg.evaluations import evaluations
from core.greg.management import position_rules
from core.greg.modes import ModeState, with_flags, with_master
from core.greg.positions import advise
from core.greg.thresholds import EntryThresholds
from core.greg.waterfall import select
from core.greg.words import beside, percent_beside
from tests.support.greg_markets import STRADDLE


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [(34.2, 35.0, "34.2"), (35.0, 35.0, "35.0"), (35.04, 35.0, "35.04"), (34.96, 35.0, "34.96")],
)
def test_a_figure_never_reads_like_a_limit_that_it_is_not(
    value: float, limit: float, text: str
) -> None:
    """It has as many decimals as tell the two apart."""
    assert beside(value, limit, 1) == text


def test_percentages_read_the_same_way() -> None:
    """0.3 is 30.0%, and what lies just below is not."""
    assert percent_beside(0.3, 0.3, 1) == "30.0%"
    assert percent_beside(0.29999, 0.3, 1) == "29.999%"


def test_reasons_beside_their_limits() -> None:
    """Of the waterfall, its criteria and the position engine, one step off a limit."""
    safe = select(evolve(STRADDLE, adx_14d=35.001), EntryThresholds())
    assert safe.reasoning == "safety: ADX 35.001 > 35"
    rows = evaluations(select(evolve(STRADDLE, vrp_30d=14.999)), EntryThresholds())
    assert rows[0].criteria[0].note == "below_min (14.999 < 15)"
    held = GregPosition(
        position_id="p1",
        code=StrategyCode.STRADDLE,
        underlying="BTC",
        loss_pct=nextafter(2.0, -inf),
        profit_pct=0.49999,
        net_delta=0.15,
        dte=22.0,
    )
    found = advise(held)
    assert found is not None
    assert "loss 1.9999999999999998x credit < 2x" in found.reason
    assert "profit 49.999% < 50%" in found.reason


def test_a_price_that_is_none_is_missing() -> None:
    """A strike of nothing is no strike: the position is held and says so."""
    held = GregPosition(
        position_id="p1",
        code=StrategyCode.CALENDAR,
        underlying="BTC",
        spot_price=1e5,
        strike=0.0,
        front_dte=5.0,
        profit_pct=0.1,
    )
    found = advise(held)
    assert found is not None
    assert (found.action, found.data_missing) == (Advice.HOLD, ("strike",))


def test_a_whole_rule_document_serves_as_thresholds() -> None:
    """Its limits and its steps; without steps it falls back, and a foreign one is refused."""
    meta = {"module": "ENTRY_ENGINE", "version": "8.0"}
    rich = evolve(STRADDLE, vrp_30d=13.0)

    assert select(rich, {"meta": meta}).strategy is StrategyCode.STRANGLE
    lower = select(rich, {"meta": meta, "calibration": {"straddle_vrp_min": 12}})
    assert lower.strategy is StrategyCode.STRADDLE
    nowhere = select(rich, {"meta": meta, "steps": []})
    assert (nowhere.strategy, nowhere.step_name) == (StrategyCode.NO_TRADE, "FALLBACK")
    with pytest.raises(ValueError, match="not rules of ENTRY_ENGINE"):
        select(Sensors(), {"calibration": {}})


def test_sensors_are_told_by_name() -> None:
    """What is left out is missing, what is no sensor is passed over, and a word is refused."""
    told: dict[str, Any] = {"vrp_30d": 19, "skew_25d": 0.0, "iv_30d": 60.0}
    told["chop_factor_7d"] = np.float32(0.5)
    found = select(told, {})

    assert (found.strategy, found.step_name) == (StrategyCode.NO_TRADE, "DEFAULT")
    assert found.safety_degraded
    assert select({**told, "adx_14d": 14.0}, {}).strategy is StrategyCode.STRADDLE
    words: tuple[Any, ...] = ("14", True, [14.0])
    for wrong in words:
        with pytest.raises(ValueError, match="adx_14d: not a number"):
            select({**told, "adx_14d": wrong}, {})


def test_a_position_may_be_told_by_name() -> None:
    """As JSON tells it; what is left out is missing, and what is no position is refused."""
    told = {
        "position_id": "p1",
        "strategy_code": "STRATEGY_A_STRADDLE",
        "underlying": "BTC",
        "loss_pct": 2,
        "opened_by": "somebody",
    }
    closing, blind = advise(told), advise({**told, "loss_pct": None})

    assert closing is not None
    assert (closing.action, closing.code) == (Advice.CLOSE, StrategyCode.STRADDLE)
    assert blind is not None
    assert blind.data_missing == ("loss_pct", "profit_pct", "net_delta", "dte")
    assert advise({**told, "strategy_code": "STRATEGY_E_JADE_LIZARD"}) is None
    with pytest.raises(ValueError, match="underlying: missing; dte: not a number: 'late'"):
        advise({**told, "underlying": None, "dte": "late"})


def test_a_mode_that_is_no_word_hedges_nothing() -> None:
    """As one that is unknown."""
    meta = {"module": "POSITION_ENGINE", "version": "1.1"}
    blocks = {"STRATEGY_A_STRADDLE": {"mode": ["DYNAMIC_DELTA"]}}

    rule = position_rules({"meta": meta, "hedges": blocks}).hedges[StrategyCode.STRADDLE]
    assert (rule.mode, rule.band) == (HedgeMode.NONE, 0.15)


def test_only_true_opens_a_gate() -> None:
    """No word does, not even one that a form might send."""
    told = {"STRATEGY_A_STRADDLE": "false", "STRATEGY_A_STRANGLE": True}

    assert with_flags(ModeState(), told).strategies == {StrategyCode.STRANGLE}  # type: ignore[arg-type]
    assert not with_master(ModeState(), enable_live="no").enable_live  # type: ignore[arg-type]
