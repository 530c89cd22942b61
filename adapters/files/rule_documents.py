"""Rule documents of the Greg engines as JSON, the shipped ones and any other."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ports.errors import StoreDamaged

SHIPPED = Path(__file__).parent / "rules"
ENTRY, POSITION = SHIPPED / "entry_engine.json", SHIPPED / "position_engine.json"


class _Meta(BaseModel):
    """What a document says it is."""

    model_config = ConfigDict(strict=True)

    module: str
    version: str


class _Document(BaseModel):
    """The least that makes a rule document; its numbers are judged by the engine they are of."""

    model_config = ConfigDict(strict=True, extra="allow")

    meta: _Meta
    calibration: dict[str, Any] = {}


def read_rules(path: Path) -> dict[str, Any]:
    """
    Return the rule document at *path*.

    Raises:
        StoreDamaged: It cannot be read, is cut off, tells a key twice, or is no rule document.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_number)
        _Document.model_validate(document)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise StoreDamaged(f"rules at {path}: {_said(error)}") from error
    return dict(document)


def _said(error: Exception) -> str:
    if isinstance(error, ValidationError):
        wrong = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(str(step) for step in wrong['loc']) or 'document'}: {wrong['msg']}"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) or "nested too deeply"


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} is told twice")
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")
