"""The kill switch of a book, set and released without its lock."""

import os
from pathlib import Path

from attrs import frozen

from adapters.files.disk import Disk
from apps.wiring.book import BookPlace, controls_of
from apps.wiring.clock import system_now
from ports.controls import RuntimeControls
from ports.errors import PortError


@frozen
class Killed:
    """The controls as they are now; *failure* says why the KILL file *path* was needed."""

    controls: RuntimeControls
    failure: str
    path: Path | None


async def kill(place: BookPlace, reason: str) -> Killed:
    """
    Set the kill switch of the book at *place*: in its controls, else by a KILL file.

    Raises:
        StoreUnwritable: Neither could be written.
    """
    controls = controls_of(place)
    try:
        killed = await controls.change(system_now(), operator(), reason, {"kill_switch": True})
    except PortError as error:
        path = write_kill_file(place.data_dir / "KILL", reason)
        return Killed(await controls.read(), str(error), path)
    return Killed(killed, "", None)


async def release(place: BookPlace, reason: str) -> RuntimeControls:
    """
    Turn the kill switch of the book at *place* off, remove its KILL files, return what holds.

    Raises:
        StoreUnwritable: One of them could not be changed; it still holds.
    """
    return await controls_of(place).release(system_now(), operator(), reason)


def kill_files(place: BookPlace) -> tuple[Path, ...]:
    """The KILL files that are there."""
    disk = Disk()
    paths = (place.data_dir / "KILL", place.directory / "KILL")
    return tuple(path for path in paths if disk.exists(path))


def write_kill_file(path: Path, reason: str) -> Path:
    """
    Write the KILL file *path*, and return it.

    Its being there is what counts: it may be there already, or stay without its text.

    Raises:
        StoreUnwritable: It is not there.
    """
    disk = Disk()
    if not disk.exists(path):
        disk.make_directory(path.parent)
        disk.create(path)
        disk.append(path, f"{reason}\n".encode())
    return path


def operator() -> str:
    return f"command line, user {os.getuid()}"
