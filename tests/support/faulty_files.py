"""Files in memory that fail, stop and lose their power when they are told to."""

import errno
import os
from enum import Enum
from pathlib import Path

from attrs import define, frozen


class FaultKind(Enum):
    """What becomes of one call."""

    FAIL = "it does nothing and fails: input/output error"
    FULL = "it does nothing, or half of a write, and fails: no space"
    STOP = "the process ends before it"
    TORN = "the process ends when half of a write is done"


class Loss(Enum):
    """What is left when the next process comes."""

    NOTHING = "only the process ended: every write is there"
    UNSYNCED = "the power failed: what was not synced is gone"
    HALF = "the power failed: half of what was not synced is there"
    ZEROED = "the power failed: what was not synced reads as NUL"


@frozen
class Fault:
    """What happens at call number *call*, counted from 0."""

    call: int
    kind: FaultKind


class Stopped(BaseException):
    """The process ended here."""


@define(eq=False)
class _File:
    data: bytes = b""
    synced: bytes = b""

    def after(self, loss: Loss) -> "_File":
        if loss is Loss.NOTHING:
            return _File(self.data, self.synced)
        lost = self.data[len(self.synced) :] if self.data.startswith(self.synced) else b""
        left = {
            Loss.UNSYNCED: self.synced,
            Loss.HALF: self.synced + lost[: len(lost) // 2],
            Loss.ZEROED: self.synced + bytes(len(lost)),
        }[loss]
        return _File(left, left)


@define
class _Opened:
    path: Path
    file: _File | None  # None: a directory
    offset: int = 0


class FaultyFiles:
    """FileCalls over files in memory; at *fault* one call goes wrong."""

    def __init__(self, fault: Fault | None = None) -> None:
        self.calls_made = 0
        self._fault = fault
        self._stopped = False
        self._files: dict[Path, _File] = {}
        self._synced_names: dict[Path, _File] = {}
        self._directories = {Path("/")}
        self._opened: dict[int, _Opened] = {}

    def restarted(self, loss: Loss, fault: Fault | None = None) -> "FaultyFiles":
        """The files that the next process finds, which has its own *fault* or none."""
        files = {id(file): file for file in (*self._files.values(), *self._synced_names.values())}
        left = {key: file.after(loss) for key, file in files.items()}
        names = self._files if loss is Loss.NOTHING else self._synced_names
        after = FaultyFiles(fault)
        after._files = {path: left[id(file)] for path, file in names.items()}
        after._synced_names = {path: left[id(file)] for path, file in self._synced_names.items()}
        after._directories = set(self._directories)
        return after

    def fail_next(self, kind: FaultKind, skip: int) -> None:
        """Let one call go wrong, after *skip* more that do not."""
        self._fault = Fault(self.calls_made + skip, kind)

    @property
    def open_descriptors(self) -> int:
        """How many descriptors were not given back."""
        return len(self._opened)

    def open(self, path: Path, flags: int) -> int:
        """See FileCalls."""
        self._call()
        descriptor = 1 + max(self._opened, default=0)
        if path in self._directories:
            self._opened[descriptor] = _Opened(path, None)
            return descriptor
        if path in self._files and flags & os.O_EXCL:
            raise OSError(errno.EEXIST, "File exists")
        if path not in self._files:
            if not flags & os.O_CREAT or path.parent not in self._directories:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory")
            self._files[path] = _File()
        if flags & os.O_TRUNC:
            self._files[path].data = b""
        self._opened[descriptor] = _Opened(path, self._files[path])
        return descriptor

    def read(self, descriptor: int, size: int) -> bytes:
        """See FileCalls."""
        self._call()
        opened = self._opened[descriptor]
        data = self._file(opened).data[opened.offset : opened.offset + size]
        opened.offset += len(data)
        return data

    def seek(self, descriptor: int, offset: int) -> None:
        """See FileCalls."""
        self._call()
        self._opened[descriptor].offset = offset

    def write(self, descriptor: int, data: bytes) -> int:
        """See FileCalls; every file is written at its end."""
        file = self._file(self._opened[descriptor])
        kind = self._kind_now()
        if kind in (FaultKind.TORN, FaultKind.FULL):
            file.data += data[: len(data) // 2]
        if kind is FaultKind.FULL:
            self.calls_made += 1
            return len(data) // 2
        self._call()
        file.data += data
        return len(data)

    def truncate(self, descriptor: int, size: int) -> None:
        """See FileCalls."""
        self._call()
        file = self._file(self._opened[descriptor])
        file.data = file.data[:size]

    def sync(self, descriptor: int) -> None:
        """See FileCalls."""
        self._call()
        opened = self._opened[descriptor]
        if opened.file is not None:
            opened.file.synced = opened.file.data
            return
        names = self._synced_names.keys() | self._files.keys()
        for path in [path for path in names if path.parent == opened.path]:
            if path in self._files:
                self._synced_names[path] = self._files[path]
            else:
                del self._synced_names[path]

    def close(self, descriptor: int) -> None:
        """See FileCalls."""
        del self._opened[descriptor]

    def try_lock(self, descriptor: int) -> bool:
        """See FileCalls; nobody else is there."""
        self._call()
        return descriptor in self._opened

    def rename(self, source: Path, target: Path) -> None:
        """See FileCalls."""
        self._call()
        self._files[target] = self._files.pop(source)

    def remove(self, path: Path) -> None:
        """See FileCalls."""
        self._call()
        del self._files[path]

    def make_directory(self, path: Path) -> None:
        """See FileCalls; a directory is never lost again."""
        self._call()
        self._directories.add(path)

    def names(self, directory: Path) -> list[str]:
        """See FileCalls."""
        self._call()
        return [path.name for path in self._files if path.parent == directory]

    def exists(self, path: Path) -> bool:
        """See FileCalls."""
        self._call()
        return path in self._files or path in self._directories

    def size(self, path: Path) -> int:
        """See FileCalls."""
        self._call()
        return len(self._files[path].data)

    def free_bytes(self, path: Path) -> int:
        """See FileCalls."""
        return 4096 - len(self._files.get(path, _File()).data)

    def _call(self) -> None:
        kind = self._kind_now()
        self.calls_made += 1
        if kind is FaultKind.FAIL:
            raise OSError(errno.EIO, "Input/output error")
        if kind is FaultKind.FULL:
            raise OSError(errno.ENOSPC, "No space left on device")
        if kind is not None:
            self._stopped = True
        if self._stopped:
            raise Stopped

    def _kind_now(self) -> FaultKind | None:
        is_now = self._fault is not None and self._fault.call == self.calls_made
        return self._fault.kind if self._fault is not None and is_now else None

    def _file(self, opened: _Opened) -> _File:
        if opened.file is None:
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        return opened.file
