"""Contracts and their names, and the grids of price and size."""

import doctest
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.simulation.listing import deribit_rules
from ports import instruments
from ports.instruments import ContractRules, OptionContract, OptionKind, Settlement, TickStep

EXPIRY = datetime(2026, 3, 27, 8, tzinfo=UTC)
CALL = OptionContract("BTC", EXPIRY, 100_000.0, OptionKind.CALL)
BTC = deribit_rules("BTC")
NAMED = [
    ("BTC-27MAR26-100000-C", CALL),
    ("BTC-27MAR26-100000-P", OptionContract("BTC", EXPIRY, 100_000.0, OptionKind.PUT)),
    (
        "ETH-6FEB26-2450-C",
        OptionContract("ETH", datetime(2026, 2, 6, 8, tzinfo=UTC), 2450.0, OptionKind.CALL),
    ),
    (
        "BTC_USDC-27MAR26-100000-C",
        OptionContract("BTC", EXPIRY, 100_000.0, OptionKind.CALL, Settlement.LINEAR),
    ),
    (
        "XRP_USDC-27MAR26-0d625-P",
        OptionContract("XRP", EXPIRY, 0.625, OptionKind.PUT, Settlement.LINEAR),
    ),
    (
        "SOL_USDC-1JAN27-12d5-C",
        OptionContract(
            "SOL",
            datetime(2027, 1, 1, 8, tzinfo=UTC),
            12.5,
            OptionKind.CALL,
            Settlement.LINEAR,
        ),
    ),
]


def test_the_examples_in_the_docstrings_hold() -> None:
    """What the page says is what the code does."""
    result = doctest.testmod(instruments)

    assert (result.failed, result.attempted > 6) == (0, True)


@pytest.mark.parametrize(("symbol", "contract"), NAMED)
def test_a_name_reads_as_its_contract(symbol: str, contract: OptionContract) -> None:
    """Coin, family, expiry at 08:00 UTC, strike and kind are all in the name."""
    assert OptionContract.from_symbol(symbol) == contract


@pytest.mark.parametrize(("symbol", "contract"), NAMED)
def test_a_contract_is_called_as_the_venue_calls_it(symbol: str, contract: OptionContract) -> None:
    """The day has no leading zero and a decimal point is a `d`."""
    assert contract.symbol == symbol


@given(
    st.sampled_from(["BTC", "ETH", "SOL"]),
    st.dates(datetime(2020, 1, 1).date(), datetime(2099, 12, 31).date()),  # noqa: DTZ001
    st.decimals("0.0001", "9999999", places=4),
    st.sampled_from(OptionKind),
    st.sampled_from(Settlement),
)
@settings(derandomize=True, deadline=None)
def test_every_name_leads_back(
    coin: str, day: datetime, strike: Decimal, kind: OptionKind, settlement: Settlement
) -> None:
    """Any contract is what its own name reads as."""
    expiry = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    contract = OptionContract(coin, expiry, float(strike), kind, settlement)

    assert OptionContract.from_symbol(contract.symbol) == contract


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BTC-PERPETUAL",
        "BTC-27MAR26",
        "BTC-27MAR26-100000",
        "BTC-27MAR26-100000-X",
        "BTC-27MAR26-100000-C ",
        " BTC-27MAR26-100000-C",
        "BTC-27MAR26-100000-C\n",
        "btc-27MAR26-100000-C",
        "BTC-27MAR2026-100000-C",
        "BTC-27MRZ26-100000-C",
        "BTC-31FEB26-100000-C",
        "BTC-0JAN26-100000-C",
        "BTC-27MAR26-0-C",
        "BTC-27MAR26-0d0-C",
        "BTC-27MAR26--1-C",
        "BTC-27MAR26-1e5-C",
        "BTC-27MAR26-100.5-C",
        "BTC_USDT-27MAR26-100000-C",
        "BTC-٢٧MAR26-100000-C",
    ],
)
def test_what_names_no_option_is_refused(text: str) -> None:
    """Nothing is guessed from a name that is nearly one."""
    with pytest.raises(ValueError, match=r"option|day|strike"):
        OptionContract.from_symbol(text)


@pytest.mark.parametrize("strike", [0.0, -1.0, nan, float("inf")])
def test_a_strike_is_positive(strike: float) -> None:
    """There is no contract without one."""
    with pytest.raises(ValueError, match="strike must be positive"):
        OptionContract("BTC", EXPIRY, strike, OptionKind.CALL)


def test_time_left_ends_at_zero() -> None:
    """An expired contract has none, never a negative one."""
    assert CALL.days_left(EXPIRY - timedelta(hours=36)) == 1.5
    assert CALL.years_left(EXPIRY - timedelta(days=365)) == 1.0
    assert CALL.days_left(EXPIRY + timedelta(days=1)) == 0.0
    assert CALL.years_left(EXPIRY + timedelta(days=1)) == 0.0


def test_every_expiry_but_a_friday_is_a_daily() -> None:
    """Monthlies, quarterlies and weeklies all end on a Friday."""
    days = [EXPIRY + timedelta(days=ahead) for ahead in range(7)]
    contracts = [OptionContract("BTC", day, 1.0, OptionKind.CALL) for day in days]

    assert [each.is_daily for each in contracts] == [False] + 6 * [True]


def test_payoff_is_in_coin_at_the_delivery_price() -> None:
    """(125,000 - 100,000) / 125,000 of a coin, and nothing out of the money."""
    put = OptionContract("BTC", EXPIRY, 100_000.0, OptionKind.PUT)

    assert CALL.payoff_coin(125_000.0) == 0.2
    assert CALL.payoff_coin(80_000.0) == 0.0
    assert put.payoff_coin(80_000.0) == 0.25
    assert put.payoff_coin(125_000.0) == 0.0


def test_the_tick_widens_from_its_step_on() -> None:
    """0.0001 below 0.005, 0.0005 from there."""
    assert (BTC.tick_at(0.0049), BTC.tick_at(0.005), BTC.tick_at(1.0)) == (0.0001, 0.0005, 0.0005)


cents = st.integers(1, 2_000_000).map(lambda steps: steps * 1e-7)


@given(cents)
@settings(derandomize=True, deadline=None)
def test_prices_round_to_the_grid_in_the_named_direction(price: float) -> None:
    """Up is the nearest grid price not below, down the nearest not above: by exact decimals."""
    exact = Decimal(repr(round(price, 7)))
    tick = Decimal("0.0005") if exact >= Decimal("0.005") else Decimal("0.0001")
    up = (exact / tick).to_integral_value(ROUND_CEILING) * tick
    down = (exact / tick).to_integral_value(ROUND_FLOOR) * tick

    assert (BTC.price_up(price), BTC.price_down(price)) == (float(up), float(down))


@pytest.mark.parametrize(
    ("price", "taken"),
    [(0.0049, True), (0.00495, False), (0.005, True), (0.0051, False), (0.0055, True)],
)
def test_a_price_is_on_tick_or_not(price: float, taken: bool) -> None:
    """By the tick that is in force at that price."""
    assert BTC.is_on_tick(price) is taken


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(1e-5, 2.0) | st.integers(1, 4_000).map(lambda n: n * 0.0005)))
def test_prices_side_by_side_are_on_tick_as_one_by_one(prices: list[float]) -> None:
    """Columns and single prices have the same ticks; a price that is none is on no tick."""
    column = np.array([*prices, nan])

    assert BTC.are_on_tick(column).tolist() == [*map(BTC.is_on_tick, prices), False]
    assert BTC.ticks_at(column)[:-1].tolist() == [*map(BTC.tick_at, prices)]


def test_a_float_sum_is_the_lots_it_means() -> None:
    """0.1 + 0.2 is three lots, not three and a bit."""
    assert BTC.lots(0.30000000000000004) == 3
    assert BTC.lots_up(0.30000000000000004) == 3
    assert BTC.lots_down(0.1 + 0.2) == 3
    assert BTC.amount(3) == 0.3


def test_lots_never_round_in_the_dangerous_direction() -> None:
    """Down for what we want to trade, up for what must be covered."""
    assert BTC.lots_down(0.29) == 2
    assert BTC.lots_up(0.21) == 3


@pytest.mark.parametrize("amount", [0.25, 0.05, 0.1001])
def test_what_is_no_whole_number_of_lots_is_refused(amount: float) -> None:
    """The venue would not take it."""
    with pytest.raises(ValueError, match="multiple"):
        BTC.lots(amount)


@given(st.integers(0, 10**6))
@settings(derandomize=True, deadline=None)
def test_an_amount_is_the_float_that_the_venue_prints(lots: int) -> None:
    """No dust: so many tenths, as a decimal says them, and back."""
    amount = BTC.amount(lots)

    assert Decimal(repr(amount)) == lots * Decimal("0.1")
    assert BTC.lots(amount) == lots


def test_the_fee_is_capped_by_the_price() -> None:
    """0.0003 of a coin a contract, at most an eighth of the premium."""
    assert BTC.trade_fee(0.03, 2.0) == 0.0006
    assert BTC.trade_fee(0.0008, 1.0) == pytest.approx(0.0001, rel=1e-15)


def test_dailies_are_delivered_free() -> None:
    """Others for 0.00015, at most an eighth of what they pay."""
    daily = OptionContract("BTC", EXPIRY + timedelta(days=1), 1e5, OptionKind.CALL)

    assert BTC.delivery_fee(daily, 0.2, 1.0) == 0.0
    assert BTC.delivery_fee(CALL, 0.2, 2.0) == 0.0003
    assert BTC.delivery_fee(CALL, 0.0008, 1.0) == pytest.approx(0.0001, rel=1e-15)
    assert BTC.delivery_fee(CALL, 0.0, 1.0) == 0.0


@pytest.mark.parametrize("step", [0.0, -0.1, nan])
def test_a_grid_has_steps(step: float) -> None:
    """Ticks and amount steps are positive."""
    with pytest.raises(ValueError, match="must be positive"):
        ContractRules(tick_size=step, amount_step=0.1, min_amount=0.1)
    with pytest.raises(ValueError, match="must be positive"):
        ContractRules(tick_size=0.1, amount_step=step, min_amount=0.1)
    with pytest.raises(ValueError, match="must be positive"):
        TickStep(0.005, step)
