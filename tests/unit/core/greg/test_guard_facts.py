"""What a position, its market and its account tell the guards: volatility since entry, health."""

from datetime import UTC, datetime, timedelta
from math import inf, nextafter

import pytest
from attrs import evolve

from core.context.sensor_values import MarketFacts
from core.greg.catalogue import STRATEGY_ID, StrategyCode
from core.greg.guard_facts import guard_facts, health_of, iv_at_entry
from core.greg.guards import Guard, GuardFacts, firing, not_evaluated
from core.greg.holdings import Holding, holding_of, position_of
from core.pricing.black76 import premium_coin
from ports.instruments import OptionContract, OptionKind
from ports.positions import Leg, TrackedPosition
from ports.trading import Account
from tests.support.sensing import chain_at, smile

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SOLD_AT = NOW - timedelta(days=5)
EXPIRY = NOW + timedelta(days=30)
MARKET = chain_at(NOW, (30.0,))
POINTS_NOW = 100.0 * smile(30.0, 0.0)
CALL, PUT = OptionKind.CALL, OptionKind.PUT


def sold(
    kind: OptionKind, iv: float, *, strike: float = 1e5, forward: float = 103_000.0
) -> tuple[Leg, ...]:
    """A leg of one contract, sold five days ago at Black's price on *forward*."""
    contract = OptionContract("BTC", EXPIRY, strike, kind)
    years = contract.years_left(SOLD_AT)
    price = float(premium_coin(forward, strike, years, iv, kind is CALL))
    return (
        Leg(contract=contract, opened_at=SOLD_AT, size=-1.0, contracts_sold=1.0, sold_coin=price),
    )


def held(*legs: Leg, code: StrategyCode = StrategyCode.STRADDLE) -> Holding:
    """*legs* as a position of Greg's that was opened earlier still, and rolled into them."""
    found = holding_of(
        TrackedPosition(
            position_id=f"p-{code}",
            strategy_id=STRATEGY_ID,
            underlying="BTC",
            opened_at=SOLD_AT - timedelta(days=20),
            legs=legs,
        )
    )
    assert found is not None
    return found


def account(equity: float, maintenance: float) -> Account:
    """An account of one coin without positions."""
    return Account(
        underlying="BTC",
        read_at=NOW,
        balance_coin=equity,
        equity_coin=equity,
        initial_margin_coin=2.0 * maintenance,
        maintenance_margin_coin=maintenance,
        positions=(),
    )


def facts_of(holding: Holding, owner: Account | None = None) -> GuardFacts:
    """What is known of *holding* on the market."""
    seen = position_of(holding, MARKET, NOW)
    return guard_facts(seen, holding, MARKET, MarketFacts(), owner)


@pytest.mark.parametrize("iv", [0.25, 0.6, 1.4])
@pytest.mark.parametrize("strike", [70_000.0, 100_000.0, 150_000.0])
def test_a_straddle_tells_the_volatility_it_was_sold_at(iv: float, strike: float) -> None:
    """By parity of what call and put brought, whatever the forward was and whatever was rolled."""
    holding = held(*sold(CALL, iv, strike=strike), *sold(PUT, iv, strike=strike))

    assert iv_at_entry(holding) == pytest.approx(100.0 * iv, rel=1e-6)


def test_buying_part_of_it_back_changes_nothing() -> None:
    """What was sold was sold at its price."""
    legs = [
        evolve(leg, size=-0.5, bought_coin=0.4, bought_usd=4e4)
        for leg in (*sold(CALL, 0.6), *sold(PUT, 0.6))
    ]

    assert iv_at_entry(held(*legs)) == pytest.approx(60.0)


@pytest.mark.parametrize(
    "holding",
    [
        held(*sold(CALL, 0.6)),
        held(*sold(CALL, 0.6, strike=1.1e5), *sold(PUT, 0.6, strike=9e4)),
        held(*(evolve(leg, sold_coin=1.2) for leg in sold(CALL, 0.6)), *sold(PUT, 0.6)),
    ],
    ids=["one leg", "two strikes", "no volatility costs that much"],
)
def test_what_is_no_straddle_tells_none(holding: Holding) -> None:
    """Unknown, and the guard says that it was not asked."""
    facts = facts_of(holding)

    assert iv_at_entry(holding) is None
    assert facts.iv_since_entry is None
    seen = position_of(holding, MARKET, NOW)
    assert not_evaluated(seen, facts, (Guard.IV_RISE,)) == {Guard.IV_RISE: ("iv_since_entry",)}


@pytest.mark.parametrize(("rise", "fires"), [(9.99, False), (10.01, True), (-30.0, False)])
def test_a_rise_of_volatility_fires_its_guard(rise: float, fires: bool) -> None:
    """Beyond ten points above what it was sold at, by the marks of now."""
    iv = (POINTS_NOW - rise) / 100.0
    holding = held(*sold(CALL, iv), *sold(PUT, iv))
    facts = facts_of(holding)

    assert facts.iv_since_entry == pytest.approx(rise, abs=1e-6)
    assert bool(firing(position_of(holding, MARKET, NOW), facts, (Guard.IV_RISE,))) == fires


def test_health_is_equity_over_maintenance_margin() -> None:
    """Infinite where nothing needs a margin; unknown without an account."""
    assert health_of(account(3.0, 2.0)) == 1.5
    assert health_of(account(3.0, 0.0)) == inf
    assert facts_of(held(*sold(PUT, 0.6))).health is None


@pytest.mark.parametrize(
    ("equity", "word"), [(1.2, "hold"), (nextafter(1.2, 0.0), "close"), (9.0, "hold")]
)
@pytest.mark.parametrize("guard", [Guard.BLACK_SWAN, Guard.OWN_CRASH])
def test_a_put_goes_by_the_health_of_its_account(guard: Guard, equity: float, word: str) -> None:
    """Held through a crash from 1.2 on, closed below."""
    holding = held(*sold(PUT, 0.6), code=StrategyCode.SHORT_PUT)
    facts = evolve(
        facts_of(holding, account(equity, 1.0)), market_cap_pct=-12.0, index_day_pct=-12.0
    )
    said = firing(position_of(holding, MARKET, NOW), facts, (guard,))

    assert said[guard].startswith(word)


def test_the_value_of_the_whole_market_is_told_by_nobody() -> None:
    """So the black swan is never judged, and says so; the coin's own index has a guard itself."""
    holding = held(*sold(CALL, 0.6), *sold(PUT, 0.6))
    facts = facts_of(holding, account(9.0, 1.0))
    seen = position_of(holding, MARKET, NOW)

    assert not_evaluated(seen, facts, (Guard.BLACK_SWAN, Guard.TIGHT_DELTA)) == {
        Guard.BLACK_SWAN: ("market_cap_pct",)
    }
