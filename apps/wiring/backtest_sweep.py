"""A grid of settings as a sweep of backtests: what is prepared once, and the cells over it."""

from collections.abc import Mapping
from importlib.metadata import version

from attrs import frozen

from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest import Hooks, data_hash, prepared_coin
from apps.wiring.backtest_params import (
    backtest_limits,
    call_account,
    call_rule,
    config_hash,
    config_of,
    fill_params,
    scoped,
)
from core.backtest.covered_call import STRATEGY_ID
from core.usecases.sweep import Sweep, sweep_name
from core.usecases.sweep_backtests import CallCell, TrialMark, call_cells


@frozen(kw_only=True, eq=False)
class BacktestSweep:
    """The sweep, and what its results are told with."""

    sweep: Sweep
    mark: TrialMark


async def backtest_sweep(
    coin: Coin, base: Settings, grid: Mapping[str, Settings], hooks: Hooks
) -> BacktestSweep:
    """
    The sweep over *coin* of the settings in *grid* by their keys; the past is that of *base*.

    Raises:
        ValueError: A point of the grid is of another past, or the fast engine cannot run it.

        PortError: As prepared_coin.
    """
    for key, settings in grid.items():
        if settings.backtest.backtest_strategy != STRATEGY_ID:
            raise ValueError(f"only {STRATEGY_ID} can be swept: the fast engine runs nothing else")
        if _past_of(settings, coin) != _past_of(base, coin):
            raise ValueError(f"{key} would need other chains or fills: run one sweep for each")
    cells = [_cell(key, settings, coin) for key, settings in grid.items()]
    prepared = await prepared_coin(base, coin, hooks)
    family = f"{STRATEGY_ID}/{coin}/{base.venue.market}"
    mark = TrialMark(family=family, at=prepared.instants[-1])
    parameters = {
        "chains": data_hash(prepared),
        "fills": str(fill_params(base)),
        "cells": {cell.key: cell.config_hash for cell in cells},
        "program": version("options-agent"),
    }
    sweep = Sweep(
        name=sweep_name(f"backtest-{coin}", parameters), cells=call_cells(cells, prepared, mark)
    )
    return BacktestSweep(sweep=sweep, mark=mark)


def _past_of(settings: Settings, coin: Coin) -> object:
    """What the prepared past depends on."""
    return scoped(settings, coin).venue, scoped(settings, coin).loop, fill_params(settings)


def _cell(key: str, settings: Settings, coin: Coin) -> CallCell:
    style = settings.backtest.backtest_exit_styles[0]
    return CallCell(
        key=key,
        rule=call_rule(settings, style),
        account=call_account(settings, coin),
        limits=backtest_limits(settings, coin),
        config_hash=config_hash(config_of(settings, coin), style),
    )
