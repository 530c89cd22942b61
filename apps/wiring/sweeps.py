"""Where sweeps are computed, and where their finished cells are kept."""

import os

from adapters.files.finished_cells import FileFinishedCells
from adapters.system.sweeps import ProcessSweeps
from apps.settings.root import Settings
from ports.errors import Unavailable
from ports.sweeps import FinishedCells, SweepExecutor


def sweep_executor(workers: int | None, cluster: str | None) -> SweepExecutor:
    """
    So many processes here, by default one a core, or the Dask cluster at *cluster*.

    Raises:
        Unavailable: A cluster is wanted, and this installation has no Dask.
    """
    if cluster is None:
        return ProcessSweeps(workers or len(os.sched_getaffinity(0)))
    try:
        from adapters.dask.sweeps import DaskSweeps  # noqa: PLC0415  an extra of the installation
    except ModuleNotFoundError as error:
        wanted = "install options-agent[cluster]"
        raise Unavailable(f"a cluster needs {error.name}: {wanted}") from error
    return DaskSweeps(cluster)


def finished_cells(settings: Settings) -> FinishedCells:
    """The finished cells in the data folder of *settings*."""
    return FileFinishedCells(settings.venue.data_dir)


async def kept_counts(cells: FinishedCells) -> dict[str, int]:
    """How many finished cells are kept of each sweep, by its name."""
    return {name: len(await cells.kept(name)) for name in await cells.names()}
