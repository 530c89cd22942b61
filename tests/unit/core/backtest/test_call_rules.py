"""The call rule: which contract, when, and when it ends."""

from datetime import UTC, datetime, timedelta
from math import nan

import pytest
from attrs import evolve

from core.backtest.exits import ExitRule, ExitStyle, exit_reason
from core.backtest.kernel import is_entry_time
from core.backtest.kernel_types import Held
from core.backtest.rules import CallRule, Expiries, choose
from ports.backtest_runs import ExitReason
from ports.checks import epoch_ms
from tests.support.markets import Listed, call, snapshot

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
HELD = Held(
    sold_at=0.010, ask=0.009, delta=0.2, dte=5.0, strike=110_000.0, index_usd=100_000.0, rolls=0
)


def listed(days: float, strike: float, **changes: float) -> Listed:
    row = Listed(
        contract=call(strike, MONDAY + timedelta(days=days)),
        bid=0.01,
        ask=0.011,
        mark=0.0105,
        mark_iv=0.5,
    )
    return evolve(row, **changes)


def chosen(rule: CallRule, *rows: Listed, rv: float = nan) -> tuple[float, float] | str:
    """Days and strike of the choice, or why there is none."""
    found = choose(rule, snapshot(*rows, taken_at=MONDAY), rv)
    if found.contract is None:
        return found.reason
    return (found.contract.expiry - MONDAY) / timedelta(days=1), found.contract.strike


ANY = CallRule(expiries=Expiries.ALL, dte_min=1.0, dte_max=30.0, delta_min=0.0, delta_max=1.0)


@pytest.mark.parametrize(
    ("days", "picked"),
    [((3, 6, 9), 6), ((5, 9), 5), ((4, 10), 4), ((6.9, 7.2), 6.9), ((0.5, 31, 20), 20)],
)
def test_the_expiry_nearest_to_the_target_is_taken(days: tuple[float, ...], picked: float) -> None:
    """The earlier of two that are equally near, and none outside the days wanted."""
    assert chosen(ANY, *(listed(each, 105_000.0) for each in days)) == (picked, 105_000.0)


def test_only_fridays_count_where_fridays_are_wanted() -> None:
    """The expiry of the Monday is nearer, and is passed over."""
    rule = evolve(ANY, expiries=Expiries.FRIDAYS)

    assert chosen(rule, listed(7, 105_000.0), listed(11, 105_000.0)) == (11, 105_000.0)
    assert chosen(rule, listed(7, 105_000.0)) == "no_expiry"


def test_the_strike_nearest_in_delta_is_taken() -> None:
    """N(d1) on the row's forward; an expiry is chosen before, whatever its strikes are."""
    strikes = [102_000.0, 104_000.0, 106_000.0, 108_000.0]
    rows = [listed(7, each) for each in strikes]

    # sd of a week at 50 %: 0.0692; N(d1) = 0.42, 0.30, 0.21, 0.14
    assert chosen(evolve(ANY, target_delta=0.42), *rows) == (7, 102_000.0)
    assert chosen(evolve(ANY, target_delta=0.30), *rows) == (7, 104_000.0)
    assert chosen(evolve(ANY, target_delta=0.10), *rows) == (7, 108_000.0)
    bounded = evolve(ANY, target_delta=0.10, delta_min=0.20)
    assert chosen(bounded, *rows) == (7, 106_000.0)
    assert chosen(evolve(ANY, delta_min=0.5), *rows, listed(8, 90_000.0)) == "no_strike"


@pytest.mark.parametrize("changes", [{"bid": nan}, {"mark_iv": nan}, {"forward": nan}])
def test_what_is_not_known_is_no_choice(changes: dict[str, float]) -> None:
    """A missing bid, volatility or forward is refused, never filled in."""
    assert chosen(ANY, listed(7, 104_000.0, **changes)) == "no_strike"


def test_premium_and_volatility_must_be_as_rich_as_wanted() -> None:
    """Bid in USD, and implied over realised; realised that is not known satisfies nothing."""
    row = listed(7, 104_000.0)  # 1,000 USD, 50 %

    assert chosen(evolve(ANY, premium_min_usd=1_000.0), row) == (7, 104_000.0)
    assert chosen(evolve(ANY, premium_min_usd=1_001.0), row) == "no_strike"
    assert chosen(evolve(ANY, ivrv_min=1.25), row, rv=0.4) == (7, 104_000.0)
    assert chosen(evolve(ANY, ivrv_min=1.26), row, rv=0.4) == "no_strike"
    assert chosen(evolve(ANY, ivrv_min=0.1), row, rv=nan) == "no_strike"


@pytest.mark.parametrize(
    ("day", "clock", "is_open"),
    [
        (5, (23, 59), False),
        (6, (8, 4), False),
        (6, (8, 5), True),
        (6, (23, 0), True),
        (7, (8, 4), True),
        (7, (8, 5), False),
    ],
)
def test_a_week_is_sold_in_the_day_from_friday_0805(
    day: int, clock: tuple[int, int], is_open: bool
) -> None:
    """5 March 2026 is a Thursday; the other schedule is always open."""
    now = epoch_ms(datetime(2026, 3, day, *clock, tzinfo=UTC))

    assert is_entry_time(True, now) is is_open
    assert is_entry_time(False, now)


@pytest.mark.parametrize(
    ("style", "changes", "reason"),
    [
        (ExitStyle.HOLD_TO_EXPIRY, {"ask": 0.0, "delta": 1.0, "dte": 0.0}, None),
        (ExitStyle.TAKE_PROFIT, {"ask": 0.002}, ExitReason.TAKE_PROFIT),
        (ExitStyle.TAKE_PROFIT, {"ask": 0.0021}, None),
        (ExitStyle.TAKE_PROFIT, {"ask": nan}, None),
        (ExitStyle.TP_AND_ROLL, {"ask": 0.002}, ExitReason.TAKE_PROFIT),
        (ExitStyle.TP_AND_ROLL, {"index_usd": 107_800.0}, ExitReason.DEFENSIVE_ROLL),
        (ExitStyle.TP_AND_ROLL, {"ask": 0.002, "rolls": 3}, None),
        (ExitStyle.TP_AND_ROLL, {"ask": 0.002, "dte": 2.0}, None),
        (ExitStyle.DEFENSIVE_ROLL, {"ask": 0.0}, None),
        (ExitStyle.DEFENSIVE_ROLL, {"index_usd": 107_799.0}, None),
        (ExitStyle.DEFENSIVE_ROLL, {"index_usd": 120_000.0}, ExitReason.DEFENSIVE_ROLL),
        (ExitStyle.TIME_EXIT, {"dte": 1.0}, ExitReason.TIME),
        (ExitStyle.TIME_EXIT, {"dte": 1.1}, None),
        (ExitStyle.DELTA_EXIT, {"delta": 0.5}, ExitReason.DELTA),
        (ExitStyle.DELTA_EXIT, {"delta": nan}, None),
    ],
)
def test_a_style_ends_a_call_by_its_own_trigger(
    style: ExitStyle, changes: dict[str, float], reason: ExitReason | None
) -> None:
    """80 % captured, index at 98 % of the strike, a day left, delta a half; else it is held."""
    assert exit_reason(ExitRule(style=style), HELD._replace(**changes)) is reason
