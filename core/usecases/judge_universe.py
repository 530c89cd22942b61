"""An invented market judged again on other seeds: whether it is accepted by luck."""

from collections.abc import Callable, Sequence
from contextlib import aclosing

from attrs import evolve

from core.analysis.universe_battery import BatteryParams, BatteryReport, battery
from core.simulation.universe.params import UniverseParams
from ports.errors import Unavailable
from ports.sweeps import Cell, SweepExecutor


async def judged(
    universe: UniverseParams,
    underlying: str,
    params: BatteryParams,
    *,
    seeds: Sequence[int],
    executor: SweepExecutor,
    told: Callable[[int], None],
) -> list[BatteryReport]:
    """
    Return rows 1 to 20 of *underlying* on each of *seeds*; *told* hears of each that is done.

    Raises:
        Unavailable: Nothing is left that computes, or a battery cannot be computed.
    """
    cells = [
        Cell(
            key=str(seed),
            compute=_without_recording,
            arguments=(universe, underlying, evolve(params, seed=seed)),
        )
        for seed in seeds
    ]
    reports: dict[str, BatteryReport] = {}
    async with aclosing(executor.results(cells)) as results:
        async for result in results:
            if result.error:
                raise Unavailable(f"seed {result.key}: {result.error}")
            reports[result.key] = result.value
            told(int(result.key))
    return [reports[cell.key] for cell in cells]


def _without_recording(
    universe: UniverseParams, underlying: str, params: BatteryParams
) -> BatteryReport:
    return battery(universe, underlying, params, history=None, trades=None, told=lambda _: None)
