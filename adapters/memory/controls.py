"""ControlStore in memory."""

from datetime import datetime

from ports.control_changes import changed
from ports.controls import ControlChange, RuntimeControls


class MemoryControlStore:
    """Controls that are gone with their process."""

    def __init__(self, controls: RuntimeControls | None = None) -> None:
        self._controls = controls or RuntimeControls()
        self._audit: tuple[ControlChange, ...] = ()

    async def read(self) -> RuntimeControls:
        """Return the controls as they are now."""
        return self._controls

    async def change(
        self, at: datetime, who: str, reason: str, changes: dict[str, object]
    ) -> RuntimeControls:
        """
        Apply *changes*, field name to new value, all or none.

        Raises:
            ValueError: No such control, or a value it cannot have.
        """
        after = changed(self._controls, at, who, reason, changes)
        self._controls = after.controls
        self._audit += after.audit
        return self._controls

    async def release(self, at: datetime, who: str, reason: str) -> RuntimeControls:
        """
        Turn the kill switch off.

        Raises:
            ValueError: *who* or *reason* is empty.
        """
        return await self.change(at, who, reason, {"kill_switch": False})

    async def audit(self) -> tuple[ControlChange, ...]:
        """Return every change ever made, oldest first."""
        return self._audit
