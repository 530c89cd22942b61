"""Positions of Greg's as a market judges them, and which contracts a strategy would trade."""

from datetime import UTC, datetime, timedelta
from math import log, nan

import pytest
from attrs import evolve

from core.greg.catalogue import CATALOGUE, STRATEGY_ID, StrategyCode
from core.greg.holdings import (
    HeldLeg,
    Holding,
    band_inputs,
    code_in,
    hedged_of,
    holding_of,
    position_of,
)
from core.greg.holdings import profit_coin as profit_of
from core.greg.structures import NoStructure, Structure, structure_of
from core.greg.thresholds import EntryWindows
from core.pricing.black76 import delta, premium_coin
from core.pricing.greeks import main_greeks
from ports.instruments import OptionContract, OptionKind
from ports.market_data import MarketSnapshot
from ports.positions import Leg, TrackedPosition
from ports.trading import Side
from tests.support.markets import RULES, Listed, snapshot
from tests.support.sensing import chain_at, smile

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARKET = chain_at(NOW, (2.0, 9.0, 23.0, 30.0, 37.0, 58.0))
CALL, PUT = OptionKind.CALL, OptionKind.PUT


def leg(kind: OptionKind, strike: float, size: float, entry: float, days: float = 30.0) -> HeldLeg:
    """One leg that was traded at *entry* coin."""
    return HeldLeg(OptionContract("BTC", NOW + timedelta(days=days), strike, kind), size, entry)


def held(code: StrategyCode, *legs: HeldLeg, perp: float = 0.0) -> Holding:
    """A position of *legs*."""
    return Holding(
        position_id=f"p-{code}",
        code=code,
        underlying="BTC",
        legs=legs,
        opened_at=NOW - timedelta(days=3),
        perp_usd=perp,
    )


def mark(kind: OptionKind, strike: float, days: float = 30.0) -> float:
    """What the market says a contract is worth."""
    iv = smile(days, log(strike / 1e5))
    return float(premium_coin(1e5, strike, days / 365.0, iv, kind is CALL))


def test_a_straddle_by_its_marks() -> None:
    """Profit a share of the credit, loss a multiple of it, delta with the sign of the position."""
    holding = held(
        StrategyCode.STRADDLE, leg(CALL, 1e5, -0.2, 0.09), leg(PUT, 1e5, -0.2, 0.09), perp=3_000.0
    )
    found = position_of(holding, MARKET, NOW)
    cost = 0.2 * (mark(CALL, 1e5) + mark(PUT, 1e5))
    credit = 0.2 * 0.18
    deltas = [delta(1e5, 1e5, 30.0 / 365.0, smile(30.0, 0.0), is_call) for is_call in (True, False)]

    assert found.profit_pct == pytest.approx((credit - cost) / credit)
    assert found.loss_pct == pytest.approx(max(0.0, (cost - credit) / credit))
    assert found.net_delta == pytest.approx(-0.2 * sum(deltas) + 0.03)
    assert found.dte == 30.0
    assert profit_of(holding, MARKET, NOW) == pytest.approx(credit - cost)


def test_a_loss_is_never_negative_and_days_are_whole() -> None:
    """A profit is no loss; the nearest leg counts, floored, and never below zero."""
    rich = held(StrategyCode.STRANGLE, leg(CALL, 1.2e5, -1.0, 0.5), leg(PUT, 8e4, -1.0, 0.5))
    found = position_of(rich, MARKET, NOW + timedelta(hours=30))
    assert found.loss_pct == 0.0
    assert found.dte == 28.0
    over = position_of(rich, MARKET, NOW + timedelta(days=40))
    assert over.dte == 0.0


@pytest.mark.parametrize(
    ("entry", "share", "profit"),
    [(0.05, 3.0, -2.0), (0.07, 3.0, -2.0), (0.05, 0.5, 0.5), (0.07, 0.5, 0.5)],
)
def test_profit_and_loss_at_a_limit_are_at_it(entry: float, share: float, profit: float) -> None:
    """Marks on ticks add up to the limit itself, not to a hair below it."""
    contracts = [leg(kind, 1e5, -1.0, entry) for kind in (CALL, PUT)]
    rows = [Listed(contract=each.contract, mark=share * entry) for each in contracts]
    found = position_of(held(StrategyCode.STRADDLE, *contracts), snapshot(*rows, taken_at=NOW), NOW)

    assert found.profit_pct == profit
    assert found.loss_pct == max(0.0, -profit)


def test_a_calendar_by_its_debit() -> None:
    """Profit a share of what it cost; its front leg in days and parts of them."""
    holding = held(
        StrategyCode.CALENDAR, leg(CALL, 1e5, -1.0, 0.03, 9.0), leg(CALL, 1e5, 1.0, 0.06, 30.0)
    )
    found = position_of(holding, MARKET, NOW)
    worth = mark(CALL, 1e5, 30.0) - mark(CALL, 1e5, 9.0)

    assert found.profit_pct == pytest.approx((worth - 0.03) / 0.03)
    assert found.loss_pct is None
    assert (found.strike, found.front_dte, found.spot_price) == (1e5, 9.0, 1e5)


def test_wings_and_short_strikes() -> None:
    """Of what is bought, and of what is sold; a put's own delta."""
    fly = held(
        StrategyCode.IRON_BUTTERFLY,
        leg(CALL, 1e5, -1.0, 0.07),
        leg(PUT, 1e5, -1.0, 0.07),
        leg(PUT, 8e4, 1.0, 0.01),
        leg(CALL, 1.3e5, 1.0, 0.01),
    )
    found = position_of(fly, MARKET, NOW)
    assert (found.center_strike, found.lower_wing, found.upper_wing) == (1e5, 8e4, 1.3e5)
    spread = held(StrategyCode.BULL_PUT, leg(PUT, 9e4, -1.0, 0.03), leg(PUT, 8e4, 1.0, 0.01))
    assert position_of(spread, MARKET, NOW).short_strike == 9e4
    put = held(StrategyCode.SHORT_PUT, leg(PUT, 9e4, -0.5, 0.03))
    wanted = -delta(1e5, 9e4, 30.0 / 365.0, smile(30.0, log(0.9)), False)
    assert position_of(put, MARKET, NOW).delta_abs == pytest.approx(wanted)


def test_what_a_market_does_not_say_is_unknown() -> None:
    """Without marks and volatilities there is no profit and no delta, and nothing is made up."""
    chain = MARKET.chain
    dark = evolve(chain, mark=[nan] * len(chain), mark_iv=[nan] * len(chain))
    silent = MarketSnapshot("BTC", NOW, 1e5, dark, RULES)
    holding = held(StrategyCode.STRADDLE, leg(CALL, 1e5, -1.0, 0.05), leg(PUT, 1e5, -1.0, 0.05))
    found = position_of(holding, silent, NOW)

    assert (found.profit_pct, found.loss_pct, found.net_delta) == (None, None, None)
    assert hedged_of(holding, silent, NOW) is None


def test_a_band_hears_of_the_whole_position() -> None:
    """Gamma of all legs with their sign; volatility and time of the leg that has most of it."""
    holding = held(
        StrategyCode.CALENDAR, leg(CALL, 1e5, -2.0, 0.03, 9.0), leg(PUT, 1e5, 2.0, 0.06, 30.0)
    )
    found = band_inputs(holding, MARKET, NOW, cost=0.0006, aversion=1e-4)
    assert found is not None
    gammas = [
        float(main_greeks(1e5, 1e5, days / 365.0, smile(days, 0.0), True).gamma)
        for days in (9.0, 30.0)
    ]
    assert found.gamma == pytest.approx(2.0 * (gammas[1] - gammas[0]))
    assert (found.tenor, found.iv) == (9.0 / 365.0, pytest.approx(smile(9.0, 0.0)))
    assert band_inputs(holding, MARKET, NOW + timedelta(days=9), cost=0.1, aversion=1.0) is None


def test_a_book_knows_its_greg_positions() -> None:
    """By strategy and by the code in their id; those of others are none."""
    contract = OptionContract("BTC", NOW + timedelta(days=30), 1e5, CALL)
    booked = Leg(contract=contract, opened_at=NOW, size=-0.5, sold_coin=0.03)
    mine = TrackedPosition(
        position_id="greg-STRATEGY_A_STRANGLE-1",
        strategy_id=STRATEGY_ID,
        underlying="BTC",
        opened_at=NOW,
        legs=(booked,),
    )
    found = holding_of(mine)
    assert found is not None
    assert (found.code, found.legs[0].entry_coin) == (StrategyCode.STRANGLE, 0.06)
    assert holding_of(evolve(mine, strategy_id="covered_call_v1")) is None
    assert holding_of(evolve(mine, position_id="greg-1")) is None
    sandbox = evolve(mine, strategy_id="sandbox", sandbox=True, origin="GREG_SANDBOX")
    assert holding_of(sandbox) is not None
    assert [code_in(f"x_{code}_y") for code in CATALOGUE if code != "NO_TRADE"] == [
        code for code in CATALOGUE if code != "NO_TRADE"
    ]


def structure(code: StrategyCode) -> Structure:
    """What *code* would trade."""
    found = structure_of(code, MARKET, EntryWindows())
    assert isinstance(found, Structure)
    return found


@pytest.mark.parametrize("code", [code for code in CATALOGUE if code != "NO_TRADE"])
def test_legs_are_those_of_the_catalogue(code: StrategyCode) -> None:
    """Side, kind and window of each, and the delta to what the strikes allow."""
    found = structure(code)

    for plan, each in zip(CATALOGUE[code].legs, found.legs, strict=True):
        assert (each.side, each.contract.kind) == (plan.side, plan.kind)
        assert plan.dte.low <= each.contract.days_left(NOW) <= plan.dte.high
        if plan.delta is None:
            assert each.contract.strike == 1e5
        else:
            assert abs(each.delta) == pytest.approx(plan.delta / 100.0, abs=0.03)


def test_wings_lie_beyond_what_is_sold() -> None:
    """On the side where they protect."""
    bull, bear = structure(StrategyCode.BULL_PUT), structure(StrategyCode.BEAR_CALL)
    assert bull.legs[1].contract.strike < bull.legs[0].contract.strike
    assert bear.legs[1].contract.strike > bear.legs[0].contract.strike
    assert bull.credit_coin == pytest.approx(bull.legs[0].bid - bull.legs[1].ask)


def test_both_legs_of_a_calendar_have_one_strike() -> None:
    """Even where the strike nearest to the money is listed for one of them only."""
    chain = MARKET.chain
    is_front = chain.expiry_ms == chain.expiry_ms[0] + 7 * 86_400_000
    without = evolve(MARKET, chain=chain.where(~((chain.strike == 1e5) & ~is_front)))
    found = structure_of(StrategyCode.CALENDAR, without, EntryWindows())
    assert isinstance(found, Structure)
    strikes = {each.contract.strike for each in found.legs}
    assert len(strikes) == 1
    assert strikes != {1e5}


def test_no_expiry_no_structure() -> None:
    """And no trade has none at all; the reason is told."""
    near = chain_at(NOW, (2.0, 5.0))
    for code in CATALOGUE:
        found = structure_of(code, near, EntryWindows())
        assert isinstance(found, NoStructure)
        assert found.reason


@pytest.mark.parametrize(
    ("code", "low", "high", "more"),
    [
        (StrategyCode.STRADDLE, 25, 45, ()),
        (StrategyCode.SHORT_PUT, 25, 45, ()),
        (StrategyCode.CALENDAR, 7, 14, (30.0,)),
        (StrategyCode.BULL_PUT, 20, 35, ()),
        (StrategyCode.BEAR_CALL, 20, 35, ()),
    ],
)
def test_entry_windows_have_their_ends_in(
    code: StrategyCode, low: int, high: int, more: tuple[float, ...]
) -> None:
    """Whole days to expiry, from the first to the last; of a calendar, of its front leg."""
    for days, is_in in ((low - 0.1, False), (low, True), (high + 0.9, True), (high + 1, False)):
        found = structure_of(code, chain_at(NOW, (days, *more)), EntryWindows())
        assert isinstance(found, Structure) == is_in


@pytest.mark.parametrize("code", [StrategyCode.BULL_PUT, StrategyCode.BEAR_CALL])
def test_a_wing_is_never_the_strike_that_is_sold(code: StrategyCode) -> None:
    """Where one strike is listed alone there is no spread."""
    chain = MARKET.chain
    alone = evolve(MARKET, chain=chain.where(chain.strike == 1e5))
    assert isinstance(structure_of(code, alone, EntryWindows()), NoStructure)


@pytest.mark.parametrize("kind", list(OptionKind))
def test_half_a_chain_is_enough_for_half_of_them(kind: OptionKind) -> None:
    """Without puts only what needs calls alone, without calls what needs puts alone."""
    is_call = kind is CALL
    half = evolve(MARKET, chain=MARKET.chain.where(MARKET.chain.is_call == is_call))
    for code, info in CATALOGUE.items():
        found = structure_of(code, half, EntryWindows())
        is_enough = bool(info.legs) and all(plan.kind is kind for plan in info.legs)
        assert isinstance(found, Structure) == is_enough


def test_a_straddle_sells_both() -> None:
    """At one strike."""
    found = structure(StrategyCode.STRADDLE)
    assert [each.side for each in found.legs] == [Side.SELL, Side.SELL]
    assert len({each.contract.strike for each in found.legs}) == 1
