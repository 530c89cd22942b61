"""An invented market judged again on other seeds: whether it is accepted by luck."""

from collections.abc import Callable, Sequence

from attrs import evolve

from core.analysis.universe_battery import BatteryParams, BatteryReport, battery
from core.simulation.universe.params import UniverseParams
from core.usecases.sweep import all_values
from ports.sweeps import Cell, SweepExecutor


async def judged(
    universe: UniverseParams,
    underlying: str,
    params: BatteryParams,
    *,
    seeds: Sequence[int],
    executor: SweepExecutor,
    told: Callable[[str], None],
) -> list[BatteryReport]:
    """
    Return rows 1 to 20 of *underlying* on each of *seeds*; *told* hears "seed 4" when that is done.

    Raises:
        Unavailable: Nothing is left that computes, or a battery cannot be computed.
    """
    cells = [
        Cell(
            key=f"seed {seed}",
            compute=_without_recording,
            arguments=(universe, underlying, evolve(params, seed=seed)),
        )
        for seed in seeds
    ]
    return await all_values(cells, executor, told)


def _without_recording(
    universe: UniverseParams, underlying: str, params: BatteryParams
) -> BatteryReport:
    return battery(universe, underlying, params, history=None, trades=None, told=lambda _: None)
