"""BacktestRuns in memory: gone with the process."""

from collections.abc import Mapping
from math import isnan

from attrs import evolve

from ports.backtest_runs import BacktestRun, RunSummary, Trial
from ports.errors import Unavailable


class MemoryBacktestRuns:
    """Runs by their id, in a dict."""

    def __init__(self) -> None:
        self._runs: dict[str, BacktestRun] = {}
        self._trials: list[Trial] = []

    async def save(self, run: BacktestRun) -> None:
        """See BacktestRuns; it never fails."""
        results = tuple(
            evolve(result, metrics={name: _known(each) for name, each in result.metrics.items()})
            for result in run.results
        )
        self._runs[run.summary.run_id] = evolve(run, results=results)

    async def load(self, run_id: str) -> BacktestRun:
        """
        See BacktestRuns.

        Raises:
            Unavailable: There is none.
        """
        if run_id not in self._runs:
            raise Unavailable(f"there is no run {run_id}")
        return self._runs[run_id]

    async def summaries(
        self, *, underlying: str | None = None, limit: int | None = None
    ) -> tuple[RunSummary, ...]:
        """See BacktestRuns; it never fails."""
        found = [run.summary for run in self._runs.values()]
        newest_first = sorted(found, key=lambda each: (each.created_at, each.run_id), reverse=True)
        wanted = [each for each in newest_first if underlying in (None, each.underlying)]
        return tuple(wanted[:limit])

    async def metrics(self, run_id: str) -> Mapping[str, Mapping[str, float | None]]:
        """
        See BacktestRuns.

        Raises:
            Unavailable: There is no such run.
        """
        run = await self.load(run_id)
        return {result.exit_style: dict(result.metrics) for result in run.results}

    async def annotate(self, run_id: str, notes: str) -> None:
        """
        See BacktestRuns.

        Raises:
            Unavailable: There is no such run.
        """
        run = await self.load(run_id)
        self._runs[run_id] = evolve(run, summary=evolve(run.summary, notes=notes))

    async def delete(self, run_id: str) -> None:
        """
        See BacktestRuns.

        Raises:
            Unavailable: There is no such run.
        """
        await self.load(run_id)
        del self._runs[run_id]

    async def register(self, trial: Trial) -> None:
        """See BacktestRuns; it never fails."""
        counted = {(each.family, each.config_hash) for each in self._trials}
        if (trial.family, trial.config_hash) not in counted:
            self._trials.append(trial)

    async def trials(self, family: str) -> tuple[Trial, ...]:
        """See BacktestRuns; it never fails."""
        of_family = [trial for trial in self._trials if trial.family == family]
        return tuple(sorted(of_family, key=lambda trial: trial.at))


def _known(metric: float | None) -> float | None:
    return None if metric is None or isnan(metric) else metric
