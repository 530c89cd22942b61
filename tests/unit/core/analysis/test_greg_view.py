"""Greg's positions and sensors as they are shown: badges, colours, figures, sums."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from core.analysis.greg_view import (
    AdviceTerms,
    Mood,
    PositionView,
    badge_of,
    hedge_view,
    mood_of,
    position_view,
    sandbox_summary,
)
from core.greg.catalogue import StrategyCode
from core.greg.guards import Guard
from core.greg.hedge_needs import HedgeSight
from core.greg.hedging import HedgeTerms
from core.greg.holdings import HeldLeg, Holding
from core.greg.management import FundingConvention, PositionRules
from core.greg.modes import Environment, Mode
from ports.instruments import OptionContract, OptionKind
from tests.support.sensing import chain_at

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARKET = chain_at(NOW, (30.0,))
EXPIRY = NOW + timedelta(days=30)
HELD = Holding(
    position_id="p",
    code=StrategyCode.STRADDLE,
    underlying="BTC",
    legs=tuple(
        HeldLeg(OptionContract("BTC", EXPIRY, strike, kind), -0.5, 0.09)
        for strike, kind in ((9e4, OptionKind.CALL), (9e4, OptionKind.PUT))
    ),
    opened_at=NOW - timedelta(days=2),
)
TERMS = AdviceTerms(
    rules=PositionRules(),
    convention=FundingConvention.AS_SPECIFIED,
    guards=(),
    mode=Mode.ADVICE_ONLY,
    environment=Environment.TESTNET,
)


def shown(holding: Holding = HELD, terms: AdviceTerms = TERMS) -> PositionView:
    """What is shown of *holding*."""
    found = position_view(holding, MARKET, terms)
    assert found is not None
    return found


def test_figures_come_from_the_engines() -> None:
    """Notional is contracts times index; profit in percent and in USD; advice and urgency."""
    found = shown()

    assert found.notional == 50_000.0
    assert found.size == 0.5
    assert found.pnl_pct is not None
    assert found.pnl_usd == pytest.approx(found.pnl_pct / 100.0 * 0.09 * 1e5)
    assert found.suggested_action == found.suggestion.action == "HEDGE"
    assert found.urgency == "medium"
    assert found.net_delta is not None
    assert found.net_delta < -0.15
    assert found.dte == 30.0


def test_the_first_badge_that_applies() -> None:
    """Sandbox before testnet before live."""
    sandbox = evolve(HELD, sandbox=True)
    main = evolve(TERMS, environment=Environment.MAINNET)
    assert badge_of(sandbox, evolve(main, mode=Mode.LIVE)) == "SANDBOX"
    assert badge_of(HELD, evolve(TERMS, mode=Mode.LIVE)) == "DEMO"
    assert badge_of(HELD, evolve(main, mode=Mode.LIVE)) == "LIVE"
    assert badge_of(HELD, main) == "PAPER"


def test_guards_show_only_where_they_are_in_use() -> None:
    """In the metrics of the advice."""
    assert not any(name.startswith("guard") for name in shown().suggestion.metrics)
    guarded = shown(terms=evolve(TERMS, guards=(Guard.TIGHT_DELTA,)))
    assert "guard_tight_delta" in guarded.suggestion.metrics


def test_a_hedge_is_proposed_beyond_the_band() -> None:
    """With its order; within it, or without deltas, there is none."""
    rule = PositionRules().hedges[StrategyCode.STRADDLE]
    sight = HedgeSight(
        held=(HELD,),
        snapshot=MARKET,
        rule_of=lambda *_: rule,
        terms=HedgeTerms(),
        now=MARKET.taken_at,
    )
    leaning = hedge_view(HELD, sight)
    assert leaning.status == "proposed"
    assert leaning.order is not None
    assert leaning.net_delta is not None
    held = evolve(HELD, perp_usd=-leaning.net_delta * MARKET.index_usd)
    assert hedge_view(held, sight).status == "within_band"
    chain = MARKET.chain
    dark = evolve(MARKET, chain=chain.where(chain.strike > 1e9))
    assert hedge_view(HELD, evolve(sight, snapshot=dark)).status == "data_missing: delta"


def test_the_newest_run_of_the_sandbox_is_summed() -> None:
    """By coin; positions outside of it do not count, whatever run they name."""
    first = evolve(HELD, sandbox=True, run_id="GREG_SANDBOX_20260301T000000Z")
    second = evolve(HELD, sandbox=True, run_id="GREG_SANDBOX_20260302T000000Z")
    outside = evolve(HELD, run_id="GREG_SANDBOX_20260303T000000Z")
    views = [shown(each) for each in (outside, first, second, second)]
    found = sandbox_summary(views)

    assert found is not None
    assert (found.run_id, found.btc_count, found.eth_count) == (second.run_id, 2, 0)
    assert views[0].pnl_pct is not None
    assert found.total_pnl_pct == pytest.approx(2.0 * views[0].pnl_pct)
    assert sandbox_summary([shown()]) is None


@pytest.mark.parametrize(
    ("sensor", "good", "neutral", "bad"),
    [
        ("vrp_30d", 10.0, 9.99, 0.0),
        ("chop_factor_7d", 0.6, 0.61, 0.9),
        ("adx_14d", 20.0, 20.1, 30.0),
        ("rsi_14d", 30.0, None, 29.9),
        ("rsi_14d", 70.0, None, 70.1),
        ("price_vs_ma200", None, -14.9, -15.0),
        ("price_vs_ma200", None, 24.9, 25.0),
        ("iv_rank_6m", 0.7, 0.69, 0.3),
        ("term_structure_spread", None, 4.9, 5.0),
        ("skew_25d", None, -4.9, -5.0),
        ("skew_25d", None, 4.9, 5.0),
        ("vrp_7d", None, 99.0, None),
    ],
)
def test_colours_at_their_limits(
    sensor: str, good: float | None, neutral: float | None, bad: float | None
) -> None:
    """Good, bad and neither; unknown is neither."""
    for value, mood in ((good, Mood.GOOD), (neutral, Mood.NEUTRAL), (bad, Mood.BAD)):
        if value is not None:
            assert mood_of(sensor, value) is mood
    assert mood_of(sensor, None) is Mood.NEUTRAL
