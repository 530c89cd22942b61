"""Reviewed thresholds by coin, in one JSON file with where each comes from."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from adapters.files.disk import Disk
from ports.errors import StoreDamaged


class ThresholdLine(BaseModel):
    """One threshold: its value, the one before it, and the sample it is of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: FiniteFloat
    previous: FiniteFloat
    sensor: str
    percentile: float = Field(ge=0.0, le=100.0)
    sample_size: int = Field(ge=1)


class ThresholdMeta(BaseModel):
    """What the file is, of which day, and who has looked at it; nobody yet is empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    module: Literal["ENTRY_THRESHOLDS"] = "ENTRY_THRESHOLDS"
    as_of: date
    reviewed_by: str = ""


class ThresholdsFile(BaseModel):
    """The file's text: thresholds by coin and by the keys of the rule document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    meta: ThresholdMeta
    underlyings: dict[Annotated[str, Field(min_length=1)], dict[str, ThresholdLine]]


def read_thresholds(path: Path) -> ThresholdsFile:
    """
    Return what is at *path*.

    Raises:
        StoreDamaged: It cannot be read, or is no such file.
    """
    try:
        return ThresholdsFile.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValidationError, ValueError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else "nested too deeply"
        raise StoreDamaged(f"thresholds at {path}: {first}") from error


def write_thresholds(path: Path, file: ThresholdsFile, disk: Disk | None = None) -> None:
    """
    Write *file* to *path*, whole or not at all.

    Raises:
        StoreUnwritable: It could not be written.
    """
    (disk or Disk()).replace(path, (file.model_dump_json(indent=2) + "\n").encode())
