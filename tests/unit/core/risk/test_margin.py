"""Standard margin against figures worked out by hand from the published formulas."""

from math import isnan, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.risk.margin import MarginRates, initial_margin_coin, maintenance_margin_coin
from ports.instruments import OptionContract, OptionKind, Settlement
from tests.support.markets import FRIDAY, call, put

FORWARD = 100_000.0


@pytest.mark.parametrize(
    ("contract", "mark", "size", "initial", "maintenance"),
    [
        (call(110_000.0), 0.02, -1.0, 0.12, 0.095),  # 0.15 - 0.10 is below the floor: 0.10 + m
        (call(102_000.0), 0.03, -1.0, 0.16, 0.105),  # 0.15 - 0.02 + m
        (call(90_000.0), 0.12, -2.0, 0.54, 0.39),  # in the money: 0.15 + m, twice
        (put(97_000.0), 0.02, -1.0, 0.14, 0.095),  # 0.15 - 0.03 + m
        (put(80_000.0), 0.004, -0.5, 0.052, 0.0395),  # the floor again, half a contract
        (put(300_000.0), 2.0, -1.0, 2.15, 2.15),  # 0.15 + m, 0.075 m + m: the same here
        (put(500_000.0), 4.0, -1.0, 4.3, 4.3),  # maintenance 0.075 m + m lifts the initial
        (call(110_000.0), 0.02, 3.0, 0.0, 0.0),
        (put(110_000.0), 0.12, 3.0, 0.0, 0.0),
        (put(110_000.0), 0.12, 0.0, 0.0, 0.0),
    ],
)
def test_worked_figures(
    contract: OptionContract, mark: float, size: float, initial: float, maintenance: float
) -> None:
    """Short calls and puts in, at and out of the money; long options need nothing."""
    assert initial_margin_coin(contract, FORWARD, mark, size) == pytest.approx(initial, abs=1e-15)
    assert maintenance_margin_coin(contract, mark, size) == pytest.approx(maintenance, abs=1e-15)


@settings(derandomize=True, deadline=None)
@given(
    strike=st.floats(20_000.0, 600_000.0),
    mark=st.floats(0.0, 6.0),
    size=st.floats(-50.0, -0.1),
    is_call=st.booleans(),
)
def test_entering_needs_at_least_what_keeping_does(
    strike: float, mark: float, size: float, is_call: bool
) -> None:
    """Initial is never below maintenance, and maintenance never below the option's value."""
    contract = call(strike) if is_call else put(strike)

    initial = initial_margin_coin(contract, FORWARD, mark, size)
    maintenance = maintenance_margin_coin(contract, mark, size)

    assert initial >= maintenance > mark * -size


def test_rates_can_be_set() -> None:
    """Other figures of the venue enter where the published ones stood."""
    rates = MarginRates(initial=0.3, initial_floor=0.25, maintenance=0.1)

    assert initial_margin_coin(call(110_000.0), FORWARD, 0.02, -1.0, rates) == 0.27
    assert maintenance_margin_coin(call(110_000.0), 0.02, -1.0, rates) == pytest.approx(0.12)


@pytest.mark.parametrize("contract", [call(110_000.0), put(90_000.0)])
def test_what_is_not_known_stays_unknown(contract: OptionContract) -> None:
    """A short without forward or mark has a NaN margin, never a small one."""
    assert isnan(initial_margin_coin(contract, nan, 0.02, -1.0))
    assert isnan(initial_margin_coin(contract, FORWARD, nan, -1.0))
    assert isnan(maintenance_margin_coin(contract, nan, -1.0))


def test_linear_options_are_refused() -> None:
    """Their margin is not published in these terms."""
    linear = OptionContract("BTC", FRIDAY, 1e5, OptionKind.CALL, Settlement.LINEAR)

    with pytest.raises(ValueError, match="inverse"):
        initial_margin_coin(linear, FORWARD, 0.02, -1.0)
    with pytest.raises(ValueError, match="inverse"):
        maintenance_margin_coin(linear, 0.02, 1.0)
