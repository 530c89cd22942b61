"""Hedges by the position and by the book: what leans, whose part it is, and what is left out."""

from datetime import UTC, datetime, timedelta
from math import fsum

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.greg.catalogue import HedgeMode, StrategyCode
from core.greg.hedge_needs import HedgeNeed, HedgeSight, hedge_need
from core.greg.hedging import HedgeScope, HedgeTerms
from core.greg.holdings import HeldLeg, Holding, hedged_of
from core.greg.management import HedgeRule, PositionRules
from ports.instruments import OptionContract, OptionKind
from ports.market_data import MarketSnapshot
from tests.support.sensing import chain_at

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARKET = chain_at(NOW, (30.0,))
CALL = OptionContract("BTC", NOW + timedelta(days=30), 1e5, OptionKind.CALL)
RULES = PositionRules()
BOOK = HedgeTerms(scope=HedgeScope.BOOK)


def leaning(
    position_id: str, net_delta: float, code: StrategyCode = StrategyCode.STRADDLE
) -> Holding:
    """A position of one short call, with as much of the perpetual as makes it lean so."""
    bare = Holding(
        position_id=position_id,
        code=code,
        underlying="BTC",
        legs=(HeldLeg(CALL, -1.0, 0.05),),
        opened_at=NOW - timedelta(days=1),
    )
    hedged = hedged_of(bare, MARKET, NOW)
    assert hedged is not None
    return evolve(bare, perp_usd=(net_delta - hedged.net_delta) * MARKET.index_usd)


def sight(*held: Holding, terms: HedgeTerms = BOOK) -> HedgeSight:
    """Those positions on the market, by the shipped rules."""
    return HedgeSight(
        held=held,
        snapshot=MARKET,
        rule_of=lambda holding, _: RULES.hedges[holding.code],
        terms=terms,
        now=NOW,
    )


def needs(*held: Holding, terms: HedgeTerms = BOOK) -> list[HedgeNeed]:
    """What each of them needs."""
    return [hedge_need(each, sight(*held, terms=terms)) for each in held]


def coins(*held: Holding, terms: HedgeTerms = BOOK) -> list[float]:
    """The coin that each of them needs, zero without an order."""
    return [0.0 if each.order is None else each.order.needed for each in needs(*held, terms=terms)]


def test_by_the_position_each_is_hedged_for_itself() -> None:
    """The shipped way: that another leans against it changes nothing."""
    held = leaning("a", 0.3), leaning("b", -0.3)
    assert coins(*held, terms=HedgeTerms()) == pytest.approx([-0.3, 0.3])


def test_by_the_book_what_leans_against_each_other_is_left() -> None:
    """Each is beyond its band, both together are not."""
    assert coins(leaning("a", 0.3), leaning("b", -0.2)) == [0.0, 0.0]


def test_by_the_book_what_leans_alike_adds_up() -> None:
    """Each is within its band, both together are not; each is hedged of its own."""
    assert coins(leaning("a", 0.1), leaning("b", 0.08)) == pytest.approx([-0.1, -0.08])


def test_the_furthest_gives_way_first() -> None:
    """0.4 are too much, of which the one that leans most takes what it has, another the rest."""
    found = coins(leaning("a", 0.2), leaning("b", -0.1), leaning("c", 0.3))
    assert found == pytest.approx([-0.1, 0.0, -0.3])


@pytest.mark.parametrize("net_delta", [0.1, -0.3, 0.151])
def test_alone_it_is_the_same(net_delta: float) -> None:
    """A book of one position."""
    held = leaning("a", net_delta)
    assert needs(held) == needs(held, terms=HedgeTerms())


def test_the_band_is_that_of_its_own_strategy() -> None:
    """A lean of 0.2 is too much for the straddle, and not for the fly, whose band is 0.25."""
    fly = leaning("b", 0.1, StrategyCode.IRON_BUTTERFLY)
    assert coins(leaning("a", 0.1), fly) == pytest.approx([-0.1, 0.0])


def test_only_what_is_hedged_beside_it_counts() -> None:
    """No sandbox, no other coin, no strategy that is not hedged, no perpetual without options."""
    others = (
        evolve(leaning("b", 0.3), sandbox=True),
        evolve(leaning("c", 0.3), underlying="ETH"),
        leaning("d", 0.3, StrategyCode.SHORT_PUT),
        evolve(leaning("e", 0.3), legs=()),
    )
    held = leaning("a", 0.1)
    assert hedge_need(held, sight(held, *others)).order is None
    found = hedge_need(held, sight(held, *others)).leaning
    assert found is not None
    assert found.net_delta == pytest.approx(0.1)


def test_a_perpetual_without_options_is_alone() -> None:
    """What hedges nothing any more is taken off whole, whoever leans against it."""
    left = evolve(leaning("a", 0.0), legs=(), perp_usd=30_000.0)
    assert coins(left, leaning("b", -0.3)) == pytest.approx([-0.3, 0.3])


def test_a_strategy_whose_hedge_is_switched_off_does_not_count() -> None:
    """By the rule document, which makes its mode NONE."""
    straddle, strangle = leaning("a", 0.1), leaning("b", 0.3, StrategyCode.STRANGLE)
    off = {**RULES.hedges, strangle.code: evolve(RULES.hedges[strangle.code], mode=HedgeMode.NONE)}
    seen = evolve(sight(straddle, strangle), rule_of=lambda holding, _: off[holding.code])

    assert hedge_need(straddle, seen).order is None
    assert hedge_need(strangle, seen).order is None


@pytest.mark.parametrize("terms", [BOOK, HedgeTerms()])
def test_without_a_delta_nothing_is_known(terms: HedgeTerms) -> None:
    """A market that quotes nothing: there is no order, and it is said why."""
    dark = evolve(MARKET, chain=MARKET.chain.where(MARKET.chain.strike > 1e9))
    held = leaning("a", 0.3), leaning("b", 0.3)
    found = hedge_need(held[0], evolve(sight(*held, terms=terms), snapshot=dark))

    assert (found.leaning, found.order) == (None, None)


def test_a_band_made_of_gamma_is_made_of_all_of_it() -> None:
    """The rule is asked for with the legs of the whole book."""
    seen: list[Holding] = []

    def rule_of(holding: Holding, _: MarketSnapshot) -> HedgeRule:
        seen.append(holding)
        return RULES.hedges[holding.code]

    held = leaning("a", 0.3), leaning("b", 0.3)
    hedge_need(held[0], evolve(sight(*held), rule_of=rule_of))
    assert len(seen[-1].legs) == 2
    assert seen[-1].position_id == "a"


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=6))
def test_the_parts_are_what_the_book_needs(leans: list[float]) -> None:
    """
    They add up to it, but for what is less than the least order; each takes its position nearer
    to zero, so that it is a hedge of it and of nothing else.
    """
    held = [leaning(f"p{number}", lean) for number, lean in enumerate(leans)]
    found, net = coins(*held), fsum(leans)

    if abs(net) <= 0.15 - 1e-9:
        assert not any(found)
    elif abs(net) >= 0.15 + 1e-9:
        assert abs(net + fsum(found)) <= 0.001 * len(leans)
    for lean, coin in zip(leans, found, strict=True):
        assert abs(lean + coin) <= abs(lean) + 1e-12
        assert coin == 0.0 or abs(coin) >= 0.001
