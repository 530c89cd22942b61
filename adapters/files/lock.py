"""BookLock: one process at a time, and one environment for ever, in a directory."""

import os
from pathlib import Path
from typing import Self

from adapters.files.disk import Disk, HeldLock
from adapters.files.documents import document, fields_of
from ports.codec import from_json, to_json
from ports.errors import StoreDamaged, StoreForeign, StoreLocked

_ENVIRONMENT = "environment.json"


class BookLock:
    """
    The right to write the book in a directory, from take() until close() or the process's end.

    The system gives a lock back when its process ends, however that happens; but a child made
    by fork without exec shares it. Pools of processes must be spawned.
    """

    def __init__(self, held: HeldLock) -> None:
        self._held = held

    @classmethod
    def take(
        cls, disk: Disk, directory: Path, environment: str, *, command: str, since: str
    ) -> Self:
        """
        Return the lock on *directory*, made if it is not there, as a book of *environment*.

        *command* and *since* tell others who holds it. Nothing but `LOCK` is touched before it
        is held.

        Raises:
            StoreLocked: Another process holds it; says which.

            StoreForeign: It is the book of another environment.

            StoreDamaged: `environment.json` is not as it was written.

            StoreUnwritable: The directory takes no files.
        """
        disk.make_directory(directory)
        # Who only asks, holder_of(), has it for an instant: one more try tells him from an owner.
        held = disk.try_lock(directory / "LOCK") or disk.try_lock(directory / "LOCK")
        if held is None:
            raise StoreLocked(f"{directory / 'LOCK'} is held by {_holder(disk, directory)}")
        try:
            who = {"pid": os.getpid(), "command": command, "since": since}
            held.write(f"{to_json(who)}\n".encode())
            _check_environment(disk, directory, environment)
        except BaseException:
            held.release()
            raise
        return cls(held)

    def close(self) -> None:
        """Give the book to others."""
        self._held.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def holder_of(disk: Disk, directory: Path) -> str | None:
    """
    Return who holds the book in *directory* at this moment, in words; None if nobody does.

    Raises:
        StoreUnwritable: The lock cannot be tried.
    """
    path = directory / "LOCK"
    if not disk.exists(path):
        return None
    held = disk.try_lock(path)
    if held is None:
        return _holder(disk, directory)
    held.release()
    return None


def environment_of(disk: Disk, directory: Path) -> str | None:
    """
    Return the environment whose book lies in *directory*; None if there is none.

    Raises:
        StoreDamaged: `environment.json` is not as it was written.
    """
    path = directory / _ENVIRONMENT
    data = disk.read(path)
    if data is None:
        return None
    try:
        return str(fields_of(data).get("environment"))
    except ValueError as error:
        raise StoreDamaged(f"{path} is damaged: {error}") from error


def _holder(disk: Disk, directory: Path) -> str:
    """What the lock file says of its holder; it may be read before he has written it."""
    try:
        who = from_json(disk.read(directory / "LOCK") or b"")
    except (StoreDamaged, ValueError):
        return "another process"
    return f"process {who.get('pid')} ({who.get('command')}) since {who.get('since')}"


def _check_environment(disk: Disk, directory: Path, environment: str) -> None:
    found = environment_of(disk, directory)
    if found is None:
        fields = {"version": 1, "environment": environment}
        disk.replace(directory / _ENVIRONMENT, document(fields))
    elif found != environment:
        raise StoreForeign(f"{directory} holds a book of {found!r}, not of {environment!r}")
