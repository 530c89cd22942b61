"""A Dask cluster of separate processes on loopback: a scheduler, and workers that can be killed."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 60.0


class DaskCluster:
    """A scheduler in a process of its own; its workers are added one by one."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="dask", ignore_cleanup_errors=True)
        self._file = Path(self._folder.name) / "scheduler.json"
        self._processes: list[subprocess.Popen[bytes]] = []
        listening = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        self._start("dask_scheduler", *listening, "--scheduler-file", str(self._file))
        self.address = self._address()

    def add_worker(self) -> subprocess.Popen[bytes]:
        """A new worker of one thread; it comes when it has started."""
        alone = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        return self._start("dask_worker", self.address, *alone)

    def close(self) -> None:
        """End every process."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        self._folder.cleanup()

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", f"distributed.cli.{program}", *arguments],
            cwd=self._folder.name,
            env={
                **os.environ,
                "PYTHONPATH": str(_ROOT),
                "DASK_TEMPORARY_DIRECTORY": self._folder.name,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    def _address(self) -> str:
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            try:
                address: str = json.loads(self._file.read_text())["address"]
                return address
            except (FileNotFoundError, json.JSONDecodeError):
                time.sleep(0.05)
        raise TimeoutError("the Dask scheduler did not start")


@cache
def cluster() -> DaskCluster:
    """The cluster of this run: two workers, started when it is first asked for."""
    started = DaskCluster()
    atexit.register(started.close)
    for _ in range(2):
        started.add_worker()
    return started
