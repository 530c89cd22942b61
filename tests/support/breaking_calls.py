"""File operations of this computer, of which one goes wrong when it is told to."""

import errno
import os
from pathlib import Path

from adapters.files.calls import SystemCalls
from tests.support.faulty_files import Fault, FaultKind, Stopped


class BreakingCalls(SystemCalls):
    """
    FileCalls on real files; at *fault* one call goes wrong.

    What the process had written is there when the next one comes: only FaultyFiles can lose
    what was not synced.
    """

    def __init__(self, fault: Fault | None = None) -> None:
        self.calls_made = 0
        self._fault = fault
        self._is_stopped = False

    def open(self, path: Path, flags: int) -> int:
        """See FileCalls."""
        self._call()
        return super().open(path, flags)

    def read(self, descriptor: int, size: int) -> bytes:
        """See FileCalls."""
        self._call()
        return super().read(descriptor, size)

    def seek(self, descriptor: int, offset: int) -> None:
        """See FileCalls."""
        self._call()
        super().seek(descriptor, offset)

    def write(self, descriptor: int, data: bytes) -> int:
        """See FileCalls; half of what is torn, or finds no room, is there."""
        kind = self._kind_now()
        if kind in (FaultKind.TORN, FaultKind.FULL):
            super().write(descriptor, data[: len(data) // 2])
        if kind is FaultKind.FULL:
            self.calls_made += 1
            return len(data) // 2
        self._call()
        return super().write(descriptor, data)

    def truncate(self, descriptor: int, size: int) -> None:
        """See FileCalls."""
        self._call()
        super().truncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        """See FileCalls."""
        self._call()
        # Nothing here loses its power: the real call would only take time.

    def try_lock(self, descriptor: int) -> bool:
        """See FileCalls."""
        self._call()
        return super().try_lock(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """See FileCalls."""
        self._call()
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        """See FileCalls."""
        self._call()
        super().remove(path)

    def make_directory(self, path: Path) -> None:
        """See FileCalls."""
        self._call()
        super().make_directory(path)

    def names(self, directory: Path) -> list[str]:
        """See FileCalls."""
        self._call()
        return super().names(directory)

    def exists(self, path: Path) -> bool:
        """See FileCalls."""
        self._call()
        return super().exists(path)

    def size(self, path: Path) -> int:
        """See FileCalls."""
        self._call()
        return super().size(path)

    def _call(self) -> None:
        kind = self._kind_now()
        self.calls_made += 1
        if kind in (FaultKind.FAIL, FaultKind.FULL):
            number = errno.EIO if kind is FaultKind.FAIL else errno.ENOSPC
            raise OSError(number, os.strerror(number))
        if kind is not None:
            self._is_stopped = True
        if self._is_stopped:
            raise Stopped

    def _kind_now(self) -> FaultKind | None:
        is_now = self._fault is not None and self._fault.call == self.calls_made
        return self._fault.kind if self._fault is not None and is_now else None
