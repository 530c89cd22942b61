"""How a command ends when something outside failed or contradicts: a sentence and a code."""

from attrs import frozen

from apps.cli.exits import ExitCode
from apps.settings.faults import SettingsError
from ports.errors import PortError, StoreDamaged, StoreForeign, StoreLocked, StoreUnwritable


@frozen
class Ending:
    """What is said, and the code the process ends with."""

    code: ExitCode
    sentence: str


def ending_of(error: Exception) -> Ending | None:
    """The ending that *error* leads to; None for a bug, which has no good one."""
    if isinstance(error, SettingsError):
        return Ending(ExitCode.MISUSE, "; ".join(str(fault) for fault in error.faults))
    if isinstance(error, StoreLocked):
        return Ending(ExitCode.LOCKED, str(error))
    notes = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
    if isinstance(error, StoreDamaged | StoreForeign | StoreUnwritable):
        return Ending(ExitCode.HALTED, f"HALTED: {error}{notes}")
    if isinstance(error, PortError):
        return Ending(ExitCode.FAILED, f"{error}{notes}")
    return None
