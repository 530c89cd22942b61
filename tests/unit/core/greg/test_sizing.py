"""Sizes of openings: the largest multiple of the least lot that every cap allows, or none."""

from datetime import UTC, datetime, timedelta
from math import inf, nan

import mpmath
import pytest
from attrs import evolve

from core.greg.catalogue import STRATEGY_ID, StrategyCode
from core.greg.holdings import HeldLeg, Holding
from core.greg.modes import Caps, Mode, ModeState
from core.greg.size_facts import Means, size_facts, sized_by, worst_loss_coin
from core.greg.sizing import SizeCaps, SizeFacts, sized, with_notional
from core.greg.structures import NoStructure, PlannedLeg, Structure
from core.pricing.black76 import premium_coin
from ports.instruments import OptionContract, OptionKind
from ports.trading import Side
from tests.support.books import account
from tests.support.markets import RULES
from tests.support.sensing import chain_at, smile

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARKET = chain_at(NOW, (30.0,))
CALL, PUT = OptionKind.CALL, OptionKind.PUT
FACTS = SizeFacts(
    equity_usd=100_000.0,
    risk_usd=10_000.0,
    vega_usd=100.0,
    tied_usd=40_000.0,
    notional_usd=100_000.0,
)


def contract(kind: OptionKind, strike: float) -> OptionContract:
    return OptionContract("BTC", NOW + timedelta(days=30), strike, kind)


def mark(kind: OptionKind, strike: float) -> float:
    iv = smile(30.0, float(mpmath.log(strike / 1e5)))
    return float(premium_coin(1e5, strike, 30.0 / 365.0, iv, kind is CALL))


def planned(kind: OptionKind, strike: float, side: Side = Side.SELL) -> PlannedLeg:
    price = mark(kind, strike)
    return PlannedLeg(
        contract=contract(kind, strike), side=side, bid=price, ask=price, mark=price, delta=0.0
    )


STRADDLE = Structure(code=StrategyCode.STRADDLE, legs=(planned(CALL, 1e5), planned(PUT, 1e5)))
BULL_PUT = Structure(
    code=StrategyCode.BULL_PUT, legs=(planned(PUT, 9e4), planned(PUT, 8e4, Side.BUY))
)


def legs_of(structure: Structure) -> tuple[HeldLeg, ...]:
    return tuple(
        HeldLeg(each.contract, float(each.side.sign), each.mark) for each in structure.legs
    )


def holding(structure: Structure, size: float = 1.0, **told: object) -> Holding:
    """*structure* as it is held, in so many contracts."""
    legs = tuple(evolve(leg, size=size * leg.size) for leg in legs_of(structure))
    made = Holding(
        position_id=f"{STRATEGY_ID}-{structure.code}",
        code=structure.code,
        underlying="BTC",
        legs=legs,
        opened_at=NOW,
    )
    return evolve(made, **told)


def facts_of(*held: Holding, structure: Structure = STRADDLE, but: str = "") -> SizeFacts:
    """What caps look at, for an account of ten coins."""
    found = size_facts(structure, Means(snapshot=MARKET, account=account(), held=held, but=but))
    assert isinstance(found, SizeFacts)
    return found


@pytest.mark.parametrize(
    ("facts", "caps", "amount"),
    [
        (FACTS, SizeCaps(), 0.2),
        (evolve(FACTS, risk_usd=9_999.0), SizeCaps(), 0.2),
        (evolve(FACTS, risk_usd=10_001.0), SizeCaps(), 0.1),
        (evolve(FACTS, risk_usd=20_000.0), SizeCaps(), 0.1),
        (evolve(FACTS, risk_usd=20_001.0), SizeCaps(), None),
        (evolve(FACTS, vega_usd=300_000.0), SizeCaps(), 0.1),
        (evolve(FACTS, vega_usd=300_001.0), SizeCaps(), None),
        (evolve(FACTS, open_vega_usd=29_990.0), SizeCaps(), 0.1),
        (FACTS, SizeCaps(position_usd=10_000.0), 0.1),
        (FACTS, SizeCaps(position_usd=9_999.0), None),
        (FACTS, SizeCaps(position_usd=500.0), None),
        (evolve(FACTS, open_notional_usd=15_000.0), SizeCaps(underlying_usd=25_000.0), 0.1),
        (evolve(FACTS, open_notional_usd=15_001.0), SizeCaps(underlying_usd=25_000.0), None),
        (evolve(FACTS, other_strategies=2), SizeCaps(), None),
        (evolve(FACTS, other_strategies=1), SizeCaps(), 0.2),
        (evolve(FACTS, equity_usd=0.0), SizeCaps(), None),
    ],
)
def test_the_largest_amount_within_every_cap(
    facts: SizeFacts, caps: SizeCaps, amount: float | None
) -> None:
    """In whole lots of a tenth; nothing rather than less than one."""
    found = sized(STRADDLE, facts, caps, RULES)
    if amount is None:
        assert isinstance(found, NoStructure)
        assert found.reason
    else:
        assert isinstance(found, Structure)
        assert found.amount == amount


@pytest.mark.parametrize(
    ("tied_usd", "open_usd", "share", "amount"),
    [
        (249_999.0, 0.0, 0.25, 0.1),
        (250_000.0, 0.0, 0.25, 0.1),
        (250_001.0, 0.0, 0.25, None),
        (125_000.0, 0.0, 0.25, 0.2),
        (125_001.0, 0.0, 0.25, 0.1),
        (125_000.0, 12_499.0, 0.25, 0.1),
        (125_000.0, 12_500.0, 0.25, 0.1),
        (125_000.0, 12_501.0, 0.25, None),
        (125_000.0, 0.0, 0.124, None),
    ],
)
def test_the_share_of_equity_at_below_and_above(
    tied_usd: float, open_usd: float, share: float, amount: float | None
) -> None:
    """A quarter of equity, what is open already counted; a tighter share binds sooner."""
    facts = evolve(FACTS, tied_usd=tied_usd, open_tied_usd=open_usd)
    found = sized(STRADDLE, facts, SizeCaps(equity_share=share), RULES)

    assert (found.amount if isinstance(found, Structure) else None) == amount
    if isinstance(found, NoStructure):
        assert "% of equity tied up leaves" in found.reason


@pytest.mark.parametrize(("is_open", "is_sized"), [(1, True), (2, True), (3, False), (4, False)])
def test_positions_of_a_coin_at_below_and_above(is_open: int, is_sized: bool) -> None:
    """At most three with the one that is opened, whatever their strategies."""
    found = sized(STRADDLE, evolve(FACTS, open_positions=is_open), SizeCaps(), RULES)

    assert isinstance(found, Structure) == is_sized
    if isinstance(found, NoStructure):
        assert found.reason == f"{is_open} positions are open on the coin already, at most 3"


@pytest.mark.parametrize(("most", "amount"), [(0.1, 0.1), (0.19, 0.1), (0.2, 0.2), (9.0, 0.2)])
def test_never_more_than_was_asked_for(most: float, amount: float) -> None:
    """A roll opens no more than was closed, whatever the caps leave."""
    found = sized(STRADDLE, FACTS, SizeCaps(), RULES, most)

    assert isinstance(found, Structure)
    assert found.amount == amount


def test_nothing_that_says_how_much_is_no_size() -> None:
    """A structure that may lose nothing and ties nothing up is not opened without end."""
    facts = evolve(FACTS, risk_usd=0.0, vega_usd=0.0, tied_usd=0.0)

    assert sized(STRADDLE, facts, SizeCaps(), RULES) == NoStructure("no cap says how much")


def test_notional_binds_in_live_alone() -> None:
    """By the caps of the mode as it stands."""
    state = ModeState(caps=Caps(per_position_usd=500.0, per_underlying_usd=2_000.0))
    live = with_notional(SizeCaps(), evolve(state, mode=Mode.LIVE))

    assert with_notional(SizeCaps(), evolve(state, mode=Mode.PAPER)) == SizeCaps()
    assert (live.position_usd, live.underlying_usd) == (500.0, 2_000.0)
    assert SizeCaps().position_usd == inf


def exact_premium(forward: float, leg: HeldLeg, iv: mpmath.mpf) -> mpmath.mpf:
    """Black-76 in coin, in fifty digits."""
    with mpmath.workdps(50):
        k = mpmath.mpf(leg.contract.strike) / forward
        deviation = iv * mpmath.sqrt(mpmath.mpf(30) / 365)
        d1 = -mpmath.log(k) / deviation + deviation / 2
        call = mpmath.ncdf(d1) - k * mpmath.ncdf(d1 - deviation)
        return call if leg.contract.is_call else call - 1 + k


@pytest.mark.parametrize("structure", [STRADDLE, BULL_PUT], ids=lambda each: each.code)
def test_the_worst_of_twenty_seven(structure: Structure) -> None:
    """Nine moves up to 16 %, volatility 38 % of itself up, as it is, and down; at thirty days."""
    legs = legs_of(structure)
    ivs = [mpmath.mpf(smile(30.0, float(mpmath.log(leg.contract.strike / 1e5)))) for leg in legs]

    def worth(move: float, shock: float) -> mpmath.mpf:
        forward = 1e5 * (1.0 + move)
        return mpmath.fsum(
            leg.size * exact_premium(forward, leg, iv * (1 + mpmath.mpf(shock)))
            for leg, iv in zip(legs, ivs, strict=True)
        )

    worst = min(worth(0.04 * step, shock) for step in range(-4, 5) for shock in (-0.38, 0.0, 0.38))

    assert worst_loss_coin(legs, MARKET) == pytest.approx(float(worth(0.0, 0.0) - worst), rel=1e-9)


def test_a_spread_never_loses_more_than_its_width() -> None:
    """Less what it brought, at the lowest price; what is only bought loses what it cost at most."""
    brought = mark(PUT, 9e4) - mark(PUT, 8e4)
    bought = (HeldLeg(contract(CALL, 1e5), 1.0, mark(CALL, 1e5)),)

    assert 0.0 < worst_loss_coin(legs_of(BULL_PUT), MARKET) <= 1e4 / 8.4e4 - brought
    assert 0.0 < worst_loss_coin(bought, MARKET) <= mark(CALL, 1e5)


def test_what_is_tied_up_is_margin_and_what_was_bought() -> None:
    """Shorts by the standard margin, 15 % less what they are out of the money; longs by marks."""
    straddle = (2 * 0.15 + mark(CALL, 1e5) + mark(PUT, 1e5)) * 1e5
    spread = (0.10 + mark(PUT, 9e4) + mark(PUT, 8e4)) * 1e5

    assert facts_of().tied_usd == pytest.approx(straddle)
    assert facts_of(structure=BULL_PUT).tied_usd == pytest.approx(spread)
    assert facts_of().notional_usd == 2e5
    assert facts_of().equity_usd == 1e6


def test_what_is_open_counts_but_for_the_sandbox_and_other_coins() -> None:
    """And but for the position whose place is taken."""
    plain, one = facts_of(), holding(BULL_PUT, 2.0)
    found = facts_of(one)

    assert (plain.open_positions, plain.other_strategies, plain.open_tied_usd) == (0, 0, 0.0)
    assert (found.open_positions, found.other_strategies) == (1, 1)
    assert found.open_notional_usd == pytest.approx(4e5)
    assert found.open_tied_usd == pytest.approx(2.0 * facts_of(structure=BULL_PUT).tied_usd)
    assert found.open_vega_usd == pytest.approx(2.0 * facts_of(structure=BULL_PUT).vega_usd)
    assert facts_of(holding(STRADDLE)).other_strategies == 0
    for other in (evolve(one, sandbox=True), evolve(one, underlying="ETH")):
        assert facts_of(other) == plain
    assert facts_of(one, but=one.position_id) == plain


def test_a_perpetual_that_is_held_ties_its_margin_up() -> None:
    """Coin that was taken up is a position, of a strategy: 2 % and a little of a coin."""
    taken = holding(STRADDLE, legs=(), perp_usd=1e5)

    assert facts_of(taken).open_tied_usd == pytest.approx(0.02005 * 1e5)
    assert facts_of(taken).open_positions == 1


def test_what_is_not_marked_is_not_sized() -> None:
    """Neither a leg that would be traded nor one that is held."""
    chain = MARKET.chain
    dark = evolve(MARKET, chain=evolve(chain, mark=[nan] * len(chain), mark_iv=[nan] * len(chain)))
    for held in ((), (holding(BULL_PUT),)):
        found = sized_by(Means(snapshot=dark, account=account(), held=held), STRADDLE, SizeCaps())
        assert isinstance(found, NoStructure)
        assert "not marked" in found.reason


def test_two_in_a_hundred_of_ten_coins() -> None:
    """A straddle may lose about a sixth of a coin a contract: one contract of a tenth less."""
    found = sized_by(Means(snapshot=MARKET, account=account(), held=()), STRADDLE, SizeCaps())

    assert isinstance(found, Structure)
    loss = worst_loss_coin(legs_of(STRADDLE), MARKET)
    assert found.amount * loss <= 0.2 < (found.amount + 0.1) * loss
