"""
Ticks a second of the backtester: the agent's own tick over prepared chains of an invented market.

A tick settles, folds the book, marks it, decides, judges the risk, trades at the simulated venue
and writes down. Processor time of the fastest round, for the call rule and the live strategy.
"""

import asyncio
import time

from attrs import frozen

from core.backtest.exits import ExitRule, ExitStyle
from core.backtest.rules import CallRule, Expiries, Schedule
from core.selectors.filters import FilterParams
from core.strategies.covered_call import CoveredCall, CoveredCallParams
from tests.support.backtests import Setup, by_tick, prepared_invention

_COIN, _SEED = "BTC", 8
_BUSY = CallRule(
    schedule=Schedule.ALWAYS,
    expiries=Expiries.ALL,
    target_dte=3.0,
    dte_min=1.0,
    dte_max=12.0,
    exits=ExitRule(style=ExitStyle.TP_AND_ROLL, take_profit_pct=50.0, defend_near_strike=1.0),
)
_FILTERS = FilterParams(dte_min=1.0, dte_max=21.0, delta_min=0.1, delta_max=0.4, ivrv_min=0.0)


@frozen(kw_only=True)
class TickFigures:
    """Ticks a second, and on how large a chain."""

    ticks: int
    calls: int  # of the first chain
    rule_a_second: float
    live_a_second: float


def measure_ticks(days: int = 30, rounds: int = 3) -> TickFigures:
    """Tick hourly over *days*, again and again."""
    coin = asyncio.run(prepared_invention(_COIN, _SEED, days=days, hours=1))
    params = CoveredCallParams(underlyings=(_COIN,), order_size={_COIN: 1.0}, filters=_FILTERS)
    live = CoveredCall("covered_call_v1", params)
    return TickFigures(
        ticks=len(coin.instants),
        calls=len(coin.snapshots[0].chain),
        rule_a_second=_ticks_a_second(Setup(coin=coin, rule=_BUSY), rounds),
        live_a_second=_ticks_a_second(Setup(coin=coin, strategy=live), rounds),
    )


def _ticks_a_second(setup: Setup, rounds: int) -> float:
    taken: list[float] = []
    for _ in range(rounds + 1):  # the first compiles
        began = time.process_time()
        outcome = asyncio.run(by_tick(setup))
        taken.append(time.process_time() - began)
        if not outcome.result.trades:
            raise ValueError("nothing was traded: the ticks were idle")
    return len(setup.coin.instants) / min(taken)


if __name__ == "__main__":
    found = measure_ticks()
    print(f"{found.ticks} ticks over {found.calls} calls: {found.rule_a_second:.0f} a second by ")
    print(f"the call rule, {found.live_a_second:.0f} by the live strategy")
