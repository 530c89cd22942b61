"""Positions of the sandbox: the table of the specification, and its better profiles."""

from datetime import UTC, datetime, timedelta
from math import inf

import pytest
from mpmath import mp, mpf

from core.greg.catalogue import CATALOGUE, StrategyCode
from core.greg.modes import STRATEGIES
from core.greg.sandbox import (
    SPOT_USD,
    NotMade,
    refusal,
    run_id_at,
    sandbox_on_chain,
    sandbox_position,
    strike_near,
)
from core.greg.thresholds import EntryWindows
from ports.greg_journal import SandboxOpened
from ports.instruments import OptionKind
from tests.support.sensing import chain_at

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
RUN = run_id_at(NOW)
# strategy, and of each leg its sign, kind, strike in BTC and in ETH, and its days
TABLE = {
    "STRATEGY_A_STRADDLE": ((-1, "C", 100_000, 4000, 7), (-1, "P", 100_000, 4000, 7)),
    "STRATEGY_A_STRANGLE": ((-1, "C", 105_000, 4200, 7), (-1, "P", 95_000, 3800, 7)),
    "STRATEGY_B_CALENDAR": ((-1, "C", 100_000, 4000, 7), (1, "C", 100_000, 4000, 30)),
    "STRATEGY_C_SHORT_PUT": ((-1, "P", 95_000, 3800, 7),),
    "STRATEGY_D_IRON_BUTTERFLY": (
        (1, "P", 95_000, 3800, 7),
        (-1, "P", 100_000, 4000, 7),
        (-1, "C", 100_000, 4000, 7),
        (1, "C", 105_000, 4200, 7),
    ),
    "STRATEGY_F_BULL_PUT_SPREAD": ((-1, "P", 97_500, 3900, 7), (1, "P", 92_500, 3700, 7)),
    "STRATEGY_F_BEAR_CALL_SPREAD": ((-1, "C", 102_500, 4100, 7), (1, "C", 107_500, 4300, 7)),
}


def made(found: SandboxOpened | NotMade) -> SandboxOpened:
    """*found*, which is a position."""
    assert isinstance(found, SandboxOpened)
    return found


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_legs_are_those_of_the_table(strategy: str, coin: str) -> None:
    """Sides, strikes and whole days, each at 2 % of spot, and the name with its eight digits."""
    found = made(sandbox_position(strategy, coin, 0.1, NOW, RUN))
    legs = [
        (
            1 if leg.size > 0 else -1,
            "C" if leg.contract.is_call else "P",
            leg.contract.strike,
            int(leg.contract.days_left(NOW)),
        )
        for leg in found.legs
    ]
    column = 2 if coin == "BTC" else 3

    assert legs == [(leg[0], leg[1], leg[column], leg[4]) for leg in TABLE[strategy]]
    assert {(abs(leg.size), leg.price_coin) for leg in found.legs} == {(0.1, 0.02)}
    head, tail = found.position_id.rsplit("_", 1)
    assert head == f"sandbox_{coin}_{strategy}"
    assert (len(tail), int(tail, 16) >= 0) == (8, True)
    assert RUN == "GREG_SANDBOX_20260310T120000Z"


@pytest.mark.parametrize(
    ("coin", "price", "strike"),
    [
        ("BTC", 49_499.0, 49_000.0),
        ("BTC", 49_999.0, 50_000.0),
        ("BTC", 98_750.0, 100_000.0),
        ("ETH", 1_974.0, 1_950.0),
        ("ETH", 2_049.0, 2_000.0),
    ],
)
def test_strikes_lie_on_the_grid(coin: str, price: float, strike: float) -> None:
    """1000 below 50000 and 2500 above in BTC, 50 below 2000 and 100 above in ETH."""
    assert strike_near(coin, price) == strike


@pytest.mark.parametrize("hour", [7, 8, 9])
def test_days_are_whole_at_every_hour(hour: int) -> None:
    """The first 08:00 that is seven days away or more: at 08:00 itself it is seven."""
    at = NOW.replace(hour=hour)
    found = made(sandbox_position("STRATEGY_C_SHORT_PUT", "BTC", 0.1, at, RUN))
    expiry = found.legs[0].contract.expiry

    assert expiry == datetime(2026, 3, 17 if hour <= 8 else 18, 8, tzinfo=UTC)


@pytest.mark.parametrize("is_dry_run", [True, False])
@pytest.mark.parametrize("is_testnet", [True, False])
def test_it_is_refused_where_orders_are_real_alone(is_dry_run: bool, is_testnet: bool) -> None:
    """Neither a dry run nor testnet."""
    is_refused = refusal(is_dry_run=is_dry_run, is_testnet=is_testnet) != ""
    assert is_refused == (not is_dry_run and not is_testnet)


def test_two_runs_of_one_second_are_told_apart() -> None:
    """The run is named by its second, a position by its instant: opening twice opens twice."""
    later = NOW + timedelta(milliseconds=1)
    ids = {
        made(sandbox_position(code, "BTC", 0.1, at, run_id_at(at))).position_id
        for at in (NOW, later)
        for code in STRATEGIES
    }

    assert run_id_at(later) == RUN
    assert len(ids) == 14


def test_a_stated_volatility_prices_and_dates_them() -> None:
    """Black's formula in fifty digits, and the days of the catalogue: no position is late."""
    mp.dps = 50
    for code in STRATEGIES:
        found = made(sandbox_position(code, "BTC", 0.1, NOW, RUN, iv=0.6))
        for leg in found.legs:
            contract = leg.contract
            root = mpf("0.6") * mp.sqrt((contract.expiry - NOW) / timedelta(days=365))
            moneyness = mpf(contract.strike) / mpf(SPOT_USD["BTC"])
            d1 = -mp.log(moneyness) / root + root / 2
            call = mp.ncdf(d1) - moneyness * mp.ncdf(d1 - root)
            exact = call if contract.kind is OptionKind.CALL else call - 1 + moneyness
            assert abs(mpf(leg.price_coin) - exact) < mpf("1e-14")
        days = {int(leg.contract.days_left(NOW)) for leg in found.legs}
        windows = {(plan.dte.low, plan.dte.high) for plan in CATALOGUE[code].legs}
        assert all(any(low <= day <= high for low, high in windows) for day in days)
    spread = made(sandbox_position(StrategyCode.BULL_PUT, "BTC", 0.1, NOW, RUN, iv=0.6))
    assert sum(-leg.size * leg.price_coin for leg in spread.legs) > 0.0


def test_contracts_off_a_chain_have_its_marks() -> None:
    """By delta, at their marks; a chain without the expiries makes none and says so."""
    seen = chain_at(NOW, (2.0, 9.0, 23.0, 37.0, 58.0))
    windows = EntryWindows()
    for code in STRATEGIES:
        found = made(sandbox_on_chain(code, seen, 0.1, windows, now=NOW, run_id=RUN))
        for leg in found.legs:
            row = seen.chain.row_of(leg.contract)
            assert row is not None
            assert leg.price_coin == seen.chain.mark[row]
        assert found.index_usd == seen.index_usd
    short = chain_at(NOW, (2.0,))
    refused = sandbox_on_chain(StrategyCode.STRADDLE, short, 0.1, windows, now=NOW, run_id=RUN)
    assert isinstance(refused, NotMade)
    assert "no expiry" in refused.reason


@pytest.mark.parametrize(
    ("strategy", "coin", "size", "iv", "reason"),
    [
        ("STRATEGY_E_JADE_LIZARD", "BTC", 1.0, None, "unknown strategy"),
        ("NO_TRADE", "BTC", 1.0, None, "unknown strategy"),
        ("STRATEGY_A_STRADDLE", "btc", 1.0, None, "unknown coin"),
        ("STRATEGY_A_STRADDLE", "BTC", 0.0, None, "size must be positive"),
        ("STRATEGY_A_STRADDLE", "BTC", inf, None, "size must be positive"),
        ("STRATEGY_A_STRADDLE", "BTC", 1.0, 0.0, "volatility must be positive"),
        ("STRATEGY_A_STRADDLE", "BTC", 1.0, inf, "volatility must be positive"),
    ],
)
def test_what_cannot_be_made_says_why(
    strategy: str, coin: str, size: float, iv: float | None, reason: str
) -> None:
    """And is no exception."""
    found = sandbox_position(strategy, coin, size, NOW, RUN, iv=iv)
    assert isinstance(found, NotMade)
    assert reason in found.reason
