"""The fast simulator and the agent's tick: the same trades, to the last coin."""

import asyncio
import hashlib
import inspect
import os
from functools import lru_cache

import numpy as np
import pytest

from core.backtest import kernel, kernel_types
from core.backtest.exits import ExitRule, ExitStyle
from core.backtest.latency import Latency
from core.backtest.prepared import PreparedCoin
from core.backtest.rules import CallRule, Expiries, Schedule
from core.backtest.trades import identity_error
from core.risk.limits import RiskLimits
from ports.backtest_runs import StyleResult
from tests.support.backtests import (
    Setup,
    by_kernel,
    by_tick,
    facts_of,
    furthest,
    prepared_invention,
    prepared_recording,
)

IS_FULL = os.environ.get("OPTIONS_AGENT_FULL") == "1"
SIZES = {"BTC": 1.0, "ETH": 10.0}
BUSY = CallRule(
    schedule=Schedule.ALWAYS,
    expiries=Expiries.ALL,
    target_dte=5.0,
    dte_min=1.0,
    dte_max=30.0,
    target_delta=0.35,
    delta_max=0.60,
    premium_min_usd=20.0,
)
_EQUITY = (
    "cash_coin",
    "option_coin",
    "delta",
    "net_delta",
    "gamma",
    "vega",
    "theta",
    "margin_coin",
)


@lru_cache
def recording(coin: str) -> PreparedCoin:
    return asyncio.run(prepared_recording(coin))


@lru_cache(maxsize=2)
def invention(coin: str, seed: int) -> PreparedCoin:
    return asyncio.run(prepared_invention(coin, seed))


def with_style(rule: CallRule, style: ExitStyle) -> CallRule:
    exits = ExitRule(style=style, defend_near_strike=1.0, take_profit_pct=60.0)
    return CallRule(**{name: getattr(rule, name) for name in _PLAIN}, exits=exits)


_PLAIN = (
    "schedule",
    "expiries",
    "target_dte",
    "dte_min",
    "dte_max",
    "target_delta",
    "delta_min",
    "delta_max",
    "premium_min_usd",
    "ivrv_min",
)


def both(setup: Setup) -> tuple[StyleResult, StyleResult]:
    return asyncio.run(by_tick(setup)).result, by_kernel(setup)


def assert_same(tick: StyleResult, fast: StyleResult, deposit: float) -> None:
    """Not one trade differs, nor a coin of any; nor does the account at any mark."""
    assert [facts_of(each) for each in tick.trades] == [facts_of(each) for each in fast.trades]
    assert furthest(tick.trades, fast.trades) < 1e-9
    for name in _EQUITY:
        ours, theirs = getattr(tick.equity, name), getattr(fast.equity, name)
        assert np.allclose(ours, theirs, rtol=1e-9, atol=1e-9, equal_nan=True), name
    for result in (tick, fast):
        assert abs(identity_error(result.trades, result.equity, deposit)) < 1e-12 * deposit * 10


STYLES = list(ExitStyle)
CASES = (
    [(coin, rule, style) for coin in SIZES for rule in (CallRule(), BUSY) for style in STYLES]
    if IS_FULL
    else [("BTC", CallRule(), ExitStyle.HOLD_TO_EXPIRY), ("BTC", BUSY, ExitStyle.TP_AND_ROLL)]
)


@pytest.mark.parametrize(("coin", "rule", "style"), CASES)
def test_five_recorded_months_give_the_same_trades(
    coin: str, rule: CallRule, style: ExitStyle
) -> None:
    """Every exit style on every recorded chain: differences 0 trades. A slice unless in full."""
    size = SIZES[coin]
    setup = Setup(coin=recording(coin), rule=with_style(rule, style), size=size)
    tick, fast = both(setup)

    assert_same(tick, fast, size)
    assert len(tick.trades) >= 20


@pytest.mark.parametrize("latency", list(Latency))
def test_the_limits_of_live_trading_stop_the_same_sales(latency: Latency) -> None:
    """With spreads, interest, collar and size judged as live, both sell and refuse alike."""
    limits = RiskLimits(
        order_size={"BTC": 1.0},
        max_expiry_exposure=1.0,
        max_calls_per_underlying=1,
        max_order_notional_usd=80_000.0,
        max_net_delta_abs=0.38,
        max_margin_used_pct=16.5,
        max_spread_pct=8.0,
    )
    setup = Setup(coin=recording("BTC"), rule=BUSY, limits=limits, latency=latency)
    tick, fast = both(setup)

    assert_same(tick, fast, 1.0)
    refused = [each for each in tick.omissions if each.reason.startswith("refused")]
    assert 0 < len(tick.trades) < 60
    assert refused


def test_a_filter_on_realised_volatility_selects_alike() -> None:
    """The tick's context and the columns know the same realised volatility at every instant."""
    rule = with_style(BUSY, ExitStyle.HOLD_TO_EXPIRY)
    wanted = CallRule(**{**{n: getattr(rule, n) for n in _PLAIN}, "ivrv_min": 1.1})
    tick, fast = both(Setup(coin=recording("BTC"), rule=wanted))
    free, _ = both(Setup(coin=recording("BTC"), rule=rule))

    assert_same(tick, fast, 1.0)
    assert 0 < len(tick.trades) < len(free.trades)


@pytest.mark.parametrize("seed", range(100 if IS_FULL else 4))
def test_synthetic_seeds_give_the_same_trades(seed: int) -> None:
    """Three weeks of an invented market, another style and coin for each seed."""
    coin = ("BTC", "ETH")[seed % 2]
    style = STYLES[seed % len(STYLES)]
    latency = list(Latency)[seed // 2 % 2]
    size = SIZES[coin]
    setup = Setup(
        coin=invention(coin, seed), rule=with_style(BUSY, style), size=size, latency=latency
    )
    tick, fast = both(setup)

    assert_same(tick, fast, size)
    assert len(tick.trades) >= 2


def test_the_kernel_was_compiled_from_these_types() -> None:
    """numba's cache cannot see a change of kernel_types: its digest in kernel.py can."""
    source = inspect.getsource(kernel_types)

    assert hashlib.sha256(source.encode()).hexdigest()[:16] == kernel.TYPES
