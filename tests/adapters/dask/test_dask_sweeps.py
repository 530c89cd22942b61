"""A Dask cluster of separate processes: a worker dies, a scheduler is gone."""

import numpy as np
import pytest

from adapters.dask.sweeps import DaskSweeps
from ports.errors import Unavailable
from tests.support.cells import cell, cells, slowly_summed, squared, unsendable
from tests.support.dask_cluster import DaskCluster, cluster


async def test_a_killed_worker_changes_no_figure() -> None:
    """Four hundred cells on two processes, one of which is killed on the way."""
    doomed = cluster().add_worker()
    column = np.ones(50_000)  # which every worker is given once
    wanted = [cell(str(number), slowly_summed, column, number) for number in range(400)]
    found = {}
    async for result in DaskSweeps(cluster().address).results(wanted):
        found[result.key] = result
        if len(found) == 60:
            doomed.kill()
            doomed.wait()

    assert {key: result.value for key, result in found.items()} == {
        str(number): 50_000.0 - number for number in range(400)
    }


async def test_a_value_that_cannot_be_sent_is_an_error() -> None:
    """The cells of the same task are not lost with it."""
    wanted = [*cells(300), cell("bad", unsendable), cell("after", squared, 3)]
    results = DaskSweeps(cluster().address).results(wanted)
    found = {result.key: result async for result in results}

    assert "cannot be sent" in found["bad"].error
    assert found["after"].value == 9
    assert sum(not result.error for result in found.values()) == 301


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "not an address"])
async def test_no_scheduler_is_unavailable(address: str) -> None:
    """The address is named."""
    with pytest.raises(Unavailable, match="no scheduler answers at"):
        async for _ in DaskSweeps(address, patience_s=0.5).results(cells(1)):
            pass


async def test_no_worker_is_unavailable() -> None:
    """A scheduler alone computes nothing, and nobody waits for ever."""
    alone = DaskCluster()
    try:
        with pytest.raises(Unavailable, match="has no workers"):
            async for _ in DaskSweeps(alone.address, patience_s=2.0).results(cells(1)):
                pass
    finally:
        alone.close()
