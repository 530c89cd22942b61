"""ControlStore in files, and the files named KILL that overrule it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import attrs
from attrs import frozen

from adapters.files.disk import Disk, HeldLock
from adapters.files.documents import document, fields_of
from ports.codec import Codec
from ports.control_changes import changed
from ports.controls import ControlChange, RuntimeControls
from ports.errors import StoreDamaged, StoreUnwritable

_CONTROLS = Codec.of([RuntimeControls])
_CHANGES = Codec.of([ControlChange])
_KILL_TEXT_BYTES = 4096
_KILL_REASON_LENGTH = 200
_LOCK_RETRY_S = 0.02


@frozen
class _Stored:
    """The controls that the files say; *is_damaged* if they had to be made up."""

    controls: RuntimeControls
    is_damaged: bool = False


class FileControlStore:
    """
    `controls.json`, `controls_audit.jsonl` and `controls.lock` in *directory*.

    Several processes may share it: a change holds the lock from reading to writing. A file at
    one of *kill_paths* is the kill switch on, whatever else is written; it changes no
    revision. So are controls that cannot be read, and controls that are absent although
    *journal_exists* says there is a journal: a first start calls begin() before it writes one.
    """

    def __init__(
        self,
        disk: Disk,
        directory: Path,
        kill_paths: tuple[Path, ...],
        journal_exists: Callable[[], bool],
        lock_wait_s: float = 2.0,  # a change takes milliseconds
    ) -> None:
        self._disk = disk
        self._directory = directory
        self._path = directory / "controls.json"
        self._audit_path = directory / "controls_audit.jsonl"
        self._kill_paths = kill_paths
        self._journal_exists = journal_exists
        self._lock_wait_s = lock_wait_s

    async def begin(self) -> None:
        """
        Write controls that leave every setting as it is, if neither they nor a journal exist.

        Raises:
            StoreUnwritable: They could not be kept.
        """
        async with self._locked():
            if not self._disk.exists(self._path) and not self._journal_exists():
                self._keep(RuntimeControls())

    async def read(self) -> RuntimeControls:
        """Return the controls as they are now; what cannot be read is the kill switch on."""
        return self._overruled(self._in_force())

    async def change(
        self, at: datetime, who: str, reason: str, changes: dict[str, object]
    ) -> RuntimeControls:
        """
        Apply *changes*, field name to new value, all or none, once the audit lines are synced.

        Damaged controls are kept as `controls.json.corrupt-<n>`; the change then starts from
        the kill switch on and no overlay. A KILL file stays, and stays in force.

        Raises:
            ValueError: No such control, or a value it cannot have.

            StoreUnwritable: It could not be kept, or another process held the lock for too
                long; nothing was changed.
        """
        async with self._locked():
            before = self._stored()
            after = changed(before.controls, at, who, reason, changes)
            self._append_audit(before.controls.revision, after.audit)
            if before.is_damaged:
                self._disk.copy_aside(self._path)
            self._keep(after.controls)
        return self._overruled(after.controls)

    async def release(self, at: datetime, who: str, reason: str) -> RuntimeControls:
        """
        Turn the kill switch off, then remove the KILL files, and return what is then in force.

        Raises:
            ValueError: *who* or *reason* is empty.

            StoreUnwritable: One of them could not be kept or removed; it still holds.
        """
        await self.change(at, who, reason, {"kill_switch": False})
        for path in self._kill_paths:
            if self._kill_reason(path) is not None:
                self._disk.remove(path)
        return await self.read()

    async def audit(self) -> tuple[ControlChange, ...]:
        """
        Return every change ever made, oldest first.

        Raises:
            StoreDamaged: A line is not as it was written; names its number.
        """
        lines = _whole_lines(self._disk.read(self._audit_path) or b"")
        changes = []
        for number, line in enumerate(lines, start=1):
            try:
                changes.append(_change(line))
            except ValueError as error:
                raise StoreDamaged(f"{self._audit_path} line {number}: {error}") from error
        revision = self._stored().controls.revision
        return tuple(change for change in changes if change.revision <= revision)

    def _in_force(self) -> RuntimeControls:
        """The controls without the KILL files."""
        try:
            return self._stored().controls
        except StoreDamaged as error:
            return RuntimeControls(kill_switch=True, kill_reason=str(error))

    def _stored(self) -> _Stored:
        """What the files say; StoreDamaged if the system does not let us read them."""
        data = self._disk.read(self._path)
        if data is None and self._journal_exists():
            return self._killed(f"{self._path} is absent although there is a journal")
        if data is None:
            return _Stored(RuntimeControls())
        try:
            return _Stored(_CONTROLS.decode(fields_of(data)))
        except ValueError as error:
            return self._killed(f"{self._path} is damaged: {error}", is_damaged=True)

    def _killed(self, reason: str, *, is_damaged: bool = False) -> _Stored:
        """The kill switch on, counting on from what the audit still tells."""
        lines = _whole_lines(self._disk.read(self._audit_path) or b"")
        changes = [change for change in map(_change_or_none, lines) if change is not None]
        controls = RuntimeControls(
            revision=max((change.revision for change in changes), default=0),
            releases=sum(_is_release(change) for change in changes),
            kill_switch=True,
            kill_reason=reason,
        )
        return _Stored(controls, is_damaged)

    def _overruled(self, controls: RuntimeControls) -> RuntimeControls:
        """*controls*, with the kill switch on if there is a KILL file."""
        for path in self._kill_paths:
            reason = self._kill_reason(path)
            if reason is not None:
                return attrs.evolve(controls, kill_switch=True, kill_reason=reason)
        return controls

    def _kill_reason(self, path: Path) -> str | None:
        """What the KILL file at *path* says; None only if there is certainly none."""
        try:
            data = self._disk.read(path, _KILL_TEXT_BYTES)
        except StoreDamaged as error:
            return str(error)
        if data is None:
            return None
        words = data.decode(errors="replace").split()
        text = "".join(letter for letter in " ".join(words) if letter.isprintable())
        return text[:_KILL_REASON_LENGTH] or f"{path} exists"

    def _append_audit(self, revision: int, changes: tuple[ControlChange, ...]) -> None:
        """Write *changes* behind the lines of *revision* and before; later ones never held."""
        data = self._disk.read(self._audit_path)
        if data is None:
            self._disk.create(self._audit_path)
        else:
            held = b"".join(line for line in _whole_lines(data) if not _is_later(line, revision))
            if held != data:
                self._disk.replace(self._audit_path, held)
        lines = b"".join(document(_CHANGES.encode(change)) for change in changes)
        self._disk.append(self._audit_path, lines)

    def _keep(self, controls: RuntimeControls) -> None:
        self._disk.replace(self._path, document(_CONTROLS.encode(controls)))

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        self._disk.make_directory(self._directory)
        held = await self._lock()
        try:
            yield
        except StoreDamaged as error:
            raise StoreUnwritable(f"the controls cannot be changed: {error}") from error
        finally:
            held.release()

    async def _lock(self) -> HeldLock:
        path = self._directory / "controls.lock"
        waited_s = 0.0
        while (held := self._disk.try_lock(path)) is None:
            if waited_s >= self._lock_wait_s:
                raise StoreUnwritable(f"another process holds {path} for {waited_s:.1f} s")
            await asyncio.sleep(_LOCK_RETRY_S)
            waited_s += _LOCK_RETRY_S
        return held


def _whole_lines(data: bytes) -> list[bytes]:
    """The lines of *data* with their line ends; a torn last one is none."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]]


def _change(line: bytes) -> ControlChange:
    change: ControlChange = _CHANGES.decode(fields_of(line))
    return change


def _change_or_none(line: bytes) -> ControlChange | None:
    try:
        return _change(line)
    except ValueError:
        return None


def _is_release(change: ControlChange) -> bool:
    return (change.name, change.new) == ("kill_switch", "false")


def _is_later(line: bytes, revision: int) -> bool:
    change = _change_or_none(line)
    return change is not None and change.revision > revision
