"""Faults of settings: what was found, what is allowed, how to put it right."""

import json
from collections.abc import Iterable

from attrs import frozen

_LONGEST = 60  # characters of a found value that are worth showing


@frozen
class Fault:
    """One thing wrong with the settings, at the dotted path of the field to change."""

    path: str
    found: str
    allowed: str
    fix: str = ""

    def __str__(self) -> str:
        sentence = f"{self.path}: found {self.found}, allowed {self.allowed}"
        return f"{sentence}; {self.fix}" if self.fix else sentence


class SettingsError(Exception):
    """The settings cannot be used; *faults* holds every reason."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def shown(value: object) -> str:
    """*value* as one short line, the way a person would have written it."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    if not text:
        return "nothing"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
