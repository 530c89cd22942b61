"""The calls to the operating system by which files are read and changed, one method each."""

import errno
import fcntl
import os
import shutil
from pathlib import Path
from typing import Protocol


class FileCalls(Protocol):
    """
    What Disk asks of the operating system; each method fails with OSError.

    They stand apart so that each of them can be made to fail, to stop half way or to lose what
    was not synced.
    """

    def open(self, path: Path, flags: int) -> int:
        """Return a descriptor of the file or directory *path*."""
        ...

    def read(self, descriptor: int, size: int) -> bytes:
        """Return the next bytes, at most *size*; none at the end."""
        ...

    def seek(self, descriptor: int, offset: int) -> None:
        """Read on from *offset*."""
        ...

    def write(self, descriptor: int, data: bytes) -> int:
        """Write *data* and return how much of it was taken."""
        ...

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file to *size* bytes."""
        ...

    def sync(self, descriptor: int) -> None:
        """Return once the file, or the names in the directory, are safe from a loss of power."""
        ...

    def close(self, descriptor: int) -> None:
        """Give the descriptor back, and with it a lock on it."""
        ...

    def try_lock(self, descriptor: int) -> bool:
        """Lock the file against every other descriptor of it; False if one has it locked."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Give *source* the name *target*, in place of what had it."""
        ...

    def remove(self, path: Path) -> None:
        """Remove the file *path*."""
        ...

    def make_directory(self, path: Path) -> None:
        """Make the directory *path*."""
        ...

    def names(self, directory: Path) -> list[str]:
        """The names in *directory*."""
        ...

    def exists(self, path: Path) -> bool:
        """Whether there is anything of this name, be it a link to nothing."""
        ...

    def size(self, path: Path) -> int:
        """The size of the file in bytes."""
        ...

    def free_bytes(self, path: Path) -> int:
        """The bytes that can still be written where *path* is or would be."""
        ...


class SystemCalls:
    """FileCalls of this computer. New files are for their owner only."""

    def open(self, path: Path, flags: int) -> int:
        """Return a descriptor of the file or directory *path*."""
        return os.open(path, flags | os.O_CLOEXEC, mode=0o600)

    def read(self, descriptor: int, size: int) -> bytes:
        """Return the next bytes, at most *size*; none at the end."""
        return os.read(descriptor, size)

    def seek(self, descriptor: int, offset: int) -> None:
        """Read on from *offset*."""
        os.lseek(descriptor, offset, os.SEEK_SET)

    def write(self, descriptor: int, data: bytes) -> int:
        """Write *data* and return how much of it was taken."""
        return os.write(descriptor, data)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file to *size* bytes."""
        os.ftruncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        """Return once the file, or the names in the directory, are safe from a loss of power."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Give the descriptor back, and with it a lock on it."""
        os.close(descriptor)

    def try_lock(self, descriptor: int) -> bool:
        """Lock the file against every other descriptor of it; False if one has it locked."""
        # flock, not lockf: a lockf lock is lost as soon as this process closes any other
        # descriptor of the file, and keeps nobody out within the process.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def rename(self, source: Path, target: Path) -> None:
        """Give *source* the name *target*, in place of what had it."""
        source.rename(target)

    def remove(self, path: Path) -> None:
        """Remove the file *path*."""
        path.unlink()

    def make_directory(self, path: Path) -> None:
        """Make the directory *path*."""
        path.mkdir(exist_ok=True)  # another process may start at the same time

    def names(self, directory: Path) -> list[str]:
        """The names in *directory*."""
        return os.listdir(directory)

    def exists(self, path: Path) -> bool:
        """Whether there is anything of this name, be it a link to nothing."""
        try:
            path.lstat()
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return False
            raise
        return True

    def size(self, path: Path) -> int:
        """The size of the file in bytes."""
        return path.stat().st_size

    def free_bytes(self, path: Path) -> int:
        """The bytes that can still be written where *path* is or would be."""
        return shutil.disk_usage(path.parent).free
