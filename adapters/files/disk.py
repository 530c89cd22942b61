"""Disk: the few file operations of this package, each whole and synced or a PortError."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.files.calls import FileCalls, SystemCalls
from ports.errors import PortError, StoreDamaged, StoreUnwritable

_CHUNK_BYTES = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Disk:
    """
    Files, read and written so that a crash at any instant leaves the old or the new.

    What cannot be read is StoreDamaged, what cannot be written or synced StoreUnwritable, both
    with the path and what the system said. *calls* is where a test makes the system fail.
    """

    def __init__(self, calls: FileCalls | None = None) -> None:
        self._calls = calls or SystemCalls()

    def exists(self, path: Path) -> bool:
        """Whether there is anything of this name."""
        with _failing_as(StoreDamaged, "look for", path):
            return self._calls.exists(path)

    def names(self, directory: Path) -> tuple[str, ...]:
        """The names in *directory*, sorted; none if there is no such directory."""
        if not self.exists(directory):
            return ()
        with _failing_as(StoreDamaged, "list", directory):
            return tuple(sorted(self._calls.names(directory)))

    def size(self, path: Path) -> int:
        """The size of *path* in bytes."""
        with _failing_as(StoreDamaged, "measure", path):
            return self._calls.size(path)

    def free_bytes(self, path: Path) -> int:
        """The room left on the disk of *path*, or of where it would be."""
        with _failing_as(StoreDamaged, "measure the disk of", path):
            there = next(each for each in (path, *path.parents) if self._calls.exists(each.parent))
            return self._calls.free_bytes(there)

    def read(self, path: Path, limit_bytes: int | None = None) -> bytes | None:
        """Return what is in *path*, or its first *limit_bytes*; None if there is no such file."""
        if not self.exists(path):
            return None
        with _failing_as(StoreDamaged, "read", path):
            return self._content(path, limit_bytes)

    def lines(self, path: Path, offset: int) -> Iterator[bytes]:
        """Yield the lines from *offset* on, each with its line end; the last may have none."""
        pending = b""
        with (
            _failing_as(StoreDamaged, "read", path),
            self._opened(path, os.O_RDONLY) as descriptor,
        ):
            self._calls.seek(descriptor, offset)
            while chunk := self._calls.read(descriptor, _CHUNK_BYTES):
                *whole, pending = (pending + chunk).split(b"\n")
                for line in whole:
                    yield line + b"\n"
        if pending:
            yield pending

    def make_directory(self, path: Path) -> None:
        """Make *path* and what is missing above it."""
        with self._writing("make", path):
            if self._calls.exists(path):
                return
            self.make_directory(path.parent)
            self._calls.make_directory(path)
            self._sync_directory(path.parent)

    def create(self, path: Path) -> None:
        """Make the empty file *path*, which must not be there yet."""
        with self._writing("create", path):
            with self._opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
                self._calls.sync(descriptor)
            self._sync_directory(path.parent)

    def append(self, path: Path, data: bytes) -> None:
        """Write *data* behind what is in *path*, which must be there, in one call, and sync it."""
        with (
            self._writing("append to", path),
            self._opened(path, os.O_WRONLY | os.O_APPEND) as descriptor,
        ):
            self._write(descriptor, data)

    def replace(self, path: Path, data: bytes) -> None:
        """Put *data* in place of what is in *path*, which is kept as `<name>.previous`."""
        with self._writing("write", path):
            if self._calls.exists(path):
                self._put(path.with_name(f"{path.name}.previous"), self._content(path, None))
            self._put(path, data)

    def cut(self, path: Path, size: int, kept: Path) -> None:
        """Cut *path* to *size* bytes once the rest lies in *kept*."""
        rest = b"".join(self.lines(path, size))
        with self._writing("cut", path):
            self._put(kept, rest)
            with self._opened(path, os.O_WRONLY) as descriptor:
                self._calls.truncate(descriptor, size)
                self._calls.sync(descriptor)

    def sync(self, path: Path) -> None:
        """Make sure of what is in *path* and of its name."""
        with self._writing("sync", path):
            with self._opened(path, os.O_WRONLY) as descriptor:
                self._calls.sync(descriptor)
            self._sync_directory(path.parent)

    def move_aside(self, path: Path) -> Path:
        """Give *path* the first free name `<name>.corrupt-<n>`, n from 1, and return it."""
        with self._writing("move aside", path):
            aside = self._name_aside(path)
            self._calls.rename(path, aside)
            self._sync_directory(path.parent)
        return aside

    def move(self, path: Path, target: Path) -> None:
        """Give *path* the name *target*, in another folder perhaps, where nothing is yet."""
        with self._writing("move", path):
            self._calls.rename(path, target)
            self._sync_directory(target.parent)
            self._sync_directory(path.parent)

    def copy_aside(self, path: Path) -> Path:
        """Keep what is in *path* under such a name too, and return it."""
        with self._writing("copy", path):
            aside = self._name_aside(path)
            self._put(aside, self._content(path, None))
        return aside

    def remove(self, path: Path) -> None:
        """Remove the file *path*."""
        with self._writing("remove", path):
            self._calls.remove(path)
            self._sync_directory(path.parent)

    def try_lock(self, path: Path) -> "HeldLock | None":
        """Lock *path*, made if it is not there; None while somebody else holds it."""
        with self._writing("lock", path):
            descriptor = self._calls.open(path, os.O_RDWR | os.O_CREAT)
            try:
                is_ours = self._calls.try_lock(descriptor)
            except BaseException:
                self._calls.close(descriptor)
                raise
            if is_ours:
                return HeldLock(self._calls, path, descriptor)
            self._calls.close(descriptor)
            return None

    def _name_aside(self, path: Path) -> Path:
        number = 1
        while self._calls.exists(aside := path.with_name(f"{path.name}.corrupt-{number}")):
            number += 1
        return aside

    def _content(self, path: Path, limit_bytes: int | None) -> bytes:
        data = b""
        # O_NONBLOCK: a pipe laid there by hand must not stop us.
        with self._opened(path, os.O_RDONLY | os.O_NONBLOCK) as descriptor:
            while chunk := self._calls.read(descriptor, limit_bytes or _CHUNK_BYTES):
                data += chunk
                if limit_bytes is not None and len(data) >= limit_bytes:
                    break
        return data if limit_bytes is None else data[:limit_bytes]

    def _put(self, path: Path, data: bytes) -> None:
        temporary = path.with_name(f"{path.name}.tmp")
        with self._opened(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
            self._write(descriptor, data)
        self._calls.rename(temporary, path)
        self._sync_directory(path.parent)

    def _write(self, descriptor: int, data: bytes) -> None:
        written = self._calls.write(descriptor, data)
        if written != len(data):
            raise OSError(errno.ENOSPC, f"only {written} of {len(data)} bytes were taken")
        self._calls.sync(descriptor)

    def _sync_directory(self, directory: Path) -> None:
        with self._opened(directory, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            self._calls.sync(descriptor)

    @contextmanager
    def _opened(self, path: Path, flags: int) -> Iterator[int]:
        descriptor = self._calls.open(path, flags)
        try:
            yield descriptor
        finally:
            self._calls.close(descriptor)

    @contextmanager
    def _writing(self, verb: str, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            free = f" ({self._free(path)})" if error.errno in _FULL else ""
            raise StoreUnwritable(f"cannot {verb} {path}: {error.strerror}{free}") from error

    def _free(self, path: Path) -> str:
        try:
            return f"{self._calls.free_bytes(path)} bytes free"
        except OSError as error:
            return f"free bytes unknown: {error.strerror}"


class HeldLock:
    """A lock on a file, held until it is released or the process ends."""

    def __init__(self, calls: FileCalls, path: Path, descriptor: int) -> None:
        self._calls = calls
        self._path = path
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        """Put *data* in the locked file; it only informs, so it is not synced."""
        with _failing_as(StoreUnwritable, "write", self._path):
            self._calls.truncate(self._descriptor, 0)
            if self._calls.write(self._descriptor, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def release(self) -> None:
        """Let others have it."""
        with _failing_as(StoreUnwritable, "unlock", self._path):
            self._calls.close(self._descriptor)


@contextmanager
def _failing_as(kind: type[PortError], verb: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise kind(f"cannot {verb} {path}: {error.strerror}") from error
