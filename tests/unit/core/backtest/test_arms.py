"""Arms: every call on its own comes to what the whole simulator, or a sum by hand, says."""

import asyncio
from datetime import timedelta
from functools import lru_cache
from math import nan

import pytest
from attrs import evolve

from core.backtest.arms import Arms, ArmStatus
from core.backtest.exits import ExitRule, ExitStyle
from core.backtest.prepared import PreparedCoin
from core.backtest.rules import CallRule, Expiries, Schedule
from core.risk.limits import RiskLimits
from ports.backtest_runs import BacktestTrade
from ports.checks import epoch_ms
from tests.support.backtests import (
    Setup,
    by_kernel,
    prepared_by_hand,
    prepared_invention,
    research_limits,
)
from tests.support.markets import FRIDAY, Listed, call, snapshot

BUSY = CallRule(schedule=Schedule.ALWAYS, expiries=Expiries.ALL, dte_min=1.0, target_dte=5.0)
LIMITS = research_limits("BTC", 1.0)
STRIKE = 105_000.0


@lru_cache
def invention() -> PreparedCoin:
    return asyncio.run(prepared_invention("BTC", seed=11, days=42, hours=6))


def of_style(style: ExitStyle) -> CallRule:
    return evolve(BUSY, exits=ExitRule(style=style, take_profit_pct=50.0, defend_near_strike=0.99))


def seen_before(coin: PreparedCoin, trade: BacktestTrade) -> int:
    """The number of the snapshot that *trade* was decided on."""
    return coin.instants.index(trade.opened_at) - 1


ALONE = [style for style in ExitStyle if not style.rolls]


@pytest.mark.parametrize("style", ALONE)
def test_an_arm_is_the_trade_of_the_simulator(style: ExitStyle) -> None:
    """Per contract, in coin to 1e-12 and in USD, with the same reason, for every trade it made."""
    coin, rule = invention(), of_style(style)
    trades = [
        trade
        for trade in by_kernel(Setup(coin=coin, rule=rule)).trades
        if trade.exit_reason != "left_open"
    ]
    arms = Arms.over(coin.columns(LIMITS), rule, LIMITS)

    for trade in trades:
        expiry_ms, strike = epoch_ms(trade.contract.expiry), trade.contract.strike
        arm = arms.outcome(seen_before(coin, trade), expiry_ms, strike)
        assert (arm.status, arm.reason) == (ArmStatus.SETTLED, trade.exit_reason)
        assert arm.reward_coin == pytest.approx(trade.pnl_coin / trade.amount, abs=1e-12)
        assert arm.reward_usd == pytest.approx(trade.pnl_usd / trade.amount, abs=1e-6)
    assert len(trades) >= 4


@pytest.mark.parametrize("style", [style for style in ExitStyle if style.rolls])
def test_a_campaign_of_rolls_is_that_of_the_simulator(style: ExitStyle) -> None:
    """The first campaign, which starts from the same coin: its legs and their sum."""
    coin, rule = invention(), of_style(style)
    trades = by_kernel(Setup(coin=coin, rule=rule)).trades
    first = [trade for trade in trades if trade.chain == 1]
    arms = Arms.over(coin.columns(LIMITS), rule, LIMITS)

    sold = first[0]
    arm = arms.outcome(
        seen_before(coin, sold), epoch_ms(sold.contract.expiry), sold.contract.strike
    )

    assert arm.legs == len(first)
    assert arm.reward_coin == pytest.approx(sum(each.pnl_coin for each in first), abs=1e-12)
    assert arm.known_at_ms >= epoch_ms(first[-1].closed_at)


def by_hand(delivered: float | None, limits: RiskLimits = LIMITS, bid: float = 0.02) -> Arms:
    """A call decided on at one hour, sold at the next at 0.02, marked at 0.03, then delivered."""
    weekly = Listed(
        contract=call(STRIKE),
        bid=bid,
        ask=0.0215,
        mark=0.0205,
        mark_iv=0.6,
    )
    start = FRIDAY - timedelta(days=3)
    dearer = evolve(weekly, bid=0.0295, ask=0.0305, mark=0.03)
    shown = [
        snapshot(weekly, taken_at=start),
        snapshot(weekly, taken_at=start + timedelta(hours=1)),
        snapshot(dearer, taken_at=start + timedelta(hours=2), index_usd=98_000.0),
        snapshot(taken_at=FRIDAY + timedelta(hours=1), index_usd=101_000.0),
    ]
    prices = {} if delivered is None else {FRIDAY: delivered}
    coin = asyncio.run(prepared_by_hand(shown, prices))
    return Arms.over(coin.columns(limits), CallRule(), limits)


def test_a_call_that_expires_keeps_its_premium_less_the_fee() -> None:
    """0.02 - 0.0003 coin; in USD at the index of the sale; the coin fell by 1000 USD."""
    arm = by_hand(99_000.0).outcome(0, epoch_ms(FRIDAY), STRIKE)

    assert (arm.status, arm.reason, arm.legs) == (ArmStatus.SETTLED, "expired", 1)
    assert arm.reward_coin == pytest.approx(0.0197, abs=1e-15)
    assert arm.reward_usd == pytest.approx(1970.0, abs=1e-9)
    assert arm.hodl_usd == pytest.approx(-1000.0)
    # Of 1.0197 - 0.0205 coin at 100,000 to 1.0197 - 0.03 at 98,000.
    assert arm.max_drawdown_pct == pytest.approx(100.0 * (1.0 - 0.9897 * 0.98 / 0.9992), abs=1e-9)


def test_a_call_in_the_money_pays_and_pays_for_delivery() -> None:
    """Premium, less 1/22 coin at 110,000, less both fees."""
    arm = by_hand(110_000.0).outcome(0, epoch_ms(FRIDAY), STRIKE)

    paid = 5_000.0 / 110_000.0
    assert arm.reason == "assigned"
    assert arm.reward_coin == pytest.approx(0.02 - 0.0003 - paid - 0.00015, abs=1e-15)


def test_what_is_not_over_has_no_reward() -> None:
    """Without a delivery price the arm is open; at the last snapshot it is not even seen."""
    arms = by_hand(None)
    still, late = (arms.outcome(seen, epoch_ms(FRIDAY), STRIKE) for seen in (0, 3))

    assert (still.status, still.known_at_ms) == (ArmStatus.OPEN, 0)
    assert late.status is ArmStatus.UNSEEN
    assert [still.reward_coin, late.reward_coin] == pytest.approx([nan, nan], nan_ok=True)


def test_what_risk_would_refuse_is_not_sold() -> None:
    """No bid at the snapshot after the decision, or a call that is listed nowhere."""
    arms = by_hand(99_000.0, bid=nan)

    assert arms.outcome(0, epoch_ms(FRIDAY), STRIKE).status is ArmStatus.UNSOLD
    assert arms.outcome(0, epoch_ms(FRIDAY), 1.0).status is ArmStatus.UNSOLD


def test_limits_that_only_the_tick_knows_are_refused() -> None:
    """A daily drawdown limit needs an account that lives on."""
    with pytest.raises(ValueError, match="drawdown"):
        by_hand(None, evolve(LIMITS, daily_drawdown_limit_pct=5.0))
