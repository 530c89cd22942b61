"""A person's overrides of rules, in one JSON file with its switches."""

import json
from pathlib import Path
from typing import Annotated

from attrs import frozen
from pydantic import BaseModel, ConfigDict, FiniteFloat, Strict, ValidationError

from adapters.files.disk import Disk

_Number = Annotated[FiniteFloat, Strict()]


class OverridesFile(BaseModel):
    """The file's text: three switches, all off, and numbers by bot."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    use_global_risk_overrides: bool = False
    use_bot_risk_overrides: bool = False
    use_entry_rule_overrides: bool = False
    global_risk: dict[str, _Number] = {}
    bot_risk: dict[str, dict[str, _Number]] = {}
    entry_rules: dict[str, dict[str, _Number]] = {}


@frozen
class OverridesRead:
    """What the file says, and what is wrong with it: then it says nothing."""

    file: OverridesFile
    warning: str = ""


def read_overrides(path: Path) -> OverridesRead:
    """Return what is at *path*; nothing where there is no file, or a damaged one, which is said."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return OverridesRead(OverridesFile())
    except OSError as error:
        return OverridesRead(OverridesFile(), f"{path} cannot be read: {error.strerror}")
    try:
        return OverridesRead(OverridesFile.model_validate(json.loads(data)))
    except (ValidationError, ValueError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else "nested too deeply"
        return OverridesRead(OverridesFile(), f"{path} is damaged and counts as empty: {first}")


def write_overrides(path: Path, file: OverridesFile, disk: Disk | None = None) -> None:
    """
    Write *file* to *path*, whole or not at all, in a folder that is made if need be.

    Raises:
        StoreUnwritable: It could not be written.
    """
    text = json.dumps(file.model_dump(), indent=2, sort_keys=True) + "\n"
    disk = disk or Disk()
    disk.make_directory(path.parent)
    disk.replace(path, text.encode())
