"""A grid of settings as a sweep of backtests: what is prepared once, and the cells over it."""

import asyncio
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from attrs import frozen

from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest import CoinBacktest, course_of, data_hash
from apps.wiring.backtest_params import (
    backtest_limits,
    call_account,
    call_rule,
    config_hash,
    config_of,
    fill_params,
    scoped,
    strategy_id_of,
)
from apps.wiring.backtest_past import Hooks, prepared_coin
from core.backtest.covered_call import STRATEGY_ID
from core.backtest.prepared import PreparedCoin
from core.usecases.backtest import run_backtest
from core.usecases.sweep import Sweep, sweep_name
from core.usecases.sweep_backtests import CallCell, TrialMark, call_cells, value_of
from ports.backtest_runs import Omission, StyleResult
from ports.sweeps import Cell


@frozen(kw_only=True, eq=False)
class BacktestSweep:
    """The sweep, what its results are told with, and what their past lacks."""

    sweep: Sweep
    mark: TrialMark
    omissions: tuple[Omission, ...]


async def backtest_sweep(
    coin: Coin, base: Settings, grid: Mapping[str, Settings], hooks: Hooks
) -> BacktestSweep:
    """
    The sweep over *coin* of the settings in *grid* by their keys; the past is that of *base*.

    Raises:
        ValueError: A point of the grid is of another past, or its engine cannot run it.

        PortError: As prepared_coin.
    """
    for key, settings in grid.items():
        if is_fast(settings) and strategy_id_of(settings) != STRATEGY_ID:
            raise ValueError(f"the fast engine runs {STRATEGY_ID} alone: --engine tick")
        of_base = (_family_of(base, coin), is_fast(base))
        if (_family_of(settings, coin), is_fast(settings)) != of_base:
            raise ValueError(f"{key} is another strategy or engine: run one sweep for each")
        if _past_of(settings, coin) != _past_of(base, coin):
            raise ValueError(f"{key} would need other chains or fills: run one sweep for each")
    prepared = await prepared_coin(base, coin, hooks)
    mark = TrialMark(family=_family_of(base, coin), at=prepared.instants[-1])
    parameters = {
        "chains": data_hash(prepared),
        "fills": str(fill_params(base)),
        "cells": {key: _hash_of(settings, coin) for key, settings in grid.items()},
        "program": version("options-agent"),
    }
    sweep = Sweep(
        name=sweep_name(f"backtest-{coin}", parameters),
        cells=_fast_cells(grid, prepared, mark)
        if is_fast(base)
        else tuple(
            Cell(key=key, compute=ticked, arguments=(prepared, settings, mark))
            for key, settings in grid.items()
        ),
    )
    return BacktestSweep(sweep=sweep, mark=mark, omissions=prepared.omissions)


def is_fast(settings: Settings) -> bool:
    """Whether the compiled simulator is to run."""
    return settings.backtest.backtest_engine == "fast"


def ticked(prepared: PreparedCoin, settings: Settings, mark: TrialMark) -> dict[str, Any]:
    """
    What the agent's tick comes to over *prepared*, in the first exit style of *settings*.

    Raises:
        ValueError: The strategy has no such exits.
    """
    coin: Coin = "BTC" if prepared.underlying == "BTC" else "ETH"
    backtest = CoinBacktest.new(settings, coin, prepared, "")
    result = asyncio.run(_ticked(backtest))
    return value_of(result, mark, _hash_of(settings, coin))


async def _ticked(backtest: CoinBacktest) -> StyleResult:
    course = await course_of(backtest, backtest.styles[0], Hooks())
    return (await run_backtest(course)).result


def _fast_cells(
    grid: Mapping[str, Settings], prepared: PreparedCoin, mark: TrialMark
) -> tuple[Cell, ...]:
    coin: Coin = "BTC" if prepared.underlying == "BTC" else "ETH"
    wanted = [
        CallCell(
            key=key,
            rule=call_rule(settings, settings.backtest.backtest_exit_styles[0]),
            account=call_account(settings, coin),
            limits=backtest_limits(settings, coin),
            config_hash=_hash_of(settings, coin),
        )
        for key, settings in grid.items()
    ]
    return call_cells(wanted, prepared, mark)


def _family_of(settings: Settings, coin: Coin) -> str:
    return f"{strategy_id_of(settings)}/{coin}/{settings.venue.market}"


def _past_of(settings: Settings, coin: Coin) -> object:
    """What the prepared past depends on."""
    return scoped(settings, coin).venue, scoped(settings, coin).loop, fill_params(settings)


def _hash_of(settings: Settings, coin: Coin) -> str:
    return config_hash(config_of(settings, coin), settings.backtest.backtest_exit_styles[0])
