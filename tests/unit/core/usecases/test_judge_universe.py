"""A market on several seeds at once."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from attrs import evolve

from adapters.memory.sweeps import MemorySweeps
from apps.wiring.universe_file import universe_of
from core.analysis.universe_battery import BatteryParams, BatteryReport, battery
from core.usecases.judge_universe import judged
from ports.errors import Unavailable
from ports.sweeps import Cell, CellResult, SweepExecutor

SMALL = BatteryParams(paths=10, days=420, chains=1)


class Backwards:
    """An executor that is done with the last cell first."""

    async def results(self, cells: Sequence[Cell]) -> AsyncGenerator[CellResult, None]:
        for cell in reversed(cells):
            yield cell.result()


class Failing:
    """An executor that computes nothing."""

    async def results(self, cells: Sequence[Cell]) -> AsyncGenerator[CellResult, None]:
        for cell in cells:
            yield CellResult(key=cell.key, error="no memory")


async def judged_by(executor: SweepExecutor, heard: list[str]) -> list[BatteryReport]:
    """ETH on the seeds 4 and 5."""
    return await judged(
        universe_of(None), "ETH", SMALL, seeds=(4, 5), executor=executor, told=heard.append
    )


def medians(report: BatteryReport) -> list[float]:
    return [result.median for result in report.results]


async def test_a_report_a_seed_in_their_order() -> None:
    """Each is the battery of its own seed, whichever was done first."""
    heard: list[str] = []
    reports = await judged_by(Backwards(), heard)

    assert heard == ["seed 5", "seed 4"]
    assert [report.params.seed for report in reports] == [4, 5]
    for report in reports:
        alone = battery(
            universe_of(None), "ETH", evolve(SMALL, seed=report.params.seed),
            history=None, trades=None, told=lambda _: None,
        )  # fmt: skip
        assert medians(report) == medians(alone)
    assert [medians(each) for each in await judged_by(MemorySweeps(), [])] == [
        medians(each) for each in reports
    ]


async def test_a_seed_that_cannot_be_judged_is_named() -> None:
    """Seeds that are left out would make the others look better."""
    with pytest.raises(Unavailable, match="seed 4: no memory"):
        await judged_by(Failing(), [])
