"""FinishedCells in files: a line of JSON a result, `sweeps/<sweep>.jsonl`."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from adapters.files.disk import Disk
from ports.codec import from_json, to_json
from ports.errors import StoreDamaged
from ports.sweeps import CellResult

_SUFFIX = ".jsonl"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class FileFinishedCells:
    """
    Results in *directory*, safe on the disk when keep() returns.

    A line that a crash cut short is put aside as `<sweep>.jsonl.torn` before the next is written.
    """

    def __init__(self, directory: Path, disk: Disk | None = None) -> None:
        self._directory = directory / "sweeps"
        self._disk = disk or Disk()
        self._whole: set[str] = set()  # sweeps whose file ends with a whole line

    async def kept(self, sweep: str) -> Mapping[str, CellResult]:
        """
        Return what is kept of *sweep*, by the keys of its cells.

        Raises:
            StoreDamaged: A line before the last is not what was written.
        """
        path = self._path(sweep)
        if not self._disk.exists(path):
            return {}
        found = {}
        for number, line in enumerate(self._disk.lines(path, 0), start=1):
            if line.endswith(b"\n"):
                result = _result(line, f"{path}, line {number}")
                found[result.key] = result
        return found

    async def keep(self, sweep: str, result: CellResult) -> None:
        """
        Keep *result*, instead of an earlier one of its key.

        Raises:
            StoreUnwritable: It could not be written.

            ValueError: The value is not what JSON holds.
        """
        path = self._path(sweep)
        line = to_json({"key": result.key, "value": result.value, "error": result.error})
        if json.loads(line)["value"] != result.value:
            raise ValueError(f"{result.key}: JSON does not hold {result.value!r}")
        self._prepare(sweep, path)
        self._whole.discard(sweep)
        self._disk.append(path, f"{line}\n".encode())
        self._whole.add(sweep)

    async def names(self) -> tuple[str, ...]:
        """
        Return the sweeps of which something is kept, sorted.

        Raises:
            StoreDamaged: The folder cannot be listed.
        """
        names = self._disk.names(self._directory)
        return tuple(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))

    async def forget(self, sweep: str) -> None:
        """
        Drop what is kept of *sweep*, if anything is.

        Raises:
            StoreUnwritable: It is still there.
        """
        self._whole.discard(sweep)
        if self._disk.exists(self._path(sweep)):
            self._disk.remove(self._path(sweep))

    def _path(self, sweep: str) -> Path:
        if not _NAME.fullmatch(sweep):
            raise ValueError(f"no name of a sweep: {sweep!r}")
        return self._directory / f"{sweep}{_SUFFIX}"

    def _prepare(self, sweep: str, path: Path) -> None:
        """Make the file, or cut a torn line off it."""
        if sweep in self._whole:
            return
        self._disk.make_directory(self._directory)
        if not self._disk.exists(path):
            self._disk.create(path)
        whole = sum(len(line) for line in self._disk.lines(path, 0) if line.endswith(b"\n"))
        if whole < self._disk.size(path):
            self._disk.cut(path, whole, path.with_name(f"{path.name}.torn"))


def _result(line: bytes, where: str) -> CellResult:
    try:
        fields = from_json(line)
        return CellResult(key=fields["key"], value=fields["value"], error=fields["error"])
    except (KeyError, ValueError) as error:
        raise StoreDamaged(f"{where} cannot be read: {error!r}") from error
